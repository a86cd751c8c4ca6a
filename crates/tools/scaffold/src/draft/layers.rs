//! The old service's middlewares, as layers.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::attributes::comment;
use super::python;
use crate::inspection::Inspection;
use crate::templates::rust_text;

/// Those that the new service has, and the Python of the others.
#[derive(Debug, Default, Serialize)]
pub(super) struct Layers {
    /// `.layer(…)` and comments, the innermost first.
    pub(super) lines: Vec<String>,
    /// What is imported from `fastapi_compat::layers`.
    imports: Vec<&'static str>,
    /// The middlewares that are not here, by name.
    pub(super) others: Vec<String>,
}

/// A layer, and what it is made of.
struct Layer {
    code: String,
    imports: &'static [&'static str],
}

impl Layers {
    pub(super) fn new(inspection: &Inspection) -> Self {
        let mut layers = Self::default();
        let mut imports = BTreeSet::new();
        let all = inspection.value()["application"]["middlewares"].as_array();
        for middleware in all.into_iter().flatten().rev() {
            let class = comment(middleware["class"].as_str().unwrap_or_default());
            let options = &middleware["options"];
            let layer = match class.rsplit('.').next().unwrap_or_default() {
                _ if middleware["builtin"] != true => Err("is the application's own".to_owned()),
                "CORSMiddleware" => cors(options),
                "GZipMiddleware" => gzip(options),
                "TrustedHostMiddleware" => hosts(options),
                "HTTPSRedirectMiddleware" => Ok(Layer {
                    code: ".layer(HttpsRedirectLayer)".to_owned(),
                    imports: &["HttpsRedirectLayer"],
                }),
                _ => Err("has no counterpart here".to_owned()),
            };
            match layer {
                Ok(layer) => {
                    layers.lines.push(layer.code);
                    imports.extend(layer.imports);
                }
                Err(reason) => {
                    layers.lines.push(format!("// `{class}` {reason}."));
                    layers.lines.extend(sources(inspection, middleware));
                    layers.others.push(format!("`{class}` {reason}"));
                }
            }
        }
        layers.imports = imports.into_iter().collect();
        layers
    }
}

/// The Python of a middleware, and of a function that it calls.
fn sources(inspection: &Inspection, middleware: &Value) -> Vec<String> {
    let dispatch = &middleware["options"]["dispatch"]["callable"];
    let keys = [&middleware["call"], dispatch].into_iter().filter_map(Value::as_str);
    let found = keys.filter_map(|key| inspection.callable(key));
    let own = found.filter(|callable| callable.source.is_some());
    own.map(|callable| python::comment(&callable).trim_end().to_owned()).collect()
}

/// An option as JSON; nothing if it is not given.
fn option<'o>(options: &'o Value, name: &str) -> Result<Option<&'o Value>, String> {
    match options.get(name) {
        None => Ok(None),
        Some(value) => match value.get("json") {
            Some(value) => Ok(Some(value).filter(|value| !value.is_null())),
            None => Err(format!("has an option `{name}` that only Python can tell")),
        },
    }
}

/// `vec!["GET".to_owned()]`; one text is a list of one, as Starlette takes `*` alone.
fn texts(value: &Value) -> Result<Vec<String>, String> {
    let items = match value {
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        Value::String(text) => Some(vec![text.as_str()]),
        _ => None,
    };
    let items: Vec<&str> = items.ok_or_else(|| format!("has the option {value}"))?;
    Ok(items.into_iter().map(rust_text).collect())
}

fn cors(options: &Value) -> Result<Layer, String> {
    let mut fields = Vec::new();
    for name in ["allow_origins", "allow_methods", "allow_headers", "expose_headers"] {
        if let Some(value) = option(options, name)? {
            let all =
                texts(value)?.iter().map(|one| format!("{one}.to_owned()")).collect::<Vec<_>>();
            fields.push(format!("{name}: vec![{}]", all.join(", ")));
        }
    }
    for name in ["allow_credentials", "allow_private_network"] {
        if let Some(value) = option(options, name)?.and_then(Value::as_bool) {
            fields.push(format!("{name}: {value}"));
        }
    }
    if let Some(text) = option(options, "allow_origin_regex")?.and_then(Value::as_str) {
        regex::Regex::new(text)
            .map_err(|_| "has an `allow_origin_regex` that Rust does not know".to_owned())?;
        fields.push(format!("allow_origin_regex: Some({}.to_owned())", rust_text(text)));
    }
    if let Some(seconds) = option(options, "max_age")?.and_then(Value::as_i64) {
        fields.push(format!("max_age: {seconds}"));
    }
    fields.push("..CorsOptions::default()".to_owned());
    let code = format!(".layer(CorsLayer::new(&CorsOptions {{ {} }})?)", fields.join(", "));
    Ok(Layer { code, imports: &["CorsLayer", "CorsOptions"] })
}

fn gzip(options: &Value) -> Result<Layer, String> {
    let mut code = "GzipLayer::new()".to_owned();
    for name in ["minimum_size", "compresslevel"] {
        if let Some(value) = option(options, name)?.and_then(Value::as_u64) {
            code += &format!(".{name}({value})");
        }
    }
    Ok(Layer { code: format!(".layer({code})"), imports: &["GzipLayer"] })
}

fn hosts(options: &Value) -> Result<Layer, String> {
    let hosts = match option(options, "allowed_hosts")? {
        Some(hosts) => texts(hosts)?.join(", "),
        None => rust_text("*"),
    };
    let mut code = format!("TrustedHostLayer::new([{hosts}])?");
    if option(options, "www_redirect")? == Some(&Value::Bool(false)) {
        code += ".without_www_redirect()";
    }
    Ok(Layer { code: format!(".layer({code})"), imports: &["TrustedHostLayer"] })
}
