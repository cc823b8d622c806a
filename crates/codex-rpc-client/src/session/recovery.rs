//! What becomes of a session whose connection has ended.

use std::sync::Weak;

use codex_rpc::requests;
use codex_rpc_dispatch::tokio::Client;
use tokio::time::Instant;

use super::restart::Recovery;
use super::{Inner, State, Turns, closed, connect, exit};
use crate::turn::Lost;

/// Starts a session again whose connection has ended, if that is wanted.
pub(super) async fn recover(session: &Weak<Inner>, began: Instant, attempts: u32) {
    let Some(inner) = session.upgrade() else { return };
    let State::Running(client) = inner.state.borrow().clone() else { return };
    let reason = client.ended().await;
    let mut closing = inner.closing.subscribe();
    let closed_here = *closing.borrow();
    let policy = inner.settings.restart.filter(|_| inner.spawned && !closed_here);
    let Some(policy) = policy else {
        let lost = if closed_here { closed() } else { Lost { reason, exit: exit(&client).await } };
        inner.end(lost);
        return;
    };
    let mut attempt = if began.elapsed() >= policy.settled { 0 } else { attempts };
    inner.state.send_replace(State::Restarting);
    // The old one must be gone first: a thread has one writer.
    let lost = Lost { reason: reason.clone(), exit: exit(&client).await };
    drop(client);
    let running = |turns: &Turns| {
        let thread = turns.thread.clone();
        turns.running().into_iter().map(move |turn| (thread.clone(), turn.id.clone())).collect::<Vec<_>>()
    };
    let turns = inner.hub.followed().iter().flat_map(|turns| running(turns)).collect();
    inner.hub.lose(&lost);
    tracing::warn!(reason = %lost.reason, "the codex process ended; it is started again");
    let mut recovery = Recovery { reason, attempts: 0, running: false, resumed: Vec::new(), lost: Vec::new(), turns };
    drop(inner);
    while let Some(delay) = policy.delay(attempt) {
        // The end of the session is no less a reason to stop than its being closed.
        let stopped = tokio::time::timeout(delay, closing.wait_for(|closing| *closing)).await.is_ok();
        let Some(inner) = session.upgrade() else { return };
        if stopped {
            inner.end(closed());
            return;
        }
        attempt += 1;
        recovery.attempts = attempt;
        match connect(&inner.settings, &inner.hub, &inner.answers).await {
            Ok((client, _, _)) if *closing.borrow() => {
                client.close().await;
                client.process_ended().await;
                inner.end(closed());
                return;
            }
            Ok((client, told, flushes)) => {
                resume(&inner, &client, &mut recovery).await;
                inner.running(&client);
                recovery.running = true;
                inner.follow(told, flushes, attempt);
                if let Some(recoveries) = &*inner.recoveries() {
                    let _ = recoveries.send(recovery);
                }
                return;
            }
            Err(error) => tracing::warn!(%error, attempt, "the codex process can't be started again"),
        }
    }
    if let Some(inner) = session.upgrade() {
        recovery.lost = inner.hub.followed().iter().map(|turns| (turns.thread.clone(), lost.reason.clone())).collect();
        let recoveries = inner.recoveries().take();
        inner.end(lost);
        if let Some(recoveries) = recoveries {
            let _ = recoveries.send(recovery);
        }
    }
}

/// Resumes the threads that somebody has a handle of.
async fn resume(inner: &Inner, client: &Client, recovery: &mut Recovery) {
    for turns in inner.hub.followed() {
        let thread = turns.thread.clone();
        let Some(params) = turns.resumable() else {
            recovery.lost.push((thread, "an ephemeral thread ends with its process".to_owned()));
            continue;
        };
        match client.call::<requests::ThreadResume>(params).await {
            Ok(_) => recovery.resumed.push(thread),
            Err(error) => {
                tracing::warn!(%thread, %error, "a thread can't be resumed");
                recovery.lost.push((thread, error.to_string()));
            }
        }
    }
}
