//! E-mails, and a mail server that is not there.

use reqwest::Method;
use serde_json::json;
use testbed::{Scratch, Service, rust};

use crate::client::{ADMIN, Api, PASSWORD};

/// A service whose mail server is unavailable still responds.
#[tokio::test]
async fn an_unavailable_mail_server_fails_no_request() {
    let settings =
        [("SMTP_HOST", "127.0.0.1"), ("SMTP_PORT", "9"), ("EMAILS_FROM_EMAIL", "m@b.co")];
    let database = Scratch::new().await.unwrap();
    cause_emails(&rust(&database.url, &settings).await.unwrap()).await;
}

pub(crate) async fn cause_emails(service: &Service) {
    let api = Api::new(&service.url);
    let admin = api.sign_in(ADMIN).await;
    let path = "/utils/test-email/?email_to=someone@example.com";
    assert_eq!(api.ask(Method::POST, path, Some(&admin), None).await.0, 201);
    let body = json!({"email": "new@example.com", "password": PASSWORD});
    assert_eq!(api.ask(Method::POST, "/users/", Some(&admin), Some(body)).await.0, 200);
    let path = "/password-recovery/new@example.com";
    assert_eq!(api.ask(Method::POST, path, None, None).await.0, 200);
}
