//! axum's and axum-extra's extractors in handlers of ours.

use super::*;

#[get("/{owner}/items/{id}")]
async fn tuple(AxumPath((owner, id)): AxumPath<(String, u32)>) -> String {
    format!("{owner} {id}")
}

#[derive(Deserialize)]
struct Ids {
    owner: String,
    id: u32,
}

#[get("/struct/{owner}/{id}")]
async fn named(AxumPath(Ids { owner, id }): AxumPath<Ids>) -> String {
    format!("{owner} {id}")
}

#[get("/map/{owner}/{id}")]
async fn map(AxumPath(all): AxumPath<HashMap<String, String>>) -> String {
    format!("{} {}", all["owner"], all["id"])
}

#[tokio::test]
async fn axum_path() {
    let app = Router::new().routes(routes![named, map, tuple]).with_state(());
    assert_eq!(read(&app, "/a/items/7").await, ok("a 7"));
    assert_eq!(read(&app, "/struct/a/7").await, ok("a 7"));
    assert_eq!(read(&app, "/map/a/7").await, ok("a 7"));
    assert_eq!(read(&app, "/map/%C3%A9%2F%20/7").await.0, 404, "%2F is a slash for Starlette");
    assert_eq!(read(&app, "/map/%C3%A9%20%25/7").await, ok("é % 7"));
    assert_eq!(read(&app, "/map/%FF/7").await, ok("\u{fffd} 7"));
}

#[get("/query")]
async fn query(AxumQuery(query): AxumQuery<HashMap<String, String>>) -> String {
    query["a"].clone()
}

#[get("/state")]
async fn state(State(state): State<&'static str>) -> String {
    state.to_owned()
}

#[get("/extension")]
async fn extension(Extension(number): Extension<u8>) -> String {
    number.to_string()
}

#[tokio::test]
async fn axum_query_state_and_extension() {
    let app = Router::new().routes(routes![query, state, extension]).layer(Extension(7_u8));
    let app = app.with_state("shared");
    assert_eq!(read(&app, "/query?a=%C3%A9").await, ok("é"));
    assert_eq!(read(&app, "/state").await, ok("shared"));
    assert_eq!(read(&app, "/extension").await, ok("7"));
}

#[get("/peer")]
async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
    peer.ip().to_string()
}

#[get("/socket")]
async fn socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        if let Some(Ok(message)) = socket.recv().await {
            let _ = socket.send(message).await;
        }
    })
}

/// Over a real connection.
#[tokio::test]
async fn axum_connect_info_and_web_socket() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let app = Router::new().routes(routes![peer, socket]).with_state(());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());
    let url = format!("ws://{address}/socket");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::text("echo")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("echo"));

    let mut request = request("GET", "/peer");
    request.extensions_mut().insert(ConnectInfo(address));
    assert_eq!(send(&app, request).await.1, "127.0.0.1");
}

#[post("/multipart")]
async fn multipart(mut fields: Multipart) -> String {
    fields.next_field().await.unwrap().unwrap().text().await.unwrap()
}

#[tokio::test]
async fn axum_multipart() {
    let app = Router::new().routes(routes![multipart]).with_state(());
    let body = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
    let request = Request::post("/multipart")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(body));
    assert_eq!(send(&app, request.unwrap()).await.1, "b");
}

#[get("/matched/{id}")]
async fn matched(path: MatchedPath, OriginalUri(original): OriginalUri, uri: Uri) -> String {
    format!("{} {original} {uri}", path.as_str())
}

#[tokio::test]
async fn axum_matched_path_and_original_uri() {
    let app = Router::new().routes(routes![matched]).prefix("/api").with_state(());
    assert_eq!(
        read(&app, "/api/matched/7?a=b").await,
        ok("/api/matched/{id} /api/matched/7?a=b /api/matched/7?a=b")
    );
    // The URI stays as it came, however it is encoded for axum's matcher.
    assert_eq!(
        read(&app, "/%61pi/matched/%37?a=%62").await,
        ok("/api/matched/{id} /%61pi/matched/%37?a=%62 /%61pi/matched/%37?a=%62")
    );
}

