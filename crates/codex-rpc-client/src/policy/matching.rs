//! Whether a rule matches a request.

use std::path::Path;

use regex::Regex;

use super::pattern::{PathPattern, is_host, is_program, may_be_program};
use super::{Action, PermissionKind, Rule, RuleProblem, RuleRef};
use crate::approval::{ApprovalRequest, Decision, FileScope, Permission, RequestKind};
use codex_rpc::types::NetworkPolicyRuleAction;

/// A rule that is ready to match.
#[derive(Debug)]
pub(super) struct Matcher {
    pub rule: Rule,
    pub place: RuleRef,
    regexes: Vec<Expression>,
    whole_regexes: Vec<Expression>,
    paths: Vec<PathPattern>,
    cwds: Vec<PathPattern>,
}

#[derive(Debug)]
struct Expression {
    /// The text from its first to its last character.
    all: Regex,
    /// A part of it.
    part: Regex,
}

impl Expression {
    fn new(source: &String) -> Result<Self, RuleProblem> {
        let bad = |error| RuleProblem::Regex { regex: source.clone(), error };
        // By itself first: `a)|(b` is no expression.
        let part = Regex::new(source).map_err(bad)?;
        Ok(Self { all: Regex::new(&format!(r"\A(?:{source})\z")).map_err(bad)?, part })
    }
}

impl Matcher {
    pub(super) fn new(rule: Rule, place: RuleRef, root: Option<&Path>) -> Result<Self, RuleProblem> {
        let expressions = |sources: &[String]| sources.iter().map(Expression::new).collect::<Result<Vec<_>, _>>();
        let patterns =
            |texts: &[String]| texts.iter().map(|text| PathPattern::new(text, root)).collect::<Result<_, _>>();
        check(&rule)?;
        Ok(Self {
            regexes: expressions(&rule.regexes)?,
            whole_regexes: expressions(&rule.whole_regexes)?,
            paths: patterns(&rule.paths)?,
            cwds: patterns(&rule.cwds)?,
            rule,
            place,
        })
    }

    pub(super) fn matches(&self, request: &ApprovalRequest) -> bool {
        let rule = &self.rule;
        let selected = (rule.kinds.is_empty() || rule.kinds.contains(&request.kind))
            && (rule.threads.is_empty() || rule.threads.contains(&request.thread_id));
        selected && if rule.action.permits() { self.permits(request) } else { self.restricts(request) }
    }

    /// Whether everything that is asked for is covered.
    fn permits(&self, request: &ApprovalRequest) -> bool {
        let rule = &self.rule;
        let covers = |patterns: &[PathPattern], path: &Path| patterns.iter().any(|pattern| pattern.covers(path));
        can_be_permitted(request.kind)
            && (rule.hosts.is_empty() || self.reaches(request))
            && (rule.tools.is_empty() || self.calls(request))
            && (self.cwds.is_empty() || request.cwd.as_deref().is_some_and(|cwd| covers(&self.cwds, cwd)))
            && (!self.is_about_commands() || (request.kind == RequestKind::Command && self.permits_command(request)))
            && (rule.permissions.is_empty() || self.permits_permissions(request))
            && (self.paths.is_empty() || self.permits_paths(request))
    }

    fn is_about_commands(&self) -> bool {
        !(self.rule.prefixes.is_empty() && self.regexes.is_empty() && self.whole_regexes.is_empty())
    }

    fn permits_command(&self, request: &ApprovalRequest) -> bool {
        let Some(command) = &request.command else { return false };
        let all = |expressions: &[Expression], text: &str| expressions.iter().any(|one| one.all.is_match(text));
        if !self.whole_regexes.is_empty() && !all(&self.whole_regexes, command.script()) {
            return false;
        }
        if self.rule.prefixes.is_empty() && self.regexes.is_empty() {
            return true;
        }
        command.simple_commands().is_some_and(|commands| {
            commands.iter().all(|command| {
                (self.rule.prefixes.is_empty() || self.covers_words(&command.argv))
                    && (self.regexes.is_empty() || all(&self.regexes, &command.text))
            })
        })
    }

    /// Whether every command that begins with these words is covered.
    fn covers_words(&self, words: &[String]) -> bool {
        self.rule.prefixes.iter().any(|prefix| begins_with(words, prefix, is_program))
    }

    fn permits_permissions(&self, request: &ApprovalRequest) -> bool {
        let listed = |permission| kind_of(permission).is_some_and(|kind| self.rule.permissions.contains(&kind));
        !request.permissions.is_empty() && request.permissions.iter().all(listed)
    }

