//! An operation as a handler that is still to be written.

use heck::ToSnakeCase;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::attributes::{description, is_plain};
use super::document::{IdStyle, Operation};
use super::names::{ident, title, type_name};
use super::samples::{Samples, encoded, form, plain, sample};
use super::types::{Types, Use};

/// What the templates show of it.
#[derive(Serialize)]
pub(super) struct Drafted {
    id: String,
    method: String,
    path: String,
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

/// The other functions in the file of the handlers.
const RESERVED: [&str; 3] = ["document", "not_written", "router"];

/// An input: its pattern and its type.
struct Input {
    pattern: String,
    ty: String,
}

impl Drafted {
    /// The operation, called otherwise than those that are there.
    pub(super) fn new(
        types: &mut Types<'_>,
        operation: &Operation<'_>,
        style: IdStyle,
        others: &[Self],
    ) -> Result<Self> {
        let name = operation.function();
        let is_taken = |ident: &str| {
            RESERVED.contains(&ident) || others.iter().any(|other| other.ident == ident)
        };
        let mut ident = ident(&name, is_taken);
        if let Some(tag) = operation.tags().first().filter(|_| ident.ends_with('_')) {
            ident = self::ident(&format!("{tag}_{name}"), is_taken);
        }
        let camel = type_name(&ident);
        let value = operation.value;
        let mut inputs = Vec::new();
        let mut samples = Samples { path: operation.path.to_owned(), query: Vec::new() };
        parameters(types, value, operation.path, &camel, &mut inputs, &mut samples)?;
        let (body, case_body, body_name) = body(types, value, &camel)?;
        inputs.extend(body);
        let dependency = security(types, value)?;
        let Answer { status, description: answered, ty: answer } = answer(types, value, &camel)?;
        let mut attributes = String::new();
        if ident != name {
            attributes += &format!(", name = {name:?}");
        }
        if !operation.has_id_by(style) {
            attributes += &format!(", id = {:?}", operation.id);
        }
        if status != 200 {
            attributes += &format!(", status = {status}");
        }
        if let Some(name) = body_name {
            attributes += &format!(", body = {name:?}");
        }
        if let Some(summary) = value["summary"].as_str().filter(|text| *text != title(&name)) {
            attributes += &format!(", summary = {summary:?}");
        }
        if let Some(answered) = answered.filter(|text| *text != "Successful Response") {
            attributes += &format!(", answer = {answered:?}");
        }
        let description = description(value);
        let doc = description.filter(|text| is_plain(text));
        if let (Some(description), None) = (description, doc) {
            attributes += &format!(", description = {description:?}");
        }
        if value["deprecated"] == true {
            attributes += ", deprecated";
        }
        let is_signed_in = dependency.is_some();
        let all = tuple(&inputs, |input| &input.ty);
        let alias = (inputs.len() > 2).then(|| format!("{camel}Inputs"));
        Ok(Self {
            id: operation.id.to_owned(),
            method: operation.method.to_owned(),
            path: operation.path.to_owned(),
            tags: operation.tags().into_iter().map(str::to_owned).collect(),
            doc: doc.unwrap_or_default().lines().map(str::to_owned).collect(),
            call: call(dependency, &inputs, alias.as_ref().unwrap_or(&all)),
            inputs: alias.map(|alias| format!("type {alias} = {all};")),
            case_path: samples.finish(),
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

fn parameters(
    types: &mut Types<'_>,
    operation: &Value,
    path: &str,
    camel: &str,
    inputs: &mut Vec<Input>,
    samples: &mut Samples,
) -> Result<()> {
    let all = operation["parameters"].as_array();
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let names: Vec<_> =
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    if names.len() != all.iter().filter(|one| one["in"] == "path").count() {
        return Err("a parameter is only a part of a segment of its path".to_owned());
    }
    let mut of_path = Vec::new();
    for name in names {
        let parameter = all.iter().find(|one| one["in"] == "path" && one["name"] == name);
        let parameter =
            parameter.ok_or_else(|| format!("`{name}` of its path is not described"))?;
        let hint = format!("{camel}{}", type_name(name));
        let typed = types.alone(&parameter["schema"], &hint, Use::Read, Some(&title(name)))?;
        of_path.push((ident(name, |_| false), typed));
        let sample = encoded(&plain(&sample(types, &parameter["schema"], 0)));
        samples.path = samples.path.replace(&format!("{{{name}}}"), &sample);
    }
    if !of_path.is_empty() {
        if of_path.len() > 4 {
            return Err("its path has more than four parameters".to_owned());
        }
        let of_path: Vec<_> = of_path
            .into_iter()
            .map(|(name, ty)| Input { pattern: format!("_{name}"), ty })
            .collect();
        inputs.push(Input {
            pattern: format!("Path({})", tuple(&of_path, |one| &one.pattern)),
            ty: format!("Path<{}>", tuple(&of_path, |one| &one.ty)),
        });
    }
    for (location, wrapper) in [("query", "Query"), ("header", "Header"), ("cookie", "Cookie")] {
        let here: Vec<_> = all.iter().filter(|one| one["in"] == location).collect();
        if here.is_empty() {
            continue;
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for parameter in here {
            let mut name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if location == "header" {
                name = name.replace('-', "_");
            }
            let schema = parameter["schema"].clone();
            if parameter["required"] == true {
                required.push(json!(name));
                let value = plain(&sample(types, &schema, 0));
                if location == "query" {
                    samples.query.push(format!("{}={}", encoded(&name), encoded(&value)));
                }
            }
            properties.insert(name, schema);
        }
        let model = json!({"properties": properties, "required": required});
        let name = types.add(&format!("{camel}{wrapper}"), &model)?;
        let pattern = format!("{wrapper}(_{location})");
        inputs.push(Input { pattern, ty: format!("{wrapper}<{name}>") });
    }
    Ok(())
}

/// The body's input, a line for its case, and its name if it has one of its own.
type Body = (Option<Input>, Option<String>, Option<String>);

fn body(types: &mut Types<'_>, operation: &Value, camel: &str) -> Result<Body> {
    let Some(body) = operation.get("requestBody") else { return Ok((None, None, None)) };
    let content = body["content"].as_object().ok_or("its body has no content")?;
    let (media_type, content) = content.iter().next().ok_or("its body has no content")?;
    let schema = &content["schema"];
    let reference = schema["$ref"].as_str().and_then(|reference| types.component(reference));
    let fields = reference.filter(|(name, _)| name.starts_with("Body_"));
    if reference.is_some() && fields.is_none() && media_type != "application/json" {
        return Err("its form is a model, whose errors show the whole form".to_owned());
    }
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
            let title = schema["title"].as_str().filter(|_| schema["$ref"].is_null());
            let name = title.map_or_else(|| "body".to_owned(), ToSnakeCase::to_snake_case);
            let ty = types.alone(schema, &format!("{camel}Body"), Use::Read, title)?;
            if body["required"] != true && !types.is_option(&ty) {
                return Err("its body has a default".to_owned());
            }
            let name = Some(name).filter(|name| name != "body");
            let case = format!("json: {}", sample(types, schema, 0));
            Ok((Some(input("Json(_body)", "Json", &ty)), Some(case), name))
        }
        ("multipart/form-data" | "application/x-www-form-urlencoded", Some((_, fields))) => {
            let name = types.add(&format!("{camel}Form"), fields)?;
            let case = form(types, fields, media_type == "multipart/form-data");
            Ok((Some(input("Form(_form)", "Form", &name)), Some(case), None))
        }
        (other, _) => Err(format!("its body is of a type that cannot be drafted: {other}")),
    }
}

/// Who must have signed in, by FastAPI's dependencies: one, or a tuple of two.
fn security(types: &mut Types<'_>, operation: &Value) -> Result<Option<String>> {
    let all = operation["security"].as_array();
    let names = all.into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
    let mut dependencies = Vec::new();
    for name in names {
        let scheme = types.schemes().and_then(|schemes| schemes.get(name));
        let scheme = scheme.ok_or_else(|| format!("`{name}` is not described"))?;
        let text = |key: &str| scheme[key].as_str().unwrap_or_default();
        let dependency = match (text("type"), text("scheme"), text("in")) {
            ("oauth2", _, _) => "Bearer".to_owned(),
            ("http", "bearer", _) => "HttpBearer".to_owned(),
            ("http", "basic", _) => "Basic".to_owned(),
            ("apiKey", _, "header") => format!("ApiKeyHeader<{}>", types.key(text("name"))),
            ("apiKey", _, "query") => format!("ApiKeyQuery<{}>", types.key(text("name"))),
            ("apiKey", _, "cookie") => format!("ApiKeyCookie<{}>", types.key(text("name"))),
            _ => return Err(format!("`{name}` is a way to sign in that cannot be drafted")),
        };
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    match dependencies.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [one, other] => Ok(Some(format!("({one}, {other})"))),
        _ => Err("it knows more than two ways to sign in".to_owned()),
    }
}

/// A success: its status, what it is, and what the handler gives.
struct Answer<'a> {
    status: u16,
    description: Option<&'a str>,
    ty: String,
}

fn answer<'a>(types: &mut Types<'_>, operation: &'a Value, camel: &str) -> Result<Answer<'a>> {
    let responses = operation["responses"].as_object();
    let good = responses.into_iter().flatten().find_map(|(status, response)| {
        let status: u16 = status.parse().ok()?;
        (200..400).contains(&status).then_some((status, response))
    });
    let (status, response) = good.ok_or("it has no answer of success")?;
    let content: Vec<_> = response["content"].as_object().into_iter().flatten().collect();
    let ty = match content.as_slice() {
        [] if status == 204 => "NoContent".to_owned(),
        [] if [303, 307, 308].contains(&status) => "Redirect".to_owned(),
        [] => "Body".to_owned(),
        // A function without an annotation.
        [(kind, content)] if *kind == "application/json" && content["schema"] == json!({}) => {
            "Response".to_owned()
        }
        [(kind, content)] if *kind == "application/json" => {
            let hint = format!("{camel}Answer");
            let title = content["schema"]["title"].as_str();
            format!("Json<{}>", types.alone(&content["schema"], &hint, Use::Written, title)?)
        }
        [(kind, _)] if *kind == "text/html" => "Html<String>".to_owned(),
        [(kind, _)] if *kind == "text/plain" => "String".to_owned(),
        [(kind, _)] => {
            return Err(format!("its answer is of a type that cannot be drafted: {kind}"));
        }
        _ => return Err("its answer is of several types".to_owned()),
    };
    Ok(Answer { status, description: response["description"].as_str(), ty })
}
