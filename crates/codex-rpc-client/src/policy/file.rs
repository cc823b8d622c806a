//! Policies in TOML.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::{Action, PermissionKind, Policy, PolicyBuilder, PolicyError, Rule};
use crate::approval::RequestKind;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Option<Action>,
    root: Option<PathBuf>,
    #[serde(default)]
    rule: Vec<Spanned<RuleTable>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    action: Action,
    name: Option<String>,
    #[serde(default)]
    priority: i64,
    reason: Option<String>,
    #[serde(default)]
    amend: bool,
    #[serde(default)]
    kind: Many<RequestKind>,
    #[serde(default)]
    program: Many<String>,
    #[serde(default)]
    argv_prefix: Prefixes,
    #[serde(default)]
    regex: Many<String>,
    #[serde(default)]
    whole_regex: Many<String>,
    #[serde(default)]
    path: Many<String>,
    #[serde(default)]
    cwd: Many<String>,
    #[serde(default)]
    thread: Many<String>,
    #[serde(default)]
    permission: Many<PermissionKind>,
    #[serde(default)]
    host: Many<String>,
    #[serde(default)]
    tool: Many<String>,
}

impl From<RuleTable> for Rule {
    fn from(table: RuleTable) -> Self {
        let programs = table.program.0.into_iter().map(|program| vec![program]);
        Self {
            name: table.name,
            priority: table.priority,
            action: table.action,
            reason: table.reason,
            amend: table.amend,
            kinds: table.kind.0,
            prefixes: programs.chain(table.argv_prefix.0).collect(),
            regexes: table.regex.0,
            whole_regexes: table.whole_regex.0,
            paths: table.path.0,
            cwds: table.cwd.0,
            threads: table.thread.0,
            permissions: table.permission.0,
            hosts: table.host.0,
            tools: table.tool.0,
        }
    }
}

pub(super) fn parse(text: &str, path: Option<&Path>) -> Result<Policy, PolicyError> {
    let file: File = toml::from_str(text).map_err(|error| syntax(text, path, &error))?;
    let lines: Vec<usize> = file.rule.iter().map(|rule| position(text, rule.span().start).0).collect();
    let rules = file.rule.into_iter().map(|rule| rule.into_inner().into()).collect();
    PolicyBuilder { rules, default: file.default, root: file.root }.build().map_err(|error| match error {
        PolicyError::Rule { rule, problem, .. } => {
            let line = lines.get(rule.index).copied();
            PolicyError::Rule { path: path.map(Path::to_owned), line, rule, problem }
        }
        other => other,
    })
}

fn syntax(text: &str, path: Option<&Path>, error: &toml::de::Error) -> PolicyError {
    let start = error.span().map_or(0, |span| span.start);
    let (line, column) = position(text, start);
    let is_rule = |line: &&str| line.trim_start().starts_with("[[rule]]");
    let rule = text.lines().take(line).filter(is_rule).count();
    PolicyError::Syntax {
        path: path.map(Path::to_owned),
        line,
        column,
        rule: (rule > 0).then_some(rule),
        message: error.message().to_owned(),
    }
}

/// Line and column, from 1, of a place in a text.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// One value or a list of them.
struct Many<T>(Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMore<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings that is not empty")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                T::deserialize(de::value::StrDeserializer::new(value)).map(|value| Many(vec![value]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    values.push(value);
                }
                // Else a list from which all was deleted would match everything.
                if values.is_empty() {
                    return Err(de::Error::invalid_length(0, &self));
                }
                Ok(Many(values))
            }
        }

        deserializer.deserialize_any(OneOrMore(PhantomData))
    }
}

/// `["git", "status"]`, or a list of such lists.
#[derive(Default)]
struct Prefixes(Vec<Vec<String>>);

impl<'de> Deserialize<'de> for Prefixes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists;

        impl<'de> Visitor<'de> for Lists {
            type Value = Prefixes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, or a list of such lists, that is not empty")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let (mut words, mut lists) = (Vec::new(), Vec::new());
                while let Some(Element(element)) = sequence.next_element()? {
                    match element {
                        Ok(word) => words.push(word),
                        Err(list) => lists.push(list),
                    }
                }
                match (words.is_empty(), lists.is_empty()) {
                    (true, false) => Ok(Prefixes(lists)),
                    (false, true) => Ok(Prefixes(vec![words])),
                    (true, true) => Err(de::Error::invalid_length(0, &self)),
                    (false, false) => Err(de::Error::custom("words and lists of words in one list")),
                }
            }
        }

        deserializer.deserialize_seq(Lists)
    }
}

/// A word or a list of words.
struct Element(Result<String, Vec<String>>);

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrList;

        impl<'de> Visitor<'de> for WordOrList {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a list of words")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
                Ok(Element(Ok(word.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(sequence)).map(|words| Element(Err(words)))
            }
        }

        deserializer.deserialize_any(WordOrList)
    }
}

/// A word out of a list, by its name.
fn named<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    values: &[(&'static str, T)],
    what: &str,
) -> Result<T, D::Error> {
    let word = String::deserialize(deserializer)?;
    let found = values.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<String> = values.iter().map(|(name, _)| format!("`{name}`")).collect();
        de::Error::custom(format_args!("unknown {what} `{word}`, expected one of {}", names.join(", ")))
    })
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = [Self::Allow, Self::AllowForSession, Self::Deny, Self::Cancel, Self::Ask];
        named(deserializer, &all.map(|action| (action.name(), action)), "action")
    }
}

impl<'de> Deserialize<'de> for PermissionKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = [("network", Self::Network), ("read", Self::Read), ("write", Self::Write)];
        named(deserializer, &all, "permission")
    }
}

/// Only for files: the names that [`RequestKind::name`] gives.
impl<'de> Deserialize<'de> for RequestKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, &Self::NAMED.map(|kind| (kind.name(), kind)), "kind")
    }
}
