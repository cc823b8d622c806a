//! Who gets a process when, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use codex_rpc_client::protocol::types::ThreadStartParams;
use codex_rpc_client::{Codex, Error, Lease, Stats, Tenants, TenantsBuilder};
use tokio::task::JoinHandle;

use super::fake::{Orders, World, soon, until};

fn pool(world: &World) -> TenantsBuilder {
    Tenants::builder(world.root(), world.codex()).wait_limit(None).idle_timeout(None)
}

/// So many, and none that wait or end.
fn stats(starting: usize, running: usize, leased: usize) -> Stats {
    let mut stats = Stats::default();
    (stats.starting, stats.running, stats.leased) = (starting, running, leased);
    stats
}

/// Waits for a process elsewhere, and has taken its place in the queue already.
async fn waiting(tenants: &Tenants, tenant: &'static str) -> JoinHandle<Result<Lease, Error>> {
    let before = tenants.stats().waiting;
    let pool = tenants.clone();
    let waiting = tokio::spawn(async move { pool.acquire(tenant).await });
    let pool = tenants.clone();
    until(move || pool.stats().waiting > before).await;
    waiting
}

async fn acquire(tenants: &Tenants, tenant: &str) -> Lease {
    soon(tenants.acquire(tenant)).await.expect("a process")
}

async fn taken(waiting: JoinHandle<Result<Lease, Error>>) -> Result<Lease, Error> {
    soon(waiting).await.expect("no panic")
}

#[tokio::test]
async fn each_tenant_has_a_process_and_a_home_of_its_own() {
    let world = World::new();
    let tenants = pool(&world).build();
    let (one, two) = (acquire(&tenants, "a/b").await, acquire(&tenants, "A/B").await);
    assert_ne!(one.server().user_agent, two.server().user_agent, "another process");
    for lease in [&one, &two] {
        let home = tenants.home(lease.tenant()).expect("a folder");
        assert_eq!(lease.server().codex_home.as_str(), home.to_str().expect("a path"));
        assert_eq!(home.parent(), Some(world.root()));
    }
    assert_eq!(tenants.stats().leased, 2);
}

#[tokio::test]
async fn all_who_ask_for_one_tenant_at_once_share_a_process() {
    let world = World::new();
    let tenants = pool(&world).build();
    world.set_orders(Orders::Hold);
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(waiting(&tenants, "a").await);
    }
    world.started(1).await;
    assert_eq!(tenants.stats().starting, 1);
    world.set_orders(Orders::Serve);
    let mut leases = Vec::new();
    for lease in all {
        leases.push(taken(lease).await.expect("a process"));
    }
    assert_eq!(world.starts(), 1);
    assert!(leases.iter().all(|lease| lease.server() == leases[0].server()));
    drop(leases);
    assert_eq!((tenants.stats().running, tenants.stats().leased), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_than_the_limit_and_never_two_of_one_tenant() {
    let world = World::new();
    let tenants = pool(&world).limit(2).build();
    let users = (0..30).map(|user| {
        let tenants = tenants.clone();
        tokio::spawn(async move {
            let lease = tenants.acquire(["a", "b", "c", "d"][user % 4]).await.expect("a process");
            assert!(tenants.stats().running <= 2);
            let thread = lease.start_thread(ThreadStartParams::new()).await.expect("a thread");
            assert_eq!(thread.run(format!("{user}")).await.expect("a turn").text(), user.to_string());
        })
    });
    for user in users.collect::<Vec<_>>() {
        soon(user).await.expect("no panic");
    }
    assert!(world.most() <= 2, "{}", world.most());
    assert!(world.starts() >= 4);
    assert!(!world.overlapped());
    soon(tenants.close()).await;
    assert_eq!(world.live(), 0);
}

#[tokio::test]
async fn who_waits_gets_the_room_of_the_process_that_was_idle_for_longest() {
    let world = World::new();
    let tenants = pool(&world).limit(2).build();
    let old = acquire(&tenants, "a").await.server().user_agent;
    let recent = acquire(&tenants, "b").await.server().user_agent;
    let new = acquire(&tenants, "c").await;
    assert_eq!(tenants.stats().running, 2);
    assert_eq!(acquire(&tenants, "b").await.server().user_agent, recent);
    drop(new);
    assert_ne!(acquire(&tenants, "a").await.server().user_agent, old);
    assert_eq!(world.most(), 2);
}

#[tokio::test]
async fn who_came_first_gets_room_first() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    let lease = acquire(&tenants, "a").await;
    let (first, second) = (waiting(&tenants, "b").await, waiting(&tenants, "c").await);
    // One that needs no room waits for nobody.
    drop(acquire(&tenants, "a").await);
    drop(lease);
    let lease = taken(first).await.expect("a process");
    assert_eq!(tenants.stats().waiting, 1);
    drop(lease);
    assert_eq!(taken(second).await.expect("a process").tenant(), "c");
}

