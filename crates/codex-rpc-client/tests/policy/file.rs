//! Policies in TOML files.

use codex_rpc_client::policy::{Action, Policy, PolicyError};

use super::{action, changes, script};

#[test]
fn every_key_of_a_file_is_read() {
    let policy = Policy::from_toml(
        r#"
        default = "ask"
        root = "/workspace"
        [[rule]]
        name = "all of it"
        priority = -1
        action = "allow"
        reason = "Fine."
        kind = ["command"]
        program = "ls"
        argv_prefix = ["git", "status"]
        regex = "ls.*|git .*"
        whole_regex = [".*"]
        cwd = "."
        thread = "thread"
        [[rule]]
        action = "allow_for_session"
        kind = "file_change"
        path = ["src", "/tmp"]
        [[rule]]
        action = "cancel"
        host = "example.com"
        [[rule]]
        action = "deny"
        permission = ["network", "read", "write"]
        [[rule]]
        action = "deny"
        tool = "tiny"
        [[rule]]
        action = "allow"
        argv_prefix = [["cargo", "test"], ["cargo", "check"]]
        amend = true
        "#,
    )
    .unwrap();
    assert_eq!(action(&policy, &script("ls; git status")), Some(Action::Allow));
    assert_eq!(action(&policy, &script("ls; git log")), Some(Action::Ask));
    assert_eq!(action(&policy, &script("cargo check && cargo test")), Some(Action::Allow));
    assert_eq!(action(&policy, &changes(&["/workspace/src/a", "/tmp/b"])), Some(Action::AllowForSession));
    let verdict = policy.decide(&script("ls")).unwrap();
    assert_eq!(verdict.rule.unwrap().to_string(), "rule 1 \"all of it\"");
    assert_eq!(verdict.reason.as_deref(), Some("Fine."));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let table = [
        ("defualt = \"ask\"", "line 1, column 1: unknown field `defualt`, expected one of"),
        (
            "default = \"maybe\"",
            "line 1, column 11: unknown action `maybe`, expected one of `allow`, `allow_for_session`",
        ),
        ("\n[[rule]]\naction = \"deny\"\nprogramm = \"x\"", "line 4, column 1, rule 1: unknown field `programm`"),
        ("[[rule]]\nprogram = \"x\"", "line 1, column 1, rule 1: missing field `action`"),
        (
            "[[rule]]\naction = \"ask\"\nkind = \"file\"",
            "line 3, column 8, rule 1: unknown kind `file`, expected one of `command`",
        ),
        ("[[rule]]\naction = \"ask\"\nkind = \"unrecognized\"", "unknown kind `unrecognized`"),
        (
            "[[rule]]\naction = \"ask\"\nprogram = \"x\"\n[[rule]]\naction = \"ask\"\npriority = \"high\"",
            "line 6, column 12, rule 2: invalid type: string \"high\", expected i64",
        ),
        ("[[rule]]\naction = \"ask\"\npriority = 1.5", "line 3, column 12, rule 1: invalid type: floating point"),
        (
            "[[rule]]\naction = \"ask\"\nprogram = []",
            "line 3, column 11, rule 1: invalid length 0, expected a string or a list of strings that is not empty",
        ),
        ("[[rule]]\naction = \"ask\"\nprogram = [1]", "rule 1: invalid type: integer `1`"),
        (
            "[[rule]]\naction = \"ask\"\nargv_prefix = \"ls -l\"",
            "line 3, column 15, rule 1: invalid type: string \"ls -l\", expected a list of words",
        ),
        ("[[rule]]\naction = \"ask\"\nargv_prefix = [\"a\", [\"b\"]]", "words and lists of words in one list"),
        ("[[rule]]\naction = \"ask\"\nargv_prefix = []", "invalid length 0"),
        ("[[rule]]\naction = \"ask\"\npermission = \"exec\"", "unknown permission `exec`"),
        ("[[rule]]\naction = \"ask\"\naction = \"deny\"", "line 3, column 1, rule 1: duplicate key"),
        ("\n\n[[rule]]\naction = \"ask\"\nname = \"empty\"", "line 3, rule 1 \"empty\": it has no matcher"),
        (
            "[[rule]]\naction = \"ask\"\nregex = \"(\"",
            "line 1, rule 1: the regular expression `(` can't be read: regex parse error",
        ),
        ("root = \"x\"", "the root `x` is not an absolute path"),
        ("nonsense", "line 1, column"),
    ];
    for (text, expected) in table {
        let error = Policy::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn a_file_is_named_in_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let missing = Policy::read(&path).unwrap_err();
    assert!(matches!(missing, PolicyError::Read { .. }) && missing.to_string().contains("policy.toml: can't be read"));
    for text in ["x = 1", "[[rule]]\naction = \"ask\""] {
        std::fs::write(&path, text).unwrap();
        let error = Policy::read(&path).unwrap_err().to_string();
        assert!(error.contains("policy.toml: line 1"), "{error}");
    }
    std::fs::write(&path, "[[rule]]\naction = \"ask\"\nprogram = \"ls\"").unwrap();
    assert_eq!(action(&Policy::read(&path).unwrap(), &script("ls")), Some(Action::Ask));
}
