//! What an operation takes: parameters and a body.

use heck::ToSnakeCase;
use serde_json::{Value, json};

use super::document::{Operation, is_given};
use super::input::{Input, tuple};
use super::known::{Known, KnownDefault, KnownModel};
use super::names::{ident, title, type_name};
use super::path::template;
use super::samples::{Samples, encoded, form, plain, sample};
use super::types::{Field, Types, Use, fields};
use crate::inspection::Parameter;

pub(super) fn parameters(
    types: &mut Types<'_>,
    operation: &Operation<'_>,
    camel: &str,
    samples: &mut Samples,
) -> Vec<Input> {
    let all = operation.value["parameters"].as_array();
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let known = operation.route.map(|route| route.parameters()).unwrap_or_default();
    let mut inputs = Vec::new();
    inputs.extend(of_path(types, operation, &all, camel, samples));
    for (location, wrapper) in [("query", "Query"), ("header", "Header"), ("cookie", "Cookie")] {
        let here: Vec<_> = all
            .iter()
            .filter(|one| one["in"] == location)
            .filter(|one| operation.route.is_none() || is_validated(&known, location, one))
            .collect();
        let mut names: Vec<(String, &Value)> = Vec::new();
        for parameter in here {
            let given = parameter["name"].as_str().unwrap_or_default();
            if parameter.get("content").is_some() {
                let reason = format!("`{given}` may be any text: it holds another media type");
                types.note(parameter, reason, true);
            }
            // The name of a header is that of the field, with hyphens, or what it is renamed to.
            let field = given.replace('-', "_");
            let is_of_field =
                location == "header" && !given.contains('_') && ident(&field, |_| false) == field;
            let name = if is_of_field { field } else { given.to_owned() };
            if names.iter().any(|(other, _)| *other == name) {
                continue;
            }
            if parameter["required"] == true && location == "query" {
                let value = plain(&sample(types, &parameter["schema"], 0));
                samples.query.push(format!("{}={}", encoded(&name), encoded(&value)));
            }
            names.push((name, parameter));
        }
        if names.is_empty() {
            continue;
        }
        let known: Vec<Parameter> =
            known.iter().filter(|one| one.location == location).cloned().collect();
        let model = model_of(types, &known);
        let of = |given: &str| known.iter().position(|one| one.alias == given);
        // As they are validated.
        names.sort_by_key(|(_, parameter)| parameter["name"].as_str().and_then(of));
        let fields: Vec<Field<'_>> = names
            .iter()
            .map(|(name, parameter)| {
                let given = parameter["name"].as_str().unwrap_or_default();
                let known = match model {
                    Some(model) => model.field(given).or_else(|| model.field(name)),
                    None => of(given).map(|index| known_of(types, &known[index])),
                };
                let known = known.unwrap_or_default();
                // A field's own name would have hyphens.
                let is_alias = location == "header" && given.contains('_');
                Field {
                    name,
                    schema: &parameter["schema"],
                    is_required: parameter["required"] == true,
                    is_alias: is_alias && !known.keeps_underscores,
                    known,
                }
            })
            .collect();
        let name = types.add(&format!("{camel}{wrapper}"), &fields, model);
        let pattern = format!("{wrapper}(_{location})");
        inputs.push(Input { pattern, ty: format!("{wrapper}<{name}>") });
    }
    for other in all {
        let location = other["in"].as_str().unwrap_or_default();
        let name = plain(&other["name"]);
        let reason = match location {
            "path" => continue,
            "query" | "header" | "cookie"
                if operation.route.is_none() || is_validated(&known, location, other) =>
            {
                continue;
            }
            "query" | "header" | "cookie" => {
                format!("`{name}` is not read: the document describes it, and no parameter is it")
            }
            _ => format!("`{name}` is not read: it is in `{location}`"),
        };
        types.note_key(operation.value, "parameters", reason, true);
    }
    inputs
}

/// Whether a parameter of the document is one of the code, which `openapi_extra` need not be.
fn is_validated(known: &[Parameter], location: &str, parameter: &Value) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    let mut here = known.iter().filter(|one| one.location == location);
    here.any(|one| one.model || one.alias.eq_ignore_ascii_case(name))
}

