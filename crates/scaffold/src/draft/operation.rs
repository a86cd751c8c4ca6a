//! An operation as a handler that is still to be written.

use heck::{ToSnakeCase, ToUpperCamelCase};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::document::Operation;
use super::types::{Types, Use, is_keyword};

/// What the templates say of it.
#[derive(Serialize)]
pub(super) struct Drafted {
    id: String,
    method: String,
    path: String,
    /// The function, which may be a keyword in Rust.
    name: String,
    ident: String,
    tags: Vec<String>,
    doc: Vec<String>,
    /// What follows the path in the attribute.
    attributes: String,
    /// `Call(_token, Path(_id)): Call<Bearer, Path<Uuid>>`, if it takes anything.
    call: String,
    /// A name for what it takes, if that is much: `type ShowInputs = (…)`.
    inputs: Option<String>,
    answer: String,
    case_path: String,
    case_body: Option<String>,
    is_signed_in: bool,
}

type Result<T> = std::result::Result<T, String>;

const READ: Use = Use { read: true, written: false };
const WRITTEN: Use = Use { read: false, written: true };

/// An input: its pattern and its type.
struct Input {
    pattern: String,
    ty: String,
}

impl Drafted {
    pub(super) fn new(types: &mut Types<'_>, operation: &Operation<'_>) -> Result<Self> {
        let name = operation.function();
        if name.to_snake_case() != name {
            return Err(format!("its function `{name}` has a name that is none in Rust"));
        }
        let ident = if is_keyword(&name) { format!("r#{name}") } else { name.clone() };
        let camel = name.to_upper_camel_case();
        let value = operation.value;
        let mut inputs = Vec::new();
        let mut samples = Samples { path: operation.path.to_owned(), query: Vec::new() };
        parameters(types, value, operation.path, &camel, &mut inputs, &mut samples)?;
        let (body, case_body, body_name) = body(types, value, &camel)?;
        inputs.extend(body);
        let dependency = security(types, value)?;
        let (status, answer) = answer(types, value, &camel)?;
        let mut attributes = String::new();
        if status != 200 {
            attributes += &format!(", status = {status}");
        }
        if let Some(name) = body_name {
            attributes += &format!(", body = {name:?}");
        }
        let is_signed_in = dependency.is_some();
        let all = tuple(&inputs, |input| &input.ty);
        let alias = (inputs.len() > 2).then(|| format!("{camel}Inputs"));
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            id: operation.id.to_owned(),
            method: operation.method.to_owned(),
            path: operation.path.to_owned(),
            tags: operation.tags().into_iter().map(str::to_owned).collect(),
            doc: text("description").lines().map(str::to_owned).collect(),
            call: call(dependency, &inputs, alias.as_ref().unwrap_or(&all)),
            inputs: alias.map(|alias| format!("type {alias} = {all};")),
            case_path: samples.finish(),
            name,
            ident,
            attributes,
            answer,
            case_body,
            is_signed_in,
        })
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    /// The types that its handler names.
    pub(super) fn signature(&self) -> String {
        let inputs = self.inputs.as_deref().unwrap_or_default();
        format!("{} {inputs} {}", self.call, self.answer)
    }
}

/// Everything that goes into `Call`.
fn call(dependency: Option<String>, inputs: &[Input], ty: &str) -> String {
    let pattern = tuple(inputs, |input| &input.pattern);
    match dependency {
        Some(dependency) => format!("Call(_caller, {pattern}): Call<{dependency}, {ty}>"),
        None if inputs.is_empty() => String::new(),
        None => format!("Call((), {pattern}): Call<(), {ty}>"),
    }
}