    fn permits_paths(&self, request: &ApprovalRequest) -> bool {
        let covered = |path: &Path| self.paths.iter().any(|pattern| pattern.covers(path));
        if request.kind == RequestKind::FileChange {
            return request.changed_paths_complete
                && !request.changed_paths.is_empty()
                && request.changed_paths.iter().all(|path| covered(path))
                && request.grant_root.as_deref().is_none_or(covered);
        }
        !request.permissions.is_empty()
            && request.permissions.iter().all(|permission| match permission {
                Permission::Read(FileScope::Path(path)) | Permission::Write(FileScope::Path(path)) => covered(path),
                // The rule must speak of it.
                Permission::Network => self.rule.permissions.contains(&PermissionKind::Network),
                _ => false,
            })
    }

    /// Whether anything that is asked for is covered, or can't be ruled out.
    fn restricts(&self, request: &ApprovalRequest) -> bool {
        let rule = &self.rule;
        let touches = |patterns: &[PathPattern], path: &Path| patterns.iter().any(|pattern| pattern.touches(path));
        (rule.hosts.is_empty() || self.reaches(request))
            && (rule.tools.is_empty() || self.calls(request))
            && (self.cwds.is_empty() || request.cwd.as_deref().is_some_and(|cwd| touches(&self.cwds, cwd)))
            && (!self.is_about_commands() || self.restricts_command(request))
            && (rule.permissions.is_empty() || self.restricts_permissions(request))
            && (self.paths.is_empty() || self.restricts_paths(request))
    }

    fn restricts_command(&self, request: &ApprovalRequest) -> bool {
        let Some(command) = &request.command else { return false };
        let part = |expressions: &[Expression]| {
            let found = |one: &Expression| one.part.is_match(command.text()) || one.part.is_match(command.script());
            let simple = command.simple_commands().unwrap_or_default();
            let in_simple = |one: &Expression| simple.iter().any(|command| one.part.is_match(&command.text));
            expressions.iter().any(|one| found(one) || in_simple(one))
        };
        let prefixed =
            |words: &Vec<String>| self.rule.prefixes.iter().any(|prefix| begins_with(words, prefix, may_be_program));
        (self.rule.prefixes.is_empty() || command.possible_commands().iter().any(prefixed))
            && (self.regexes.is_empty() || part(&self.regexes))
            && (self.whole_regexes.is_empty() || part(&self.whole_regexes))
    }

    fn restricts_permissions(&self, request: &ApprovalRequest) -> bool {
        let listed = |permission| kind_of(permission).is_none_or(|kind| self.rule.permissions.contains(&kind));
        request.permissions.iter().any(listed)
    }

    fn restricts_paths(&self, request: &ApprovalRequest) -> bool {
        let overlaps = |folder: &Path| self.paths.iter().any(|pattern| pattern.overlaps(folder));
        if request.kind == RequestKind::FileChange {
            let touched = |path: &Path| self.paths.iter().any(|pattern| pattern.touches(path));
            return !request.changed_paths_complete
                || request.changed_paths.iter().any(|path| touched(path))
                || request.grant_root.as_deref().is_some_and(overlaps);
        }
        request.permissions.iter().any(|permission| match permission {
            Permission::Read(FileScope::Path(path)) | Permission::Write(FileScope::Path(path)) => overlaps(path),
            Permission::Network => false,
            _ => true,
        })
    }

    fn reaches(&self, request: &ApprovalRequest) -> bool {
        let Some(host) = &request.host else { return false };
        self.rule.hosts.iter().any(|pattern| is_host(pattern, host))
    }

    fn calls(&self, request: &ApprovalRequest) -> bool {
        self.rule.tools.iter().any(|pattern| match pattern.split_once('/') {
            Some((server, tool)) => {
                request.mcp_server.as_deref() == Some(server) && request.mcp_tool.as_deref() == Some(tool)
            }
            None => request.mcp_server.as_ref() == Some(pattern),
        })
    }

    /// What the rule's action means for a request; none if it leaves it to others.
    pub(super) fn decision(&self, request: &ApprovalRequest) -> Option<Decision> {
        let amendment = if self.rule.amend { self.amendment(request) } else { None };
        amendment.or_else(|| self.rule.action.decision())
    }

