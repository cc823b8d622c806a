//! What is wrong with a policy.

use std::fmt;
use std::path::PathBuf;

use super::RuleRef;

/// A policy that can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file can't be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The text is no policy: not TOML, a key that is not known, or a value of the wrong
    /// type.
    Syntax {
        /// The file; none if the text did not come from one.
        path: Option<PathBuf>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The rule that it is in, counted from 1; none if it is before all rules.
        rule: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// A rule makes no sense.
    Rule {
        /// The file; none if the rule did not come from one.
        path: Option<PathBuf>,
        /// The line where the rule begins, from 1; none if it was made by code.
        line: Option<usize>,
        /// The rule.
        rule: RuleRef,
        /// What is wrong with it.
        problem: RuleProblem,
    },
    /// The policy's root is not absolute.
    Root {
        /// The root.
        root: PathBuf,
    },
}

/// What is wrong with a rule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RuleProblem {
    /// It has no matcher: say `default` for what no rule matches.
    NoMatcher,
    /// Its matchers are about different kinds of requests: it would never match.
    Contradiction {
        /// The matchers.
        matchers: String,
    },
    /// It allows what no policy can allow.
    NeverAllowed,
    /// It wants an amendment that it can't cover.
    Amend,
    /// An argv prefix has no program.
    EmptyPrefix,
    /// A regular expression can't be read.
    Regex {
        /// The expression.
        regex: String,
        /// Why.
        error: regex::Error,
    },
    /// A path can't be used.
    Path {
        /// The path.
        path: String,
        /// Why.
        why: &'static str,
    },
    /// A host is neither a name nor `*.` and a name.
    Host {
        /// The host.
        host: String,
    },
    /// A tool is neither `SERVER` nor `SERVER/TOOL`.
    Tool {
        /// The tool.
        tool: String,
    },
    /// Another rule has the same name.
    SameName {
        /// That rule.
        other: RuleRef,
    },
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatcher => {
                f.write_str("it has no matcher, such as `kind` or `program`; for what no rule matches, set `default`")
            }
            Self::Contradiction { matchers } => {
                write!(f, "it would never match: no request is about all of {matchers}; make separate rules")
            }
            Self::NeverAllowed => f.write_str("it allows what only a person can allow; use `ask`"),
            Self::Amend => f.write_str(
                "`amend` needs `program`, `argv_prefix` or (also to deny) `host`, and no other matcher but `kind`: \
                 the server would keep nothing else",
            ),
            Self::EmptyPrefix => f.write_str("`argv_prefix` and `program` need a program"),
            Self::Regex { regex, error } => write!(f, "the regular expression `{regex}` can't be read: {error}"),
            Self::Path { path, why } => write!(f, "the path `{path}` can't be used: {why}"),
            Self::Host { host } => write!(f, "`{host}` is no host: write `example.com` or `*.example.com`"),
            Self::Tool { tool } => write!(f, "`{tool}` is no tool: write `SERVER/TOOL` or `SERVER`"),
            Self::SameName { other } => write!(f, "rule {} has the same name", other.index + 1),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, path: &Option<PathBuf>| match path {
            Some(path) => write!(f, "{}: ", path.display()),
            None => Ok(()),
        };
        match self {
            Self::Read { path, error } => write!(f, "{}: can't be read: {error}", path.display()),
            Self::Syntax { path, line, column, rule, message } => {
                place(f, path)?;
                write!(f, "line {line}, column {column}")?;
                if let Some(rule) = rule {
                    write!(f, ", rule {rule}")?;
                }
                write!(f, ": {message}")
            }
            Self::Rule { path, line, rule, problem } => {
                place(f, path)?;
                if let Some(line) = line {
                    write!(f, "line {line}, ")?;
                }
                write!(f, "{rule}: {problem}")
            }
            Self::Root { root } => write!(f, "the root `{}` is not an absolute path", root.display()),
        }
    }
}

impl std::error::Error for PolicyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } => Some(error),
            Self::Rule { problem: RuleProblem::Regex { error, .. }, .. } => Some(error),
            _ => None,
        }
    }
}
