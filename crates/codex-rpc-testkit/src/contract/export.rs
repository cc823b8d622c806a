//! The schema that an executable exports.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use codex_rpc::{Direction, MethodKind};
use serde_json::{Map, Value};

use super::executable::run;
use crate::recorder::Processes;

/// The bundle with all definitions.
const BUNDLE: &str = "codex_app_server_protocol.schemas.json";

/// The unions of methods: name, who sends them, what they are.
const SIDES: [(&str, Direction, MethodKind); 4] = [
    ("ClientRequest", Direction::ClientToServer, MethodKind::Request),
    ("ServerRequest", Direction::ServerToClient, MethodKind::Request),
    ("ServerNotification", Direction::ServerToClient, MethodKind::Notification),
    ("ClientNotification", Direction::ClientToServer, MethodKind::Notification),
];

/// A method and whether only the experimental export has it.
pub(super) type Methods = BTreeMap<(Direction, MethodKind, String), bool>;

pub(super) struct Export {
    /// All definitions of the experimental export, in one namespace.
    pub(super) definitions: Map<String, Value>,
    pub(super) methods: Methods,
}

impl Export {
    pub(super) fn of(executable: &Path, limit: Duration, among: &Processes) -> Result<Self, String> {
        let stable = bundle(executable, &[], limit, among)?;
        let experimental = bundle(executable, &["--experimental".as_ref()], limit, among)?;
        let of_stable = methods(&stable);
        let all = methods(&experimental).into_iter().map(|method| {
            let experimental = !of_stable.contains(&method);
            (method, experimental)
        });
        let all = all.collect();
        Ok(Self { definitions: experimental, methods: all })
    }
}

fn bundle(
    executable: &Path,
    flags: &[&OsStr],
    limit: Duration,
    among: &Processes,
) -> Result<Map<String, Value>, String> {
    let folder = tempfile::Builder::new().prefix("codex-rpc-").tempdir();
    let folder = folder.map_err(|error| format!("a temporary folder: {error}"))?;
    let out: [&OsStr; 4] =
        ["app-server".as_ref(), "generate-json-schema".as_ref(), "--out".as_ref(), folder.path().as_ref()];
    run(executable, &[&out, flags].concat(), limit, among)?;
    let text = fs::read_to_string(folder.path().join(BUNDLE))
        .map_err(|error| format!("its schema export has no {BUNDLE}: {error}"))?;
    let mut bundle: Value = serde_json::from_str(&text).map_err(|error| format!("its {BUNDLE} is no JSON: {error}"))?;
    let Some(Value::Object(mut definitions)) = bundle.get_mut("definitions").map(Value::take) else {
        return Err(format!("its {BUNDLE} has no definitions"));
    };
    if let Some(Value::Object(v2)) = definitions.remove("v2") {
        definitions.extend(v2);
    }
    Ok(definitions)
}

fn methods(definitions: &Map<String, Value>) -> BTreeSet<(Direction, MethodKind, String)> {
    let mut methods = BTreeSet::new();
    for (union, direction, kind) in SIDES {
        let arms = definitions.get(union).and_then(|union| union.get("oneOf")).and_then(Value::as_array);
        for arm in arms.into_iter().flatten() {
            if let Some(method) = arm.pointer("/properties/method/enum/0").and_then(Value::as_str) {
                methods.insert((direction, kind, method.to_owned()));
            }
        }
    }
    methods
}
