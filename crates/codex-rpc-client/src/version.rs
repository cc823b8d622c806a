//! Releases, compared.

/// Whether a release is older than another: `0.160.1` than `0.169.0`. A pre-release is
/// older than its release.
pub(crate) fn is_older(release: &str, than: &str) -> bool {
    parts(release) < parts(than)
}

/// The numbers, and whether it is a release and not a pre-release.
fn parts(release: &str) -> ([u64; 3], bool) {
    let (numbers, rest) = release.split_once('-').map_or((release, None), |(numbers, rest)| (numbers, Some(rest)));
    let mut parts = [0; 3];
    for (part, number) in parts.iter_mut().zip(numbers.split('.')) {
        *part = number.parse().unwrap_or(0);
    }
    (parts, rest.is_none())
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn releases_compare_by_number_and_pre_releases_come_before() {
        for (older, newer) in [("0.99.0", "0.160.1"), ("0.160.1", "0.161"), ("0.169.0-alpha.1", "0.169.0")] {
            assert!(is_older(older, newer) && !is_older(newer, older), "{older} {newer}");
        }
        assert!(!is_older("0.169.0", "0.169.0"));
    }
}
