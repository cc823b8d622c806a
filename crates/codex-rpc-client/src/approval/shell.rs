//! Takes a shell script apart into simple commands, or says that it can't.
//!
//! Only what means the same in every shell of [`SHELLS`] is read; everything that a shell
//! would expand, substitute, redirect or branch on makes the answer "can't tell". So an
//! answer is never wrong, only sometimes missing.

use super::command::SimpleCommand;

/// Shells whose `-c` script is looked into.
const SHELLS: [&str; 5] = ["bash", "dash", "ksh", "sh", "zsh"];

/// Folders that an agent can't put a program of its own into.
const SYSTEM_FOLDERS: [&str; 8] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/run/current-system/sw/bin",
];

/// Words that are no program when they stand first, in any of the shells.
const RESERVED: [&str; 30] = [
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

/// How deep a script in a script is looked into.
const DEPTH: usize = 4;

/// Whether a word that stands first is no program.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Whether a word that stands first sets a variable.
pub(super) fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.split('[').next().unwrap_or_default().trim_end_matches('+');
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a word calls one of the shells, wherever it is.
pub(super) fn is_shell(word: &str) -> bool {
    SHELLS.contains(&file_name(word))
}

/// The last part of a path.
pub(crate) fn file_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The name of a program that is called by its name alone or out of a system folder.
///
/// A path elsewhere may be a file that the agent wrote: it says nothing about what runs.
pub(crate) fn system_name(word: &str) -> Option<&str> {
    match word.rsplit_once('/') {
        None => Some(word),
        Some((folder, name)) => (SYSTEM_FOLDERS.contains(&folder) || is_store(folder)).then_some(name),
    }
}

/// Whether a folder is one of a package in a Nix store.
fn is_store(folder: &str) -> bool {
    folder
        .strip_prefix("/nix/store/")
        .and_then(|rest| rest.strip_suffix("/bin"))
        .is_some_and(|package| !package.is_empty() && package != ".." && !package.contains('/'))
}

/// The script that a shell is called with: `bash -lc SCRIPT` and nothing more.
pub(super) fn script_of(argv: &[String]) -> Option<&str> {
    let (program, rest) = argv.split_first()?;
    let script = match rest {
        [flag, script] if ["-c", "-lc", "-cl"].contains(&flag.as_str()) => script,
        [login, flag, script] if ["-l", "--login"].contains(&login.as_str()) && flag == "-c" => script,
        _ => return None,
    };
    let trusted = system_name(program).is_some_and(|name| SHELLS.contains(&name));
    // Such a word is an option, not the script.
    (trusted && !script.starts_with(['-', '+'])).then_some(script)
}

/// All simple commands of a script, those of scripts within it included; none if it can't
/// be told for certain.
pub(super) fn split(script: &str) -> Option<Vec<SimpleCommand>> {
    let mut found = Vec::new();
    flatten(script, DEPTH, &mut found)?;
    Some(found)
}

/// The same for the words of a program that is started without a shell.
pub(super) fn split_argv(argv: &[String]) -> Option<Vec<SimpleCommand>> {
    if argv.first().is_none_or(String::is_empty) {
        return None;
    }
    match script_of(argv) {
        Some(script) => split(script),
        None => Some(vec![SimpleCommand { text: join(argv), argv: argv.to_vec(), redirected: false }]),
    }
}

fn flatten(script: &str, depth: usize, found: &mut Vec<SimpleCommand>) -> Option<()> {
    for command in simple_commands(script)? {
        match script_of(&command.argv) {
            Some(inner) => flatten(inner, depth.checked_sub(1)?, found)?,
            None => found.push(command),
        }
    }
    Some(())
}

/// The simple commands of a script, without a look into shells they call.
pub(super) fn simple_commands(script: &str) -> Option<Vec<SimpleCommand>> {
    let mut splitter = Splitter {
        script,
        at: 0,
        start: 0,
        word: None,
        quoted: false,
        argv: Vec::new(),
        redirected: false,
        found: Vec::new(),
    };
    splitter.run()?;
    (!splitter.found.is_empty()).then_some(splitter.found)
}

/// Words as a shell would need them written.
pub(super) fn join(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=/,.+:@%".contains(c);
    let quote = |word: &String| match word.as_str() {
        word if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    };
    argv.iter().map(quote).collect::<Vec<_>>().join(" ")
}

struct Splitter<'a> {
    script: &'a str,
    /// Where the next character is.
    at: usize,
    /// Where the command began.
    start: usize,
    word: Option<String>,
    /// Whether a part of the word was quoted.
    quoted: bool,
    argv: Vec<String>,
    redirected: bool,
    found: Vec<SimpleCommand>,
}

