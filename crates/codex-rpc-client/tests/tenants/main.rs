//! Pools of processes, with app-servers that are this test program, started again.

mod fake;
mod pool;
mod session;
#[cfg(feature = "sqlite")]
mod web;

use fake::World;

/// What [`World::codex`] starts: a server, and then no test.
#[test]
fn serves_as_the_app_server_of_the_other_tests() {
    if let Some(address) = World::address() {
        fake::serve(&address);
    }
}
