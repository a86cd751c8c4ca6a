//! An operation in the document, from its handler's types.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
    Paths,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{
    Content, Deprecated, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
};
use utoipa::{IntoParams, ToSchema};

use super::dialect::{name, title};
use super::visit::{inside_option, set};
use super::{NamedSchema, collection};
use crate::model::Model;
use crate::template;

/// What describes itself in the document: inputs, dependencies and answers of handlers.
///
/// `Via` is how a type in it is [`Documented`](super::Documented); an implementation of your own needs
/// none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be described in the OpenAPI document",
    note = "an answer is `Json<T>` of a `T` with `ToSchema`, `String`, `Html`, `NoContent`, \
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
            foreign: None,
        }
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
        super::http_method(&self.method).into_iter().collect()
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
            path_parameters: parameters.collect::<Vec<_>>().into_iter(),
            operation: operation.build(),
            security_schemes: BTreeMap::new(),
        };
        (self.describe)(&mut document);
        (document.operation, document.security_schemes)
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
    path_parameters: std::vec::IntoIter<String>,
    operation: Operation,
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

    /// The next parameter of the path.
    pub(crate) fn path_parameter(&mut self, schema: RefOr<Schema>) {
        let parameter = ParameterBuilder::new()
            .name(self.path_parameters.next().unwrap_or_default())
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema));
        self.parameter(parameter.build());
    }

    /// The fields of a model as parameters of the query, of the headers or of the cookies.
    pub(crate) fn parameters<T: Model + IntoParams>(&mut self, location: &ParameterIn) {
        for mut parameter in T::into_params(|| Some(location.clone())) {
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
        let schema = collection::add(name, model);
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
        let has_body = !(self.status.is_informational()
            || [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED]
                .contains(&self.status));
        let mut answer = ResponseBuilder::new().description(self.answer);
        if has_body {
            answer = answer.content(media_type, Content::new(Some(schema)));
        }
        self.respond(answer);
    }

    fn respond(&mut self, answer: ResponseBuilder) {
        let responses = &mut self.operation.responses.responses;
        responses.insert(self.status.as_str().to_owned(), answer.build().into());
    }

    /// An answer that has only a status in the document.
    pub(super) fn untyped_answer(&mut self) {
        self.respond(ResponseBuilder::new().description(self.answer));
    }

    /// The operation demands this of the caller, besides what it demands already.
    pub fn security(&mut self, name: &str, scheme: SecurityScheme) {
        let requirement = SecurityRequirement::new(name, [""; 0]);
        self.operation.security.get_or_insert_default().push(requirement);
        self.security_schemes.insert(name.to_owned(), scheme);
    }

    pub(crate) fn bearer(&mut self) {
        let flow = Flow::Password(Password::new(self.token_url, Scopes::new()));
        self.security("OAuth2PasswordBearer", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// Whether a field is a file, or may be one, or some.
fn holds_files(schema: &mut RefOr<Schema>) -> bool {
    match inside_option(schema).0 {
        RefOr::T(Schema::Object(object)) => object.content_media_type == "application/octet-stream",
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
