//! An operation beside its handler: what FastAPI's decorators know of it.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Map, Value};
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::Deprecated;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem, Paths};
use utoipa::openapi::security::SecurityScheme;

use super::collection::{self, NamedSchema};
use super::dialect::title;
use super::methods::{method_in_document, method_of_request};
use super::operation::{Describe, OperationDocument};
use super::responses::{AdditionalResponse, merge, merge_operation};
use crate::template;

/// An operation beside its handler: what FastAPI's decorator knows. The attributes `#[get("/")]`,
/// `#[post("/")]` and so on write it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "FastAPI's decorators have as many")]
pub struct Outline {
    /// At least one.
    pub(crate) methods: Vec<Method>,
    pub(crate) is_websocket: bool,
    pub(crate) is_hidden: bool,
    pub(crate) path: String,
    pub(crate) name: &'static str,
    pub(crate) id: Option<&'static str>,
    /// That of the router that had the operation before it was merged.
    pub(crate) operation_id: Option<OperationId>,
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
    responses: Vec<AdditionalResponse>,
    extra: Map<String, Value>,
    pub(crate) callbacks: Vec<Outline>,
    foreign: Option<Foreign>,
}

/// An operation that utoipa describes, with the components that it refers to.
#[derive(Clone)]
enum Foreign {
    Requested(fn() -> (Operation, Vec<NamedSchema>)),
    Given(Arc<(Operation, Vec<NamedSchema>)>),
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign")
    }
}

/// How operations are called: from the function's name, the tags, the path and the method.
pub(crate) type OperationId = fn(&str, &[&str], &str, &Method) -> String;

impl Outline {
    /// An operation of the handler `name`.
    pub fn new(method: Method, path: impl Into<String>, name: &'static str) -> Self {
        Self {
            methods: vec![method],
            is_websocket: false,
            is_hidden: false,
            operation_id: None,
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
            responses: Vec::new(),
            extra: Map::new(),
            callbacks: Vec::new(),
            foreign: None,
        }
    }

    /// The method that names the operation.
    pub(crate) fn first_method(&self) -> &Method {
        self.methods.first().unwrap_or(&Method::GET)
    }

    /// The operations of `#[utoipa::path]`, one for each method.
    pub(crate) fn of_utoipa<P>() -> Vec<Self>
    where
        P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>,
    {
        let name = type_name::<P>().rsplit("::").next().unwrap_or_default();
        let outline = || {
            let (mut operation, mut schemas) = (P::operation(), Vec::new());
            let tags = <P as Tags<'_>>::tags().into_iter().map(str::to_owned);
            operation.tags.get_or_insert_default().extend(tags);
            P::schemas(&mut schemas);
            (operation, schemas)
        };
        let outline = |method| Self {
            foreign: Some(Foreign::Requested(outline)),
            ..Self::new(method_of_request(&method), P::path(), name.trim_start_matches("__path_"))
        };
        P::methods().into_iter().map(outline).collect()
    }

    /// Operations of utoipa's that have been described already.
    pub(crate) fn of_paths(schemas: Vec<NamedSchema>, paths: Paths) -> impl Iterator<Item = Self> {
        let operations = paths.paths.into_iter().flat_map(|(path, item)| {
            let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
            let all = [
                (Method::GET, get),
                (Method::PUT, put),
                (Method::POST, post),
                (Method::DELETE, delete),
                (Method::OPTIONS, options),
                (Method::HEAD, head),
                (Method::PATCH, patch),
                (Method::TRACE, trace),
            ];
            all.into_iter()
                .filter_map(move |(method, operation)| Some((path.clone(), method, operation?)))
        });
        operations.map(move |(path, method, operation)| Self {
            foreign: Some(Foreign::Given(Arc::new((operation, schemas.clone())))),
            ..Self::new(method, path, "operation")
        })
    }

    /// The operation for a document of utoipa's, as it is before [`FastApi`](super::FastApi), and the
    /// components that it refers to: `utoipa_axum::routes!` needs it. What it demands of the
    /// caller is named, but the scheme is the document's to define.
    pub fn plain(&self) -> (Operation, Vec<NamedSchema>) {
        collection::plain(|| self.document(self.id.unwrap_or(self.name), "").0)
    }

    #[doc(hidden)]
    pub fn plain_path(&self) -> String {
        template::format(&self.path).into_owned()
    }

    #[doc(hidden)]
    pub fn plain_methods(&self) -> Vec<HttpMethod> {
        self.methods.iter().filter_map(method_in_document).collect()
    }

    /// The path, as in the document: parameters in braces, without convertors.
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

