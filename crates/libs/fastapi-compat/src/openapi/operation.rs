//! What the document says of an operation, from its handler's types.

use axum::body::Body;
use axum::response::{Html, Redirect, Response};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::schema::{ModelSchema, Models, SCHEMAS, Schema, title};
use crate::constraints::Constraints;
use crate::response::{Json, NoContent};
use crate::template;

/// What says of itself how it stands in the document: inputs, dependencies and answers of handlers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be described in the OpenAPI document",
    note = "an answer is `Json<T>`, `String`, `Html`, `NoContent`, `Redirect`, `Body` or `Response`, \
            with `(StatusCode, T)` or `([(name, value); N], T)` around it, or a `Result` of these",
    note = "a dependency, `D` in `Call<D, I>`, implements `Describe` beside `Dependency`"
)]
pub trait Describe {
    /// How many parameters of the path it takes.
    const PATH_PARAMETERS: usize = 0;

    fn describe(operation: &mut OperationDocument<'_>);
}

/// An operation beside its handler: what FastAPI's decorator knows. The attributes `#[get("/")]`,
/// `#[post("/")]` and so on write it.
#[derive(Clone, Debug)]
pub struct Outline {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) name: &'static str,
    pub(crate) id: Option<&'static str>,
    summary: Option<&'static str>,
    description: &'static str,
    is_deprecated: bool,
    pub(crate) status: StatusCode,
    answer: &'static str,
    pub(crate) tags: Vec<&'static str>,
    pub(crate) is_validated: bool,
    pub(crate) sets_status: bool,
    pub(crate) path_parameters: usize,
    body_name: &'static str,
    describe: fn(&mut OperationDocument<'_>),
}

impl Outline {
    /// An operation of the handler `name`.
    pub fn new(method: Method, path: impl Into<String>, name: &'static str) -> Self {
        Self {
            method,
            path: path.into(),
            name,
            id: None,
            summary: None,
            description: "",
            is_deprecated: false,
            status: StatusCode::OK,
            answer: "Successful Response",
            tags: Vec::new(),
            is_validated: false,
            sets_status: false,
            path_parameters: 0,
            body_name: "body",
            describe: |_| {},
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The doc comment of the handler.
    #[must_use]
    pub fn description(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// What the document calls it, if that does not follow from its name: `operation_id`.
    #[must_use]
    pub fn id(self, id: &'static str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// A line for it, if its name is none.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// It should not be called any more.
    #[must_use]
    pub fn deprecated(self) -> Self {
        Self { is_deprecated: true, ..self }
    }

    /// What a success is: FastAPI's `response_description`.
    #[must_use]
    pub fn answer(self, answer: &'static str) -> Self {
        Self { answer, ..self }
    }

    /// The status of a success, if it is not 200.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The handler takes all that it needs through [`Call`](crate::Call).
    #[must_use]
    pub fn validated(self) -> Self {
        Self { is_validated: true, ..self }
    }

    /// The handler chooses the status of every answer: a 200 is one, whatever [`Self::status`] is.
    #[must_use]
    pub fn sets_status(self) -> Self {
        Self { sets_status: true, ..self }
    }

    /// What the body is called in Python: the title of one that is no model.
    #[must_use]
    pub fn body_name(self, body_name: &'static str) -> Self {
        Self { body_name, ..self }
    }

    /// The types of the handler's inputs and of its answer.
    #[must_use]
    pub fn describes<I: Describe, O: Describe>(self) -> Self {
        let describe = |operation: &mut OperationDocument<'_>| {
            I::describe(operation);
            O::describe(operation);
        };
        Self { describe, path_parameters: I::PATH_PARAMETERS, ..self }
    }

    /// The same with another function that describes the handler's types, which take so many
    /// parameters of the path.
    #[doc(hidden)]
    #[must_use]
    pub fn described_by(
        self,
        path_parameters: usize,
        describe: fn(&mut OperationDocument<'_>),
    ) -> Self {
        Self { describe, path_parameters, ..self }
    }

    /// What the document says of it.
    pub(super) fn document(
        &self,
        id: &str,
        token_url: &str,
        models: &mut Models,
    ) -> (Value, Map<String, Value>) {
        let parameters = template::names(&self.path).into_iter().map(str::to_owned);
        let summary = self.summary.map_or_else(|| title(self.name), str::to_owned);
        let mut document = OperationDocument {
            id,
            token_url,
            body_name: self.body_name,
            status: self.status,
            answer: self.answer,
            path_parameters: parameters.collect::<Vec<_>>().into_iter(),
            models,
            value: json!({"summary": summary, "operationId": id, "responses": {}}),
            security_schemes: Map::new(),
        };
        if !self.tags.is_empty() {
            document.value["tags"] = json!(self.tags);
        }
        if !self.description.is_empty() {
            document.value["description"] = json!(self.description);
        }
        if self.is_deprecated {
            document.value["deprecated"] = json!(true);
        }
        (self.describe)(&mut document);
        let OperationDocument { mut value, security_schemes, .. } = document;
        if value.get("parameters").is_some() || value.get("requestBody").is_some() {
            value["responses"]["422"] = json!({
                "description": "Validation Error",
                "content": {"application/json": {
                    "schema": {"$ref": format!("{SCHEMAS}HTTPValidationError")},
                }},
            });
        }
        (value, security_schemes)
    }
}

/// The document of an operation, which its inputs and answers fill.
#[derive(Debug)]
pub struct OperationDocument<'a> {
    id: &'a str,
    token_url: &'a str,
    body_name: &'static str,
    status: StatusCode,
    answer: &'static str,
    path_parameters: std::vec::IntoIter<String>,
    models: &'a mut Models,
    value: Value,
    security_schemes: Map<String, Value>,
}

impl OperationDocument<'_> {
    fn parameter(&mut self, place: &str, name: &str, required: bool, mut schema: Value) {
        titled(&mut schema, || title(name));
        let mut parameter = json!({"name": name, "in": place, "required": required});
        // FastAPI says it of both.
        for note in ["description", "deprecated"] {
            if let Some(value) = schema.get(note) {
                parameter[note] = value.clone();
            }
        }
        parameter["schema"] = schema;
        match self.value.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(parameter),
            None => self.value["parameters"] = json!([parameter]),
        }
    }

    /// The next parameter of the path.
    pub(crate) fn path_parameter<T: Schema>(&mut self) {
        let schema = T::schema(&Constraints::NONE, self.models);
        let name = self.path_parameters.next().unwrap_or_default();
        self.parameter("path", &name, true, schema);
    }

    /// The fields of a model as parameters in `query`, `header` or `cookie`.
    pub(crate) fn parameters<T: ModelSchema>(&mut self, place: &str) {
        for field in self.models.fields::<T>() {
            let name = match place {
                "header" => field.name.replace('_', "-"),
                _ => field.name.to_owned(),
            };
            self.parameter(place, &name, field.required, field.schema);
        }
    }

    fn body(&mut self, media_type: &str, required: bool, schema: &Value) {
        let mut body = json!({"content": {media_type: {"schema": schema}}});
        if required {
            body["required"] = json!(true);
        }
        self.value["requestBody"] = body;
    }

    /// A JSON body.
    pub(crate) fn json_body<T: Schema>(&mut self) {
        let mut schema = T::schema(&Constraints::NONE, self.models);
        titled(&mut schema, || title(self.body_name));
        self.body("application/json", !T::OPTIONAL, &schema);
    }

    /// A body of several fields, as a model that bears the operation's name.
    pub(crate) fn fields_body<T: ModelSchema>(&mut self, media_type: &str) {
        let required = self.models.fields::<T>().iter().any(|field| field.required);
        let schema = self.models.body::<T>(format!("Body_{}", self.id));
        self.body(media_type, required, &schema);
    }

    /// A form, which has to be multipart if there are files in it.
    pub(crate) fn form_body<T: ModelSchema>(&mut self) {
        let has_files = self.models.fields::<T>().iter().any(|field| field.is_file);
        self.fields_body::<T>(if has_files {
            "multipart/form-data"
        } else {
            "application/x-www-form-urlencoded"
        });
    }

    fn answer(&mut self, media_type: &str, schema: &Value) {
        self.untyped_answer();
        self.value["responses"][self.status.as_str()]["content"] =
            json!({media_type: {"schema": schema}});
    }

    /// An answer of which the document says no more than its status.
    fn untyped_answer(&mut self) {
        self.value["responses"][self.status.as_str()] = json!({"description": self.answer});
    }

    /// The operation demands this of the caller, besides what it demands already.
    pub(crate) fn security(&mut self, name: &str, scheme: Value) {
        match self.value.get_mut("security").and_then(Value::as_array_mut) {
            Some(all) => all.push(json!({name: []})),
            None => self.value["security"] = json!([{name: []}]),
        }
        self.security_schemes.insert(name.to_owned(), scheme);
    }

    pub(crate) fn bearer(&mut self) {
        let flows = json!({"password": {"scopes": {}, "tokenUrl": self.token_url}});
        self.security("OAuth2PasswordBearer", json!({"type": "oauth2", "flows": flows}));
    }
}

/// Gives a schema the title that it has in its place, if it has none of its own.
fn titled(schema: &mut Value, title: impl FnOnce() -> String) {
    if schema.get("$ref").is_none() && schema.get("title").is_none() {
        schema["title"] = json!(title());
    }
}

impl Describe for () {
    fn describe(_: &mut OperationDocument<'_>) {}
}

impl<T: Schema> Describe for Answer<Json<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        let mut schema = operation.models.output(|models| T::schema(&Constraints::NONE, models));
        titled(&mut schema, || format!("Response {}", title(operation.id)));
        operation.answer("application/json", &schema);
    }
}

/// An answer whose status the handler chooses: the document has the attribute's.
impl<T> Describe for Answer<(StatusCode, T)>
where
    Answer<T>: Describe,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

/// What a handler answers, as against what it is given: `Json` is either.
#[derive(Debug)]
pub struct Answer<T>(T);

impl<T, E> Describe for Answer<Result<T, E>>
where
    Answer<T>: Describe,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

impl<T> Describe for Answer<Html<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("text/html", &json!({"type": "string"}));
    }
}

/// `PlainTextResponse`
impl Describe for Answer<String> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("text/plain", &json!({"type": "string"}));
    }
}

/// `PlainTextResponse`
impl Describe for Answer<&'static str> {
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<String>::describe(operation);
    }
}

/// Answers without a type: nothing, a file or a stream, and being sent elsewhere.
macro_rules! untyped_answers {
    ($($type:ty),*) => {$(
        impl Describe for Answer<$type> {
            fn describe(operation: &mut OperationDocument<'_>) {
                operation.untyped_answer();
            }
        }
    )*};
}

untyped_answers!(NoContent, Body, Redirect);

/// An answer of which nothing is known.
impl Describe for Answer<Response> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("application/json", &json!({}));
    }
}

/// An answer with headers.
impl<H, V, const N: usize, T> Describe for Answer<([(H, V); N], T)>
where
    Answer<T>: Describe,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}