/// None, one, or all of them.
fn tuple(inputs: &[Input], of: fn(&Input) -> &String) -> String {
    match inputs {
        [one] => of(one).clone(),
        all => {
            format!("({})", all.iter().map(|one| of(one).as_str()).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The request of a case.
struct Samples {
    path: String,
    query: Vec<String>,
}

impl Samples {
    fn finish(self) -> String {
        match self.query.as_slice() {
            [] => self.path,
            query => format!("{}?{}", self.path, query.join("&")),
        }
    }
}

fn parameters(
    types: &mut Types<'_>,
    operation: &Map<String, Value>,
    path: &str,
    camel: &str,
    inputs: &mut Vec<Input>,
    samples: &mut Samples,
) -> Result<()> {
    let all = operation.get("parameters").and_then(Value::as_array);
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut of_path = Vec::new();
    for name in names {
        let parameter = all.iter().find(|one| one["in"] == "path" && one["name"] == name);
        let parameter =
            parameter.ok_or_else(|| format!("`{name}` of its path is not described"))?;
        let hint = format!("{camel}{}", name.to_upper_camel_case());
        let typed = types.of(&parameter["schema"], &hint, READ)?;
        if !typed.constraints.is_empty() {
            return Err(format!("`{name}` of its path has constraints"));
        }
        of_path.push((name.to_snake_case(), typed.name));
        let sample = encoded(&plain(&sample(types, &parameter["schema"], 0)));
        samples.path = samples.path.replace(&format!("{{{name}}}"), &sample);
    }
    match of_path.as_slice() {
        [] => {}
        [(name, ty)] => {
            inputs.push(Input { pattern: format!("Path(_{name})"), ty: format!("Path<{ty}>") });
        }
        [(a, first), (b, second)] => inputs.push(Input {
            pattern: format!("Path2(_{a}, _{b})"),
            ty: format!("Path2<{first}, {second}>"),
        }),
        _ => return Err("its path has more than two parameters".to_owned()),
    }
    for (place, wrapper) in [("query", "Query"), ("header", "Header"), ("cookie", "Cookie")] {
        let here: Vec<_> = all.iter().filter(|one| one["in"] == place).collect();
        if here.is_empty() {
            continue;
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for parameter in here {
            let mut name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if place == "header" {
                name = name.replace('-', "_");
            }
            let mut schema = parameter["schema"].clone();
            if let (Some(text), Some(schema)) =
                (parameter.get("description"), schema.as_object_mut())
            {
                schema.insert("description".to_owned(), text.clone());
            }
            if parameter["required"] == true {
                required.push(json!(name));
                let value = plain(&sample(types, &schema, 0));
                if place == "query" {
                    samples.query.push(format!("{}={}", encoded(&name), encoded(&value)));
                }
            }
            properties.insert(name, schema);
        }
        let model = json!({"properties": properties, "required": required});
        let name = types.add(&format!("{camel}{wrapper}"), &model)?;
        let pattern = format!("{wrapper}(_{place})");
        inputs.push(Input { pattern, ty: format!("{wrapper}<{name}>") });
    }
    Ok(())
}

/// The body's input, a line for its case, and its name if it has one of its own.
type Body = (Option<Input>, Option<String>, Option<String>);

fn body(types: &mut Types<'_>, operation: &Map<String, Value>, camel: &str) -> Result<Body> {
    let Some(body) = operation.get("requestBody") else { return Ok((None, None, None)) };
    let content = body["content"].as_object().ok_or("its body has no content")?;
    let (media_type, content) = content.iter().next().ok_or("its body has no content")?;
    let schema = &content["schema"];
    let reference = schema["$ref"].as_str().and_then(|reference| types.component(reference));
    let fields = reference.filter(|(name, _)| name.starts_with("Body_"));
    let input = |pattern: &str, wrapper: &str, name: &str| Input {
        pattern: pattern.to_owned(),
        ty: format!("{wrapper}<{name}>"),
    };
    match (media_type.as_str(), fields) {
        ("application/json", Some((_, fields))) => {
            let name = types.add(&format!("{camel}Body"), fields)?;
            let case = format!("json: {}", sample(types, fields, 0));
            Ok((Some(input("Embedded(_body)", "Embedded", &name)), Some(case), None))
        }
        ("application/json", None) => {
            let mut typed = types.of(schema, &format!("{camel}Body"), READ)?;
            if !typed.constraints.is_empty() {
                return Err("its body has constraints without being a model".to_owned());
            }
            if body["required"] != true && !typed.name.starts_with("Option<") {
                typed.name = format!("Option<{}>", typed.name);
            }
            let title = schema["title"].as_str().filter(|_| schema["$ref"].is_null());
            let title = title.map(ToSnakeCase::to_snake_case).filter(|title| title != "body");
            let case = format!("json: {}", sample(types, schema, 0));
            Ok((Some(input("Json(_body)", "Json", &typed.name)), Some(case), title))
        }
        ("multipart/form-data" | "application/x-www-form-urlencoded", Some((_, fields))) => {
            let name = types.add(&format!("{camel}Form"), fields)?;
            let case = form(types, fields, media_type == "multipart/form-data");
            Ok((Some(input("Form(_form)", "Form", &name)), Some(case), None))
        }
        (other, _) => Err(format!("its body is of a type that cannot be drafted: {other}")),
    }
}

/// Who must have signed in, as FastAPI's dependencies say it.
fn security(types: &mut Types<'_>, operation: &Map<String, Value>) -> Result<Option<String>> {
    let Some(all) = operation.get("security").and_then(Value::as_array) else { return Ok(None) };
    let names: Vec<&String> = all.iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let [name] = names.as_slice() else {
        return Err("it knows more than one way to sign in".to_owned());
    };
    let scheme = types.schemes().and_then(|schemes| schemes.get(*name));
    let scheme = scheme.ok_or_else(|| format!("`{name}` is not described"))?;
    match (scheme["type"].as_str(), scheme["scheme"].as_str(), scheme["in"].as_str()) {
        (Some("oauth2"), _, _) if !scheme["flows"]["password"].is_null() => {
            Ok(Some("Bearer".to_owned()))
        }
        (Some("http"), Some("basic"), _) => Ok(Some("Basic".to_owned())),
        (Some("apiKey"), _, Some("header")) => {
            let header = scheme["name"].as_str().unwrap_or_default();
            let key = header.to_upper_camel_case();
            types.add_code(
                &key,
                format!(
                    "/// The header `{header}`.\npub struct {key};\n\nimpl ApiKeyName for {key} {{\n    \
                     const NAME: &'static str = {header:?};\n}}"
                ),
            );
            Ok(Some(format!("ApiKeyHeader<{key}>")))
        }
        _ => Err(format!("`{name}` is a way to sign in that cannot be drafted")),
    }
}

/// The status of a success, and what the handler gives then.
fn answer(
    types: &mut Types<'_>,
    operation: &Map<String, Value>,
    camel: &str,
) -> Result<(u16, String)> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let good = responses.into_iter().flatten().find_map(|(status, response)| {
        let status: u16 = status.parse().ok()?;
        (200..300).contains(&status).then_some((status, response))
    });
    let (status, response) = good.ok_or("it has no answer of success")?;
    let content = response["content"].as_object().and_then(|content| content.iter().next());
    match content {
        // A function without an annotation.
        Some((kind, content)) if kind == "application/json" && content["schema"] == json!({}) => {
            Ok((status, "Response".to_owned()))
        }
        Some((kind, content)) if kind == "application/json" => {
            let typed = types.of(&content["schema"], &format!("{camel}Answer"), WRITTEN)?;
            if !typed.constraints.is_empty() {
                return Err("its answer has constraints without being a model".to_owned());
            }
            Ok((status, format!("Json<{}>", typed.name)))
        }
        Some((kind, _)) if kind == "text/html" => Ok((status, "Html<String>".to_owned())),
        Some((kind, _)) => Err(format!("its answer is of a type that cannot be drafted: {kind}")),
        None => Err(format!("its answer {status} has no content")),
    }
}

/// A value that the schema allows, as far as that is easily said.
fn sample(types: &Types<'_>, schema: &Value, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    let deeper = |schema: &Value| sample(types, schema, depth + 1);
    if let Some(value) = schema.get("default").filter(|value| !value.is_null()) {
        return value.clone();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return types.component(reference).map_or(Value::Null, |(_, schema)| deeper(schema));
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(first) = schema[key].as_array().and_then(|all| all.first()) {
            return deeper(first);
        }
    }
    if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    match schema["type"].as_str() {
        Some("string") => text(schema),
        Some("integer" | "number") => {
            let low = schema["minimum"]
                .as_f64()
                .or_else(|| Some(schema["exclusiveMinimum"].as_f64()? + 1.0));
            let high = schema["maximum"]
                .as_f64()
                .or_else(|| Some(schema["exclusiveMaximum"].as_f64()? - 1.0));
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let value = low.or(high).unwrap_or(1.0).ceil() as i64;
            json!(value)
        }
        Some("boolean") => json!(true),
        Some("array") => match schema["prefixItems"].as_array() {
            Some(items) => items.iter().map(deeper).collect(),
            None => json!([deeper(&schema["items"])]),
        },
        Some("object") => {
            let required = schema["required"].as_array();
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            let fields =
                required.map(|name| (name.to_owned(), deeper(&schema["properties"][name])));
            Value::Object(fields.collect())
        }
        _ => Value::Null,
    }
}

fn text(schema: &Value) -> Value {
    json!(match schema["format"].as_str() {
        Some("uuid") => "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
        Some("date-time") => "2026-11-25T12:00:00Z".to_owned(),
        Some("date") => "2026-11-25".to_owned(),
        Some("time") => "12:00:00".to_owned(),
        Some("duration") => "PT1H".to_owned(),
        Some("email") => "someone@example.com".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        _ => {
            let least = schema["minLength"].as_u64().unwrap_or(1).max(1);
            "text".chars().cycle().take(usize::try_from(least).unwrap_or(1).max(4)).collect()
        }
    })
}

/// A value as it stands in a path or a query.
/// The required fields of a form, each item of a list for itself.
fn form(types: &Types<'_>, fields: &Value, is_multipart: bool) -> String {
    let required = fields["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut parts = Vec::new();
    for name in required {
        let schema = &fields["properties"][name];
        let is_list = schema["type"] == "array";
        let is_file = [schema, &schema["items"]].iter().any(|schema| {
            schema["contentMediaType"] == "application/octet-stream" || schema["format"] == "binary"
        });
        let value = match sample(types, schema, 0) {
            Value::Array(items) if is_list => items.first().map_or_else(String::new, plain),
            value => plain(&value),
        };
        parts.push(if is_file {
            json!({"name": name, "filename": "a.txt", "content_type": "text/plain", "text": value})
        } else {
            json!({"name": name, "text": value})
        });
    }
    if is_multipart {
        return format!("multipart: {}", Value::Array(parts));
    }
    let pairs = parts.iter().map(|part| {
        let encoded = |key: &str| encoded(part[key].as_str().unwrap_or_default());
        format!("{}={}", encoded("name"), encoded("text"))
    });
    format!("form: {}", json!(pairs.collect::<Vec<_>>().join("&")))
}

/// What a URL and a form take for more than a character (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
