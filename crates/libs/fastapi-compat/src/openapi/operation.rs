//! An operation in the document, from its handler's types.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Map, Value};
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
    Paths,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayItems, KnownFormat, SchemaFormat};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{
    Content, Deprecated, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
};
use utoipa::{IntoParams, ToSchema};

use super::dialect::{in_all_of, name, title};
use super::responses::{AdditionalResponse, merge, merge_operation};
use super::visit::{inside_option, set};
use super::{NamedSchema, collection};
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::model::{FieldNames, Model};
use crate::response::has_body;
use crate::routes::Routes;
use crate::template;

/// What describes itself in the document: inputs, dependencies and answers of handlers.
///
/// `Via` is how a type in it is [`Documented`](super::Documented); an implementation of your own needs
/// none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be described in the OpenAPI document",
    note = "an answer is fastapi-compat's `Json<T>`, not axum's, of a `T` with `ToSchema`, `String`, `Html`, `NoContent`, \
            `Redirect`, `Body` or `Response`, with `(StatusCode, T)` or `([(name, value); N], T)` \
            around it, or a `Result` of these",
    note = "a dependency, `D` in `Call<D, I>`, implements `Describe` beside `Dependency`"
)]
pub trait Describe<Via = ()> {
    /// How many parameters of the path it takes.
    const PATH_PARAMETERS: usize = 0;

    /// Writes it into the operation's entry of the document.
    fn describe(operation: &mut OperationDocument<'_>);
}

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
    callbacks: Vec<Outline>,
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

impl Outline {
    /// An operation of the handler `name`.
    pub fn new(method: Method, path: impl Into<String>, name: &'static str) -> Self {
        Self {
            methods: vec![method],
            is_websocket: false,
            is_hidden: false,
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
            ..Self::new(http_method(&method), P::path(), name.trim_start_matches("__path_"))
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
        self.methods.iter().filter_map(super::http_method).collect()
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

    /// The requests that this service sends because of the operation: FastAPI's `callbacks=`. The
    /// handlers are never called.
    #[must_use]
    pub fn callbacks(mut self, callbacks: impl Into<Routes>) -> Self {
        self.callbacks.extend(callbacks.into().0.into_iter().map(|callback| callback.outline));
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
        document.sort_parameters();
        document.demand();
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
}

impl Outline {
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
        super::adopt(&mut operation, schemas);
        operation
    }

    /// Whether it is not just the name of the function.
    fn is_own_id(&self, id: &str) -> bool {
        matches!(self.foreign, Some(Foreign::Given(_))) || id != self.name
    }
}

fn http_method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// The document of an operation, which its inputs and answers fill.
pub struct OperationDocument<'a> {
    pub(super) id: &'a str,
    token_url: &'a str,
    body_name: &'static str,
    status: StatusCode,
    answer: &'static str,
    path_parameters: Vec<String>,
    next_path_parameter: usize,
    pub(super) operation: Operation,
    /// The media type of the answer, if it has a body.
    pub(super) media_type: Option<String>,
    /// What is demanded of the caller: names of schemes, with scopes.
    requirements: Vec<(String, Vec<String>)>,
    /// Those that are demanded of what is described now.
    scopes: Vec<&'static str>,
    security_schemes: BTreeMap<String, SecurityScheme>,
}

impl OperationDocument<'_> {
    /// utoipa's value of the operation, to which anything may be added.
    pub fn operation(&mut self) -> &mut Operation {
        &mut self.operation
    }

    fn parameter(&mut self, parameter: Parameter) {
        self.operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    }

    /// Parameters of the path are described from the first one on.
    pub(crate) fn restart_path(&mut self) {
        self.next_path_parameter = 0;
    }

