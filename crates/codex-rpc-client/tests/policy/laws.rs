//! What holds for everything.

use std::fmt::Write as _;
#[cfg(target_os = "linux")]
use std::process::{Command as Process, Stdio};

use codex_rpc_client::approval::{Approvable, Command, Decision};
use codex_rpc_client::policy::{Policy, PolicyBuilder, Rule};
use codex_rpc_client::protocol::types::{
    CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams, NetworkPolicyAmendment,
    NetworkPolicyRuleAction,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::{params, raw, script};

/// Pieces that a shell reads in many ways.
const PIECES: [&str; 38] = [
    "a",
    "b",
    "a",
    "b",
    " ",
    " ",
    " ",
    "\t",
    "\n",
    ";",
    "&",
    "|",
    "&&",
    "||",
    "'",
    "\"",
    "\\",
    "$",
    "`",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    ">/dev/null",
    "2>&1",
    "*",
    "?",
    "~",
    "#",
    "=",
    "!",
    "-",
    "2",
    "é",
    "$(a)",
    "if",
];

fn scripts() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&PIECES[..]), 1..14).prop_map(|pieces| pieces.concat())
}

fn rules() -> impl Strategy<Value = Rule> {
    let actions = select(&[Rule::allow, Rule::allow_for_session, Rule::deny, Rule::cancel, Rule::ask][..]);
    let matchers = prop_oneof![
        select(&["ls", "rm", "cat", "git"][..]).prop_map(|program| (program, "")),
        select(&["ls.*", "rm", ".*x"][..]).prop_map(|regex| ("", regex)),
    ];
    (actions, matchers, -3..3_i64).prop_map(|(action, (program, regex), priority)| {
        let rule = action().priority(priority);
        if regex.is_empty() { rule.program(program) } else { rule.regex(regex) }
    })
}

fn commands() -> impl Strategy<Value = String> {
    let command = select(&["ls", "rm x", "cat x", "git status", "ls $(rm x)", "echo rm"][..]);
    prop::collection::vec((command, select(&["; ", " && ", " | ", "\n"][..])), 1..4)
        .prop_map(|parts| parts.into_iter().flat_map(|(command, operator)| [command, operator]).collect::<String>())
        .prop_map(|text| text.trim_end_matches([' ', ';', '&', '|', '\n']).to_owned())
}

fn build(rules: &[Rule]) -> Policy {
    rules.iter().cloned().fold(Policy::builder(), PolicyBuilder::rule).build().unwrap()
}

/// The words of each command that bash really runs, where every program is missing.
#[cfg(target_os = "linux")]
fn run_by_bash(text: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let handler = folder.path().join("handler");
    // A file for each: commands of a pipe run at once. The handler has a process of its own.
    let ran = folder.path().join("ran");
    std::fs::create_dir(&ran).unwrap();
    let source = format!(
        "exec 9>&1\ncommand_not_found_handle() {{ printf '%s\\0' \"$@\" > '{}'/\"$BASHPID\"; }}\n",
        ran.display()
    );
    std::fs::write(&handler, source).unwrap();
    let work = tempfile::tempdir().unwrap();
    // Looked up here: the PATH that is set below would be looked in.
    let path = std::env::var_os("PATH").unwrap();
    let bash = std::env::split_paths(&path).map(|folder| folder.join("bash")).find(|bash| bash.exists());
    // To its end: until the last of its processes has closed its output.
    Process::new(bash.expect("bash is installed"))
        .args(["-c", text])
        .env_clear()
        .env("PATH", "/nowhere")
        .env("LC_ALL", "C.UTF-8")
        .env("BASH_ENV", &handler)
        .current_dir(work.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0, "{text:?} writes no file");
    let commands = std::fs::read_dir(&ran).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    commands.map(|command| command.split_terminator('\0').map(str::to_owned).collect()).collect()
}

