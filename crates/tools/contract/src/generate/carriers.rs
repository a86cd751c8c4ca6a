//! Sign-in that the document does not call security: a key or a session that is an ordinary parameter.

use serde_json::{Value, json};

use crate::openapi::resolve;

/// Removes the parameters for which `is_carrier` holds, and marks their operations as secured.
pub(super) fn secure(document: &mut Value, is_carrier: impl Fn(&str, &str) -> bool) {
    let whole = document.clone();
    let carries = |parameter: &Value| {
        let parameter = resolve(&whole, parameter);
        let text = |key: &str| parameter[key].as_str().unwrap_or_default();
        is_carrier(text("in"), text("name"))
    };
    // Whether there were any.
    let remove = |value: Option<&mut Value>| {
        let Some(parameters) = value.and_then(Value::as_array_mut) else { return false };
        let before = parameters.len();
        parameters.retain(|parameter| !carries(parameter));
        parameters.len() < before
    };
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        let is_shared = remove(item.get_mut("parameters"));
        let operations = item.as_object_mut().into_iter().flat_map(|item| item.values_mut());
        for operation in operations.filter(|operation| operation.get("responses").is_some()) {
            let is_own = remove(operation.get_mut("parameters"));
            if is_own || is_shared {
                operation["security"] = json!([{ "sign-in": [] }]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Source;
    use super::secure;

    #[test]
    fn a_session_that_is_a_parameter_is_sent_by_signing_in() {
        let session = json!({ "name": "sid", "in": "cookie", "schema": { "type": "string" } });
        let page = json!({ "name": "page", "in": "query", "schema": { "type": "integer" } });
        let responses = json!({ "200": { "description": "" } });
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {},
            "components": { "parameters": { "Session": session } },
            "paths": {
                "/own": { "get": { "parameters": [session, page], "responses": responses } },
                "/ref": { "get": {
                    "parameters": [{ "$ref": "#/components/parameters/Session" }],
                    "responses": responses,
                } },
                "/shared": { "parameters": [session], "get": { "responses": responses } },
                "/open": { "get": { "parameters": [page], "responses": responses } },
            },
        });
        let source = Source::new(&document, &["ann".to_owned()], 50, 1);
        let source = source.signed_in(|location, name| (location, name) == ("cookie", "sid"));
        let cases = super::super::accepted(&source);
        for path in ["/own", "/ref", "/shared"] {
            let request = format!("GET {path}");
            assert!(cases.iter().any(|case| {
                case.request.starts_with(&request) && case.user.as_deref() == Some("ann")
            }));
        }
        let of_no_user = |path: &str| {
            cases.iter().all(|case| !case.request.contains(path) || case.user.is_none())
        };
        assert!(of_no_user("/open"));
        secure(&mut document, |location, _| location == "cookie");
        assert_eq!(document["paths"]["/own"]["get"]["parameters"], json!([page]));
        assert_eq!(document["paths"]["/open"]["get"].get("security"), None);
    }
}
