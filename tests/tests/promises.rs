//! Promises of the protocol crate that need no session.

use std::collections::BTreeSet;
use std::process::Command;

use codex_rpc::registry::{Definition, Member, Shape, Type, definitions};
use codex_rpc::types::LoginAccountParams;
use codex_rpc::{Direction, METHODS, MethodKind};
use codex_rpc_tests::{read, root};
use serde_json::{Map, Value, json};

#[test]
fn a_login_does_not_show_its_api_key() {
    let login: LoginAccountParams =
        codex_rpc::from_json(r#"{"type":"apiKey","apiKey":"sk-very-secret"}"#).expect("a login");
    let shown = format!("{login:?} {login:#?}");
    assert!(!shown.contains("sk-very-secret"), "{shown}");
    assert!(shown.contains("[redacted]"), "{shown}");
}

/// The generator's rule and the runtime's must be the same.
#[test]
fn every_field_that_is_a_secret_by_name_is_hidden() {
    let mut hidden = BTreeSet::new();
    for definition in definitions() {
        let records: Vec<(Map<String, Value>, &[Member])> = match definition.shape {
            Shape::Record(members) => vec![(Map::new(), members.known)],
            Shape::Tagged { tag, arms } => {
                arms.iter().map(|(name, members)| (tagged(tag, name), members.known)).collect()
            }
            _ => continue,
        };
        for (tag, members) in records {
            for member in members.iter().filter(|member| codex_rpc_codegen::shape::is_secret_name(member.name)) {
                if !matches!(member.ty, Type::String | Type::Any) {
                    continue;
                }
                let mut value = minimal(members);
                value.extend(tag.clone());
                value.insert(member.name.to_owned(), "s3cr3t-marker".into());
                let shown = show(definition, &Value::Object(value));
                assert!(!shown.contains("s3cr3t-marker"), "{}.{}: {shown}", definition.name, member.name);
                hidden.insert(format!("{}.{}", definition.name, member.name));
            }
        }
    }
    assert_eq!(hidden.len(), 18, "{hidden:#?}");
}

#[test]
fn secrets_in_free_form_json_and_unknown_members_are_hidden_too() {
    let config = json!({"config": {"mcp_servers": {"x": {"env": {"API_KEY": "s3cr3t-marker", "HOME": "/shown"}}}}, "origins": {}, "layers": []});
    let definition = codex_rpc::registry::find("ConfigReadResponse").expect("a definition");
    let shown = show(definition, &config);
    assert!(!shown.contains("s3cr3t-marker") && shown.contains("/shown"), "{shown}");
    let unknown = json!({"type": "newLogin", "accessToken": "s3cr3t-marker", "hint": "/shown"});
    let shown = show(codex_rpc::registry::find("LoginAccountParams").expect("a definition"), &unknown);
    assert!(!shown.contains("s3cr3t-marker") && shown.contains("/shown"), "{shown}");
}

fn tagged(tag: &str, name: &str) -> Map<String, Value> {
    Map::from_iter([(tag.to_owned(), name.into())])
}

fn show(definition: &Definition, value: &Value) -> String {
    definition.debug(&value.to_string()).unwrap_or_else(|error| panic!("{}: {value}: {error}", definition.name))
}

fn minimal(members: &[Member]) -> Map<String, Value> {
    let required = members.iter().filter(|member| member.presence == codex_rpc::registry::Presence::Required);
    required
        .map(|member| (member.name.to_owned(), if member.nullable { Value::Null } else { sample(&member.ty) }))
        .collect()
}

fn sample(ty: &Type) -> Value {
    match ty {
        Type::Bool => true.into(),
        Type::Integer => 1.into(),
        Type::Double => 0.5.into(),
        Type::String => "text".into(),
        Type::Any | Type::Nullable(_) => Value::Null,
        Type::List(_) => json!([]),
        Type::Map(_) => json!({}),
        Type::Named(name) => match codex_rpc::registry::find(name).expect("a definition").shape {
            Shape::Record(members) => minimal(members.known).into(),
            Shape::StringEnum(values) => values[0].into(),
            Shape::Tagged { tag, arms } => {
                let mut value = minimal(arms[0].1.known);
                value.insert(tag.to_owned(), arms[0].0.into());
                value.into()
            }
            Shape::External { units, .. } => units[0].into(),
            Shape::Untagged(arms) => sample(&arms[0]),
            Shape::Newtype(ty) => sample(&ty),
            Shape::Nullable(_) | Shape::Methods => Value::Null,
        },
    }
}

#[test]
fn the_table_has_every_method_with_its_answer() {
    let count =
        |direction, kind| METHODS.iter().filter(|info| info.direction == direction && info.kind == kind).count();
    assert_eq!(count(Direction::ClientToServer, MethodKind::Request), 187);
    assert_eq!(count(Direction::ServerToClient, MethodKind::Request), 11);
    assert_eq!(count(Direction::ServerToClient, MethodKind::Notification), 88);
    assert_eq!(count(Direction::ClientToServer, MethodKind::Notification), 1);
    let requests = METHODS.iter().filter(|info| info.kind == MethodKind::Request);
    assert_eq!(requests.clone().filter(|info| info.response.is_none()).count(), 0);
    let stable = requests.filter(|info| info.direction == Direction::ClientToServer && !info.experimental);
    assert_eq!(stable.count(), 109 + 3);
    let names: BTreeSet<(&str, Direction)> = METHODS.iter().map(|info| (info.method, info.direction)).collect();
    assert_eq!(names.len(), METHODS.len());
}

/// The crates that a crate with default features brings into a user's build.
fn tree(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!tree.contains("proc-macro"), "{tree}");
    let names = tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[test]
fn the_protocol_crate_brings_in_serde_and_serde_json_and_no_macro_and_the_dispatcher_nothing_more() {
    let protocol = ["codex-rpc", "itoa", "memchr", "serde", "serde_core", "serde_json", "zmij"];
    assert_eq!(tree("codex-rpc"), protocol.map(str::to_owned).into());
    let dispatcher = [&["codex-rpc-dispatch"], &protocol[..]].concat();
    assert_eq!(tree("codex-rpc-dispatch"), dispatcher.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_readme_shows_what_ci_runs() {
    let readme = read("README.md");
    let ci = read(".ci/run");
    let last = ci.trim_end().lines().last().expect("a command");
    assert_eq!(last, "cargo test --workspace");
    for command in ["cargo xtask regenerate", last, "cargo xtask contract"] {
        assert!(
            readme.contains(&format!("{command}\n")) || readme.contains(&format!("{command} ")),
            "the README lacks `{command}`"
        );
        assert!(ci.contains(command), "CI lacks `{command}`");
    }
}
