//! Arguments of answers, dependencies, middleware and schemes that their counterparts do not have.
use axum::response::Response;
use fastapi_compat::layers::GzipLayer;
use fastapi_compat::openapi::OpenApi;
use fastapi_compat::{
    Depends, File, Frontend, OAuth2Options, RedirectResponse, SetCookie, StaticFiles,
};

struct Users;

// OAuth2(flows=…)
impl OAuth2Options for Users {
    const TOKEN_URL: &'static str = "token";
    const FLOWS: &'static str = "";
}

fn answers(cookie: SetCookie, redirect: RedirectResponse, file: File, response: Response) {
    cookie.partitioned();
    redirect.background();
    redirect.headers();
    file.background();
    file.headers();
    file.stat_result();
    response.background();
    response.charset();
    response.init_headers();
    response.media_type();
    response.render();
}

fn around(files: StaticFiles, frontend: Frontend, gzip: GzipLayer, dependency: Depends<i64>) {
    files.check_dir();
    files.packages();
    frontend.check_dir();
    gzip.thread_minimum_size();
    dependency.max_concurrency();
    dependency.scope();
}

fn of_the_document(document: OpenApi) {
    document.info.summary;
}

fn main() {}