impl Splitter<'_> {
    fn run(&mut self) -> Option<()> {
        // Whether a command must still follow.
        let mut open = false;
        loop {
            let before = self.at;
            let Some(c) = self.next() else { break };
            match c {
                ' ' | '\t' => self.end_word(),
                '\n' => {
                    if self.end_command(before)? {
                        open = false;
                    }
                }
                ';' | '&' | '|' => {
                    let doubled = c != ';' && self.skip(c);
                    if !self.end_command(before)? || (c == '|' && self.peek() == Some('&')) {
                        return None;
                    }
                    open = c == '|' || doubled;
                }
                '\'' => self.single_quoted()?,
                '"' => self.double_quoted()?,
                '\\' => {
                    let escaped = self.next().filter(|c| !c.is_control())?;
                    self.push(escaped, true);
                }
                '<' | '>' => self.redirection(c)?,
                '$' | '`' | '(' | ')' | '{' | '}' | '*' | '?' | '[' => return None,
                '~' | '=' | '#' if self.word.is_none() => return None,
                '~' if self.word.as_ref().is_some_and(|word| word.ends_with(['=', ':'])) => return None,
                c if c.is_control() || c.is_whitespace() => return None,
                c => self.push(c, false),
            }
        }
        let ended = self.end_command(self.at)?;
        (ended || !open).then_some(())
    }

    fn peek(&self) -> Option<char> {
        self.script[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn push(&mut self, c: char, quoted: bool) {
        self.word.get_or_insert_default().push(c);
        self.quoted |= quoted;
    }

    fn single_quoted(&mut self) -> Option<()> {
        let length = self.script[self.at..].find('\'')?;
        let text = &self.script[self.at..self.at + length];
        self.at += length + 1;
        self.quote(text)
    }

    fn double_quoted(&mut self) -> Option<()> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return self.quote(&text),
                '$' | '`' => return None,
                '\\' => match self.next()? {
                    '\n' => return None,
                    c @ ('$' | '`' | '"' | '\\') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                c => text.push(c),
            }
        }
    }

    fn quote(&mut self, text: &str) -> Option<()> {
        self.word.get_or_insert_default().push_str(text);
        self.quoted = true;
        (!text.contains('\0')).then_some(())
    }

    /// Redirections that write and read nothing: to a descriptor that is open, or of
    /// `/dev/null`.
    fn redirection(&mut self, direction: char) -> Option<()> {
        // Some shells read more digits as a word.
        let descriptor = |word: &str| word.len() == 1 && word.as_bytes()[0].is_ascii_digit();
        if !self.quoted && self.word.as_deref().is_some_and(descriptor) {
            self.word = None;
        }
        self.end_word();
        self.redirected = true;
        let target = if direction == '>' && self.skip('&') {
            self.peek().filter(char::is_ascii_digit)?.len_utf8()
        } else {
            if direction == '>' {
                self.skip('>');
            }
            while self.skip(' ') || self.skip('\t') {}
            self.script[self.at..].starts_with("/dev/null").then_some("/dev/null".len())?
        };
        self.at += target;
        matches!(self.peek(), None | Some(' ' | '\t' | '\n' | ';' | '&' | '|')).then_some(())
    }

    fn end_word(&mut self) {
        self.argv.extend(self.word.take());
        self.quoted = false;
    }

    /// Whether there was a command; none if it is not a simple one.
    fn end_command(&mut self, end: usize) -> Option<bool> {
        self.end_word();
        let text = self.script[self.start..end].trim();
        self.start = self.at;
        if text.is_empty() {
            return Some(false);
        }
        let argv = std::mem::take(&mut self.argv);
        let program = argv.first().filter(|word| !word.is_empty())?;
        if is_reserved(program) || is_assignment(program) {
            return None;
        }
        let redirected = std::mem::take(&mut self.redirected);
        self.found.push(SimpleCommand { text: text.to_owned(), argv, redirected });
        Some(true)
    }
}
