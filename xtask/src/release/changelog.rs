//! The entry of a release in CHANGELOG.md.
//!
//! Entries are sections `## VERSION`; `(unreleased)` behind the version of the first one
//! says that it is being written. What a person wrote there stays; the part between two
//! comments is ours, and says between which codex releases it tells the changes, so that
//! a later run makes it anew from the same ones.

use std::collections::BTreeSet;

use semver::Version;

const BEGIN: &str = "<!-- cargo xtask release: from codex ";
const END: &str = "<!-- cargo xtask release: end -->";
const UNRELEASED: &str = "(unreleased)";

/// The versions whose section is not marked as unreleased.
pub fn released(text: &str) -> BTreeSet<Version> {
    let headings = text.lines().filter(|line| line.starts_with("## ") && !line.contains(UNRELEASED));
    headings.filter_map(version).collect()
}

/// The codex release that our part of the unreleased section starts from.
pub fn base(text: &str) -> Option<String> {
    let (_, section) = unreleased(text)?;
    let line = section.lines().find_map(|line| line.strip_prefix(BEGIN))?;
    Some(line.split_whitespace().next()?.to_owned())
}

/// What changed between two codex releases.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    /// The codex release before.
    pub from: &'a str,
    /// The codex release that the crates speak now.
    pub to: &'a str,
    /// The changes as Markdown, from a heading of the second level on.
    pub markdown: &'a str,
}

/// The changelog with the section of a version that is about to be released: the
/// unreleased one under its new name, or a new one before all others.
pub fn entry(text: &str, version: &Version, changes: Option<Changes<'_>>) -> String {
    let heading = format!("## {version} {UNRELEASED}\n");
    let (before, section) = unreleased(text).unwrap_or_else(|| {
        let first = text.find("\n## ").map_or(text.len(), |at| at + 1);
        (&text[..first], "")
    });
    let after = &text[before.len() + section.len()..];
    let body = section.split_once('\n').map_or("", |(_, body)| body);
    let (above, below) = parts(body);

    let mut whole = before.trim_end().to_owned();
    whole.push_str("\n\n");
    whole.push_str(&heading);
    let ours = changes.map(|changes| block(&changes)).unwrap_or_default();
    for part in [above.trim(), ours.trim(), below.trim(), after.trim()].into_iter().filter(|part| !part.is_empty()) {
        whole.push('\n');
        whole.push_str(part);
        whole.push('\n');
    }
    whole
}

fn block(changes: &Changes<'_>) -> String {
    let Changes { from, to, markdown } = changes;
    // A heading below that of the version.
    let deeper: String = markdown
        .lines()
        .map(|line| if line.starts_with('#') { format!("#{line}\n") } else { format!("{line}\n") })
        .collect();
    format!("{BEGIN}{from} to {to} -->\n\n{}\n\n{END}\n", deeper.trim())
}

/// What stands before and after our part.
fn parts(body: &str) -> (&str, &str) {
    match (body.find(BEGIN), body.find(END)) {
        (Some(begin), Some(end)) if begin < end => (&body[..begin], &body[end + END.len()..]),
        _ => (body, ""),
    }
}

/// What stands before the unreleased section, and the section.
fn unreleased(text: &str) -> Option<(&str, &str)> {
    let start = if text.starts_with("## ") { 0 } else { text.find("\n## ")? + 1 };
    let heading = text[start..].lines().next()?;
    if !heading.contains(UNRELEASED) {
        return None;
    }
    let end = text[start..].find("\n## ").map_or(text.len(), |at| start + at + 1);
    Some((&text[..start], &text[start..end]))
}

/// The version of a heading, with or without brackets, `v` and a date.
fn version(heading: &str) -> Option<Version> {
    let word = heading.trim_start_matches('#').split_whitespace().next()?;
    let word = word.trim_matches(['[', ']']);
    Version::parse(word.strip_prefix('v').unwrap_or(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# Changelog\n\nWhat it is.\n\n## 0.169.0 (unreleased)\n\nFirst release.\n\n- One.\n\n\
                       ## 0.168.0\n\n- Older.\n";
    const CHANGES: Changes<'_> =
        Changes { from: "0.169.0", to: "0.170.0", markdown: "## Changes\n\nTwo.\n\n### Additive (2)\n\n- `x`\n" };

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_unreleased_section_gets_the_version_and_keeps_what_a_person_wrote() {
        assert_eq!(
            entry(OLD, &v("0.170.0"), Some(CHANGES)),
            "# Changelog\n\nWhat it is.\n\n## 0.170.0 (unreleased)\n\nFirst release.\n\n- One.\n\n\
             <!-- cargo xtask release: from codex 0.169.0 to 0.170.0 -->\n\n### Changes\n\nTwo.\n\n\
             #### Additive (2)\n\n- `x`\n\n<!-- cargo xtask release: end -->\n\n## 0.168.0\n\n- Older.\n"
        );
        assert_eq!(entry(OLD, &v("0.169.0"), None), OLD);
    }

    #[test]
    fn a_second_run_changes_no_byte_and_knows_where_the_first_started() {
        let once = entry(OLD, &v("0.170.0"), Some(CHANGES));
        assert_eq!(base(&once).as_deref(), Some("0.169.0"));
        assert_eq!(entry(&once, &v("0.170.0"), Some(CHANGES)), once);
        let below = once.replace("release: end -->\n", "release: end -->\n\nWritten later.\n");
        assert_eq!(entry(&below, &v("0.170.0"), Some(CHANGES)), below);
        assert_eq!(base(OLD), None);
    }

    #[test]
    fn the_part_goes_when_nothing_changed_and_is_replaced_when_something_else_did() {
        let once = entry(OLD, &v("0.170.0"), Some(CHANGES));
        assert_eq!(entry(&once, &v("0.169.0"), None), OLD);
        let other = entry(&once, &v("0.171.0"), Some(Changes { to: "0.171.0", markdown: "## More\n", ..CHANGES }));
        assert_eq!(other.matches(BEGIN).count(), 1);
        assert!(other.contains("from codex 0.169.0 to 0.171.0 -->\n\n### More\n\n<!--"), "{other}");
    }

    #[test]
    fn a_new_section_stands_before_all_others() {
        let all_released = OLD.replace(" (unreleased)", " - 2026-11-01");
        let text = entry(&all_released, &v("0.169.1"), None);
        assert_eq!(text, all_released.replace("## 0.169.0", "## 0.169.1 (unreleased)\n\n## 0.169.0"));
        assert_eq!(entry("# Changelog\n", &v("0.1.0"), None), "# Changelog\n\n## 0.1.0 (unreleased)\n");
    }

    #[test]
    fn what_is_released_is_what_is_not_marked() {
        assert_eq!(released(OLD), [v("0.168.0")].into());
        assert_eq!(released("## [v0.1.0] - 2026-01-01\n## Notes\n### 0.2.0\n"), [v("0.1.0")].into());
    }
}
