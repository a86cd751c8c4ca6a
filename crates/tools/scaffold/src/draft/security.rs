//! Who has to sign in, and how.

use serde_json::{Map, Value};

use super::types::Types;
use crate::inspection::Route;

/// What an operation demands of its caller, as the dependency of its handler.
pub(super) fn security(
    types: &mut Types<'_>,
    operation: &Value,
    route: Option<Route<'_>>,
) -> Option<String> {
    let security = &operation["security"];
    let demands = security.as_array().into_iter().flatten();
    let demands: Vec<&Map<String, Value>> = demands.filter_map(Value::as_object).collect();
    if let Some(dependency) = route.and_then(|route| known(types, security, &demands, route)) {
        return Some(dependency);
    }
    if demands.is_empty() {
        return None;
    }
    let mut dependencies: Vec<String> = Vec::new();
    for name in demands.iter().flat_map(|demand| demand.keys()) {
        let scheme = types.schemes().and_then(|schemes| schemes.get(name));
        let dependency = match scheme {
            Some(scheme) => dependency(types, name, scheme),
            None => Err(format!("`{name}` is not described")),
        };
        match dependency {
            Ok(dependency) if dependencies.contains(&dependency) => {}
            Ok(dependency) => dependencies.push(dependency),
            Err(reason) => {
                types.note(security, format!("any caller is let in: {reason}"), true);
                return None;
            }
        }
    }
    if demands.iter().any(|demand| demand.is_empty()) {
        types.note(security, "any caller is let in: signing in is optional".to_owned(), true);
        return None;
    }
    if dependencies.len() > 1 {
        let reason = "any caller is let in: all of several ways to sign in may be demanded, or one";
        types.note(security, reason.to_owned(), true);
        for one in &mut dependencies {
            *one = format!("Option<{one}>");
        }
    }
    Some(tuple(types, security, dependencies))
}

/// What the application's code demands, if the document shows the same schemes.
fn known(
    types: &mut Types<'_>,
    security: &Value,
    demands: &[&Map<String, Value>],
    route: Route<'_>,
) -> Option<String> {
    let schemes = route.schemes();
    let names: Vec<&str> = schemes.iter().filter_map(|scheme| scheme["name"].as_str()).collect();
    let mut shown = demands.iter().flat_map(|demand| demand.keys());
    if schemes.is_empty() || !shown.all(|name| names.contains(&name.as_str())) {
        return None;
    }
    let mut dependencies: Vec<String> = Vec::new();
    for scheme in schemes {
        let name = scheme["name"].as_str().unwrap_or_default();
        let mut dependency = dependency(types, name, &scheme["model"]).ok()?;
        let is_own = scheme["builtin"] == false;
        if is_own {
            let class = scheme["class"].as_str().unwrap_or_default();
            let reason = format!("any caller is let in: `{class}` decides in Python");
            types.note(security, reason, true);
        }
        if is_own || scheme["auto_error"] != true {
            dependency = format!("Option<{dependency}>");
        }
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    Some(tuple(types, security, dependencies))
}

/// The longest tuple of dependencies.
const MAX_DEPENDENCIES: usize = 8;

fn tuple(types: &mut Types<'_>, security: &Value, mut dependencies: Vec<String>) -> String {
    if dependencies.len() > MAX_DEPENDENCIES {
        dependencies.truncate(MAX_DEPENDENCIES);
        types.note(security, format!("it has more than {MAX_DEPENDENCIES} ways to sign in"), true);
    }
    match dependencies.as_slice() {
        [one] => one.clone(),
        all => format!("({})", all.join(", ")),
    }
}

/// The dependency of a scheme, as OpenAPI describes it.
fn dependency(types: &mut Types<'_>, name: &str, scheme: &Value) -> Result<String, String> {
    let text = |key: &str| scheme[key].as_str().unwrap_or_default();
    let (kind, location) = (text("type"), text("in"));
    let key = |types: &mut Types<'_>| {
        let key = text("name");
        types.marker(key, "ApiKeyName", &[("NAME", format!("&'static str = {key:?}"))])
    };
    let url = |flow: &str, key: &str| scheme["flows"][flow][key].as_str().map(str::to_owned);
    Ok(match (kind, text("scheme").to_ascii_lowercase().as_str(), location) {
        ("oauth2", _, _) if !scheme["flows"]["password"].is_null() => "Bearer".to_owned(),
        ("oauth2", _, _) if !scheme["flows"]["authorizationCode"].is_null() => {
            let [token, authorization] = ["tokenUrl", "authorizationUrl"]
                .map(|key| url("authorizationCode", key).unwrap_or_default());
            let constants = [
                ("TOKEN_URL", format!("&'static str = {token:?}")),
                ("AUTHORIZATION_URL", format!("&'static str = {authorization:?}")),
            ];
            let options = types.marker(&format!("{name}Options"), "OAuth2Options", &constants);
            format!("OAuth2AuthorizationCodeBearer<{options}>")
        }
        ("openIdConnect", _, _) => {
            let url = text("openIdConnectUrl");
            let constants = [("URL", format!("&'static str = {url:?}"))];
            let options =
                types.marker(&format!("{name}Options"), "OpenIdConnectOptions", &constants);
            format!("OpenIdConnect<{options}>")
        }
        ("http", "bearer", _) => "HttpBearer".to_owned(),
        ("http", "basic", _) => "Basic".to_owned(),
        ("http", "digest", _) => "HttpDigest".to_owned(),
        ("apiKey", _, "header") => format!("ApiKeyHeader<{}>", key(types)),
        ("apiKey", _, "query") => format!("ApiKeyQuery<{}>", key(types)),
        ("apiKey", _, "cookie") => format!("ApiKeyCookie<{}>", key(types)),
        _ => return Err(format!("`{name}` is a way to sign in that no type has")),
    })
}