    /// It answers several methods, in the document by an operation for each: FastAPI's
    /// `api_route(methods=[…])`.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods: Vec<_> = methods.into_iter().collect();
        assert!(!methods.is_empty(), "`{}` answers no method", self.name);
        Self { methods, ..self }
    }

    /// It answers the handshakes of WebSockets instead of requests, and is not in the document.
    #[must_use]
    pub fn websocket(self) -> Self {
        Self { is_websocket: true, ..self }
    }

    /// It is not in the document: `include_in_schema=False`.
    #[must_use]
    pub fn hidden(self) -> Self {
        Self { is_hidden: true, ..self }
    }

    /// Tags of its own, behind those of its router.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = &'static str>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// Answers besides that of success, or more about that: FastAPI's `responses={…}`.
    #[must_use]
    pub fn responses(mut self, responses: impl IntoIterator<Item = AdditionalResponse>) -> Self {
        self.responses.extend(responses);
        self
    }

    /// Adds those of a router, unless the operation has its own.
    pub(crate) fn inherit_responses(&mut self, responses: &[AdditionalResponse]) {
        let own = |response: &&AdditionalResponse| {
            !self.responses.iter().any(|own| own.has_key_of(response))
        };
        let inherited: Vec<_> = responses.iter().filter(own).cloned().collect();
        self.responses.splice(0..0, inherited);
    }

    /// Anything else of the operation, merged into it at the end: FastAPI's `openapi_extra`. In a
    /// request with `"security": []` nothing is demanded of the caller, whatever the document demands.
    ///
    /// # Panics
    /// When it is no object.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake of the program, found when the router is built")]
    pub fn openapi_extra(mut self, extra: Value) -> Self {
        let Value::Object(extra) = extra else { panic!("`openapi_extra` is an object") };
        merge(&mut self.extra, &extra);
        self
    }

    /// The operations of the callbacks, each under the name of its function.
    pub(super) fn all_callbacks(&self) -> &[Self] {
        &self.callbacks
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
    pub fn describes<I: Describe, O: Describe<Via>, Via>(self) -> Self {
        let describe = |operation: &mut OperationDocument<'_>| {
            I::describe(operation);
            O::describe(operation);
        };
        Self { path_parameters: I::PATH_PARAMETERS, describe, ..self }
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
        Self { path_parameters, describe, ..self }
    }

    /// Its description, before it is brought into FastAPI's dialect, and the security
    /// schemes that it names. Models go into the collection of the thread.
    pub(super) fn document(
        &self,
        id: &str,
        token_url: &str,
    ) -> (Operation, BTreeMap<String, SecurityScheme>) {
        if let Some(foreign) = &self.foreign {
            return (self.foreign_document(foreign, id), BTreeMap::new());
        }
        let parameters = template::names(&self.path).into_iter().map(str::to_owned);
        let operation = OperationBuilder::new()
            .summary(Some(self.summary.map_or_else(|| title(self.name), str::to_owned)))
            .description(Some(self.description).filter(|text| !text.is_empty()))
            .operation_id(Some(id))
            .tags(Some(&self.tags).filter(|tags| !tags.is_empty()).cloned())
            .deprecated(self.is_deprecated.then_some(Deprecated::True));
        let mut document = OperationDocument {
            id,
            token_url,
            body_name: self.body_name,
            status: self.status,
            answer: self.answer,
            media_type: None,
            requirements: Vec::new(),
            scopes: Vec::new(),
            path_parameters: parameters.collect(),
            next_path_parameter: 0,
            operation: operation.build(),
            security_schemes: BTreeMap::new(),
        };
        (self.describe)(&mut document);
        document.finish();
        for response in &self.responses {
            response.document(&mut document);
        }
        (document.operation, document.security_schemes)
    }

    /// Merges what is only JSON into the operation, once it is in FastAPI's dialect.
    pub(super) fn finish(&self, operation: &mut Operation) {
        for response in &self.responses {
            response.finish(operation);
        }
        merge_operation(operation, &self.extra);
    }

    /// utoipa's document of the operation, under FastAPI's id unless it has one of its own.
    fn foreign_document(&self, foreign: &Foreign, id: &str) -> Operation {
        let (mut operation, schemas) = match foreign {
            Foreign::Requested(outline) => outline(),
            Foreign::Given(given) => (**given).clone(),
        };
        let own = operation.operation_id.take().filter(|own| self.is_own_id(own));
        operation.operation_id = Some(own.unwrap_or_else(|| id.to_owned()));
        operation.summary.get_or_insert_with(|| title(self.name));
        let tags = self.tags.iter().map(|&tag| tag.to_owned());
        operation.tags = Some(tags.chain(operation.tags.take().unwrap_or_default()).collect());
        collection::adopt(&mut operation, schemas);
        operation
    }

    /// Whether it is not just the name of the function.
    fn is_own_id(&self, id: &str) -> bool {
        matches!(self.foreign, Some(Foreign::Given(_))) || id != self.name
    }
}