    /// The amendment that is offered, if the rule covers it.
    fn amendment(&self, request: &ApprovalRequest) -> Option<Decision> {
        let listed = request.available_decisions.iter().flatten().cloned();
        let words = request.offered_exec_policy.iter().cloned().map(Decision::AllowWithExecPolicy);
        let hosts = request.offered_network_policies.iter().cloned().map(Decision::NetworkPolicy);
        let permits = self.rule.action.permits();
        listed.chain(words).chain(hosts).filter(|offer| request.offers(offer)).find(|offer| match offer {
            Decision::AllowWithExecPolicy(words) => permits && self.covers_words(words),
            Decision::NetworkPolicy(rule) => {
                let wanted = if permits { NetworkPolicyRuleAction::Allow } else { NetworkPolicyRuleAction::Deny };
                rule.action == wanted
                    && rule.extra.is_empty()
                    && request.host.as_ref() == Some(&rule.host)
                    && self.reaches(request)
            }
            _ => false,
        })
    }
}

/// Whether a policy can allow requests of this kind at all.
pub(super) fn can_be_permitted(kind: RequestKind) -> bool {
    !matches!(kind, RequestKind::HumanCheckpoint | RequestKind::Unrecognized)
}

fn begins_with(words: &[String], prefix: &[String], same_program: impl Fn(&str, &str) -> bool) -> bool {
    let (Some((program, rest)), Some((called, arguments))) = (prefix.split_first(), words.split_first()) else {
        return false;
    };
    same_program(program, called) && arguments.starts_with(rest)
}

fn kind_of(permission: &Permission) -> Option<PermissionKind> {
    match permission {
        Permission::Network => Some(PermissionKind::Network),
        Permission::Read(_) => Some(PermissionKind::Read),
        Permission::Write(_) => Some(PermissionKind::Write),
        Permission::Unrecognized => None,
    }
}

/// Refuses rules that match everything or nothing, or promise what can't be kept.
fn check(rule: &Rule) -> Result<(), RuleProblem> {
    use RequestKind as Kind;
    let commands: &[Kind] =
        if rule.action.permits() { &[Kind::Command] } else { &[Kind::Command, Kind::CommandInput, Kind::Network] };
    let about: [(&str, bool, &[Kind]); 8] = [
        ("program or argv_prefix", !rule.prefixes.is_empty(), commands),
        ("regex", !rule.regexes.is_empty(), commands),
        ("whole_regex", !rule.whole_regexes.is_empty(), commands),
        ("path", !rule.paths.is_empty(), &[Kind::FileChange, Kind::Permissions]),
        ("permission", !rule.permissions.is_empty(), &[Kind::Permissions, Kind::Command]),
        ("host", !rule.hosts.is_empty(), &[Kind::Network]),
        ("tool", !rule.tools.is_empty(), &[Kind::McpTool, Kind::Elicitation]),
        (
            "cwd",
            !rule.cwds.is_empty(),
            &[Kind::Command, Kind::CommandInput, Kind::Network, Kind::HumanCheckpoint, Kind::Permissions],
        ),
    ];
    let given: Vec<_> = about.iter().filter(|(_, is_given, _)| *is_given).collect();
    if given.is_empty() && rule.kinds.is_empty() && rule.threads.is_empty() {
        return Err(RuleProblem::NoMatcher);
    }
    let mut possible = Kind::NAMED.to_vec();
    let mut names = Vec::new();
    if !rule.kinds.is_empty() {
        names.push("kind");
        possible.retain(|kind| rule.kinds.contains(kind));
    }
    for (name, _, kinds) in &given {
        names.push(name);
        possible.retain(|kind| kinds.contains(kind));
    }
    if possible.is_empty() {
        return Err(RuleProblem::Contradiction { matchers: names.join(", ") });
    }
    if rule.action.permits() && !possible.iter().any(|kind| can_be_permitted(*kind)) {
        return Err(RuleProblem::NeverAllowed);
    }
    if rule.prefixes.iter().any(|words| words.first().is_none_or(String::is_empty)) {
        return Err(RuleProblem::EmptyPrefix);
    }
    if let Some(host) = rule.hosts.iter().find(|host| host.trim_start_matches("*.").contains('*') || host.is_empty()) {
        return Err(RuleProblem::Host { host: host.clone() });
    }
    if let Some(tool) = rule.tools.iter().find(|tool| tool.split('/').any(|part| part.is_empty() || part == "*")) {
        return Err(RuleProblem::Tool { tool: tool.clone() });
    }
    let only = |allowed: &[&str]| rule.threads.is_empty() && given.iter().all(|(name, ..)| allowed.contains(name));
    let can_amend = match rule.action {
        Action::Allow | Action::AllowForSession => !given.is_empty() && only(&["program or argv_prefix", "host"]),
        Action::Deny => !given.is_empty() && only(&["host"]),
        Action::Cancel | Action::Ask => false,
    };
    if rule.amend && !can_amend {
        return Err(RuleProblem::Amend);
    }
    Ok(())
}
