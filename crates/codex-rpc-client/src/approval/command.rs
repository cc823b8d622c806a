//! A command line, taken apart.

use super::{scan, shell};

/// A command that the server asks about.
///
/// The server sends its words joined to one text, as a rule `/bin/bash -lc 'SCRIPT'`. The
/// script is taken apart into simple commands where that is certain: words, quotes,
/// `&&`, `||`, `|`, `;`, `&`, new lines, redirections of `/dev/null` and of open
/// descriptors (`2>&1`), and shells called with a script in turn. Substitutions,
/// expansions, patterns, other redirections, here-documents, comments, assignments and
/// control structures are not taken apart.
///
/// A shell is looked into if it is `bash`, `dash`, `ksh`, `sh` or `zsh`, called by its
/// name or out of a folder of the system: `./bash` may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    text: String,
    script: Option<String>,
    argv: Option<Vec<String>>,
    simple: Option<Vec<SimpleCommand>>,
}

/// A program with its arguments, without operators around it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleCommand {
    /// The text as it stands in the script, without blanks around it.
    pub text: String,
    /// The words, without their quotes. There is at least one.
    pub argv: Vec<String>,
    /// Whether there is a redirection beside the words.
    pub(super) redirected: bool,
}

impl Command {
    /// A command from the text that the server sends.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let argv = match shell::simple_commands(&text).as_deref() {
            // With a redirection it is no longer words alone that the server joined.
            Some([only]) if !only.redirected => Some(only.argv.clone()),
            _ => None,
        };
        let script = argv.as_deref().and_then(shell::script_of).map(str::to_owned);
        let simple = shell::split(&text);
        Self { text, script, argv, simple }
    }

    /// A command from its words, as `execCommandApproval` sends it.
    pub fn from_argv(argv: Vec<String>) -> Self {
        let script = shell::script_of(&argv).map(str::to_owned);
        Self { text: shell::join(&argv), script, simple: shell::split_argv(&argv), argv: Some(argv) }
    }

    /// The text as the server sent it, the shell included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the agent wants to run: the shell's script, or the text if no shell is looked
    /// into. This is what a person should be shown.
    pub fn script(&self) -> &str {
        self.script.as_deref().unwrap_or(&self.text)
    }

    /// The words that are executed, the shell included; none if they can't be told.
    pub fn argv(&self) -> Option<&[String]> {
        self.argv.as_deref()
    }

    /// Every simple command that runs; none if that can't be told for certain. Never
    /// empty.
    pub fn simple_commands(&self) -> Option<&[SimpleCommand]> {
        self.simple.as_deref()
    }

    /// The words of everything that may run, for a rule that restricts: the simple
    /// commands, what programs like `sudo` and `env` are told to run, and, where the
    /// command can't be taken apart, all that looks like a command.
    ///
    /// It is a net, not a wall: an agent that wants to hide a command can.
    pub fn possible_commands(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        match &self.simple {
            Some(simple) => {
                for command in simple {
                    scan::of_words(&command.argv, &mut found);
                }
            }
            None => scan::of_text(self.script(), &mut found),
        }
        found
    }
}
