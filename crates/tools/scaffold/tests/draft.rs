//! Drafts of odd documents, and of some that FastAPI has written.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::Path;

use scaffold::draft::{Draft, DraftError, Outcome, draft};
use serde_json::{Value, json};

const ODD: &str = include_str!("documents/odd.json");
const PYDANTIC_1: &str = include_str!("documents/pydantic1.json");
const BROKEN: &str = include_str!("documents/broken.json");
const VALUES: &str = include_str!("documents/values.json");

fn drafted(text: &str, operations: &str) -> Result<Draft, DraftError> {
    draft(Path::new("theirs.json"), text, "theirs", operations)
}

fn file<'d>(draft: &'d Draft, path: &str) -> &'d str {
    draft.files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_str()).unwrap()
}

/// The outcome of an operation, by method and path.
fn outcome(draft: &Draft, name: &str) -> Outcome {
    let row = draft.table.0.iter().find(|row| format!("{} {}", row.method, row.path) == name);
    row.unwrap_or_else(|| panic!("{name} is not in the table")).outcome.clone()
}

/// Every file of a draft can be parsed.
fn is_well_formed(draft: &Draft) -> Result<(), String> {
    for (path, text) in &draft.files {
        let failed = |error: String| format!("{path}: {error}\n{text}");
        match path.rsplit('.').next() {
            Some("rs") => _ = syn::parse_file(text).map_err(|error| failed(error.to_string()))?,
            Some("json") => {
                _ = serde_json::from_str::<Value>(text)
                    .map_err(|error| failed(error.to_string()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn every_operation_of_a_document_becomes_something() {
    for (text, count) in [(ODD, 47), (PYDANTIC_1, 6), (BROKEN, 15), (VALUES, 11)] {
        let draft = drafted(text, "all").unwrap();
        assert_eq!(draft.table.0.len(), count, "{}", draft.table);
        assert_eq!(draft.table.counts().iter().sum::<usize>(), count);
        is_well_formed(&draft).unwrap();
        assert_eq!(
            file(&draft, "src/routes.rs").matches("not_written(\"").count(),
            count - draft.table.counts()[2],
        );
        // So that shadowing compares its refusals before it is written.
        assert!(file(&draft, "src/routes.rs").contains("Err(HttpError::not_written("));
    }
}

#[test]
fn what_the_document_does_not_tell_is_drafted_loosely_with_the_reason() {
    let draft = drafted(ODD, "all").unwrap();
    for (name, reason) in [
        ("POST /defaults", "its default is not known"),
        ("POST /unions", "whichever choice fits"),
        ("POST /keys", "may have any keys"),
        ("POST /literals", "may be any f64"),
        ("POST /text", "any body is taken"),
        ("POST /several", "several media types"),
        ("POST /default-body", "absent if it is left out"),
        ("GET /two", "any caller is let in"),
        ("POST /two", "any caller is let in"),
        ("POST /tags", "no tags of text"),
        ("POST /sets", "have no order"),
    ] {
        let Outcome::Loose(reasons) = outcome(&draft, name) else { panic!("{name} is not loose") };
        assert!(reasons.iter().any(|one| one.contains(reason)), "{name}: {reasons:#?}");
    }
    for name in
        ["GET /map/{lon},{lat}", "GET /reports/{name}.json", "GET /pairs", "POST /form", "GET /csv"]
    {
        assert_eq!(outcome(&draft, name), Outcome::Native, "{name}");
    }
    let models = file(&draft, "src/models.rs");
    assert!(models.contains("#[serde(flatten)]"), "{models}");
    // A header is named after its field, with hyphens, or else by its alias.
    assert!(models.contains("#[serde(rename = \"x_under\","), "{models}");
    assert!(models.contains("pub x_trace_id: "), "{models}");
    assert!(!models.contains("rename = \"x-trace-id\""), "{models}");
    assert!(models.contains("#[serde(rename = \"X-Odd_Case\","), "{models}");
    assert!(file(&draft, "src/routes.rs").contains("// Loose: any body is taken"));
}

#[test]
fn values_and_keys_of_every_type_are_drafted() {
    let draft = drafted(VALUES, "all").unwrap();
    for name in [
        "POST /defaults",
        "POST /keys",
        "POST /literals",
        "POST /nulls",
        "POST /pair",
        "GET /large",
        "GET /items/{item}",
    ] {
        assert_eq!(outcome(&draft, name), Outcome::Native, "{name}");
    }
    let models = file(&draft, "src/models.rs");
    for code in [
        "default = Size { width: Integer::from(1), unit: None, kind: SizeKind::Odd }",
        "default = (Integer::from(9_223_372_036_854_775_807), (\"a\".to_owned(), true,),)",
        "default = IndexMap::from([(\"a\".to_owned(), Integer::from(1)), ",
        "(\"f\", Value::from(Vec::<Value>::new()))",
        "default = DefaultsShape::Flat(Flat { shape: FlatShape::Flat })",
        "default = vec![Some(Integer::from(1)), None]",
        "IndexMap<Color, Size>",
        "gt = 0, max_digits = 17, decimal_places = 12",
        "IndexMap<KeysNamedKey, Integer>",
        "#[schema(value = true)]",
        "Self::N1 => serializer.serialize_i64(1)",
    ] {
        assert!(models.contains(code), "{code}\n{models}");
    }
    // `json!` recurses for each value that it is given at once.
    assert!(
        models.contains("\"x-codes\", json!(serde_json::Value::from_iter([json!(\"C0\"), "),
        "{models}"
    );
    assert!(models.contains("json!([4_294_967_296_i64])"), "{models}");
    for (name, reason) in [
        ("GET /both", "several media types"),
        // A default that holds its own type is not written down.
        ("POST /nested", "its default is {\"leaf\":null}"),
        ("POST /clear", "not only null"),
        ("POST /text", "not its default"),
    ] {
        let Outcome::Loose(reasons) = outcome(&draft, name) else { panic!("{name} is not loose") };
        assert!(reasons[0].contains(reason), "{reasons:?}");
    }
}

#[test]
fn what_no_request_is_routed_to_is_passed_on() {
    let draft = drafted(BROKEN, "all").unwrap();
    for (name, reason) in [
        ("GET no-slash", "does not begin"),
        ("GET /{a", "not closed"),
        ("GET /{a-b}", "no name of a parameter"),
        ("GET /{a}/{a}", "stands twice"),
        ("GET /{x:slug}", "convertor"),
    ] {
        let Outcome::PassedOn(why) = outcome(&draft, name) else { panic!("{name}") };
        assert!(why.contains(reason), "{name}: {why}");
        assert!(file(&draft, "plan.yaml").contains(&why));
    }
}

#[test]
fn operations_are_chosen_by_names_with_commas_in_them() {
    let draft = drafted(ODD, "GET /map/{lon},{lat},report,items.create").unwrap();
    let ids: Vec<_> = draft.table.0.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["map", "report", "items.create"]);
    let error = drafted(ODD, "map,nothing_at_all").unwrap_err();
    assert!(matches!(error, DraftError::NoOperation { name, .. } if name == "nothing_at_all"));
    for text in
        ["", "[]", "{}", "{\"openapi\": \"2.0\", \"paths\": {}}", "{\"openapi\": \"3.1.0\"}"]
    {
        assert!(matches!(drafted(text, "all"), Err(DraftError::Document { .. })), "{text}");
    }
}

#[test]
fn a_document_of_pydantic_1_is_read_as_one_of_pydantic_2() {
    let draft = drafted(PYDANTIC_1, "all").unwrap();
    let models = file(&draft, "src/models.rs");
    for field in ["pub name: Option<String>", "pub pair: ", "pub kind2: ", "pub more: Integer"] {
        assert!(models.contains(field), "{field}\n{models}");
    }
    let routes = file(&draft, "src/routes.rs");
    assert!(routes.contains("Path(_id), Query(_query)"), "{routes}");
    assert!(models.contains("gt = 0"), "{models}");
    assert!(models.contains("pub f: UploadFile"), "{models}");
}

/// A value of another kind in a place of a document.
fn mutate(value: &mut Value, random: &mut fastrand::Rng) {
    const KEYS: [&str; 12] = [
        "$ref",
        "type",
        "anyOf",
        "properties",
        "enum",
        "const",
        "items",
        "default",
        "format",
        "required",
        "allOf",
        "schema",
    ];
    let other = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!("a\u{202e}\"b\\"),
        json!([]),
        json!({}),
        json!({"$ref": "#/components/schemas/Leaf"}),
        json!([1, "a", null]),
        json!({"type": "string"}),
        json!({"type": "object", "properties": {"a": {"type": "integer", "default": []}}}),
    ];
    let mut value = value;
    loop {
        let count = match &*value {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if count == 0 || random.u8(..8) == 0 {
            break;
        }
        let index = random.usize(..count);
        value = match value {
            Value::Object(fields) => fields.values_mut().nth(index).unwrap(),
            Value::Array(items) => &mut items[index],
            _ => break,
        };
    }
    match value {
        Value::Object(fields) if random.bool() => {
            let key = KEYS[random.usize(..KEYS.len())];
            fields.insert(key.to_owned(), other[random.usize(..other.len())].clone());
        }
        value => *value = other[random.usize(..other.len())].clone(),
    }
}

#[test]
fn no_document_stops_the_draft() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut count = 0;
    for text in [ODD, PYDANTIC_1, BROKEN, VALUES] {
        let document: Value = serde_json::from_str(text).unwrap();
        for _ in 0..60 {
            let mut mutant = document.clone();
            for _ in 0..8 {
                mutate(&mut mutant["paths"], &mut random);
                mutate(&mut mutant["components"], &mut random);
            }
            let text = mutant.to_string();
            match drafted(&text, "all") {
                Ok(draft) => {
                    is_well_formed(&draft).unwrap_or_else(|error| panic!("{error}"));
                    count += draft.table.0.len();
                }
                Err(DraftError::Document { .. }) => assert!(!mutant["paths"].is_object(), "{text}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(count > 2_000, "{count}");
}
