use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

pub(crate) const ADMIN: (&str, &str) = ("admin@example.com", "changethis");
pub(crate) const PASSWORD: &str = "a good password";

/// A client of one service.
pub(crate) struct Api {
    base: String,
    http: Client,
}

impl Api {
    pub(crate) fn new(base: &str) -> Self {
        // Another test may have been faster.
        _ = rustls::crypto::ring::default_provider().install_default();
        Self { base: format!("{base}/api/v1"), http: Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Response {
        let mut request = self.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.send().await.unwrap()
    }

    /// The status and the JSON value of an answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let response = self.send(method, path, token, body).await;
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn sign_up(&self, email: &str) -> (u16, Value) {
        let body = json!({"email": email, "password": PASSWORD});
        self.ask(Method::POST, "/users/signup", None, Some(body)).await
    }

    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> (u16, Value) {
        let form = format!("username={email}&password={password}");
        let response = self
            .http
            .post(format!("{}/login/access-token", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(crate) async fn sign_in(&self, (email, password): (&str, &str)) -> String {
        let (status, token) = self.try_sign_in(email, password).await;
        assert_eq!(status, 200, "{email} cannot sign in: {token}");
        token["access_token"].as_str().unwrap().to_owned()
    }
}