/// What some shell does not take for a program, where one would stand.
const KEYWORDS: &[&str] = &[
    "!",
    "-",
    "[[",
    "always",
    "case",
    "coproc",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "esac",
    "fi",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "nocorrect",
    "noglob",
    "repeat",
    "select",
    "then",
    "time",
    "until",
    "while",
    "{",
    "}",
    "]]",
    "((",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[cfg(target_os = "linux")]
    #[test]
    fn bash_runs_nothing_but_the_simple_commands(text in scripts()) {
        if let Some(simple) = Command::from_text(text.as_str()).simple_commands() {
            for ran in run_by_bash(&text) {
                prop_assert!(simple.iter().any(|command| command.argv == ran), "{text:?} runs {ran:?}, not in {simple:?}");
            }
        }
    }

    #[test]
    fn words_that_the_server_joins_are_read_back(argv in prop::collection::vec("[^\0]{0,8}", 1..5)) {
        prop_assume!(!argv[0].is_empty());
        let joined = shlex::try_join(argv.iter().map(String::as_str)).unwrap();
        let command = Command::from_text(joined.as_str());
        if let Some(read) = command.argv() {
            prop_assert_eq!(read, &argv[..]);
            prop_assert_eq!(shell_words::split(&joined).unwrap(), argv);
        } else {
            // Only keywords, assignments, and what some shell reads otherwise is left.
            let is_odd = |word: &String| word.contains('}') || word.starts_with('=');
            let program = argv[0].as_str();
            let is_first = program == "-" || program.contains('=') || KEYWORDS.contains(&program);
            prop_assert!(is_first || argv.iter().any(is_odd), "{}", joined);
        }
    }

    #[test]
    fn taking_apart_never_panics(text in any::<String>()) {
        let command = Command::from_text(text.as_str());
        prop_assert!(command.simple_commands().is_none_or(|commands| commands.iter().all(|one| !one.argv.is_empty())));
        command.possible_commands();
    }

    #[test]
    fn a_simple_command_is_a_possible_one(text in scripts()) {
        let command = Command::from_text(text.as_str());
        let possible = command.possible_commands();
        for simple in command.simple_commands().unwrap_or_default() {
            prop_assert!(possible.contains(&simple.argv));
        }
    }

    #[test]
    fn a_rule_of_lower_priority_changes_no_decision(rules in prop::collection::vec(rules(), 1..6), text in commands(), extra in rules()) {
        let request = script(&text);
        if let Some(verdict) = build(&rules).decide(&request) {
            let mut more = rules;
            more.push(extra.priority(-4));
            prop_assert_eq!(build(&more).decide(&request), Some(verdict));
        }
    }

    #[test]
    fn the_first_of_the_highest_priority_decides(rules in prop::collection::vec(rules(), 1..6), priorities in prop::collection::vec(-2..3_i64, 6), text in commands()) {
        let request = script(&text);
        let rules: Vec<_> = rules.into_iter().zip(&priorities).map(|(rule, priority)| rule.priority(*priority)).collect();
        let alone = |index: usize| build(&rules[index..=index]).decide(&request).is_some();
        let expected = (0..rules.len()).filter(|index| alone(*index)).min_by_key(|index| (-priorities[*index], *index));
        let found = build(&rules).decide(&request).map(|verdict| verdict.rule.unwrap().index);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_command_with_a_part_that_no_rule_allows_is_never_allowed(
        rules in prop::collection::vec(rules(), 0..6), text in commands(), operator in select(&["; ", " && ", " || ", " | ", " & ", "\n"][..])
    ) {
        for text in [format!("{text}{operator}danger"), format!("danger{operator}{text}")] {
            let verdict = build(&rules).decide(&script(&text));
            prop_assert!(verdict.is_none_or(|verdict| !verdict.action.permits()), "{text}");
        }
    }

    #[test]
    fn an_answer_never_permits_more_than_was_decided(decision in decisions(), offered in prop::option::of(prop::collection::vec(decisions(), 0..4)), human in any::<bool>()) {
        let mut members = json!({"kind": if human { "humanCommand" } else { "command" }, "command": "ls"});
        if let Some(offered) = &offered {
            members["availableDecisions"] = offered.iter().map(on_the_wire).collect();
        }
        let params: CommandExecutionRequestApprovalParams = params(&members);
        let answer = params.answer(&decision);
        prop_assert!(answer.decision.extent() <= decision.extent());
        prop_assert_eq!(answer.substitution.is_some(), answer.decision != decision);
        if let Some(offered) = offered {
            prop_assert!(!answer.decision.permits() || offered.contains(&answer.decision));
        }
        let sent = serde_json::to_value(&answer.response).unwrap();
        prop_assert_eq!(&sent["decision"], &on_the_wire(&answer.decision));
        let file = FileChangeRequestApprovalParams::new("thread", "turn", "item", 0).answer(&decision);
        prop_assert!(file.decision.extent() <= decision.extent());
    }

    #[test]
    fn a_path_within_a_folder_is_matched_by_its_names_alone(parts in prop::collection::vec(select(&["a", "b", "..", ".", "src"][..]), 0..6)) {
        let mut path = "/workspace/src".to_owned();
        let mut stack = vec!["workspace", "src"];
        for part in &parts {
            write!(path, "/{part}").unwrap();
            match *part {
                ".." => { stack.pop(); }
                "." => {}
                part => stack.push(part),
            }
        }
        let expected = stack.starts_with(&["workspace", "src"]);
        prop_assert_eq!(super::matches(Rule::allow().path("src"), &super::changes(&[&path])), expected);
    }
}

fn decisions() -> impl Strategy<Value = Decision> {
    let network = |action| Decision::NetworkPolicy(NetworkPolicyAmendment::new("example.com", action));
    select(vec![
        Decision::Allow,
        Decision::AllowForSession,
        Decision::AllowWithExecPolicy(vec!["ls".to_owned()]),
        Decision::AllowWithExecPolicy(vec!["rm".to_owned()]),
        network(NetworkPolicyRuleAction::Allow),
        network(NetworkPolicyRuleAction::Deny),
        Decision::Deny,
        Decision::Cancel,
    ])
}

fn on_the_wire(decision: &Decision) -> serde_json::Value {
    match decision {
        Decision::Allow => json!("accept"),
        Decision::AllowForSession => json!("acceptForSession"),
        Decision::Deny => json!("decline"),
        Decision::Cancel => json!("cancel"),
        Decision::AllowWithExecPolicy(words) => {
            json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}})
        }
        Decision::NetworkPolicy(rule) => json!({"applyNetworkPolicyAmendment": {"network_policy_amendment": rule}}),
        other => panic!("{other:?}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn bash_agrees_on_a_command_that_is_known() {
    let ran = run_by_bash("a 'b c' 2>&1 && é \"x\" >/dev/null | b &");
    let mut ran: Vec<_> = ran.iter().map(|words| words.join(",")).collect();
    ran.sort();
    assert_eq!(ran, ["a,b c", "b", "é,x"]);
    assert!(raw("a").command.is_some());
}
