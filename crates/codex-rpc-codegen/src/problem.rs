//! What is wrong with an input, where, and what to do about it.
//!
//! What must always hold: a place that is a JSON pointer leads somewhere in the
//! file that is named with it.

use std::fmt;

use serde_json::Value;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// The file, if it is about one.
    pub file: Option<String>,
    /// The JSON pointer or the name of the place.
    pub place: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), file: None, place: None, help: None }
    }

    /// Says in which file it is.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file.get_or_insert(file.into());
        self
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place.get_or_insert(place.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.place) {
            (Some(file), Some(place)) => write!(f, "{file}: {place}: ")?,
            (Some(one), None) | (None, Some(one)) => write!(f, "{one}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.what)
    }
}

/// Where the harvest keeps the types of the TypeScript export.
pub(crate) const TYPES: &str = "/types";

/// Problems that the later stages found in a bundle, as a person wants them: each
/// once, with the file, and with a pointer that leads to something in it. The
/// stages read what was rewritten, where a property may stand elsewhere.
pub(crate) fn in_bundle(problems: Vec<Problem>, file: &str, text: &str) -> Vec<Problem> {
    let mut root = None;
    let mut located: Vec<Problem> = Vec::new();
    for mut problem in problems {
        match &problem.place {
            Some(place) if problem.file.is_none() && place.starts_with("/definitions/") => {
                let root = root.get_or_insert_with(|| serde_json::from_str(text).unwrap_or(Value::Null));
                problem.place = Some(leading(root, place));
            }
            // A definition that was made from TypeScript, which the harvest writes otherwise.
            Some(place) if problem.file.is_none() && place.starts_with(&below(TYPES, "")) => {
                problem.place = Some(place.split('/').take(3).collect::<Vec<_>>().join("/"));
                problem.file = Some("harvest.json".to_owned());
            }
            _ => {}
        }
        let problem = problem.in_file(file);
        if !located.contains(&problem) {
            located.push(problem);
        }
    }
    located
}

/// The pointer to what a pointer means, however the node above it was written;
/// else to the nearest thing above. A definition that is missing keeps its place.
fn leading(root: &Value, pointer: &str) -> String {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut ends = (2..=steps.len()).rev();
    ends.find_map(|end| lead(root, &steps[..end])).unwrap_or_else(|| pointer.to_owned())
}

fn lead(node: &Value, steps: &[&str]) -> Option<String> {
    let [step, rest @ ..] = steps else { return Some(String::new()) };
    if let Some(child) = node.pointer(&format!("/{step}"))
        && let Some(path) = lead(child, rest)
    {
        return Some(format!("/{step}{path}"));
    }
    // A property that was pushed into the arms, or one that was taken out of them.
    let outside = match rest {
        [_, rest @ ..] if matches!(*step, "oneOf" | "anyOf") => lead(node, rest).filter(|_| !rest.is_empty()),
        _ => None,
    };
    let inside = || {
        ["oneOf", "anyOf"].iter().find_map(|keyword| {
            let arms = node.get(keyword)?.as_array()?;
            let paths = arms.iter().enumerate().filter_map(|(index, arm)| Some((index, lead(arm, steps)?)));
            paths.map(|(index, path)| format!("/{keyword}/{index}{path}")).next()
        })
    };
    outside.or_else(inside)
}

/// A step of a JSON pointer appended to it.
pub(crate) fn below(pointer: &str, step: &str) -> String {
    let mut pointer = pointer.to_owned();
    push_step(&mut pointer, step);
    pointer
}

/// The same, in place.
pub(crate) fn push_step(pointer: &mut String, step: &str) {
    pointer.push('/');
    if step.contains(['~', '/']) {
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(step);
    }
}

/// Everything that is wrong, so that one run shows all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_to_what_it_means_however_the_union_is_written() {
        let root = json!({"definitions": {"A": {
            "properties": {"shared": {}},
            "anyOf": [{"properties": {"one": {}}}, {"properties": {"a/b": {"items": {}}}}],
        }}});
        for (pointer, expected) in [
            ("/A/anyOf/0/properties/one", "/A/anyOf/0/properties/one"),
            ("/A/anyOf/1/properties/shared", "/A/properties/shared"),
            ("/A/properties/a~1b/items", "/A/anyOf/1/properties/a~1b/items"),
            ("/A/properties/nowhere/items", "/A/properties"),
            ("/A/oneOf/7", "/A"),
        ] {
            let (pointer, expected) = (format!("/definitions{pointer}"), format!("/definitions{expected}"));
            assert_eq!(leading(&root, &pointer), expected, "{pointer}");
            assert!(root.pointer(&expected).is_some(), "{expected}");
        }
        assert_eq!(leading(&root, "/definitions/B"), "/definitions/B");
    }

    #[test]
    fn a_problem_is_told_once_with_its_file() {
        let problem = |place: &str| Problem::new("bad").at(place);
        let told = in_bundle(
            vec![problem("/definitions/A/items"), problem("/definitions/A/items"), problem("/types/B/items")],
            "stable.json",
            r#"{"definitions": {"A": {}}}"#,
        );
        let told: Vec<String> = told.iter().map(Problem::to_string).collect();
        assert_eq!(told, ["stable.json: /definitions/A: bad", "harvest.json: /types/B: bad"]);
    }
}
