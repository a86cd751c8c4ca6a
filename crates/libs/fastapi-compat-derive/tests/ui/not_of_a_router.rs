//! Arguments and methods of `FastAPI` and `APIRouter` that the router does not have.
use fastapi_compat::Router;

macro_rules! methods {
    ($($name:ident)*) => {
        fn main() {
            $(Router::<()>::new().$name();)*
        }
    };
}

methods! {
    add_api_route
    add_api_websocket_route
    add_event_handler
    add_exception_handler
    add_middleware
    add_websocket_route
    app
    build_middleware_stack
    callbacks
    debug
    default
    default_response_class
    dependencies
    dependency_overrides
    dependency_overrides_provider
    docs_url
    exception_handlers
    form_limits
    handle
    host
    lifespan
    matches
    max_body_size
    middleware
    not_found
    on_event
    on_shutdown
    on_startup
    openapi
    openapi_url
    redoc_url
    register_url_convertor
    root_path_in_servers
    route_class
    separate_input_output_schemas
    setup
    strict_content_type
    swagger_ui_init_oauth
    swagger_ui_oauth2_redirect_url
    swagger_ui_parameters
    telemetry
    url_path_for
    websocket_route
}
