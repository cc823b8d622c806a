//! What a command might run, for rules that restrict.
//!
//! The counterpart of [`shell`](super::shell): where that says "can't tell", this names all
//! that looks like a command, rather too much than too little.

use super::shell::{file_name, is_assignment, is_reserved, is_shell};

/// Programs that run the words that follow as a command.
const WRAPPERS: [&str; 24] = [
    "builtin",
    "caffeinate",
    "chroot",
    "command",
    "doas",
    "env",
    "eval",
    "exec",
    "find",
    "flock",
    "ionice",
    "nice",
    "nohup",
    "parallel",
    "setsid",
    "ssh",
    "stdbuf",
    "su",
    "sudo",
    "systemd-run",
    "timeout",
    "watch",
    "xargs",
    "script",
];

/// Everything that the words of one command may run: itself, and what a program it calls
/// to run something else is told to run.
pub(super) fn of_words(argv: &[String], found: &mut Vec<Vec<String>>) {
    let Some(program) = argv.first() else { return };
    found.push(argv.to_vec());
    if WRAPPERS.contains(&file_name(program)) {
        found.extend((1..argv.len()).map(|from| argv[from..].to_vec()));
    }
    if argv.iter().any(|word| is_shell(word) || file_name(word) == "eval") {
        of_text(&argv.join(" "), found);
    }
}

/// Everything in a text that looks like a command, quotes or not.
pub(super) fn of_text(text: &str, found: &mut Vec<Vec<String>>) {
    for piece in text.split([';', '&', '|', '\n', '\r', '(', ')', '{', '}', '`', '$']) {
        let redirected = piece.contains(['<', '>']);
        let piece = piece.replace(['\'', '"', '\\'], "").replace(['<', '>'], " ");
        let words: Vec<String> = piece.split_whitespace().map(str::to_owned).collect();
        let first = words.iter().position(|word| !is_reserved(word) && !is_assignment(word)).unwrap_or(words.len());
        let words = &words[first..];
        let Some(program) = words.first() else { continue };
        let is_wrapper = WRAPPERS.contains(&file_name(program)) || is_shell(program);
        // The word after a redirection is a file, the one after that may be a program.
        let last = if redirected || is_wrapper { words.len() } else { 1 };
        found.extend((0..last).map(|from| words[from..].to_vec()));
    }
}
