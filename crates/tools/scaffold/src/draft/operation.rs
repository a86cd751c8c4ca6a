//! An operation as a handler that is still to be written.

use super::answer::{Answer, answer};
use super::attributes::{description, is_plain};
use super::document::{IdStyle, Operation};
use super::input::{Input, tuple};
use super::inputs::{Body, body, parameters};
use super::loose::Owner;
use super::names::{ident, title, type_name};
use super::path::template;
use super::python;
use super::samples::Samples;
use super::security::security;
use super::types::Types;
use super::whole::{Whole, Writer};
use crate::inspection::Route;
use crate::templates::rust_text;
use serde::Serialize;

/// What the templates show of it.
#[derive(Serialize)]
pub(super) struct Drafted {
    pub(super) id: String,
    method: String,
    path: String,
    /// The path with its convertors.
    template: String,
    ident: String,
    tags: Vec<String>,
    doc: Vec<String>,
    /// What stands above it: what is drafted loosely.
    comments: String,
    /// The path and what follows it in the attribute.
    attributes: String,
    /// `Call(_token, Path(_id)): Call<Bearer, Path<Uuid>>`, if it takes anything.
    call: String,
    /// A name for what it takes, if that is much: `type ShowInputs = (…)`.
    inputs: Option<String>,
    answer: String,
    case_path: String,
    case_body: Option<String>,
    is_signed_in: bool,
    /// Comments in the function: the Python that it replaces.
    python: String,
    /// The whole function, if it is not left to the old service.
    body: Option<String>,
    #[serde(skip)]
    dependency: Option<String>,
    #[serde(skip)]
    takes: Vec<Input>,
    #[serde(skip)]
    alias: Option<String>,
    #[serde(skip)]
    index: usize,
}

/// The methods that there are attributes for.
const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/// The other names in the file of the handlers.
const RESERVED: [&str; 8] = [
    "described",
    "document",
    "fastapi_compat",
    "http",
    "not_written",
    "router",
    "routes",
    "serde_json",
];

/// Why no handler can be routed to, if none can.
pub(super) fn refusal(operation: &Operation<'_>) -> Option<String> {
    if !METHODS.contains(&operation.method) {
        let method = operation.method.to_uppercase();
        return Some(format!("there is no attribute for the method {method}"));
    }
    template(operation.template()).err()
}

impl Drafted {
    /// The operation, called otherwise than those that are there; `index` is its position among the
    /// chosen ones.
    pub(super) fn new(
        types: &mut Types<'_>,
        operation: &Operation<'_>,
        index: usize,
        style: IdStyle,
        others: &[Self],
    ) -> Self {
        types.enter(index);
        let name = operation.function();
        let is_taken = |ident: &str| {
            RESERVED.contains(&ident)
                || METHODS.contains(&ident)
                || others.iter().any(|other| other.ident == ident)
        };
        let mut ident = ident(&name, is_taken);
        if let Some(tag) = operation.tags().first().filter(|_| ident.ends_with('_')) {
            ident = self::ident(&format!("{tag}_{name}"), is_taken);
        }
        let camel = type_name(&ident);
        let value = operation.value;
        let mut samples = Samples { path: operation.path.to_owned(), query: Vec::new() };
        let python = operation.route.map(python::of_operation).unwrap_or_default();
        let mut inputs = parameters(types, operation, &camel, &mut samples);
        let Body { input, case: case_body, name: body_name } = body(types, operation, &camel);
        inputs.extend(input);
        if types.is_of_pydantic_1() && !inputs.is_empty() {
            let reason = "pydantic 1, which writes OpenAPI 3.0, explains errors in other words and takes \
                          some other types, such as numbers for texts";
            types.remark(reason.to_owned());
        }
        let dependency = security(types, value, operation.route);
        let Answer { status, description: answered, ty: answer } = answer(types, value, &camel);
        let mut attributes = rust_text(operation.template());
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
        let is_signed_in = value["security"].as_array().is_some_and(|all| !all.is_empty());
        let all = tuple(&inputs, |input| &input.ty);
        let alias = (inputs.len() > 2).then(|| types.reserve(&format!("{camel}Inputs")));
        Self {
            id: operation.id.clone(),
            method: operation.method.to_owned(),
            path: operation.path.to_owned(),
            template: operation.template().to_owned(),
            tags: operation.tags().into_iter().map(rust_text).collect(),
            doc: doc.unwrap_or_default().lines().map(str::to_owned).collect(),
            comments: types.looseness().comments(&Owner::Operation(index)),
            call: call(dependency.as_deref(), &inputs, alias.as_ref().unwrap_or(&all)),
            inputs: alias.as_ref().map(|alias| format!("type {alias} = {all};")),
            case_path: samples.finish(),
            ident,
            attributes,
            answer,
            case_body,
            is_signed_in,
            python,
            body: None,
            dependency,
            takes: inputs,
            alias,
            index,
        }
    }

    /// Its position among the chosen operations.
    pub(super) const fn index(&self) -> usize {
        self.index
    }

    /// The handler in full.
    pub(super) fn written(
        &self,
        writer: &mut Writer<'_>,
        route: Route<'_>,
    ) -> Result<Whole, String> {
        if self.method == "head" {
            return Err("its method is HEAD".to_owned());
        }
        let answer = self.answer.as_str();
        writer.handler(route, &self.takes, self.dependency.as_deref(), answer)
    }

    /// Takes the handler in full.
    pub(super) fn fill(&mut self, whole: Whole) {
        let Whole { body, inputs, caller } = whole;
        let all = tuple(&inputs, |input| &input.ty);
        let alias = self.alias.clone().filter(|_| inputs.len() > 2);
        let ty = alias.as_ref().unwrap_or(&all);
        let call = match caller {
            Some((pattern, dependency)) => {
                let of_inputs = tuple(&inputs, |input| &input.pattern);
                format!("Call({pattern}, {of_inputs}): Call<{dependency}, {ty}>")
            }
            None => call(self.dependency.as_deref(), &inputs, ty),
        };
        let separator = if call.is_empty() { "" } else { ", " };
        self.call = format!("storage: Storage{separator}{call}");
        self.inputs = alias.map(|alias| format!("type {alias} = {all};"));
        self.body = Some(body);
    }

    /// The function in full, if it is drafted so.
    pub(super) fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    /// Its method, and its path with its convertors.
    pub(super) fn route(&self) -> (String, String) {
        (self.method.to_uppercase(), self.template.clone())
    }

    pub(super) fn has_convertors(&self) -> bool {
        self.template != self.path
    }

    /// The types that its handler names.
    pub(super) fn signature(&self) -> String {
        let inputs = self.inputs.as_deref().unwrap_or_default();
        format!("{} {inputs} {}", self.call, self.answer)
    }
}

/// Everything that goes into `Call`.
fn call(dependency: Option<&str>, inputs: &[Input], ty: &str) -> String {
    let pattern = tuple(inputs, |input| &input.pattern);
    match dependency {
        Some(dependency) => format!("Call(_caller, {pattern}): Call<{dependency}, {ty}>"),
        None if inputs.is_empty() => String::new(),
        None => format!("Call((), {pattern}): Call<(), {ty}>"),
    }
}
