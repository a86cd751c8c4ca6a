//! Methods of models, of uploaded files and of WebSockets that these do not have.
use axum::extract::ws::WebSocket;
use fastapi_compat::{Decode, UploadFile};

#[derive(Decode)]
struct Model {
    v: i64,
}

macro_rules! functions {
    ($($name:ident)*) => {
        fn functions() {
            $(Model::$name();)*
        }
    };
}

functions! {
    construct
    copy
    dict
    from_orm
    json
    model_computed_fields
    model_construct
    model_copy
    model_dump
    model_dump_json
    model_extra
    model_fields
    model_fields_set
    model_json_schema
    model_parametrized_name
    model_post_init
    model_rebuild
    model_validate
    model_validate_json
    model_validate_strings
    parse_file
    parse_obj
    parse_raw
    schema
    schema_json
    update_forward_refs
    validate
}

macro_rules! methods {
    ($function:ident($type:ty) $($name:ident)*) => {
        fn $function(value: $type) {
            $(value.$name();)*
        }
    };
}

methods! { of_a_file(&UploadFile) close read seek write }

methods! {
    of_a_socket(&mut WebSocket)
    app
    auth
    base_url
    client
    cookies
    headers
    iter_bytes
    iter_json
    iter_text
    path_params
    query_params
    receive
    receive_bytes
    receive_json
    send_bytes
    send_denial_response
    send_json
    session
    state
    url
    url_for
    user
}

fn main() {}
