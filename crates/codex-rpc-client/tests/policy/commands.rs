//! Commands taken apart, and rules over them.

use codex_rpc_client::approval::Command;
use codex_rpc_client::policy::Rule;

use super::{matches, raw, script};

fn ls() -> Rule {
    Rule::allow().program("ls")
}

fn no_rm() -> Rule {
    Rule::deny().program("rm")
}

/// The words of each simple command of a script.
fn words(text: &str) -> Option<Vec<Vec<String>>> {
    let command = script(text).command.unwrap();
    assert_eq!(command.script(), text);
    command.simple_commands().map(|commands| commands.iter().map(|command| command.argv.clone()).collect())
}

#[test]
fn scripts_are_taken_apart_into_simple_commands() {
    let table: [(&str, &[&[&str]]); 16] = [
        ("ls", &[&["ls"]]),
        ("  ls   -l\t-a ", &[&["ls", "-l", "-a"]]),
        ("ls; rm -rf /", &[&["ls"], &["rm", "-rf", "/"]]),
        ("a && b || c | d & e\nf", &[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"]]),
        ("a &&\n\n b;\n", &[&["a"], &["b"]]),
        ("a &", &[&["a"]]),
        ("echo 'a; b' \"c && d\" e\\;f", &[&["echo", "a; b", "c && d", "e;f"]]),
        ("echo 'it'\"'\"'s' ''", &[&["echo", "it's", ""]]),
        (r#"echo "\$x \\ \" \a""#, &[&["echo", r#"$x \ " \a"#]]),
        ("echo 'two\nlines'", &[&["echo", "two\nlines"]]),
        ("git show HEAD~1 HEAD^ a@b c:d,e+f%g", &[&["git", "show", "HEAD~1", "HEAD^", "a@b", "c:d,e+f%g"]]),
        ("echo grüße 日本", &[&["echo", "grüße", "日本"]]),
        ("cargo test 2>&1 | tail -n 5 2>/dev/null >/dev/null", &[&["cargo", "test"], &["tail", "-n", "5"]]),
        ("a </dev/null >> /dev/null", &[&["a"]]),
        ("bash -c 'a; sh -c \"b && c\"'; d", &[&["a"], &["b"], &["c"], &["d"]]),
        ("a b#c d=e", &[&["a", "b#c", "d=e"]]),
    ];
    for (text, expected) in table {
        let found = words(text).unwrap_or_else(|| panic!("{text} can be taken apart"));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn what_a_shell_would_expand_or_redirect_is_not_taken_apart() {
    let table = [
        "",
        " ",
        "\n",
        "ls $(rm x)",
        "ls `rm x`",
        "ls $HOME",
        "ls \"$x\"",
        "ls \"`x`\"",
        "ls ${x}",
        "ls $'\\x72'",
        "ls *",
        "ls ?",
        "ls [ab]",
        "ls {a,b}",
        "ls ~",
        "ls a=~",
        "=ls",
        "ls =x",
        "ls # x",
        "(ls)",
        "{ ls; }",
        "! ls",
        "if ls; then rm x; fi",
        "for x in a; do ls; done",
        "while ls; do rm; done",
        "[[ ls ]]",
        "time ls",
        "X=1 ls",
        "PATH+=. ls",
        "a[0]=1 ls",
        "X=1",
        "ls > file",
        "ls >> file",
        "ls 2>file",
        "ls < file",
        "ls <<EOF\nx\nEOF",
        "ls <<< x",
        "ls &> /dev/null",
        "ls >& file",
        "ls >&2x",
        "ls > /dev/nullx",
        "ls > /dev/null/../x",
        "ls >/dev/null\"x\"",
        "ls '2'>&3x",
        ">/dev/null",
        "ls >| /dev/null x$",
        "ls 'open",
        "ls \"open",
        "ls \\",
        "ls \\\nrm",
        "ls |& rm",
        "ls &&",
        "ls |",
        "&& ls",
        "; ls",
        "ls ;; rm",
        "ls & & rm",
        "ls &&& rm",
        "''",
        "'' ls",
        "f() { rm; }; ls",
        "function ls { rm; }; ls",
        "ls\u{a0}rm",
        "ls\rrm",
        "ls\u{7}",
        "ls 'a\0b'",
        "- ls",
        "ls \"a\\\nb\"",
    ];
    for text in table {
        assert_eq!(Command::from_text(text).simple_commands(), None, "{text:?}");
    }
}

#[test]
fn a_rule_that_allows_covers_every_simple_command() {
    let allowed = ["ls", "/bin/ls -l", "/usr/bin/ls", "ls; ls -a | ls", "ls 2>&1", "sh -c ls", "'ls'", "l\\s"];
    for text in allowed {
        assert!(matches(ls(), &script(text)), "{text}");
    }
    let not_allowed = [
        "ls; rm -rf /",
        "ls && rm x",
        "ls || rm x",
        "ls | sh",
        "ls & rm x",
        "ls\nrm x",
        "rm x; ls",
        "ls $(rm x)",
        "ls `rm x`",
        "ls > file",
        "ls <<EOF\n$(rm x)\nEOF",
        "env X=1 rm",
        "X=1 ls",
        "LD_PRELOAD=x ls",
        "./ls",
        "bin/ls",
        "../ls",
        "/tmp/ls",
        "/workspace/ls",
        "/bin/../tmp/ls",
        "LS",
        "lsx",
        "ｌs",
        "sudo ls",
        "env ls",
        "bash -c 'ls; rm x'",
        "./bash -c ls",
        "bash -c ls x",
        "eval ls",
        "echo ls",
        "",
        "bash -c '-c' ls",
    ];
    for text in not_allowed {
        assert!(!matches(ls(), &script(text)), "{text}");
    }
}

#[test]
fn the_shell_around_a_script_is_looked_into_only_if_it_is_the_systems() {
    for shell in ["bash", "/bin/bash", "/usr/bin/zsh", "/nix/store/abc-bash-5.2/bin/bash", "/usr/local/bin/dash"] {
        assert!(matches(ls(), &raw(&format!("{shell} -lc ls"))), "{shell}");
    }
    for shell in [
        "./bash",
        "/tmp/bash",
        "/workspace/bin/sh",
        "/nix/store/../bin/bash",
        "/nix/store/a/b/bin/sh",
        "fish",
        "python3",
        "bash.exe",
    ] {
        assert!(!matches(ls(), &raw(&format!("{shell} -c ls"))), "{shell}");
    }
    // Without a shell around it, too.
    assert!(matches(ls(), &raw("ls -l")));
    assert!(!matches(ls(), &raw("ls; rm x")));
    assert!(!matches(ls(), &raw("bash -lc 'ls | sh'")));
    assert!(!matches(ls(), &raw("sh -c \"$(x)\"")));
    assert!(!matches(ls(), &raw("sh -c \"ls\" > x")));
}

#[test]
fn a_rule_that_restricts_finds_a_command_in_any_part() {
    let denied = [
        "rm x",
        "/bin/rm x",
        "./rm x",
        "ls; rm x",
        "ls && rm x",
        "ls | xargs rm",
        "ls & rm",
        "ls\nrm x",
        "ls $(rm x)",
        "`rm x`",
        "(rm x)",
        "{ rm x; }",
        "if true; then rm x; fi",
        "! rm x",
        "X=1 rm x",
        "env X=1 rm x",
        "sudo -u root rm x",
        "r''m x",
        "r\\m x",
        "'rm' x",
        "\"rm\" $x",
        "bash -c 'rm x'",
        "bash -c 'rm $x'",
        "./bash -c 'rm x'",
        "eval 'rm x'",
        "eval rm x",
        ">file rm x",
        "rm>file",
        "rm${IFS}x",
        "cat <<EOF\n$(rm x)\nEOF",
        "find . -exec rm {} \\;",
        "bash -x -c 'rm x'",
        "timeout 5 rm x",
        "nohup sh -c 'rm x' &",
        "while rm x; do :; done",
        "f() { rm x; }; f",
    ];
    for text in denied {
        assert!(matches(no_rm(), &script(text)), "{text}");
    }
    for text in ["ls", "echo rm", "echo 'ls; rm x'", "git rm x", "rmdir x", "cat rm", "ls; echo rm", "echo $HOME rm"] {
        assert!(!matches(no_rm(), &script(text)), "{text}");
    }
}

#[test]
fn a_prefix_is_compared_word_by_word() {
    let status = || Rule::allow().argv_prefix(["git", "status"]);
    for text in ["git status", "git status -s", "/usr/bin/git 'status'", "git status && git status"] {
        assert!(matches(status(), &script(text)), "{text}");
    }
    for text in ["git", "git statusx", "git -c core.pager=x status", "git 'status x'", "git status; git push", "status"]
    {
        assert!(!matches(status(), &script(text)), "{text}");
    }
    // Programs and prefixes are one list.
    let either = || status().program("cat");
    assert!(matches(either(), &script("git status | cat")));
    assert!(!matches(either(), &script("git log | cat")));
}

#[test]
fn a_program_with_a_path_is_that_path() {
    let wrapper = || Rule::allow().program("./gradlew");
    assert!(matches(wrapper(), &script("./gradlew test")));
    for text in ["gradlew test", "sub/../gradlew", "/workspace/gradlew", ".//gradlew"] {
        assert!(!matches(wrapper(), &script(text)), "{text}");
    }
    let denied = || Rule::deny().program("/usr/bin/git");
    for text in ["/usr/bin/git push", "git push", "./git"] {
        assert!(matches(denied(), &script(text)), "{text}");
    }
}

#[test]
fn a_regular_expression_that_allows_matches_each_command_as_a_whole() {
    let log = || Rule::allow().regex("git (log|diff)( .*)?");
    for text in ["git log", "git log -n 1", "git log | git diff", "git log 'a; b'"] {
        assert!(matches(log(), &script(text)), "{text}");
    }
    for text in
        ["git log; rm x", "git log\nrm x", "git log $(rm x)", "git log > x", "x git log", "git logx", "rm x | git log"]
    {
        assert!(!matches(log(), &script(text)), "{text}");
    }
    let whole = || Rule::allow().whole_regex(r"cd [a-z]+ && echo \$HOME");
    assert!(matches(whole(), &script("cd src && echo $HOME")));
    assert!(!matches(whole(), &script("cd src && echo $HOME; rm x")));
    assert!(!matches(whole(), &script("x\ncd src && echo $HOME")));
    assert!(!matches(Rule::allow().whole_regex("a|ab"), &script("abc")));
    assert!(matches(Rule::allow().whole_regex("a|ab"), &script("ab")));
}

#[test]
fn a_regular_expression_that_restricts_is_found_anywhere() {
    for text in ["git push", "ls; git push --force", "ls $(git push)", "echo 'git push'"] {
        assert!(matches(Rule::deny().regex("git push"), &script(text)), "{text}");
        assert!(matches(Rule::ask().whole_regex("git push"), &script(text)), "{text}");
    }
    assert!(!matches(Rule::deny().regex("^git push$"), &script("ls $(git push)")));
    assert!(matches(Rule::deny().regex("^git push$"), &script("ls; git push")));
}

#[test]
fn words_that_run_without_a_shell_mean_themselves() {
    let command = Command::from_argv(["ls", "a; b", "$x"].map(str::to_owned).to_vec());
    assert_eq!(command.text(), "ls 'a; b' '$x'");
    assert_eq!(command.simple_commands().unwrap()[0].argv, ["ls", "a; b", "$x"]);
    let wrapped = Command::from_argv(["bash", "-lc", "ls; pwd"].map(str::to_owned).to_vec());
    assert_eq!((wrapped.script(), wrapped.simple_commands().unwrap().len()), ("ls; pwd", 2));
    assert_eq!(Command::from_argv(Vec::new()).simple_commands(), None);
    assert_eq!(Command::from_argv(vec![String::new()]).simple_commands(), None);
}

#[test]
fn the_executed_words_are_told_apart_from_the_script() {
    let command = script("ls; pwd").command.unwrap();
    assert_eq!(command.text(), "/bin/bash -lc 'ls; pwd'");
    assert_eq!(command.argv().unwrap(), ["/bin/bash", "-lc", "ls; pwd"]);
    assert_eq!(Command::from_text("ls; pwd").argv(), None);
}
