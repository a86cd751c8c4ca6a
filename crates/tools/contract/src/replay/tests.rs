use std::time::Duration;

use super::*;

fn recorded(name: &str, text: &str) -> Result<Recording, CaseError> {
    let path = std::env::temp_dir().join(format!("contract-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let recording = load(&path, Some("alice"), &Filter::default(), &mut Redactor::default());
    std::fs::remove_file(&path).unwrap();
    recording
}

fn loaded(name: &str, text: &str) -> Result<Vec<Case>, CaseError> {
    Ok(recorded(name, text)?.cases)
}

#[test]
fn a_har_file() {
    let har = r#"{"log": {"entries": [
        {"request": {"method": "GET", "url": "https://a.b/items/?q=%20#x", "headers": [
            {"name": "Authorization", "value": "Bearer old"},
            {"name": ":authority", "value": "a.b"},
            {"name": "X-Kind", "value": "${x}"}]}},
        {"request": {"method": "POST", "url": "https://a.b/items/", "headers": [],
            "postData": {"mimeType": "application/json", "text": "{\"a\":1}"}}},
        {"request": {"method": "POST", "url": "https://a.b/login", "headers": [],
            "postData": {"mimeType": "application/x-www-form-urlencoded",
                "params": [{"name": "a b", "value": "&"}]}}}
    ]}}"#;
    let cases = loaded("a.har", har).unwrap();
    assert_eq!(cases[0].request, "GET /items/?q=%20");
    assert_eq!(cases[0].user.as_deref(), Some("alice"));
    let variables = [("alice".to_owned(), "token".to_owned())].into();
    let request = cases[0].request(&variables, &BTreeMap::new()).unwrap();
    assert_eq!(request.headers["x-kind"], "${x}");
    assert_eq!(cases[1].body.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(cases[2].form.as_deref(), Some("a%20b=%26"));
}

#[test]
fn access_logs() {
    let log = "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"GET /a?b=1 HTTP/1.1\" 200 4\n\
        ::1 - bob [25/Nov/2026:02:00:00 +0000] \"DELETE /a/7 HTTP/2.0\" 204 0 \"-\" \"curl\"\n";
    let cases = loaded("access.log", log).unwrap();
    let requests: Vec<_> = cases.iter().map(|case| case.request.as_str()).collect();
    assert_eq!(requests, ["GET /a?b=1", "DELETE /a/7"]);
    let json = r#"{"method":"PUT","path":"/a","query":"b=2","body":{"c":null}}
        {"request_method":"POST","request_uri":"/d","request_body":"x=1",
         "headers":{"Content-Type":"text/plain"}}"#
        .replace(",\n         ", ",");
    let cases = loaded("json.log", &json).unwrap();
    assert_eq!(cases[0].request, "PUT /a?b=2");
    assert_eq!(cases[0].body.as_deref(), Some(r#"{"c":null}"#));
    assert_eq!(cases[1].headers["content-type"], "text/plain");
}

#[test]
fn odd_entries_are_skipped_and_counted() {
    let har = r#"{"log":{"entries":[
        {"request":{"method":"GET","url":"https://shop.test/a","headers":[
            {"name":"cookie","value":"a=1"},{"name":"cookie","value":"b=2"}]}},
        {"request":{"method":"GET","url":"data:image/png;base64,AAAA","headers":[]}},
        {"request":{"method":"GET","url":"wss://shop.test/ws","headers":[]}},
        {"request":{"method":"GET","url":"https://shop.test/b"},"response":{"status":0}}]}}"#;
    let recording = recorded("odd.har", har).unwrap();
    assert_eq!(recording.cases.len(), 1);
    assert_eq!(recording.cases[0].headers["cookie"], "a=${a}; b=${b}", "its secrets are variables");
    let remark = recording.remark().unwrap();
    assert!(remark.contains("1 × of another protocol than HTTP (first: entry 3)"), "{remark}");
    let log = "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"-\" 408 0\n\
        ::1 - - [25/Nov/2026:02:00:00 +0000] \"\\x16\\x03\" 400 0\n\
        ::1 - - [25/Nov/2026:02:00:00 +0000] \"OPTIONS * HTTP/1.0\" 200 0\n\
        INFO:     127.0.0.1:51234 - \"GET /items/ HTTP/1.1\" 200 OK\n\
        INFO:     Application startup complete.\n\
        h2 2026-11-25T02:00:00.1Z app/lb 1.2.3.4:5 - 0 0 0 200 200 1 2 \"GET https://a.b:443/alb?x=1 HTTP/2.0\" \"c\"\n\
        {\"request\":\"post /nginx HTTP/1.1\"}\n\
        {\"request\":{\"method\":\"GET\",\"uri\":\"/caddy\",\"headers\":{\"X-N\":[\"1\"]}}}\n\
        {\"method\":\"GET\",\"path\":\"/a\",\"headers\":{\"x-n\":1}}\n";
    let recording = recorded("odd.log", log).unwrap();
    let requests: Vec<_> = recording.cases.iter().map(|case| &*case.request).collect();
    let expected = ["GET /items/", "GET /alb?x=1", "POST /nginx", "GET /caddy", "GET /a"];
    assert_eq!(requests, expected);
    assert_eq!(recording.cases[3].headers["x-n"], "1");
    assert_eq!(recording.skipped.values().map(|(count, _)| count).sum::<usize>(), 4);
}

