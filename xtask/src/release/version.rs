//! Which version the crates get.
//!
//! The rule: `MAJOR.MINOR` is that of the codex release. The patch is ours: 0 if no
//! version of that minor was released, else one more than the highest that was. So
//! `0.169.2` speaks codex 0.169 as `0.169.0` does, whatever the patch of codex is. A
//! pre-release of codex makes a pre-release of the crates.

use std::collections::BTreeSet;

use semver::{Prerelease, Version};

/// The version for a codex release. A higher patch that somebody has chosen already stays.
pub fn next(codex: &Version, released: &BTreeSet<Version>, current: &Version) -> Version {
    let same_minor = |version: &Version| (version.major, version.minor) == (codex.major, codex.minor);
    let highest = released.iter().rfind(|version| same_minor(version) && version.pre.is_empty());
    let mut next = Version::new(codex.major, codex.minor, highest.map_or(0, |highest| highest.patch + 1));
    if same_minor(current) && current.patch > next.patch && !released.contains(current) {
        next.patch = current.patch;
    }
    next.pre = codex.pre.clone();
    while !next.pre.is_empty() && released.contains(&next) {
        match Prerelease::new(&format!("{}.1", next.pre)) {
            Ok(pre) => next.pre = pre,
            Err(_) => break,
        }
    }
    next
}

/// The requirement that a user writes: `0.169`, or the whole version where `whole` is
/// set or it is a pre-release, which nothing else asks for.
pub fn requirement(version: &Version, whole: bool) -> String {
    if whole || !version.pre.is_empty() {
        return version.to_string();
    }
    format!("{}.{}", version.major, version.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_of(codex: &str, released: &[&str], current: &str) -> String {
        let version = |text: &str| Version::parse(text).unwrap();
        next(&version(codex), &released.iter().map(|text| version(text)).collect(), &version(current)).to_string()
    }

    #[test]
    fn the_first_version_of_a_minor_has_patch_zero_whatever_the_patch_of_codex_is() {
        assert_eq!(next_of("0.170.0", &["0.169.0", "0.169.3"], "0.169.3"), "0.170.0");
        assert_eq!(next_of("0.170.4", &[], "0.169.0"), "0.170.0");
        assert_eq!(next_of("0.166.0", &[], "0.169.0"), "0.166.0");
    }

    #[test]
    fn the_next_patch_follows_the_highest_that_was_released() {
        assert_eq!(next_of("0.169.0", &["0.169.0", "0.169.10", "0.169.9"], "0.169.10"), "0.169.11");
        assert_eq!(next_of("0.169.5", &["0.169.0"], "0.169.0"), "0.169.1");
    }

    #[test]
    fn a_version_that_is_not_released_stays_and_is_never_lowered() {
        assert_eq!(next_of("0.169.0", &[], "0.169.0"), "0.169.0");
        assert_eq!(next_of("0.169.0", &["0.169.0"], "0.169.1"), "0.169.1");
        assert_eq!(next_of("0.169.0", &["0.169.0"], "0.169.4"), "0.169.4");
    }

    #[test]
    fn a_pre_release_of_codex_is_one_of_the_crates() {
        assert_eq!(next_of("0.170.0-alpha.1", &["0.169.0"], "0.169.0"), "0.170.0-alpha.1");
        assert_eq!(next_of("0.170.0-alpha.1", &["0.170.0-alpha.1"], "0.170.0-alpha.1"), "0.170.0-alpha.1.1");
        assert_eq!(next_of("0.170.0", &["0.170.0-alpha.1"], "0.170.0-alpha.1"), "0.170.0");
    }

    #[test]
    fn a_user_asks_for_a_minor() {
        let requirement = |text: &str, whole| requirement(&Version::parse(text).unwrap(), whole);
        assert_eq!(requirement("0.170.3", false), "0.170");
        assert_eq!(requirement("0.170.3", true), "0.170.3");
        assert_eq!(requirement("0.170.0-alpha.1", false), "0.170.0-alpha.1");
    }
}