/// The class of a model whose fields are the parameters: `Annotated[Filters, Query()]`.
fn model_of<'a>(types: &Types<'a>, known: &[Parameter]) -> Option<KnownModel<'a>> {
    let [Parameter { model: true, annotation: Some(name), .. }] = known else { return None };
    let inspection = types.inspection()?;
    Some(KnownModel { inspection, value: inspection.value()["models"].get(name)? })
}

/// Notes the validators of parameters that are no fields.
fn validated(types: &mut Types<'_>, camel: &str, known: &[Known]) {
    for validator in known.iter().flat_map(|known| &known.validators) {
        types.remark(format!("`{camel}` is validated in Python too: `{}`", validator.name));
    }
}

fn known_of(types: &Types<'_>, parameter: &Parameter) -> Known {
    let known = types.inspection().map(|known| Known::of_parameter(parameter, known));
    known.unwrap_or_default()
}

fn of_path(
    types: &mut Types<'_>,
    operation: &Operation<'_>,
    all: &[&Value],
    camel: &str,
    samples: &mut Samples,
) -> Option<Input> {
    let names = template(operation.template()).unwrap_or_default();
    let described: Vec<_> = all.iter().filter(|one| one["in"] == "path").collect();
    if described.iter().any(|one| names.iter().all(|name| one["name"] != *name)) {
        let reason = "a parameter that is described is not in its path".to_owned();
        types.note_key(operation.value, "parameters", reason, true);
    }
    let unknown = json!({});
    let known = operation.route.map(|route| route.parameters()).unwrap_or_default();
    let known = known.iter().filter(|one| one.location == "path");
    let known: Vec<Known> = known.map(|one| known_of(types, one)).collect();
    validated(types, camel, &known);
    let mut of_path = Vec::new();
    for name in names {
        let parameter = described.iter().find(|one| one["name"] == name);
        let schema = parameter.map_or(&unknown, |one| &one["schema"]);
        if parameter.is_none() {
            // FastAPI takes any, too: no parameter of the function is called so.
            let reason = format!("`{name}` may be any text: the document does not describe it");
            types.note_key(operation.value, "parameters", reason, false);
        }
        let hint = format!("{camel}{}", type_name(name));
        let ty = types.alone(schema, &hint, Use::Read, Some(&title(name)));
        let is_taken = |ident: &str| {
            of_path.iter().any(|other: &Input| other.pattern.strip_prefix('_') == Some(ident))
        };
        let pattern = format!("_{}", ident(name, is_taken));
        of_path.push(Input { pattern, ty });
        let sample = encoded(&plain(&sample(types, schema, 0)));
        samples.replace(name, &sample);
    }
    // One that is a tuple is no tuple of parameters.
    if let [Input { ty, .. }] = of_path.as_mut_slice()
        && ty.starts_with('(')
    {
        *ty = format!("({ty},)");
        let input = Input {
            pattern: format!("Path(({},))", of_path[0].pattern),
            ty: format!("Path<{}>", of_path[0].ty),
        };
        return Some(input);
    }
    (!of_path.is_empty()).then(|| Input {
        pattern: format!("Path({})", tuple(&of_path, |one| &one.pattern)),
        ty: format!("Path<{}>", tuple(&of_path, |one| &one.ty)),
    })
}

/// The body's input, a line for its case, and its name if it has one of its own.
#[derive(Default)]
pub(super) struct Body {
    pub(super) input: Option<Input>,
    pub(super) case: Option<String>,
    pub(super) name: Option<String>,
}

