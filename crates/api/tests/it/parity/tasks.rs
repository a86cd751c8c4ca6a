//! Background tasks of both services, with either worker.

use testbed::{RabbitMq, Redis, Scratch, SmtpSink, legacy, legacy_worker, rust, rust_worker};

use super::emails::readable;
use crate::emails::cause_emails;

#[tokio::test]
async fn either_worker_sends_the_emails_of_either_service() {
    let (rabbitmq, redis) = tokio::join!(RabbitMq::start(), Redis::start());
    let (rabbitmq, redis) = (rabbitmq.unwrap(), redis.unwrap());
    let results = redis.database(0);
    let mut sent = Vec::new();
    for (service, worker) in
        [("legacy", "rust"), ("rust", "legacy"), ("rust", "rust"), ("legacy", "legacy")]
    {
        let sink = SmtpSink::start().await.unwrap();
        let queue = format!("{service}-{worker}-{}", uuid::Uuid::new_v4());
        let settings = sink.settings();
        let mut settings: Vec<_> = settings.iter().map(|(name, v)| (*name, v.as_str())).collect();
        settings.push(("EMAILS_FROM_NAME", "M\u{f6}lt"));
        settings.push(("CELERY_BROKER_URL", &rabbitmq.url));
        settings.push(("CELERY_RESULT_BACKEND", &results));
        settings.push(("CELERY_QUEUE", &queue));
        let Scratch { url, .. } = &Scratch::new().await.unwrap();
        let service = match service {
            "legacy" => legacy(url, &settings).await.unwrap(),
            _ => rust(url, &settings).await.unwrap(),
        };
        cause_emails(&service).await;
        let worker = match worker {
            "legacy" => legacy_worker(url, &settings).await.unwrap(),
            _ => rust_worker(url, &settings).await.unwrap(),
        };
        let mut mails: Vec<_> = sink.mails(3).await.iter().map(|mail| readable(mail)).collect();
        mails.sort();
        assert_eq!(mails.len(), 3, "{} {}", service.log(), worker.log());
        sent.push(mails);
    }
    assert!(sent.iter().all(|mails| *mails == sent[0]), "{sent:#?}");
}