#[tokio::test]
async fn who_waits_for_room_too_long_gets_an_error_and_loses_the_place() {
    let world = World::new();
    let tenants = pool(&world).limit(1).wait_limit(Some(Duration::from_millis(1))).build();
    let lease = acquire(&tenants, "a").await;
    let error = soon(tenants.acquire("b")).await.expect_err("no room");
    assert!(matches!(error, Error::NoRoom { limit: 1, waited } if waited == Duration::from_millis(1)), "{error:?}");
    assert_eq!(error.to_string(), "no room for another codex process within 1ms: all 1 are in use");
    assert_eq!(tenants.stats().waiting, 0);
    drop(lease);
    assert_eq!(world.starts(), 1);
    assert_eq!(tenants.stats().running, 1, "nobody needs its room");
}

#[tokio::test]
async fn a_start_that_takes_long_is_no_wait_for_room() {
    let world = World::new();
    let tenants = pool(&world).wait_limit(Some(Duration::ZERO)).build();
    world.set_orders(Orders::Hold);
    let waits = waiting(&tenants, "a").await;
    world.started(1).await;
    // The timer is over by now.
    tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await.expect_err("time");
    assert!(!waits.is_finished());
    world.set_orders(Orders::Serve);
    assert!(taken(waits).await.is_ok());
}

#[tokio::test]
async fn a_start_that_fails_is_told_to_all_who_waited_and_tried_anew_by_the_next() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    world.set_orders(Orders::Hold);
    let all = [waiting(&tenants, "a").await, waiting(&tenants, "a").await];
    let other = waiting(&tenants, "b").await;
    world.started(1).await;
    world.set_orders(Orders::Fail);
    for waits in all {
        let error = taken(waits).await.expect_err("no process");
        let text = error.to_string();
        assert!(matches!(&error, Error::TenantStart { tenant, .. } if tenant == "a"), "{error:?}");
        assert!(text.contains("tenant \"a\"") && text.contains("the configuration is broken"), "{text}");
    }
    assert!(taken(other).await.is_err(), "it had its own start");
    assert_eq!(world.starts(), 2);
    assert_eq!(tenants.stats(), Stats::default());
    world.set_orders(Orders::Serve);
    drop(acquire(&tenants, "a").await);
}

#[tokio::test]
async fn a_template_that_panics_is_an_error_and_spoils_nothing() {
    let world = World::new();
    let codex = world.codex();
    let tenants = Tenants::builder(world.root(), move |tenant: &str| {
        assert_ne!(tenant, "bad");
        codex(tenant)
    })
    .limit(1)
    .build();
    let error = soon(tenants.acquire("bad")).await.expect_err("no process").to_string();
    assert!(error.contains("the template panicked"), "{error}");
    assert_eq!(tenants.stats(), Stats::default());
    drop(acquire(&tenants, "good").await);
}

#[tokio::test]
async fn a_tenant_whose_folder_can_not_be_made_is_told() {
    let world = World::new();
    let file = world.root().join("file");
    std::fs::write(&file, "").expect("a file");
    let tenants = Tenants::builder(&file, world.codex()).build();
    let error = soon(tenants.acquire("a")).await.expect_err("no folder").to_string();
    assert!(error.contains("t-a") && error.contains("the tenant's folder"), "{error}");
    let error = soon(tenants.acquire("")).await.expect_err("no name");
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
}

#[tokio::test]
async fn who_stops_waiting_stops_neither_the_start_nor_the_queue() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    world.set_orders(Orders::Hold);
    let starting = waiting(&tenants, "a").await;
    let waits = waiting(&tenants, "b").await;
    world.started(1).await;
    for given_up in [starting, waits] {
        given_up.abort();
        assert!(soon(given_up).await.is_err());
    }
    assert_eq!(tenants.stats(), stats(1, 0, 0));
    world.set_orders(Orders::Serve);
    drop(acquire(&tenants, "a").await);
    assert_eq!(world.starts(), 1);
    assert_eq!(tenants.stats(), stats(0, 1, 0));
}

