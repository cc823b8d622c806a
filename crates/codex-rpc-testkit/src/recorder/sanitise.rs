//! Takes out of a recording what belongs to the machine or the moment.
//!
//! Works on the text of the messages, so that the order of members and the spelling of
//! numbers stay as they were.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regex::{Captures, Regex};

use crate::recording::Entry;
use crate::transcript::From;

/// The moment of every recording: 2026-01-01T00:00:00Z, in seconds.
const MOMENT: u64 = 1_767_225_600;
/// Times this near to the recording are its own.
const NEAR: Duration = Duration::from_secs(36 * 3600);

/// Members whose number says how long something took or how much memory it used; they
/// become 1.
const MEASURED: &[&str] = &["durationMs", "residentMemoryBytes", "physicalFootprintBytes"];
/// Members whose digits are the id of a process.
const PROCESS: &[&str] = &["processId", "osPid", "pid"];

pub(super) struct Sanitiser {
    replacements: Vec<(String, String)>,
    days: Vec<(Regex, &'static str)>,
    near: std::ops::RangeInclusive<u64>,
    ids: Ids,
}

/// The numbers that ids were given.
struct Ids {
    uuid: Regex,
    hash: Regex,
    process: Regex,
    numbers: HashMap<String, usize>,
    counts: [usize; 3],
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern, compiled by the tests")
}

impl Ids {
    fn new() -> Self {
        Self {
            uuid: regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            hash: regex(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b"),
            process: regex(&format!(r#""(?:{})":"?(\d+)"?"#, PROCESS.join("|"))),
            numbers: HashMap::new(),
            counts: [1; 3],
        }
    }

    fn learn(&mut self, text: &str) {
        let uuids = self.uuid.find_iter(text).filter(|found| !made_up(found.as_str()));
        let hashes = self.hash.find_iter(text).filter(|found| !is_no_hash(found.as_str()));
        let processes = self.process.captures_iter(text).filter_map(|found| found.get(1));
        let found = [uuids.collect::<Vec<_>>(), hashes.collect(), processes.collect()];
        for (kind, ids) in found.into_iter().enumerate() {
            for id in ids {
                if !self.numbers.contains_key(id.as_str()) {
                    self.numbers.insert(id.as_str().to_owned(), self.counts[kind]);
                    self.counts[kind] += 1;
                }
            }
        }
    }

    fn replace(&self, text: &str) -> String {
        let number = |id: &str| self.numbers.get(id).copied().unwrap_or(0);
        let text = self.uuid.replace_all(text, |found: &Captures<'_>| {
            if made_up(&found[0]) {
                return found[0].to_owned();
            }
            format!("01900000-0000-7000-8000-{:012}", number(&found[0]))
        });
        let text = self.hash.replace_all(&text, |found: &Captures<'_>| {
            if is_no_hash(&found[0]) {
                return found[0].to_owned();
            }
            format!("{:0width$x}", number(&found[0]), width = found[0].len())
        });
        let text = self.process.replace_all(&text, |found: &Captures<'_>| {
            found[0].replacen(&found[1], &(1000 + number(&found[1])).to_string(), 1)
        });
        text.into_owned()
    }
}

/// Whether a scenario made the UUID up.
fn made_up(uuid: &str) -> bool {
    uuid.starts_with("00000000-")
}

/// Whether git means that there is no file.
fn is_no_hash(hash: &str) -> bool {
    hash.bytes().all(|byte| byte == b'0')
}

impl Sanitiser {
    pub(super) fn new(mut replacements: Vec<(String, String)>, start: SystemTime, end: SystemTime) -> Self {
        replacements.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let near = seconds(start).saturating_sub(NEAR).as_secs()..=(seconds(end) + NEAR).as_secs();
        let mut days: Vec<String> = [start, end].into_iter().filter_map(day).collect();
        days.dedup();
        let days = days
            .iter()
            .flat_map(|day| {
                [
                    (regex(&format!(r"{day}T\d\d-\d\d-\d\d")), "2026-01-01T00-00-00"),
                    (regex(&format!(r"{day}T\d\d:\d\d:\d\d(?:\.\d+)?")), "2026-01-01T00:00:00"),
                    (regex(&day.replace('-', "/")), "2026/01/01"),
                    (regex(day), "2026-01-01"),
                ]
            })
            .collect();
        Self { replacements, days, near, ids: Ids::new() }
    }

