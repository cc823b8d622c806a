//! The example `web_service`, as it stands, asked over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use codex_rpc_client::Tenants;
use codex_rpc_client::store::SqliteStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::fake::{Orders, World, soon};

#[path = "../../examples/web_service.rs"]
mod web_service;

/// Posts a message; the whole answer.
async fn post(address: SocketAddr, path: &str, message: &str) -> String {
    let body = serde_json::json!({"message": message}).to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    soon(async {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    })
    .await
}

async fn serve(tenants: &Tenants) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = web_service::service(tenants.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

#[tokio::test]
async fn the_web_service_answers_each_session_of_each_tenant_with_its_own_history() {
    let world = World::new();
    let store = soon(SqliteStore::open(world.root().join("s.sqlite"))).await.expect("a store");
    let tenants = Tenants::builder(world.root().join("tenants"), world.codex()).limit(1).store(store).build();
    let address = serve(&tenants).await;
    for (path, message, reply) in [
        ("/acme/1", "one", "one"),
        ("/acme/2", "two", "two"),
        ("/other/1", "three", "three"),
        ("/acme/1", "four", "one, four"),
    ] {
        let answer = post(address, path, message).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(&format!("\"reply\":\"{reply}\"}}")), "{answer}");
    }
    assert_eq!(world.most(), 1);
    let answer = post(address, "/acme/2/stream", "five").await;
    assert!(answer.contains("content-type: text/event-stream"), "{answer}");
    for event in ["event: delta\ndata: \"two, five\"\n\n", "event: done\ndata: \"two, five\"\n\n"] {
        assert!(answer.contains(event), "{answer}");
    }
    soon(tenants.close()).await;
    assert_eq!(world.live(), 0);
}

#[tokio::test]
async fn the_web_service_tells_who_finds_no_room_to_come_back_and_others_no_secrets() {
    let world = World::new();
    let tenants = Tenants::builder(world.root(), world.codex()).limit(1).wait_limit(Some(Duration::ZERO)).build();
    let address = serve(&tenants).await;
    let lease = soon(tenants.acquire("acme")).await.expect("a process");
    let answer = post(address, "/other/1", "hi").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 5"), "{answer}");
    drop(lease);
    soon(tenants.close()).await;

    let tenants = Tenants::builder(world.root(), world.codex()).build();
    let address = serve(&tenants).await;
    world.set_orders(Orders::Fail);
    let answer = post(address, "/acme/1", "hi").await;
    assert!(answer.starts_with("HTTP/1.1 500") && !answer.contains("configuration"), "{answer}");
}
