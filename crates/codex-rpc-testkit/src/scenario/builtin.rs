//! The scenarios that this crate comes with.

use super::{Scenario, ScenarioError};

macro_rules! scenarios {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".yaml")))),*]
    };
}

const SCENARIOS: &[(&str, &str)] = scenarios! {
    "conversation"
};

/// The names of the scenarios that this crate comes with, sorted.
pub fn builtins() -> impl ExactSizeIterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// A scenario that this crate comes with.
///
/// # Errors
/// If there is none of this name; the error lists those with a similar name.
pub fn builtin(name: &str) -> Result<Scenario, ScenarioError> {
    let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = builtins().collect();
        return Err(ScenarioError(format!("there is no scenario `{name}`; there are {}", known.join(", "))));
    };
    Scenario::parse(text).map_err(|ScenarioError(error)| ScenarioError(format!("{name}.yaml: {error}")))
}
