//! Patterns for programs, paths and hosts.

use std::path::{Path, PathBuf};

use regex::{Regex, RegexBuilder};

use super::RuleProblem;
use crate::approval::{absolute, file_name, system_name};

/// Whether the system takes `README` and `readme` for the same file, as a rule.
const FOLDS_CASE: bool = cfg!(any(target_os = "macos", target_os = "windows"));

/// Whether a word certainly calls the program.
pub(super) fn is_program(pattern: &str, word: &str) -> bool {
    if pattern.contains('/') { word == pattern } else { system_name(word) == Some(pattern) }
}

/// Whether a word may call the program.
pub(super) fn may_be_program(pattern: &str, word: &str) -> bool {
    let (pattern, word) = (file_name(pattern), file_name(word));
    if FOLDS_CASE { pattern.eq_ignore_ascii_case(word) } else { pattern == word }
}

pub(super) fn is_host(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}

/// A file, a folder and all below it, or a pattern of paths.
#[derive(Debug)]
pub(super) struct PathPattern {
    exact: Regex,
    folded: Regex,
    /// The folder that all matches are in.
    base: PathBuf,
}

impl PathPattern {
    pub(super) fn new(text: &str, root: Option<&Path>) -> Result<Self, RuleProblem> {
        let bad = |why| RuleProblem::Path { path: text.to_owned(), why };
        if text.contains(['[', ']', '{', '}']) {
            return Err(bad("only *, ? and ** are patterns"));
        }
        if text.split(['/', '\\']).any(|part| part == "..") {
            return Err(bad("it contains `..`"));
        }
        let is_anywhere = text.starts_with("**/");
        let whole = if is_anywhere || Path::new(text).is_absolute() {
            absolute(text, None)
        } else {
            absolute(text, Some(root.ok_or_else(|| bad("it is relative, and the policy has no root"))?))
        };
        let whole = slashed(&whole);
        let parts: Vec<&str> = whole.split('/').collect();
        let is_glob = |part: &&str| part.contains(['*', '?']);
        if parts.iter().any(|part| part.contains("**") && *part != "**") {
            return Err(bad("`**` stands for whole folders: `a/**/b`"));
        }
        let literal: Vec<&str> = parts.iter().copied().take_while(|part| !is_glob(part)).collect();
        let base = PathBuf::from(if literal.len() < 2 { "/".to_owned() } else { literal.join("/") });
        let mut source = String::from(if is_anywhere { r"\A(?:[A-Za-z]:)?/" } else { r"\A" });
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            match *part {
                "**" if is_last => source.push_str(".+"),
                "**" => source.push_str("(?:[^/]+/)*"),
                part => {
                    source.extend(part.chars().map(|c| match c {
                        '*' => "[^/]*".to_owned(),
                        '?' => "[^/]".to_owned(),
                        c => regex::escape(c.encode_utf8(&mut [0; 4])),
                    }));
                    if !is_last {
                        source.push('/');
                    }
                }
            }
        }
        if literal.len() == parts.len() {
            // The root folder ends with a slash already.
            source.push_str(if whole.ends_with('/') { ".*" } else { "(?:/.*)?" });
        }
        source.push_str(r"\z");
        let build = |folds| RegexBuilder::new(&source).dot_matches_new_line(true).case_insensitive(folds).build();
        let too_large = |_| bad("it is too large");
        Ok(Self { exact: build(false).map_err(too_large)?, folded: build(FOLDS_CASE).map_err(too_large)?, base })
    }

    /// Whether a path is certainly within.
    pub(super) fn covers(&self, path: &Path) -> bool {
        path.is_absolute() && self.exact.is_match(&slashed(path))
    }

    /// Whether a file may be within.
    pub(super) fn touches(&self, path: &Path) -> bool {
        !path.is_absolute() || self.folded.is_match(&slashed(path))
    }

    /// Whether a folder, or something below it, may be within.
    pub(super) fn overlaps(&self, folder: &Path) -> bool {
        self.touches(folder) || self.base.starts_with(folder) || (self.base_is_open() && folder.starts_with(&self.base))
    }

    /// Whether matches are anywhere below the base.
    fn base_is_open(&self) -> bool {
        !self.exact.is_match(&slashed(&self.base))
    }
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}
