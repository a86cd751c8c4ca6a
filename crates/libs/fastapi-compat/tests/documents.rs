//! The document as utoipa's value: our models in documents of utoipa's, utoipa's types and operations
//! in ours, and the dialect on its own.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::{BTreeMap, HashMap};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use fastapi_compat::openapi::{FastApi, Info};
use fastapi_compat::{
    Bearer, Call, Decimal, Decode, Integer, Json, Patch, Path, Query, Router, Schema, get, post,
    put, routes,
};
use http_body_util::BodyExt;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, Modify, OpenApi, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

const INFO: Info<'static> = Info { title: "Documents", version: "1", token_url: "/token" };

fn document(router: &Router) -> Value {
    serde_json::to_value(router.document(&INFO).unwrap()).unwrap()
}

fn schema<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()
}

async fn read(app: &axum::Router, request: Request) -> (u16, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

fn get_request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

/// A part of an order.
#[derive(Clone, Decode, Serialize)]
struct Part {
    #[schema(min_length = 1)]
    name: String,
}

#[derive(Decode, Serialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

#[derive(Decode, Serialize)]
struct Order {
    id: Uuid,
    parts: Vec<Part>,
    size: Option<Size>,
    parent: Option<Box<Order>>,
}

#[derive(Decode)]
struct Filter {
    #[schema(ge = 0)]
    skip: Integer,
    word: Option<String>,
}

// Our models in documents of utoipa's.

#[test]
fn a_model_writes_itself_out_and_lists_what_it_refers_to() {
    let order = schema::<Order>();
    assert_eq!(order["title"], "Order");
    assert_eq!(order["required"], json!(["id", "parts"]));
    let part = json!({"$ref": "#/components/schemas/Part"});
    assert_eq!(order["properties"]["parts"]["items"], part);
    assert_eq!(order["properties"]["id"], json!({"type": "string", "format": "uuid"}));
    let mut listed = Vec::new();
    Order::schemas(&mut listed);
    let names: Vec<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Order", "Part", "Size"]);
    assert_eq!(schema::<Vec<Part>>()["items"]["title"], "Part");
}

#[test]
fn models_stand_in_a_document_of_utoipas() {
    /// With utoipa's derive around it.
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Basket {
        orders: Vec<Order>,
        price: Decimal,
    }

    #[derive(OpenApi)]
    #[openapi(components(schemas(Basket)))]
    struct Document;

    let document = serde_json::to_value(Document::openapi()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["Basket", "Order", "Part", "Size"] {
        assert!(schemas.contains_key(name), "{name} is missing in {schemas:?}");
    }
    let orders = &schemas["Basket"]["properties"]["orders"]["items"];
    assert_eq!(orders, &json!({"$ref": "#/components/schemas/Order"}));
    let small = json!({"type": "string", "enum": ["small", "large"], "title": "Size"});
    assert_eq!(schemas["Size"], small);
}

#[test]
fn a_model_is_parameters() {
    let parameters = Filter::into_params(|| Some(ParameterIn::Header));
    let parameters = serde_json::to_value(parameters).unwrap();
    assert_eq!(parameters[0]["name"], "skip");
    assert_eq!(parameters[0]["in"], "header");
    assert_eq!(parameters[0]["required"], true);
    assert_eq!(parameters[0]["schema"], json!({"type": "integer", "minimum": 0}));
    assert_eq!(parameters[1]["required"], false);
}

// Types with utoipa's derive in our signatures.

#[derive(Clone, Serialize, ToSchema)]
struct Nested {
    count: u8,
}

#[derive(Clone, Serialize, ToSchema)]
struct Foreign {
    nested: Nested,
    note: Option<String>,
}

#[derive(Serialize, Schema)]
struct Ours {
    foreign: Foreign,
    others: Vec<Foreign>,
    maybe: Option<Nested>,
}

#[derive(Decode, Serialize, ToSchema)]
#[decode(schema = false)]
struct Both {
    #[decode(min_length = 2)]
    #[schema(min_length = 2, example = "ab")]
    name: String,
}

#[get("/one")]
async fn one() -> Json<Foreign> {
    Json(Foreign { nested: Nested { count: 1 }, note: None })
}

#[get("/many")]
async fn many() -> Json<HashMap<String, Vec<Option<Foreign>>>> {
    Json(HashMap::new())
}

#[get("/within")]
async fn within() -> Json<Ours> {
    let foreign = Foreign { nested: Nested { count: 1 }, note: None };
    Json(Ours { others: vec![foreign.clone()], foreign, maybe: None })
}

#[post("/both")]
async fn both(Call((), Json(both)): Call<(), Json<Both>>) -> Json<Both> {
    Json(both)
}

#[get("/foreign")]
async fn foreign() -> Json<(Uuid, Vec<(i64, Part)>, BTreeMap<Uuid, Part>)> {
    Json((Uuid::nil(), Vec::new(), BTreeMap::new()))
}

type Twelve = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, Option<Uuid>);

#[post("/twelve")]
async fn twelve(Call((), Json(all)): Call<(), Json<Twelve>>) -> Json<Twelve> {
    Json(all)
}

#[tokio::test]
async fn types_with_utoipas_derive_are_components() {
    let router = Router::new().routes(routes![one, many, within, both, foreign, twelve]);
    let document = document(&router);
    let content = |path: &str, method: &str| {
        let answer = &document["paths"][path][method]["responses"]["200"];
        answer["content"]["application/json"]["schema"].clone()
    };
    let foreign = json!({"$ref": "#/components/schemas/Foreign"});
    assert_eq!(content("/one", "get"), foreign);
    let items = &content("/many", "get")["additionalProperties"]["items"];
    assert_eq!(*items, json!({"anyOf": [foreign, {"type": "null"}]}));
    assert_eq!(content("/both", "post"), json!({"$ref": "#/components/schemas/Both"}));
    let tuple = content("/foreign", "get");
    assert_eq!(tuple["prefixItems"][0], json!({"type": "string", "format": "uuid"}));
    assert_eq!(tuple["maxItems"], 3);
    let tuple = content("/twelve", "post");
    assert_eq!((&tuple["minItems"], &tuple["maxItems"]), (&json!(12), &json!(12)));
    assert_eq!(tuple["prefixItems"][11]["anyOf"][0]["format"], "uuid");
    let schemas = &document["components"]["schemas"];
    let ours = &schemas["Ours"]["properties"];
    assert_eq!(ours["foreign"], foreign);
    assert_eq!(ours["others"]["items"], foreign);
    let nested = json!({"$ref": "#/components/schemas/Nested"});
    assert_eq!(ours["maybe"], json!({"anyOf": [nested, {"type": "null"}]}));
    assert_eq!(
        schemas["Nested"],
        json!({
            "type": "object",
            "title": "Nested",
            "required": ["count"],
            "properties": {
                "count": {"type": "integer", "minimum": 0.0, "maximum": 255.0, "title": "Count"},
            },
        })
    );
    assert!(!document.to_string().contains('@'), "{document:#}");

    let app = router.with_state(());
    let post = |body: &'static str| {
        let request = Request::post("/both").header("content-type", "application/json");
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(read(&app, post(r#"{"name":"ab"}"#)).await.0, 200);
    assert_eq!(read(&app, post(r#"{"name":"a"}"#)).await.0, 422);
}

// Operations of either in routers of either.

/// Read an order.
#[get("/orders/{id}")]
async fn read_order(
    Call(_, (Path(id), Query(filter))): Call<Bearer, (Path<Uuid>, Query<Filter>)>,
) -> Json<Order> {
    let Filter { skip, word } = filter;
    let part = Part { name: format!("{skip} {}", word.unwrap_or_default()) };
    Json(Order { id, parts: vec![part], size: None, parent: None })
}

/// Count the parts.
#[utoipa::path(get, path = "/parts/{id}", params(("id" = i32, Path)), tag = "parts",
    responses((status = 200, body = Vec<Part>)))]
async fn read_parts(axum::extract::Path(id): axum::extract::Path<i32>) -> axum::Json<Vec<Part>> {
    axum::Json(vec![Part { name: id.to_string() }])
}

#[utoipa::path(put, path = "/parts", request_body = Part, responses((status = 200, body = Nested)))]
async fn put_part(body: String) -> String {
    body
}

const ID: &str = "6a2f41a3-c54c-4fba-aea5-1c4a1b3d4f5e";

#[tokio::test]
async fn our_operations_stand_in_utoipas_router() {
    let (app, mut document) = OpenApiRouter::<()>::new()
        .routes(utoipa_axum::routes!(read_order))
        .routes(utoipa_axum::routes!(read_parts))
        .split_for_parts();
    let plain = serde_json::to_value(&document).unwrap();
    let operation = &plain["paths"]["/orders/{id}"]["get"];
    assert_eq!(operation["operationId"], "read_order");
    assert_eq!(operation["description"], "Read an order.");
    let names: Vec<_> = operation["parameters"].as_array().unwrap().iter().collect();
    assert_eq!(names.iter().map(|p| &p["name"]).collect::<Vec<_>>(), ["id", "skip", "word"]);
    assert!(plain["components"]["schemas"]["Order"]["properties"].is_object(), "{plain:#}");

    FastApi.modify(&mut document);
    let dialect = serde_json::to_value(&document).unwrap();
    assert!(dialect["paths"]["/orders/{id}"]["get"]["responses"]["422"].is_object());

    let path = format!("/orders/{ID}?skip=1&word=x");
    let request = Request::get(&path).header("authorization", "Bearer x");
    let (status, body) = read(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, body.contains("1 x")), (200, true), "{body}");
    assert_eq!(read(&app, get_request(&path)).await.0, 401);
}

#[tokio::test]
async fn utoipas_operations_stand_in_our_router() {
    let router: Router = Router::new()
        .routes(routes![read_parts, read_order])
        .routes(utoipa_axum::routes!(put_part))
        .prefix("/api");
    let document = document(&router);
    let parts = &document["paths"]["/api/parts/{id}"]["get"];
    assert_eq!(parts["operationId"], "read_parts_api_parts__id__get");
    assert_eq!(parts["tags"], json!(["parts"]));
    assert_eq!(
        parts["responses"]["200"]["content"]["application/json"]["schema"]["items"],
        json!({"$ref": "#/components/schemas/Part"})
    );
    assert!(parts["responses"]["422"].is_object());
    let put = &document["paths"]["/api/parts"]["put"];
    assert_eq!(put["operationId"], "put_part");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("Nested") && schemas.contains_key("Part"));
    assert!(!document.to_string().contains('@'), "{document:#}");

    let app = router.with_state(());
    let expected = (200, r#"[{"name":"7"}]"#.to_owned());
    assert_eq!(read(&app, get_request("/api/parts/7")).await, expected);
    let request = Request::put("/api/parts").body(Body::from("text")).unwrap();
    assert_eq!(read(&app, request).await, (200, "text".to_owned()));
}

// Pages that show it.

#[tokio::test]
async fn swagger_ui_and_scalar_serve_the_document() {
    use utoipa_scalar::Servable;

    let router: Router = Router::new().routes(routes![read_order, one]);
    let value = router.document(&INFO).unwrap();
    let expected = serde_json::to_value(&value).unwrap();
    let swagger_ui = utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", value.clone());
    let scalar = utoipa_scalar::Scalar::with_url("/scalar", value);
    let app = axum::Router::new().merge(swagger_ui).merge(scalar).merge(router.with_state(()));
    let (status, served) = read(&app, get_request("/openapi.json")).await;
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(&served).unwrap(), expected);
    let (status, page) = read(&app, get_request("/docs/")).await;
    assert_eq!((status, page.contains("swagger-ui")), (200, true));
    let (status, page) = read(&app, get_request("/scalar")).await;
    assert_eq!((status, page.contains("/orders/{id}")), (200, true));
}

// The dialect, and what it has to say of single constructs.

#[test]
fn the_dialect_changes_nothing_twice() {
    #[derive(OpenApi)]
    #[openapi(paths(read_parts, put_part), components(schemas(Order, Foreign, Ours)))]
    struct Plain;

    let ours: Router = Router::new().routes(routes![read_order, many, within, foreign, both]);
    for mut document in [Plain::openapi(), ours.document(&INFO).unwrap()] {
        FastApi.modify(&mut document);
        let once = serde_json::to_value(&document).unwrap();
        FastApi.modify(&mut document);
        assert_eq!(once, serde_json::to_value(&document).unwrap());
    }
}

#[get("/nothing")]
async fn nothing() -> Json<()> {
    Json(())
}

#[put("/reset", status = 205)]
async fn reset() -> Response {
    Response::default()
}

#[put("/same", status = 304)]
async fn same() -> Json<bool> {
    Json(true)
}

#[test]
fn there_are_no_components_without_models_and_no_content_without_a_body() {
    let document = document(&Router::new().routes(routes![nothing, reset, same]));
    assert_eq!(document.get("components"), None);
    let content = &document["paths"]["/nothing"]["get"]["responses"]["200"]["content"];
    assert_eq!(*content, json!({"application/json": {"schema": {}}}));
    let answer = json!({"description": "Successful Response"});
    assert_eq!(document["paths"]["/reset"]["put"]["responses"], json!({"205": answer}));
    assert_eq!(document["paths"]["/same"]["put"]["responses"], json!({"304": answer}));
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum Tree {
    List(Vec<Tree>),
    Map(IndexMap<String, Tree>),
    Leaf(Integer),
}

#[derive(Decode)]
struct Holder {
    tree: Tree,
    maybe: Option<Tree>,
    patch: Patch<Tree>,
}

#[post("/tree")]
async fn tree(Call((), Json(holder)): Call<(), Json<Holder>>) -> Json<Vec<Tree>> {
    let patch = if let Patch::Value(tree) = holder.patch { Some(tree) } else { None };
    Json([Some(holder.tree), holder.maybe, patch].into_iter().flatten().collect())
}

/// As pydantic has it of `type Tree = list[Tree] | dict[str, Tree] | int`.
#[test]
fn a_union_that_holds_itself_is_a_component() {
    let document = document(&Router::new().routes(routes![tree]));
    let schemas = &document["components"]["schemas"];
    let tree = json!({"$ref": "#/components/schemas/Tree-Input"});
    assert_eq!(schemas["Holder"]["properties"]["tree"], tree);
    assert_eq!(
        schemas["Holder"]["properties"]["maybe"],
        json!({"anyOf": [tree, {"type": "null"}]})
    );
    let expected = json!({"anyOf": [
        {"type": "array", "items": tree},
        {"type": "object", "additionalProperties": tree},
        {"type": "integer"},
    ]});
    assert_eq!(schemas["Tree-Input"], expected);
    let mut listed = Vec::new();
    Tree::schemas(&mut listed);
    assert_eq!(listed.len(), 1);
    assert!(schema::<Tree>()["anyOf"].is_array());
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum Bounded {
    #[schema(min_length = 1, max_length = 3)]
    List(Vec<Integer>),
    #[schema(max_length = 2)]
    Map(IndexMap<String, Integer>),
    #[schema(min_length = 4)]
    Text(String),
}

#[derive(Decode, Serialize)]
struct OfBounded {
    value: Bounded,
    maybe: Option<Bounded>,
}

/// A field without rules of its own leaves those of its choices.
#[test]
fn the_rules_of_choices_are_documented() {
    let choices = [
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3}),
        json!({
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "propertyNames": {"type": "string"},
            "maxProperties": 2,
        }),
        json!({"type": "string", "minLength": 4}),
    ];
    let properties = &schema::<OfBounded>()["properties"];
    assert_eq!(properties["value"]["anyOf"], json!(choices));
    let maybe = properties["maybe"].to_string();
    for rule in ["\"minItems\":1", "\"maxItems\":3", "\"maxProperties\":2", "\"minLength\":4"] {
        assert!(maybe.contains(rule), "{maybe}");
    }
}

mod of_axum {
    use super::*;

    #[derive(serde::Deserialize, ToSchema)]
    struct Foreign {
        name: String,
    }

    #[derive(serde::Deserialize, IntoParams)]
    struct ForeignQuery {
        n: i64,
    }

    #[put("/foreign/{owner}/{id}")]
    async fn foreign(
        _: axum::extract::Path<(String, i64)>,
        axum::extract::Query(query): axum::extract::Query<ForeignQuery>,
        axum::Json(body): axum::Json<Foreign>,
    ) -> String {
        format!("{} {}", query.n, body.name)
    }

    /// Handlers that take axum's `Path` beside ours are described by ours.
    #[get("/both/{owner}/{id}")]
    async fn both(
        _: axum::extract::Path<(String, i64)>,
        Call((), Path((owner, id))): Call<(), Path<(String, Integer)>>,
    ) -> String {
        format!("{owner} {id}")
    }

    #[test]
    fn axums_extractors_are_described() {
        let document = document(&Router::new().routes(routes![foreign, both]));
        let operation = &document["paths"]["/foreign/{owner}/{id}"]["put"];
        let parameters = operation["parameters"].as_array().unwrap();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| {
                let text = |key: &str| parameter[key].as_str().unwrap();
                let kind = parameter["schema"]["type"].as_str().unwrap();
                (text("in"), text("name"), kind)
            })
            .collect();
        let expected =
            [("path", "owner", "string"), ("path", "id", "string"), ("query", "n", "integer")];
        assert_eq!(parameters, expected);
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body["$ref"], "#/components/schemas/Foreign");
        let parameters = &document["paths"]["/both/{owner}/{id}"]["get"]["parameters"];
        assert_eq!(parameters.as_array().unwrap().len(), 2);
        assert_eq!(parameters[1]["schema"]["type"], "integer");
    }
}