/// One line of each server, as its default format writes it, and the host it names.
#[test]
fn logs_of_servers() {
    let lines = [
        // uvicorn, in a terminal and with a time of its own
        "\u{1b}[32mINFO\u{1b}[0m:     127.0.0.1:51234 - \"\u{1b}[1mGET /uvicorn HTTP/1.1\u{1b}[0m\" \u{1b}[32m200 OK\u{1b}[0m",
        "2026-11-25 02:00:00 INFO:     127.0.0.1:51234 - \"GET /uvicorn2?a=1 HTTP/1.1\" 422 Unprocessable Entity",
        // gunicorn
        "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"GET /gunicorn HTTP/1.1\" 200 5 \"-\" \"curl/8.1\"",
        // nginx
        "1.2.3.4 - bob [25/Nov/2026:02:00:00 +0000] \"POST /nginx HTTP/2.0\" 201 5 \"https://a.b/\" \"Mozilla/5.0 (X11; \\x22odd\\x22)\"",
        // Apache, with a virtual host before the client
        "shop.test:443 1.2.3.4 - - [25/Nov/2026:02:00:00 +0000] \"DELETE /apache/1 HTTP/1.1\" 204 - \"-\" \"-\"",
        "cdn.test:443 1.2.3.4 - - [25/Nov/2026:02:00:00 +0000] \"GET /cdn HTTP/1.1\" 200 1 \"-\" \"-\"",
        // ALB
        "https 2026-11-25T02:00:00.186641Z app/lb/50dc6c495c0c9188 1.2.3.4:2817 10.0.0.1:80 0.0 0.048 0.037 200 200 0 57 \"GET https://shop.test:443/alb HTTP/1.1\" \"curl/7.46.0\" ECDHE TLSv1.2 arn:aws:x \"Root=1\" \"shop.test\" \"-\" 0",
        "h2 2026-11-25T02:00:00.186641Z app/lb/50dc6c495c0c9188 1.2.3.4:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 0 5 \"GET https://other.test:443/alb2 HTTP/2.0\" \"c\" - - x \"R\" \"o\" \"-\" 0",
        // Caddy
        r#"{"level":"info","ts":1646861401.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"1.2.3.4","proto":"HTTP/2.0","method":"GET","host":"shop.test","uri":"/caddy?q=1","headers":{"User-Agent":["curl"],"Cookie":["REDACTED"]}},"status":200}"#,
        // nginx in JSON
        r#"{"time_local":"25/Nov/2026:02:00:00 +0000","host":"shop.test:8443","request_method":"PATCH","request_uri":"/json?x=1","status":"200"}"#,
        // Traefik
        r#"{"RequestHost":"cdn.test","RequestMethod":"GET","RequestPath":"/traefik","OriginStatus":200}"#,
    ];
    let path = std::env::temp_dir().join(format!("contract-{}-logs", std::process::id()));
    std::fs::write(&path, lines.join("\n")).unwrap();
    let filter = Filter { hosts: vec!["SHOP.test".into()], ..Filter::default() };
    let all = load(&path, None, &Filter::default(), &mut Redactor::default()).unwrap();
    let of_shop = load(&path, None, &filter, &mut Redactor::default()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(all.remark(), None);
    let requests = |recording: &Recording| {
        recording.cases.iter().map(|case| case.request.clone()).collect::<Vec<_>>()
    };
    let expected = [
        "GET /uvicorn",
        "GET /uvicorn2?a=1",
        "GET /gunicorn",
        "POST /nginx",
        "DELETE /apache/1",
        "GET /cdn",
        "GET /alb",
        "GET /alb2",
        "GET /caddy?q=1",
        "PATCH /json?x=1",
        "GET /traefik",
    ];
    assert_eq!(requests(&all), expected);
    let others = ["GET /cdn", "GET /alb2", "GET /traefik"];
    let expected: Vec<_> = expected.into_iter().filter(|line| !others.contains(line)).collect();
    assert_eq!(requests(&of_shop), expected, "those without a host are taken");
    assert_eq!(of_shop.remark().unwrap(), "skipped 3 × to other hosts (first: entry 6)");
}

/// What browsers write beside ordinary requests.
#[test]
fn forms_of_browsers() {
    let har = r#"{"log":{"creator":{"name":"Firefox"},"entries":[
        {"request":{"method":"POST","url":"https://a.b/form","headers":[],"postData":{
            "mimeType":"multipart/form-data; boundary=x","text":"","params":[
                {"name":"title","value":"one"},{"name":"password","value":"hunter22"}]}}},
        {"request":{"method":"POST","url":"https://a.b/upload","headers":[],"postData":{
            "mimeType":"multipart/form-data; boundary=x","params":[
                {"name":"file","fileName":"a.png","contentType":"image/png"}]}}},
        {"request":{"method":"POST","url":"https://a.b/text","headers":[
            {"name":"Content-Type","value":"application/x-www-form-urlencoded"}],"postData":{
            "mimeType":"application/x-www-form-urlencoded","text":"a=1&password=hunter22",
            "params":[{"name":"a","value":"1"}]}},
         "response":{"status":200,"headers":[{"name":"Set-Cookie","value":"a=1\nb=2"}],
            "content":{"size":3,"text":"AP9h","encoding":"base64"}},
         "startedDateTime":"2026-01-01T10:00:00.000Z","time":12.5},
        {"request":{"method":"GET","url":"blob:https://a.b/1","headers":[]}},
        {"request":{"method":"GET","url":"chrome-extension://x/y","headers":[]}}]}}"#;
    let recording = recorded("forms.har", har).unwrap();
    let [form, text] = &*recording.cases else { panic!("{:?}", recording.cases) };
    assert_eq!(form.multipart[0].text.as_deref(), Some("one"));
    assert_eq!(form.multipart[1].text.as_deref(), Some("${password}"));
    assert!(!form.headers.contains_key("content-type"), "the boundary is our own");
    assert_eq!(text.body.as_deref(), Some("a=1&password=${password}"));
    let answer = text.recorded.as_ref().unwrap();
    assert_eq!(answer.answer.headers["set-cookie"], ["a=1", "b=2"]);
    assert_eq!((&*answer.answer.body, answer.has_body), (&b"\x00\xffa"[..], true));
    assert_eq!(answer.took, Duration::from_micros(12_500));
    let reasons: Vec<_> = recording.skipped.keys().copied().collect();
    assert!(reasons.contains(&"with a file that is not in it"), "{reasons:?}");
    assert_eq!(recording.skipped.values().map(|(count, _)| count).sum::<usize>(), 3);
}

#[test]
fn what_holds_no_request_is_reported() {
    let error = loaded("bad.log", "GET /a\n").unwrap_err().to_string();
    assert!(error.contains("no request in it: skipped 1 × of no known format"), "{error}");
}
