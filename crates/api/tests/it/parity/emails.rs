//! The three e-mails of both services, through a real mail server.

use testbed::{Scratch, SmtpSink, legacy, rust};

use crate::emails::cause_emails;

#[tokio::test]
async fn both_services_send_the_same_emails() {
    let mut sent = Vec::new();
    for name in ["legacy", "rust"] {
        let sink = SmtpSink::start().await.unwrap();
        let settings = sink.settings();
        let mut settings: Vec<_> = settings.iter().map(|(name, v)| (*name, v.as_str())).collect();
        settings.push(("EMAILS_FROM_NAME", "Mölt"));
        let Scratch { url, .. } = &Scratch::new().await.unwrap();
        let service = match name {
            "legacy" => legacy(url, &settings).await.unwrap(),
            _ => rust(url, &settings).await.unwrap(),
        };
        cause_emails(&service).await;
        let mut mails: Vec<_> = sink.mails(3).await.iter().map(|mail| readable(mail)).collect();
        mails.sort();
        assert_eq!(mails.len(), 3, "{}", service.log());
        sent.push(mails);
    }
    assert_eq!(sent[0], sent[1]);
    let all = sent[0].concat();
    for text in ["This is a test", "An account has been made", "reset-password?token=<token>"] {
        assert!(all.contains(text), "'{text}' is not in {all}");
    }
}

/// Sender, recipient, subject and text of an e-mail, its transfer encoding undone by Python.
pub(super) fn readable(mail: &str) -> String {
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
