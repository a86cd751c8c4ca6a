//! Arguments of FastAPI's decorators that the attributes do not have.

macro_rules! operations {
    ($($name:ident)*) => {$(
        mod $name {
            #[fastapi_compat::get("/", $name = true)]
            async fn operation() -> fastapi_compat::Json<i64> {
                fastapi_compat::Json(1)
            }
        }
    )*};
}

operations! {
    dependencies
    form_limits
    generate_unique_id_function
    max_body_size
    response_class
    response_model
    response_model_by_alias
    response_model_exclude
    response_model_include
}

fn main() {}
