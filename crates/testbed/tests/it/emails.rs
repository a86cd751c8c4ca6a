//! The three e-mails of both services, through a real mail server.

use reqwest::Method;
use serde_json::json;
use testbed::{Service, SmtpSink, legacy, molt};

use crate::client::{ADMIN, Api, PASSWORD};

#[tokio::test]
async fn both_services_send_the_same_emails() {
    let mut sent = Vec::new();
    for name in ["legacy", "molt"] {
        let sink = SmtpSink::start().await.unwrap();
        let settings = sink.settings();
        let mut settings: Vec<_> = settings.iter().map(|(name, v)| (*name, v.as_str())).collect();
        settings.push(("EMAILS_FROM_NAME", "Mölt"));
        let url = "sqlite:///emails.db";
        let service = match name {
            "legacy" => legacy(url, &settings).await.unwrap(),
            _ => molt(url, &settings).await.unwrap(),
        };
        cause_emails(&service).await;
        let mut mails: Vec<_> = sink.mails(3).await.iter().map(|mail| readable(mail)).collect();
        mails.sort();
        assert_eq!(mails.len(), 3, "{}", service.log());
        sent.push(mails);
    }
    let (legacy, molt) = (&sent[0], &sent[1]);
    assert_eq!(legacy, molt);
    let all = legacy.concat();
    for text in ["This is a test", "An account has been made", "reset-password?token=<token>"] {
        assert!(all.contains(text), "'{text}' is not in {all}");
    }
}

/// A service whose mail server is away answers all the same.
#[tokio::test]
async fn a_mail_server_that_is_away_fails_no_request() {
    let settings =
        [("SMTP_HOST", "127.0.0.1"), ("SMTP_PORT", "9"), ("EMAILS_FROM_EMAIL", "m@b.co")];
    cause_emails(&molt("sqlite:///emails.db", &settings).await.unwrap()).await;
}

async fn cause_emails(service: &Service) {
    let api = Api::new(&service.url);
    let admin = api.sign_in(ADMIN).await;
    let path = "/utils/test-email/?email_to=someone@example.com";
    assert_eq!(api.ask(Method::POST, path, Some(&admin), None).await.0, 201);
    let body = json!({"email": "new@example.com", "password": PASSWORD});
    assert_eq!(api.ask(Method::POST, "/users/", Some(&admin), Some(body)).await.0, 200);
    let path = "/password-recovery/new@example.com";
    assert_eq!(api.ask(Method::POST, path, None, None).await.0, 200);
}

/// Sender, recipient, subject and text of an e-mail, its transfer encoding undone by Python.
fn readable(mail: &str) -> String {
    const SCRIPT: &str = "import email, email.policy, re, sys
mail = email.message_from_string(sys.stdin.read(), policy=email.policy.default)
text = re.sub(r'token=[\\w.-]+', 'token=<token>', mail.get_content())
print(mail['From'], mail['To'], mail['Subject'], mail.get_content_type(), text.strip(), sep='\\n')";
    let mut python = std::process::Command::new(testbed::python().unwrap())
        .args(["-c", SCRIPT])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), mail.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}
