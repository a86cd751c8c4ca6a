//! An operation in the document, from its handler's types.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayItems, KnownFormat, SchemaFormat};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{
    Content, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement, Type,
};
use utoipa::{IntoParams, ToSchema};

use super::collection;
use super::dialect::{in_all_of, name, title};
use super::visit::{inside_option, set, typed};
use crate::dialect::{Switch, has};
use crate::field_names::FieldNames;
use crate::model::Model;
use crate::response::has_body;

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

/// The document of an operation, which its inputs and answers fill.
pub struct OperationDocument<'a> {
    pub(super) id: &'a str,
    pub(super) token_url: &'a str,
    pub(super) body_name: &'static str,
    pub(super) status: StatusCode,
    pub(super) answer: &'static str,
    pub(super) path_parameters: Vec<String>,
    pub(super) next_path_parameter: usize,
    pub(super) operation: Operation,
    /// The media type of the answer, if it has a body.
    pub(super) media_type: Option<String>,
    /// What is demanded of the caller: names of schemes, with scopes.
    pub(super) requirements: Vec<(String, Vec<String>)>,
    /// Those that are demanded of what is described now.
    pub(super) scopes: Vec<&'static str>,
    pub(super) security_schemes: BTreeMap<String, SecurityScheme>,
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
            self.path_parameter(typed(Type::String).into());
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

    /// Completes the operation, once all of it is described.
    pub(super) fn finish(&mut self) {
        self.sort_parameters();
        self.demand();
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