#[get("/agent")]
#[axum::debug_handler]
async fn agent(TypedHeader(agent): TypedHeader<UserAgent>) -> String {
    agent.to_string()
}

#[tokio::test]
async fn axum_extra_and_debug_handler() {
    let app = Router::new().routes(routes![agent]).with_state(());
    let mut request = request("GET", "/agent");
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("tests/1"));
    assert_eq!(send(&app, request).await.1, "tests/1");
    // A handler is an ordinary function.
    assert_eq!(agent(TypedHeader(UserAgent::from_static("me"))).await, "me");
}

#[get("/jar")]
async fn jar(jar: CookieJar) -> impl IntoResponse {
    let session = jar.get("session").map(|cookie| cookie.value().to_owned());
    (jar.add(("seen", "1")), session.unwrap_or_default())
}

#[tokio::test]
async fn axum_extra_cookie_jar() {
    let app = Router::new().routes(routes![jar]).with_state(());
    let mut request = request("GET", "/jar");
    request.headers_mut().insert(header::COOKIE, HeaderValue::from_static("session=abc"));
    let (_, body, headers) = send(&app, request).await;
    assert_eq!((body.as_str(), headers[header::SET_COOKIE].to_str().unwrap()), ("abc", "seen=1"));
}

#[derive(Decode)]
struct Given {
    n: i64,
}

/// Every extractor of axum's stands before `Call`.
#[post("/beside/{id}")]
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "all of them")]
async fn beside(
    State(state): State<&'static str>,
    Extension(number): Extension<u8>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    OriginalUri(original): OriginalUri,
    path: MatchedPath,
    AxumPath(same): AxumPath<String>,
    AxumQuery(query): AxumQuery<HashMap<String, String>>,
    TypedHeader(agent): TypedHeader<UserAgent>,
    jar: CookieJar,
    Call((), (Path(id), Query(q), Json(body))): Call<(), (Path<i64>, Query<Given>, Json<Given>)>,
) -> Json<Vec<String>> {
    let cookie = jar.get("session").map(ToString::to_string).unwrap_or_default();
    Json(vec![
        state.to_owned(),
        number.to_string(),
        peer.to_string(),
        original.to_string(),
        path.as_str().to_owned(),
        same,
        query["n"].clone(),
        agent.to_string(),
        cookie,
        format!("{id} {} {}", q.n, body.n),
    ])
}

#[tokio::test]
async fn axum_beside_ours() {
    let app = Router::new().routes(routes![beside]).layer(Extension(7_u8)).with_state("state");
    let send_with = async |query: &str| {
        let mut request = Request::post(format!("/beside/1?{query}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "tests/1")
            .header(header::COOKIE, "session=abc")
            .body(Body::from(r#"{"n": 3}"#))
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 8))));
        send(&app, request).await
    };
    let expected = r#"["state","7","127.0.0.1:8","/beside/1?n=2","/beside/{id}","1","2","tests/1","session=abc","1 2 3"]"#;
    assert_eq!(send_with("n=2").await.1, expected);
    assert_eq!(send_with("n=x").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[post("/multipart/{id}")]
async fn multipart_beside(Path(id): Path<i64>, mut fields: Multipart) -> String {
    let field = fields.next_field().await.unwrap().unwrap();
    format!("{id} {}", field.text().await.unwrap())
}

#[tokio::test]
async fn axum_multipart_beside_ours() {
    let app = Router::new().routes(routes![multipart_beside]).with_state(());
    let body = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
    let request = |id: &str| {
        Request::post(format!("/multipart/{id}"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(send(&app, request("7")).await.1, "7 b");
    assert_eq!(send(&app, request("x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}
