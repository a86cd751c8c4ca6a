//! Arguments of the attributes, and dependencies.
use fastapi_compat::{
    Call, Decode, Dependent, HttpError, Json, Query, api_route, get, post, websocket,
};

#[api_route("/methods")]
async fn no_methods() -> Json<i64> {
    Json(1)
}

#[api_route("/methods", methods = ["GET", "FETCH"])]
async fn unknown_method() -> Json<i64> {
    Json(1)
}

#[get("/methods", methods = ["POST"])]
async fn methods_of_get() -> Json<i64> {
    Json(1)
}

#[post("new-subscription")]
async fn no_path() -> Json<i64> {
    Json(1)
}

#[get("/unknown", response_model = "Item")]
async fn unknown_argument() -> Json<i64> {
    Json(1)
}

#[derive(Decode)]
struct Body {
    n: i64,
}

#[derive(Clone)]
struct WithBody;

impl Dependent for WithBody {
    type State = ();
    type Dependency = ();
    type Inputs = Json<Body>;
    type Rejection = HttpError;

    async fn call((): (), _: Json<Body>, (): ()) -> Result<Self, HttpError> {
        Ok(Self)
    }
}

#[websocket("/ws")]
async fn no_dependency(_: Call<String, Query<Body>>) -> Json<i64> {
    Json(1)
}

fn main() {}
