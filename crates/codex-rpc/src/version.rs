//! Which release a server is.

use crate::CODEX_VERSION;

/// How a server's release relates to the one that this crate was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an order has three outcomes, or can't be told")]
pub enum ReleaseMatch {
    /// The same release, or another patch of it.
    Same,
    /// The server is older: methods of this crate may be missing there.
    Older,
    /// The server is newer: it may say things that this crate preserves but does
    /// not know.
    Newer,
    /// The `userAgent` names no release.
    Unknown,
}

/// The release in the `userAgent` that a server answers `initialize` with, which
/// is the only trace of its version: `<client name>/<codex version> (…)`.
///
/// ```
/// let agent = "my-client/0.169.0 (Debian 12.0.0; x86_64) unknown";
/// assert_eq!(codex_rpc::server_release(agent), Some("0.169.0"));
/// ```
pub fn server_release(user_agent: &str) -> Option<&str> {
    let head = user_agent.split(" (").next().unwrap_or(user_agent);
    let release = head.rsplit('/').next()?.split_whitespace().next()?;
    (head.contains('/') && numbers(release).is_some()).then_some(release)
}

/// Compares the release in a server's `userAgent` with [`CODEX_VERSION`].
pub fn check_release(user_agent: &str) -> ReleaseMatch {
    let (Some(server), Some(ours)) = (server_release(user_agent).and_then(numbers), numbers(CODEX_VERSION)) else {
        return ReleaseMatch::Unknown;
    };
    match server.cmp(&ours) {
        std::cmp::Ordering::Less => ReleaseMatch::Older,
        std::cmp::Ordering::Equal => ReleaseMatch::Same,
        std::cmp::Ordering::Greater => ReleaseMatch::Newer,
    }
}

fn numbers(release: &str) -> Option<(u64, u64)> {
    let mut parts = release.split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_found_behind_client_names_of_any_kind() {
        for (agent, release) in [
            ("codex-rpc/0.169.0 (Debian)", Some("0.169.0")),
            ("a/b c/0.170.0-alpha.3 (x)", Some("0.170.0-alpha.3")),
            ("codex-rpc (Debian)", None),
            ("codex-rpc/dev (Debian)", None),
            ("", None),
        ] {
            assert_eq!(server_release(agent), release, "{agent:?}");
        }
    }

    #[test]
    fn a_server_is_older_the_same_or_newer() {
        let (major, minor) = numbers(CODEX_VERSION).expect("a version");
        let agent = |minor: u64| format!("c/{major}.{minor}.7 (x)");
        assert_eq!(check_release(&agent(minor)), ReleaseMatch::Same);
        assert_eq!(check_release(&agent(minor + 1)), ReleaseMatch::Newer);
        assert_eq!(check_release(&agent(minor - 1)), ReleaseMatch::Older);
        assert_eq!(check_release("c"), ReleaseMatch::Unknown);
    }
}
