//! Many tenants in a web service: each has a codex process of its own while it needs one,
//! and its sessions go on where they left off, also after a restart of the service.
//!
//! ```sh
//! cargo run --example web_service --features sqlite -- /srv/codex 127.0.0.1:8080
//! curl --json '{"message": "Say hello."}' localhost:8080/acme/ticket-17
//! curl --json '{"message": "And again."}' localhost:8080/acme/ticket-17/stream
//! ```
//!
//! Who the tenant is must come from a login in a real service, not from the address.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use codex_rpc_client::protocol::types::{AskForApproval, SandboxMode, ThreadStartParams};
use codex_rpc_client::store::SqliteStore;
use codex_rpc_client::{Codex, Error, Tenants};
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Serialize)]
struct Reply {
    thread: String,
    reply: String,
}

/// An error of codex as an answer over HTTP.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, text) = match &self.0 {
            Error::NoRoom { .. } | Error::Overloaded(_) => (StatusCode::SERVICE_UNAVAILABLE, "come back later"),
            Error::Invalid { .. } => (StatusCode::BAD_REQUEST, "no such tenant"),
            Error::ThreadNotFound(_) => (StatusCode::GONE, "the history of this session is gone"),
            Error::TurnFailed(_) => (StatusCode::BAD_GATEWAY, "the model failed"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "something is broken"),
        };
        // What went wrong is for the operator: it may name files and settings.
        eprintln!("{status}: {}", self.0);
        match status {
            StatusCode::SERVICE_UNAVAILABLE => (status, [(header::RETRY_AFTER, "5")], text).into_response(),
            _ => (status, text).into_response(),
        }
    }
}

/// The final response, when the turn has ended.
async fn say(
    State(tenants): State<Tenants>,
    Path((tenant, session)): Path<(String, String)>,
    Json(Message { message }): Json<Message>,
) -> Result<Json<Reply>, Failure> {
    let session = tenants.session(&tenant, &session).await?;
    let result = session.run(message).await?;
    Ok(Json(Reply { thread: result.thread_id.clone(), reply: result.text().to_owned() }))
}

/// What the model says while it says it: `delta` events, then `done` or `failed`.
async fn stream(
    State(tenants): State<Tenants>,
    Path((tenant, session)): Path<(String, String)>,
    Json(Message { message }): Json<Message>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Failure> {
    let session = tenants.session(&tenant, &session).await?;
    let turn = session.turn(message).await?;
    let deltas = stream::unfold(turn.stream(), |mut turn| async move {
        let text = turn.next_text().await?;
        Some((Event::default().event("delta").json_data(text), turn))
    });
    let end = stream::once(async move {
        let end = turn.join().await;
        // The process is needed until now.
        drop(session);
        Ok(match end {
            Ok(result) => Event::default().event("done").json_data(result.text())?,
            Err(error) => {
                eprintln!("a turn failed: {error}");
                Event::default().event("failed").data("the model failed")
            }
        })
    });
    Ok(Sse::new(deltas.chain(end)))
}

/// The service.
pub fn service(tenants: Tenants) -> Router {
    let routes =
        Router::new().route("/{tenant}/{session}", post(say)).route("/{tenant}/{session}/stream", post(stream));
    routes.with_state(tenants)
}

#[tokio::main]
#[allow(dead_code, reason = "a test uses the service alone")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = PathBuf::from(arguments.next().ok_or("usage: web_service FOLDER [ADDRESS]")?);
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:8080").parse()?;
    std::fs::create_dir_all(&root)?;
    let tenants = Tenants::builder(root.join("tenants"), |_tenant| Codex::builder().client("web-service", "1.0.0"))
        .limit(8)
        .store(SqliteStore::open(root.join("sessions.sqlite")).await?)
        .threads(|_tenant, _session| {
            ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).approval_policy(AskForApproval::Never)
        })
        .build();
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, service(tenants.clone())).with_graceful_shutdown(stop).await?;
    tenants.close().await;
    Ok(())
}