#[tokio::test]
async fn a_process_that_nobody_uses_is_ended_after_the_idle_timeout_and_no_earlier() {
    let world = World::new();
    let tenants = pool(&world).idle_timeout(Some(Duration::from_secs(600))).build();
    let (used, idle) = (acquire(&tenants, "a").await, acquire(&tenants, "b").await);
    tokio::time::pause();
    drop(idle);
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(tenants.stats().running, 2);
    // Its time begins anew.
    drop(acquire(&tenants, "b").await);
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(tenants.stats().running, 2);
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    let pool = tenants.clone();
    until(move || pool.stats() == stats(0, 1, 1)).await;
    assert_eq!(world.live(), 1);
    assert!(!used.has_ended());
}

#[tokio::test]
async fn where_nothing_is_idle_no_timer_runs() {
    let world = World::new();
    let tenants = pool(&world).idle_timeout(Some(Duration::from_secs(600))).build();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let lease = acquire(&tenants, "a").await;
    let before = tasks();
    drop(lease);
    assert_eq!(tasks(), before + 1, "the timer");
    let _lease = acquire(&tenants, "a").await;
    until(move || tasks() == before).await;
}

#[tokio::test]
async fn a_process_that_died_is_replaced_by_the_next_who_wants_it() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    let lease = acquire(&tenants, "a").await;
    let thread = soon(lease.start_thread(ThreadStartParams::new())).await.expect("a thread");
    let error = soon(thread.run("die")).await.expect_err("it died").to_string();
    assert!(error.contains("out of memory"), "{error}");
    soon(lease.ended()).await;
    // The old lease is still there.
    let next = acquire(&tenants, "a").await;
    assert_ne!(next.server().user_agent, lease.server().user_agent);
    drop(lease);
    assert_eq!(tenants.stats(), stats(0, 1, 1));
    assert!(!world.overlapped());
}

#[tokio::test]
async fn a_process_that_died_makes_room_by_itself() {
    let world = World::new();
    let tenants = pool(&world).limit(1).build();
    let lease = acquire(&tenants, "a").await;
    let waits = waiting(&tenants, "b").await;
    let thread = soon(lease.start_thread(ThreadStartParams::new())).await.expect("a thread");
    assert!(soon(thread.run("die")).await.is_err());
    assert_eq!(taken(waits).await.expect("a process").tenant(), "b");
}

#[tokio::test]
async fn closing_ends_all_and_refuses_who_waits_and_who_comes() {
    let world = World::new();
    let tenants = pool(&world).limit(2).build();
    let lease = acquire(&tenants, "a").await;
    world.set_orders(Orders::Hold);
    let (starting, waits) = (waiting(&tenants, "b").await, waiting(&tenants, "c").await);
    world.started(2).await;
    let closing = tenants.clone();
    let closing = tokio::spawn(async move { closing.close().await });
    for refused in [starting, waits] {
        let error = taken(refused).await.expect_err("it is closed");
        assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    }
    soon(lease.ended()).await;
    assert!(!closing.is_finished(), "one is still being started");
    world.set_orders(Orders::Serve);
    soon(closing).await.expect("it is closed");
    assert_eq!(world.live(), 0);
    assert_eq!(tenants.stats(), Stats::default());
    assert!(soon(tenants.acquire("a")).await.is_err());
    soon(tenants.close()).await;
}

#[tokio::test]
async fn dropping_the_pool_ends_what_is_idle_at_once_and_the_rest_with_its_leases() {
    let world = Arc::new(World::new());
    let tenants = pool(&world).build();
    let lease = acquire(&tenants, "a").await;
    drop(acquire(&tenants, "b").await);
    world.set_orders(Orders::Hold);
    let starting = waiting(&tenants, "c").await;
    world.started(3).await;
    starting.abort();
    assert!(soon(starting).await.is_err());
    drop(tenants);
    let (idle, none) = (Arc::clone(&world), Arc::clone(&world));
    until(move || idle.live() == 1).await;
    assert!(soon(lease.start_thread(ThreadStartParams::new())).await.is_ok());
    drop(lease);
    until(move || none.live() == 0).await;
    until(|| tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn a_lease_may_be_dropped_on_any_thread() {
    let world = World::new();
    let tenants = pool(&world).limit(1).idle_timeout(Some(Duration::from_secs(600))).build();
    let lease = acquire(&tenants, "a").await;
    let waits = waiting(&tenants, "b").await;
    std::thread::spawn(move || drop(lease)).join().expect("no panic");
    assert!(taken(waits).await.is_ok());
    // The session of a process outlives its lease only as a word.
    let codex: Codex = (*acquire(&tenants, "b").await).clone();
    soon(tenants.close()).await;
    assert!(codex.has_ended());
}
