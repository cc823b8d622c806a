//! Rules as they are written.

use super::Action;
use crate::approval::RequestKind;

/// A kind of permission, for [`Rule::permission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PermissionKind {
    /// To use the network: `network` in a file.
    Network,
    /// To read files: `read` in a file.
    Read,
    /// To write files: `write` in a file.
    Write,
}

/// A rule of a policy: what it matches, and what is done then.
///
/// A rule matches when all its matchers do. A matcher that is given several times, or as a
/// list, matches with any of its values. A rule has at least one matcher.
///
/// Rules that allow are held to more than rules that restrict (deny, cancel, ask):
///
/// - one that **allows** matches only if *everything* that is asked for is covered: every
///   simple command, every changed file, every permission. What can't be told for certain
///   is not covered.
/// - one that **restricts** matches if *anything* is covered, or can't be ruled out.
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing until it is part of a policy"]
pub struct Rule {
    pub(super) name: Option<String>,
    pub(super) priority: i64,
    pub(super) action: Action,
    pub(super) reason: Option<String>,
    pub(super) amend: bool,
    pub(super) kinds: Vec<RequestKind>,
    pub(super) prefixes: Vec<Vec<String>>,
    pub(super) regexes: Vec<String>,
    pub(super) whole_regexes: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) cwds: Vec<String>,
    pub(super) threads: Vec<String>,
    pub(super) permissions: Vec<PermissionKind>,
    pub(super) hosts: Vec<String>,
    pub(super) tools: Vec<String>,
}

impl Rule {
    /// A rule with an action and without matchers.
    pub fn new(action: Action) -> Self {
        Self {
            name: None,
            priority: 0,
            action,
            reason: None,
            amend: false,
            kinds: Vec::new(),
            prefixes: Vec::new(),
            regexes: Vec::new(),
            whole_regexes: Vec::new(),
            paths: Vec::new(),
            cwds: Vec::new(),
            threads: Vec::new(),
            permissions: Vec::new(),
            hosts: Vec::new(),
            tools: Vec::new(),
        }
    }

    /// A rule that allows once.
    pub fn allow() -> Self {
        Self::new(Action::Allow)
    }

    /// A rule that allows until the session ends.
    pub fn allow_for_session() -> Self {
        Self::new(Action::AllowForSession)
    }

    /// A rule that refuses; the turn goes on.
    pub fn deny() -> Self {
        Self::new(Action::Deny)
    }

    /// A rule that refuses and interrupts the turn.
    pub fn cancel() -> Self {
        Self::new(Action::Cancel)
    }

    /// A rule that leaves it to a person or a judge.
    pub fn ask() -> Self {
        Self::new(Action::Ask)
    }

    /// What the rule is called in verdicts, audit logs and errors. No two rules of a policy
    /// have the same name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Rules of higher priority are tried first, those of the same in the order they are
    /// given. The default is 0.
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }

    /// Why, for the verdict and the audit log.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Takes the amendment that the server offers, so that it does not ask again: for a
    /// command, words that all commands to be run unasked begin with; for a host, a lasting
    /// rule.
    ///
    /// An amendment is taken only if the rule itself covers it, and what the server keeps
    /// knows no threads and folders: so the rule needs [`program`](Self::program),
    /// [`argv_prefix`](Self::argv_prefix) or [`host`](Self::host), and can have no other
    /// matchers but kinds. A rule that denies can only take one for a host.
    pub fn amend(mut self) -> Self {
        self.amend = true;
        self
    }

    /// Matches requests of a kind.
    pub fn kind(mut self, kind: RequestKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Matches commands by their program: `argv_prefix` with one word.
    pub fn program(self, program: impl Into<String>) -> Self {
        self.argv_prefix([program])
    }

    /// Matches commands that begin with these words. Other words may follow, so allow no
    /// program that runs what it is told to (`env`, `find`, `xargs`) or that has an option
    /// to do so.
    ///
    /// The first word is the program. For a rule that allows, a name (`ls`) is that program
    /// called by its name or out of a folder of the system (`/bin/ls`), not `./ls`; a path
    /// is exactly that path. For a rule that restricts, the file name counts. Programs and
    /// prefixes of one rule are one list: each simple command must be covered by any of
    /// them.
    pub fn argv_prefix<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.prefixes.push(words.into_iter().map(Into::into).collect());
        self
    }

    /// Matches commands by a regular expression over the text of each simple command.
    ///
    /// A rule that allows matches if the command can be taken apart and each of its simple
    /// commands matches from its first to its last character, so `git log( .*)?` does not
    /// allow `git log; rm x`. A rule that restricts matches if the expression is found
    /// anywhere in the command.
    pub fn regex(mut self, regex: impl Into<String>) -> Self {
        self.regexes.push(regex.into());
        self
    }

    /// Matches commands by a regular expression over the whole
    /// [script](crate::approval::Command::script), operators and substitutions included.
    ///
    /// A rule that allows matches if all of the script does. A `.*` in it allows
    /// everything that a shell can do: write what may vary as narrowly as `[a-z]+`.
    pub fn whole_regex(mut self, regex: impl Into<String>) -> Self {
        self.whole_regexes.push(regex.into());
        self
    }

    /// Matches changed files, and files that permissions are asked for.
    ///
    /// A path is that file, or folder and all below it. With `*` (in one name), `?` (one
    /// character) or `**` (any folders) it is a pattern for the whole path. It is absolute,
    /// begins with `**/`, or is relative to the policy's
    /// [`root`](super::PolicyBuilder::root).
    ///
    /// Paths are compared by their text: a symbolic link below an allowed folder leads
    /// where it leads. Where a request does not say all its files, no rule that allows
    /// matches, and every rule that restricts does. The same goes for a permission for a
    /// folder in which something is restricted.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Matches the working folder of commands, as [`path`](Self::path) matches files.
    pub fn cwd(mut self, path: impl Into<String>) -> Self {
        self.cwds.push(path.into());
        self
    }

    /// Matches a thread.
    pub fn thread(mut self, id: impl Into<String>) -> Self {
        self.threads.push(id.into());
        self
    }

    /// Matches permissions that are asked for, for a turn or for a command.
    pub fn permission(mut self, permission: PermissionKind) -> Self {
        self.permissions.push(permission);
        self
    }

    /// Matches the host that a command wants to reach: `example.com`, or `*.example.com`
    /// for all below it.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Matches tools of MCP servers: `SERVER/TOOL`, or `SERVER` for all that it asks.
    pub fn tool(mut self, tool: impl Into<String>) -> Self {
        self.tools.push(tool.into());
        self
    }
}
