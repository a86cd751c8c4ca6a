//! Variables, secrets and sign-in.

use crate::program::Program;
use crate::server::{Server, json};

const SECRET: &str = "s3cret/+ value";

#[test]
fn secrets_reach_the_service_and_no_report() {
    let echo = |extra: &'static str| {
        Server::start(move |request| {
            let shown = serde_json::json!({"sent": request.header("x-key"), "extra": extra});
            json(200, &shown.to_string())
        })
    };
    let (old, new) = (echo("a"), echo("b"));
    let cases = "
- {name: one, request: 'GET /a?key=${key}&n=${n}', headers: {x-key: '${env:TEST_KEY}'}}
- {name: two, request: 'POST /login', form: 'password=${password}'}
";
    let program = Program::new().with("TEST_KEY", SECRET).with("key", "from-the-environment");
    let outcome = program.run(
        cases,
        &[
            "--reference",
            &old.url,
            "--candidate",
            &new.url,
            "--secret",
            "key",
            "--variable",
            "n=7",
            "--secret",
            "password=hunter22",
        ],
    );
    assert_eq!(outcome.code, 1, "{}", outcome.errors);
    assert_eq!(outcome.differences(), ["one: body.extra", "two: body.extra"]);
    let seen = new.requests();
    assert_eq!(seen[0].header("x-key"), SECRET);
    assert_eq!(seen[0].target, "/a?key=from-the-environment&n=7");
    assert_eq!(seen.last().unwrap().body, "password=hunter22");
    let everything = outcome.everything();
    assert!(everything.contains("GET /a?key=***&n=7"), "{everything}");
    for secret in [SECRET, "s3cret", "from-the-environment", "hunter22"] {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
}

#[test]
fn a_variable_without_a_value_is_named_with_its_case() {
    let service = Server::start(|_| json(200, "{}"));
    let outcome = Program::new().run(
        "- {name: first, request: GET /, status: 200}\n- {name: second, request: 'GET /${env:NOT_THERE}'}\n",
        &["--candidate", &service.url],
    );
    assert_eq!(outcome.code, 2);
    let expected = "cases.yaml:2:3: case 'second': the environment has no variable 'NOT_THERE'";
    assert!(outcome.errors.contains(expected), "{}", outcome.errors);
    assert!(service.requests().is_empty(), "nothing is sent before everything is known");
}

#[test]
fn every_scheme_signs_in() {
    let service = Server::start(|_| json(200, "{}"));
    let cases = "
- {name: without a user, request: GET /, status: 200}
- {name: b, request: GET /, as: bearer, status: 200}
- {name: p, request: GET /, as: basic, status: 200}
- {name: q, request: 'GET /?a=1', as: query, status: 200}
- {name: c, request: GET /, as: cookie, headers: {cookie: a=1}, status: 200}
- {name: x, request: GET /, as: command, status: 200}
- {name: row, request: GET /, as: '${who}', each: [{who: bearer}, {who: basic}], status: 200}
- {name: own, request: GET /, as: bearer, headers: {authorization: none}, status: 200}
";
    let outcome = Program::new().with("PW", "pass:word").run(
        cases,
        &[
            "--candidate",
            &service.url,
            "--sign-in",
            "header:X-Api-Key:k3y-for-all",
            "--sign-in",
            "bearer=bearer:t0ken-of-bearer",
            "--sign-in",
            "basic=basic:bob:${env:PW}",
            "--sign-in",
            "query=query:api_key:k&y",
            "--sign-in",
            "cookie=cookie:session:s1",
            "--sign-in",
            "command=command:echo token-of-$SERVICE",
        ],
    );
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let seen = service.requests();
    assert_eq!(seen[0].header("x-api-key"), "k3y-for-all");
    assert_eq!(seen[1].header("authorization"), "Bearer t0ken-of-bearer");
    assert_eq!(seen[1].header("x-api-key"), "", "a user has a sign-in of their own");
    assert_eq!(seen[2].header("authorization"), "Basic Ym9iOnBhc3M6d29yZA==");
    assert_eq!(seen[3].target, "/?a=1&api%5Fkey=k%26y");
    assert_eq!(seen[4].header("cookie"), "a=1; session=s1");
    assert_eq!(seen[5].header("authorization"), "Bearer token-of-candidate");
    assert_eq!(seen[6].header("authorization"), "Bearer t0ken-of-bearer");
    assert_eq!(seen[7].header("authorization"), "Basic Ym9iOnBhc3M6d29yZA==");
    assert_eq!(seen[8].header("authorization"), "");
    let everything = outcome.everything();
    for secret in ["k3y-for-all", "t0ken-of-bearer", "pass:word", "k%26y", "token-of-candidate"] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[test]
fn a_command_that_fails_ends_the_run() {
    let service = Server::start(|_| json(200, "{}"));
    let outcome = Program::new().run(
        "- {name: a, request: GET /, status: 200}\n",
        &["--candidate", &service.url, "--sign-in", "command:echo no account >&2; exit 3"],
    );
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("no account"), "{}", outcome.errors);
    assert!(outcome.report.to_string().contains("no account"));
}

#[test]
fn a_path_fits_the_address_that_a_command_is_given() {
    let service = Server::start(|_| json(200, "{}"));
    let outcome = Program::new().run(
        "- {name: a, request: GET /, status: 200}\n",
        &["--candidate", &service.url, "--sign-in", "command:echo $SERVICE_URL/token"],
    );
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let expected = format!("Bearer {}/token", service.url.trim_end_matches('/'));
    assert_eq!(service.requests()[0].header("authorization"), expected);
}

#[test]
fn cookies_are_kept_for_each_user() {
    let service = Server::start(|request| {
        let cookie = match request.target.as_str() {
            "/login/a" => "session=of-a; Path=/; HttpOnly",
            "/login/b" => "session=of-b; Path=/",
            "/logout" => "session=; Max-Age=0",
            _ => return json(200, "{}"),
        };
        Some((200, vec![("set-cookie", cookie.to_owned())], String::new()))
    });
    let cases = "
- {name: 1, request: GET /login/a, as: a, status: 200, capture: {session: cookie session}}
- {name: 2, request: GET /login/b, as: b, status: 200}
- {name: 3, request: GET /me, as: a, status: 200, headers: {x-session: '${session}'}}
- {name: 4, request: GET /me, as: b, status: 200}
- {name: 5, request: GET /me, status: 200}
- {name: 6, request: GET /logout, as: a, status: 200}
- {name: 7, request: GET /me, as: a, status: 200}
"
    .replace("name: ", "name: case ");
    let outcome = Program::new().run(&cases, &["--candidate", &service.url, "--cookies"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let cookies: Vec<_> =
        service.requests().iter().map(|request| request.header("cookie").to_owned()).collect();
    assert_eq!(cookies, ["", "", "session=of-a", "session=of-b", "", "session=of-a", ""]);
    assert_eq!(service.requests()[2].header("x-session"), "of-a");
}