    /// The next parameter of the path.
    pub(crate) fn path_parameter(&mut self, schema: RefOr<Schema>) {
        let name = self.path_parameters.get(self.next_path_parameter).cloned();
        self.next_path_parameter += 1;
        let parameter = ParameterBuilder::new()
            .name(name.unwrap_or_default())
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema));
        self.parameter(parameter.build());
    }

    /// All parameters of the path, as texts: what an extractor of axum's takes of them is not known.
    pub(crate) fn untyped_path(&mut self) {
        for _ in 0..self.path_parameters.len() {
            self.path_parameter(String::json_schema());
        }
        self.restart_path();
    }

    /// Parameters that utoipa describes.
    #[cfg(feature = "axum-extractors")]
    pub(crate) fn foreign_parameters<T: IntoParams>(&mut self, location: &ParameterIn) {
        for parameter in T::into_params(|| Some(location.clone())) {
            self.parameter(parameter);
        }
    }

    /// A body that is read by an extractor of axum's.
    #[cfg(feature = "axum-extractors")]
    pub(crate) fn foreign_body<T: ToSchema>(&mut self, media_type: &str) {
        self.body(media_type, true, collection::documented::<T>());
    }

    /// The fields of a model as parameters of the query, of the headers or of the cookies.
    pub(crate) fn parameters<T: Model + IntoParams>(&mut self, location: &ParameterIn) {
        for mut parameter in T::into_params(|| Some(location.clone())) {
            let of = |field: &&FieldNames| {
                field.names.first().is_some_and(|name| name.text == parameter.name)
            };
            let field = T::FIELDS.iter().find(of);
            if let Some(field) = field.filter(|field| field.names.len() > 1)
                && has(Switch::AliasChoicesAreNames)
            {
                field.own.text.clone_into(&mut parameter.name);
            }
            if let (true, Some(schema)) = (T::IS_MODEL, &mut parameter.schema) {
                name(schema, &title(&parameter.name));
            }
            let names = T::FIELDS.iter().filter_map(|field| field.names.first());
            let own = names.into_iter().find(|name| name.text == parameter.name);
            if let (&ParameterIn::Header, Some(name)) = (location, own) {
                parameter.name = name.of_header().into_owned();
            }
            self.parameter(parameter);
        }
    }

    fn body(&mut self, media_type: &str, is_required: bool, schema: RefOr<Schema>) {
        let body = RequestBodyBuilder::new()
            .content(media_type, Content::new(Some(schema)))
            .required(is_required.then_some(Required::True));
        self.operation.request_body = Some(body.build().into());
    }

    /// A JSON body.
    pub(crate) fn json_body(&mut self, mut schema: RefOr<Schema>, is_required: bool) {
        if !is_required {
            in_all_of(&mut schema);
        }
        name(&mut schema, &title(self.body_name));
        self.body("application/json", is_required, schema);
    }

    /// A body of several fields, as a model that bears the operation's name.
    pub(crate) fn fields_body<T: ToSchema>(&mut self, media_type: &str) {
        self.model_body(media_type, collection::written_out::<T>());
    }

    fn model_body(&mut self, media_type: &str, mut model: RefOr<Schema>) {
        let name = collection::component_name(&format!("Body_{}", self.id));
        let is_required = match &mut model {
            RefOr::T(Schema::Object(model)) => {
                model.description = None;
                !model.required.is_empty()
            }
            _ => true,
        };
        set(&mut model, "title", name.as_str().into());
        let mut schema = collection::add(name, model);
        if !is_required && has(Switch::ReferencesInAllOf) {
            in_all_of(&mut schema);
            set(&mut schema, "title", "Body".into());
        }
        self.body(media_type, is_required, schema);
    }

    /// A form, which has to be multipart if there are files in it.
    pub(crate) fn form_body<T: Model + ToSchema>(&mut self) {
        let mut model = collection::written_out::<T>();
        let has_files = match &mut model {
            RefOr::T(Schema::Object(model)) => model.properties.values_mut().any(holds_files),
            _ => false,
        };
        let media_type =
            if has_files { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        if T::IS_MODEL {
            self.body(media_type, true, collection::documented::<T>());
        } else {
            self.model_body(media_type, model);
        }
    }

    /// An answer with a body, unless its status has none.
    pub(super) fn answer(&mut self, media_type: &str, schema: RefOr<Schema>) {
        let has_body = has_body(self.status);
        let mut answer = ResponseBuilder::new().description(self.answer);
        self.media_type = Some(media_type.to_owned());
        if has_body {
            answer = answer.content(media_type, Content::new(Some(schema)));
        }
        self.respond(answer);
    }

    /// An answer that is a stream of such items.
    #[cfg(feature = "streams")]
    pub(super) fn stream(&mut self, media_type: &str, item: RefOr<Schema>) {
        self.media_type = Some(media_type.to_owned());
        let mut content = Content::default();
        content.item_schema = Some(item);
        self.respond(ResponseBuilder::new().description(self.answer).content(media_type, content));
    }

    /// The status of the answer, unless the attribute has one.
    pub(super) fn default_status(&mut self, status: StatusCode) {
        if self.status == StatusCode::OK {
            self.status = status;
        }
    }

    fn respond(&mut self, answer: ResponseBuilder) {
        let responses = &mut self.operation.responses.responses;
        responses.insert(self.status.as_str().to_owned(), answer.build().into());
    }

    /// An answer that has only a status in the document.
    pub(super) fn untyped_answer(&mut self) {
        self.respond(ResponseBuilder::new().description(self.answer));
    }

    /// The operation demands this of the caller, besides what it demands already: a dependency of
    /// your own documents the scheme that it checks so. Within
    /// [`Security`](crate::Security) it is demanded with its scopes.
    pub fn security(&mut self, name: &str, scheme: SecurityScheme) {
        let at = self.requirements.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.requirements.push((name.to_owned(), Vec::new()));
            self.requirements.len() - 1
        });
        let demanded = &mut self.requirements[at].1;
        for scope in &self.scopes {
            if has(Switch::RepeatedScopes) || !demanded.iter().any(|known| known == scope) {
                demanded.push((*scope).to_owned());
            }
        }
        self.security_schemes.insert(name.to_owned(), scheme);
    }

    /// What `describe` demands of the caller, is demanded with these scopes.
    pub(crate) fn scoped(&mut self, scopes: &[&'static str], describe: fn(&mut Self)) {
        let outer = self.scopes.clone();
        self.scopes.extend(scopes);
        describe(self);
        self.scopes = outer;
    }

    /// Writes the requirements into the operation.
    fn demand(&mut self) {
        let requirements = std::mem::take(&mut self.requirements).into_iter();
        let requirements: Vec<_> =
            requirements.map(|(name, scopes)| SecurityRequirement::new(name, scopes)).collect();
        if !requirements.is_empty() {
            self.operation.security.get_or_insert_default().splice(0..0, requirements);
        }
    }

    /// Parameters in FastAPI's order: of the path, of the query, in headers, in cookies. One that is
    /// declared twice stands where it was first, as the last declaration has it, a required one first.
    fn sort_parameters(&mut self) {
        let Some(parameters) = self.operation.parameters.take() else { return };
        let order = |parameter: &RefOr<Parameter>| match parameter {
            RefOr::T(parameter) => match parameter.parameter_in {
                ParameterIn::Path => 0,
                ParameterIn::Query => 1,
                ParameterIn::Header => 2,
                ParameterIn::Cookie => 3,
                ParameterIn::QueryString => 4,
            },
            RefOr::Ref(_) => 4,
        };
        let mut sorted: Vec<RefOr<Parameter>> = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let same = sorted.iter_mut().find(|known| match (&**known, &parameter) {
                (RefOr::T(known), RefOr::T(parameter)) => {
                    known.name == parameter.name && known.parameter_in == parameter.parameter_in
                }
                _ => false,
            });
            let is_required = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.required == Required::True);
            match same {
                Some(known) if is_required(known) && !is_required(&parameter) => {}
                Some(known) => *known = parameter,
                None => sorted.push(parameter),
            }
        }
        sorted.sort_by_key(order);
        self.operation.parameters = Some(sorted);
    }

    pub(crate) fn bearer(&mut self) {
        let flow = Flow::Password(Password::new(self.token_url, Scopes::new()));
        self.security("OAuth2PasswordBearer", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// Whether a field is a file, or may be one, or some.
fn holds_files(schema: &mut RefOr<Schema>) -> bool {
    match inside_option(schema).0 {
        RefOr::T(Schema::Object(object)) => {
            object.content_media_type == "application/octet-stream"
                || object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Binary))
        }
        RefOr::T(Schema::Array(array)) => match &mut array.items {
            ArrayItems::RefOrSchema(items) => holds_files(items),
            ArrayItems::False => false,
        },
        _ => false,
    }
}

impl Describe for () {
    fn describe(_: &mut OperationDocument<'_>) {}
}
