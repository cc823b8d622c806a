//! No recording tells about the machine it was made on, or holds a secret.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use codex_rpc_tests::{releases, root, transcripts};
use regex::Regex;

/// The beginnings of the absolute paths that recordings may hold: what stands for a
/// folder of the recorder, and what scenarios name.
const PATHS: [&str; 15] = [
    "/workspace",
    "/codex-home",
    "/home/user",
    "/scratch",
    "/tmp",
    "/bin",
    "/usr/",
    "/dev",
    "/etc/codex/",
    "/etc/other.toml",
    "/no/such",
    "/nothing",
    "/experimental.",
    "/analytics.",
    // What codex calls an agent: no path of a file.
    "/root/helper",
];
/// The addresses that recordings may hold.
const ADDRESSES: [&str; 6] =
    ["localhost", "127.0.0.1", "chatgpt.com", "auth.openai.com", "developers.openai.com", "example.com"];

/// What must not be in a recording.
struct Check {
    what: &'static str,
    /// Its first group is what is looked at.
    pattern: Regex,
    fine: fn(&str) -> bool,
}

fn checks() -> Vec<Check> {
    let check = |what, pattern: &str, fine| Check { what, pattern: Regex::new(pattern).expect("a pattern"), fine };
    vec![
        check("a path", r#"(?:^|[" =(:\s])(/[A-Za-z][A-Za-z0-9_.\-/]*)"#, |found| {
            PATHS.iter().any(|path| format!("{found}/").starts_with(path))
        }),
        check("an address", r"https?(?:://|%3A%2F%2F)([A-Za-z0-9.\-]+)", |found| ADDRESSES.contains(&found)),
        check("an address", r"\b([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})\b", |found| found == "127.0.0.1"),
        check("a port", r"127\.0\.0\.1(?::|%3A)([0-9]+)", |found| {
            ["8080", "8081", "8082", "9", "1455"].contains(&found)
        }),
        check("a mail address", r"([A-Za-z0-9._\-]+@[A-Za-z0-9.\-]+)", |found| {
            found.ends_with("@example.com") || found == "hello@local-market"
        }),
        check("a key", r"\b(sk-[A-Za-z0-9_\-]{8,})", |found| found == "sk-placeholder-key"),
        check("a token", r"\b(eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]+)", |_| false),
        check("a token", r"\b([Bb]earer [A-Za-z0-9_.\-]{8,})", |_| false),
        check("a host name", r#""(?:hostName|hostname)":"([^"]*)""#, |_| false),
        check("a host name", r#""serverName":"([^"]*)","installationId""#, |found| found == "host"),
        check("an operating system", r#""userAgent":"[^"(]*\(([^;)]*)"#, |found| found == "Linux"),
        check("an id", r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", |found| {
            found.starts_with("01900000-0000-7000-8000-") || found.starts_with("00000000-")
        }),
        check("a time", r#""emittedAtMs":([0-9]+)"#, |found| found == "1767225600000"),
    ]
}

fn problems(checks: &[Check], text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for Check { what, pattern, fine } in checks {
        let found: BTreeSet<&str> =
            pattern.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
        problems.extend(found.into_iter().filter(|found| !fine(found)).map(|found| format!("{what}: {found}")));
    }
    problems
}

#[test]
fn no_recording_holds_a_path_of_the_machine_a_host_name_a_key_or_a_token() {
    let checks = checks();
    let mut count = 0;
    let mut all = Vec::new();
    for release in releases() {
        for path in transcripts(&release) {
            let text = fs::read_to_string(&path).expect("a transcript");
            all.extend(problems(&checks, &text).into_iter().map(|problem| format!("{}: {problem}", path.display())));
            // This machine may be the one.
            for own in [root().display().to_string(), env::var("HOME").unwrap_or_default() + "/."] {
                assert!(own.len() < 3 || !text.contains(&own), "{}: {own}", path.display());
            }
            count += 1;
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(count > 300, "{count}");
}

#[test]
fn what_a_machine_would_leave_is_found() {
    let checks = checks();
    for bad in [
        r#"{"cwd":"/home/ann/project"}"#,
        r#"{"path":"/root/.codex/config.toml"}"#,
        r#"{"text":"see /var/lib/x"}"#,
        r#"{"url":"http://build-7.internal/x"}"#,
        r#"{"ip":"10.1.2.3"}"#,
        r#"{"url":"http://127.0.0.1:43117/"}"#,
        r#"{"mail":"ann@firm.org"}"#,
        r#"{"apiKey":"sk-proj-abcdefghijkl"}"#,
        r#"{"accessToken":"eyJhbGciOiJub25lIn0.eyJlbWFpbCI6IngifQ.x"}"#,
        r#"{"serverName":"ann-laptop","installationId":"01900000-0000-7000-8000-000000000001"}"#,
        r#"{"userAgent":"x/0.169.0 (Debian 12.0.0; x86_64) unknown"}"#,
        r#"{"id":"01a1fa76-e5e9-7b22-b5ee-cf22e7beb8b8"}"#,
        r#"{"emittedAtMs":1795203458533}"#,
    ] {
        assert_eq!(problems(&checks, bad).len(), 1, "{bad}: {:?}", problems(&checks, bad));
    }
    assert_eq!(
        problems(&checks, r#"{"cwd":"/workspace/a","u":"http://127.0.0.1:8080/v1","emittedAtMs":1767225600000}"#),
        [""; 0]
    );
}
