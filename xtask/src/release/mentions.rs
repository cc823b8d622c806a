//! Where prose names the release: in Markdown.
//!
//! Only what is sure to mean the current release moves: what a user writes into
//! Cargo.toml, the folder of the recordings, and the npm package. Other mentions are
//! listed for a person.

use std::collections::BTreeSet;

use semver::Version;

use super::version::requirement;

/// The releases and versions of a move.
#[derive(Clone, Debug)]
pub struct Move<'a> {
    /// The codex release that was pinned.
    pub old: &'a str,
    /// The codex release that is pinned now.
    pub new: &'a str,
    /// The version of the crates.
    pub version: &'a Version,
    /// The published crates.
    pub crates: &'a BTreeSet<String>,
}

impl Move<'_> {
    /// The text with what moves.
    pub fn apply(&self, text: &str) -> String {
        let lines = text.split_inclusive('\n').map(|line| self.line(line));
        lines.collect()
    }

    fn line(&self, line: &str) -> String {
        let line = self.required(line).unwrap_or_else(|| line.to_owned());
        let places = ["tests/transcripts/", "@openai/codex@"];
        places.iter().fold(line, |line, place| replace_whole(&line, place, self.old, self.new))
    }

    /// A line that asks for one of our crates: `NAME = "0.1"`, or `NAME = { version =
    /// "0.1", … }`.
    fn required(&self, line: &str) -> Option<String> {
        let (name, rest) = line.split_once('=')?;
        if !self.crates.contains(name.trim()) {
            return None;
        }
        let quoted = if let Some(quoted) = rest.trim_start().strip_prefix('"') {
            quoted
        } else {
            let version = rest.trim_start().strip_prefix('{')?.split_once("version")?.1;
            version.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?
        };
        let start = line.len() - quoted.len();
        let end = start + line[start..].find('"')?;
        let old = &line[start..end];
        let digits = old.trim_start_matches(|c: char| !c.is_ascii_digit());
        let operator = &old[..old.len() - digits.len()];
        let new = requirement(self.version, digits.split(['-', '+']).next()?.matches('.').count() == 2);
        Some(format!("{}{operator}{new}{}", &line[..start], &line[end..]))
    }
}

/// The lines that name a release, from 1.
pub fn lines(text: &str, release: &str) -> Vec<usize> {
    let named = text.lines().enumerate().filter(|(_, line)| whole(line, release).is_some());
    named.map(|(number, _)| number + 1).collect()
}

fn replace_whole(text: &str, prefix: &str, old: &str, new: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = whole(rest, old) {
        let before = &rest[..at];
        result.push_str(before);
        result.push_str(if before.ends_with(prefix) { new } else { old });
        rest = &rest[at + old.len()..];
    }
    result + rest
}

/// Where a release stands that is not a part of a longer number.
fn whole(text: &str, release: &str) -> Option<usize> {
    let outside = |c: char| !c.is_ascii_digit() && c != '.' && c != '-';
    text.match_indices(release).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back().is_none_or(|c| outside(c) || c == '-');
        let mut after = text[at + release.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(|c| c.is_ascii_digit()),
            Some('-') => !after.next().is_some_and(char::is_alphabetic),
            next => next.is_none_or(outside),
        };
        before && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(text: &str) -> String {
        let crates = ["codex-rpc", "codex-rpc-dispatch"].map(str::to_owned).into();
        let version = Version::new(0, 170, 0);
        Move { old: "0.169.0", new: "0.170.2", version: &version, crates: &crates }.apply(text)
    }

    #[test]
    fn what_a_user_writes_into_a_manifest_moves() {
        for (old, new) in [
            ("codex-rpc = \"0.169\"\n", "codex-rpc = \"0.170\"\n"),
            ("codex-rpc=\"^0.169.3\"", "codex-rpc=\"^0.170.0\""),
            (
                "codex-rpc-dispatch = { version = \"0.169\", features = [\"tokio\"] }\r\n",
                "codex-rpc-dispatch = { version = \"0.170\", features = [\"tokio\"] }\r\n",
            ),
            (
                "  codex-rpc = {default-features=false,version=\"=0.169.0\"}",
                "  codex-rpc = {default-features=false,version=\"=0.170.0\"}",
            ),
        ] {
            assert_eq!(moved(old), new);
            assert_eq!(moved(new), new);
        }
        for same in
            ["serde = \"0.169\"\n", "codex-rpc = { path = \"0.169\" }\n", "codex-rpc 0.169.0 = \"x\"", "= \"1\""]
        {
            assert_eq!(moved(same), same);
        }
    }

    #[test]
    fn the_recordings_and_the_package_move_and_examples_stay() {
        assert_eq!(
            moved("cargo xtask round-trip tests/transcripts/0.169.0 # of 0.169.0\n`tests/transcripts/0.169.01`\n"),
            "cargo xtask round-trip tests/transcripts/0.170.2 # of 0.169.0\n`tests/transcripts/0.169.01`\n"
        );
        assert_eq!(moved("npm i @openai/codex@0.169.0."), "npm i @openai/codex@0.170.2.");
        assert_eq!(moved("@openai/codex@0.169.0-alpha.1"), "@openai/codex@0.169.0-alpha.1");
    }

    #[test]
    fn lines_that_name_the_release_are_found() {
        assert_eq!(lines("0.169.0\n10.169.0\nv0.169.0-linux\n0.169.0.\nx-0.169.0-\n", "0.169.0"), [1, 4, 5]);
    }
}