pub(super) fn body(types: &mut Types<'_>, operation: &Operation<'_>, camel: &str) -> Body {
    let known = operation.route.map(|route| route.parameters()).unwrap_or_default();
    let Some(body) = operation.value.get("requestBody").filter(|body| body.is_object()) else {
        return Body::default();
    };
    let in_body = |one: &Parameter| ["body", "form", "file"].contains(&one.location.as_str());
    if operation.route.is_some() && !known.iter().any(in_body) {
        return raw(types, body, "the document describes it, and the function reads it itself");
    }
    let contents = body["content"].as_object();
    let contents: Vec<(&String, &Value)> = contents.into_iter().flatten().collect();
    let [(media_type, content)] = contents.as_slice() else {
        return raw(types, body, "its body may be of several media types");
    };
    let schema = content.get("schema").unwrap_or(&Value::Null);
    let reference = schema["$ref"].as_str().and_then(|reference| types.component(reference));
    let is_required = body["required"] == true;
    match (media_type.as_str(), reference) {
        ("application/json", Some((name, model))) if is_embedded(name, model) => {
            let fields = known_fields(types, model, &known);
            let name = types.add(&format!("{camel}Body"), &fields, None);
            let case = format!("json: {}", sample(types, model, 0));
            let input =
                Input { pattern: "Embedded(_body)".to_owned(), ty: format!("Embedded<{name}>") };
            Body { input: Some(input), case: Some(case), name: None }
        }
        ("application/json", _) => {
            let title = schema["title"].as_str().filter(|_| schema["$ref"].is_null());
            let name = title.map_or_else(|| "body".to_owned(), ToSnakeCase::to_snake_case);
            let mut ty = types.alone(schema, &format!("{camel}Body"), Use::Read, title);
            let known = known.iter().filter(|one| one.location == "body");
            let known: Vec<Known> = known.map(|one| known_of(types, one)).collect();
            validated(types, camel, &known);
            let default = known.into_iter().find_map(|known| known.default);
            if !is_required && !types.is_option(&ty) && default == Some(KnownDefault::None) {
                ty = types.given(&format!("{camel}Given"), &ty);
            } else if !is_required && !types.is_option(&ty) {
                let reason = "its body is absent if it is left out: its default is not known";
                types.note(body, reason.to_owned(), true);
                ty = format!("Omittable<{ty}>");
            } else if is_required && types.is_option(&ty) {
                types.note(body, "its body may be left out".to_owned(), true);
            } else if schema.get("default").is_some_and(|default| !default.is_null()) {
                types.note(
                    body,
                    "its body is null if it is left out, not its default".to_owned(),
                    true,
                );
            }
            let input = Input { pattern: "Json(_body)".to_owned(), ty: format!("Json<{ty}>") };
            let case = Some(format!("json: {}", sample(types, schema, 0)));
            Body { input: Some(input), case, name: Some(name).filter(|name| name != "body") }
        }
        ("multipart/form-data" | "application/x-www-form-urlencoded", reference) => {
            let is_body = reference.is_some_and(|(name, model)| is_embedded(name, model));
            let model = reference.map_or(schema, |(_, model)| model);
            if !is_given(&model["properties"]) {
                return raw(types, body, "the fields of its form are not described");
            }
            let is_model = !is_body && schema["$ref"].is_string();
            let name = if is_model && is_required {
                types.of(schema, &format!("{camel}Form"), Use::Read).name
            } else {
                if is_model {
                    let reason = "its form is a component that may be left out";
                    types.note(body, reason.to_owned(), true);
                }
                types.is_form(true);
                let fields = known_fields(types, model, &known);
                let name = types.add(&format!("{camel}Form"), &fields, None);
                types.is_form(false);
                name
            };
            let case = form(types, model, *media_type == "multipart/form-data");
            if !is_required && model["required"].as_array().is_some_and(|all| !all.is_empty()) {
                types.note(body, "its form must be there".to_owned(), true);
            }
            if types.has_files(&name) != (*media_type == "multipart/form-data") {
                types.note(body, "its form may be of another media type".to_owned(), true);
            }
            let input = Input { pattern: "Form(_form)".to_owned(), ty: format!("Form<{name}>") };
            Body { input: Some(input), case: Some(case), name: None }
        }
        (other, _) => raw(types, body, &format!("its body is of the media type {other}")),
    }
}

/// The fields of a body that several parameters are, in the order of the document.
fn known_fields<'s>(types: &Types<'_>, model: &'s Value, known: &[Parameter]) -> Vec<Field<'s>> {
    let mut fields = fields(model);
    for field in &mut fields {
        let in_body = |one: &&Parameter| ["body", "form", "file"].contains(&one.location.as_str());
        let parameter = known.iter().filter(in_body).find(|one| one.alias == field.name);
        field.known = parameter.map(|one| known_of(types, one)).unwrap_or_default();
    }
    fields
}

/// Whether a component is what FastAPI makes of several parameters of the body.
fn is_embedded(name: &str, model: &Value) -> bool {
    name.starts_with("Body_") && is_given(&model["properties"])
}

/// A body that the handler reads.
fn raw(types: &mut Types<'_>, body: &Value, reason: &str) -> Body {
    types.note(body, format!("any body is taken: {reason}"), true);
    let input = Input { pattern: "RawBody(_body)".to_owned(), ty: "RawBody".to_owned() };
    Body { input: Some(input), case: None, name: None }
}
