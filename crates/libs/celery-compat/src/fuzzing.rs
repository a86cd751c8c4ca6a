//! What the fuzz targets call (`crates/libs/fastapi-compat/fuzz`): what must hold for any message.

#![expect(clippy::expect_used, clippy::panic, reason = "a target ends so")]

use std::time::Duration;

use serde_json::Value;

use crate::broker::{BrokerUrl, envelope, open};
use crate::clock;
use crate::error::Malformed;
use crate::message::{Request, Sender, follow, retry};
use crate::python;

/// A message as Redis carries it is read, and written again as the same. It is a request or refused; what is
/// sent because of it is one too. What is no JSON is taken for the URL of a broker.
pub fn messages(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(url) = BrokerUrl::parse(&text) {
            assert!(BrokerUrl::parse(&url.to_string()).is_ok(), "{url}");
        }
        return;
    };
    let written = python::json(&value);
    assert!(written.is_ascii(), "{written}");
    let again: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(python::json(&again), written, "written otherwise the second time");

    let (message, _) = open(&value);
    let text = envelope("queue", &message);
    let (again, _) = open(&serde_json::from_str(&text).expect("JSON"));
    assert_eq!(again.properties, message.properties);
    assert_eq!(again.body, message.body);
    let Ok(request) = Request::parse(&message) else { return };

    for shown in [python::args_repr(&request.args), python::kwargs_repr(&request.kwargs)] {
        // A quote is two characters, and there are dots and brackets when there is no room any more.
        let longest = 2 * python::MAX_REPR + 128;
        assert!(shown.chars().count() <= longest, "{shown}");
    }
    let sender = Sender::new(Some(600));
    let embed = &request.embed;
    let signatures = [&embed.callbacks, &embed.errbacks, &embed.chain];
    let first = Value::from("first");
    let followers = signatures.into_iter().flatten().flatten();
    let mut calls: Vec<_> =
        followers.map(|signature| follow(signature, Some(&first), &request)).collect();
    calls.push(retry(&request, &message, Duration::from_secs(5)));
    for call in calls {
        let sent = call.message("id", clock::now(), &sender);
        assert_eq!(sent.properties.correlation_id, "id");
        assert_eq!(sent.headers.get("task").and_then(Value::as_str), Some(call.task()));
        match Request::parse(&sent) {
            Ok(sent) => assert_eq!(sent.task, call.task()),
            // A signature may have those of its own, which are checked where it is received.
            Err(Malformed::Workflow(_) | Malformed::Shape("a signature has no task")) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