    pub(super) fn sanitise(mut self, entries: &mut [Entry]) {
        let numbers = regex(r"\b\d{10}(?:\d{3})?\b");
        let measured = regex(&format!(r#""({})":\d+(?:\.\d+)?"#, MEASURED.join("|")));
        // An MCP server's name is a `serverName`, too.
        let host = regex(r#""serverName":"[^"]*","installationId""#);
        let process = regex(r#""process":\{"id":\d+"#);
        // A listener of codex itself; what a scenario names has fewer digits.
        let port = regex(r"127\.0\.0\.1(:|%3A)\d{5}\b");
        let callback = regex(r"(callback(?:/|%2F))[A-Za-z0-9_-]{8,}");
        let system = regex(r#"("userAgent":"[^"(]*)\([^;)]*; ([^)]*)\) [^ "]+"#);
        let secret = regex(r"\b(state|code_challenge|nonce)=[^&\x22\\]+");
        for entry in &mut *entries {
            let mut text = std::mem::take(&mut entry.text);
            for (from, to) in &self.replacements {
                text = text.replace(from.as_str(), to);
            }
            for (pattern, to) in &self.days {
                text = owned(pattern.replace_all(&text, *to), &text);
            }
            let moment = |found: &Captures<'_>| self.moment(&found[0]);
            text = owned(numbers.replace_all(&text, moment), &text);
            text = owned(measured.replace_all(&text, r#""$1":1"#), &text);
            text = owned(host.replace_all(&text, r#""serverName":"host","installationId""#), &text);
            text = owned(process.replace_all(&text, r#""process":{"id":1000"#), &text);
            text = owned(port.replace_all(&text, "127.0.0.1${1}8082"), &text);
            text = owned(callback.replace_all(&text, "${1}placeholder"), &text);
            text = owned(system.replace_all(&text, "$1(Linux; $2) unknown"), &text);
            text = owned(secret.replace_all(&text, "$1=placeholder"), &text);
            entry.text = text;
        }
        for index in canonical_order(entries) {
            self.ids.learn(&entries[index].text);
        }
        for entry in entries {
            entry.text = self.ids.replace(&entry.text);
        }
    }

    /// The constant for a time near the recording, in seconds or milliseconds.
    fn moment(&self, digits: &str) -> String {
        let near = |seconds: u64| self.near.contains(&seconds);
        match digits.parse::<u64>() {
            Ok(number) if digits.len() == 10 && near(number) => MOMENT.to_string(),
            Ok(number) if digits.len() == 13 && near(number / 1000) => (MOMENT * 1000).to_string(),
            _ => digits.to_owned(),
        }
    }
}

fn owned(replaced: Cow<'_, str>, before: &str) -> String {
    match replaced {
        Cow::Borrowed(_) => before.to_owned(),
        Cow::Owned(text) => text,
    }
}

/// The order in which ids are numbered. Notifications race with answers and with each
/// other: what the client waited for comes first, the rest by method.
fn canonical_order(entries: &[Entry]) -> Vec<usize> {
    let method = regex(r#"^\{"(?:id":[^,]+,")?method":"([^"]+)""#);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_cached_key(|index| {
        let entry = &entries[*index];
        let method = method.captures(&entry.text).map(|found| found[1].to_owned());
        let rank = match (entry.from, &method) {
            (From::Server, None) => 0,
            (From::Client, _) => 1,
            (From::Server, Some(_)) => 2,
        };
        (entry.process, rank, if rank == 2 { method } else { None }, *index)
    });
    order
}

/// The day of a time, as `2026-01-31`.
fn day(time: SystemTime) -> Option<String> {
    Some(jiff::Timestamp::try_from(time).ok()?.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Sanitiser;
    use crate::recording::Entry;
    use crate::transcript::From;

    const A: &str = "01a1fa76-e5e9-7b22-b5ee-cf22e7beb8b8";
    const B: &str = "47312e53-6d13-4928-9332-69c8cc5544f2";

    fn sanitise(messages: &[(From, &str)]) -> Vec<String> {
        let start = UNIX_EPOCH + Duration::from_secs(1_795_203_458);
        let replacements =
            vec![("/tmp/x".to_owned(), "/scratch".to_owned()), ("/tmp/x/w".to_owned(), "/workspace".to_owned())];
        let mut entries: Vec<Entry> =
            messages.iter().map(|(from, text)| Entry { from: *from, process: 1, text: (*text).to_owned() }).collect();
        Sanitiser::new(replacements, start, start + Duration::from_secs(5)).sanitise(&mut entries);
        entries.into_iter().map(|entry| entry.text).collect()
    }

    fn one(message: &str) -> String {
        sanitise(&[(From::Server, message)]).remove(0)
    }

    #[test]
    fn the_longest_path_is_replaced_first_and_what_is_beside_it_stays() {
        assert_eq!(
            one(r#"{"a":"/tmp/x/w/f","b":"/tmp/x/y","c":1.50}"#),
            r#"{"a":"/workspace/f","b":"/scratch/y","c":1.50}"#
        );
    }

    #[test]
    fn times_near_the_recording_become_one_moment_and_others_stay() {
        assert_eq!(
            one(
                r#"{"emittedAtMs":1795203458533,"at":1795203458,"resetsAt":1900000000,"day":"2026-11-20T19:37:38.123Z"}"#
            ),
            r#"{"emittedAtMs":1767225600000,"at":1767225600,"resetsAt":1900000000,"day":"2026-01-01T00:00:00Z"}"#
        );
        assert_eq!(
            one(r#"{"path":"/sessions/2026/11/20/rollout-2026-11-20T19-37-38-x"}"#),
            r#"{"path":"/sessions/2026/01/01/rollout-2026-01-01T00-00-00-x"}"#
        );
    }

    #[test]
    fn an_id_gets_one_number_wherever_it_stands_and_one_that_was_made_up_stays() {
        let texts = sanitise(&[
            (From::Server, &format!(r#"{{"method":"b","params":{{"id":"{B}"}}}}"#)),
            (
                From::Server,
                &format!(r#"{{"id":1,"result":{{"id":"{A}","made":"00000000-0000-7000-8000-000000000001"}}}}"#),
            ),
        ]);
        // The answer's id comes first, though the notification was seen before.
        assert_eq!(texts[0], r#"{"method":"b","params":{"id":"01900000-0000-7000-8000-000000000002"}}"#);
        assert_eq!(
            texts[1],
            r#"{"id":1,"result":{"id":"01900000-0000-7000-8000-000000000001","made":"00000000-0000-7000-8000-000000000001"}}"#
        );
    }

    #[test]
    fn what_was_measured_and_what_names_the_machine_goes() {
        assert_eq!(
            one(
                r#"{"durationMs":57,"processId":"48213","serverName":"box","installationId":null,"userAgent":"r/0.169.0 (Debian 12.0.0; x86_64) xterm (r; 1)"}"#
            ),
            r#"{"durationMs":1,"processId":"1001","serverName":"host","installationId":null,"userAgent":"r/0.169.0 (Linux; x86_64) unknown (r; 1)"}"#
        );
        assert_eq!(one(r#"{"durationMs":null,"processId":null}"#), r#"{"durationMs":null,"processId":null}"#);
        assert_eq!(
            one(r#"{"u":"https://x/?state=Zq1&code_challenge=abc&k=1"}"#),
            r#"{"u":"https://x/?state=placeholder&code_challenge=placeholder&k=1"}"#
        );
    }

    #[test]
    fn an_mcp_servers_name_stays_and_a_listeners_port_goes() {
        assert_eq!(one(r#"{"serverName":"tiny"}"#), r#"{"serverName":"tiny"}"#);
        assert_eq!(
            one(r#"{"u":"http://x/?r=http%3A%2F%2F127.0.0.1%3A34199%2Fcallback%2FAb1-Zz9_x0Qq","v":"127.0.0.1:9"}"#),
            r#"{"u":"http://x/?r=http%3A%2F%2F127.0.0.1%3A8082%2Fcallback%2Fplaceholder","v":"127.0.0.1:9"}"#
        );
    }

    #[test]
    fn an_id_inside_a_word_is_found_and_the_hash_of_nothing_stays() {
        assert_eq!(one(&format!(r#"{{"id":"msg_{A}"}}"#)), r#"{"id":"msg_01900000-0000-7000-8000-000000000001"}"#);
        let diff = format!(r#"{{"diff":"index {}..{}"}}"#, "0".repeat(40), "e".repeat(40));
        assert_eq!(one(&diff), format!(r#"{{"diff":"index {}..{:040}"}}"#, "0".repeat(40), 1));
    }

    #[test]
    fn a_hash_keeps_its_length() {
        let text = format!(r#"{{"version":"sha256:{}"}}"#, "ab".repeat(32));
        assert_eq!(one(&text), format!(r#"{{"version":"sha256:{:064}"}}"#, 1));
    }
}
