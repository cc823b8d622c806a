//! A report as text and as Markdown.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use codex_rpc_codegen::diff::Detail;

use super::report::{Edit, Outcome, Report, Step};

/// Lines of a step in Markdown; GitHub takes 65,536 characters in the text of a pull
/// request.
const MOST_LINES: usize = 60;
/// Characters of a line.
const MOST_WIDTH: usize = 400;
/// Characters of the changes in Markdown; they are in the changelog, too.
const MOST_CHANGES: usize = 20_000;
/// Files that are listed.
const MOST_FILES: usize = 40;

impl Outcome {
    fn mark(self) -> &'static str {
        match self {
            Self::Unchanged => "same",
            Self::Changed => "new",
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::LeftOut => "left out",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Unchanged => Style::new().dimmed(),
            Self::Changed => AnsiColor::Cyan.on_default(),
            Self::Passed => AnsiColor::Green.on_default(),
            Self::Failed => AnsiColor::Red.on_default().bold(),
            Self::LeftOut => AnsiColor::Yellow.on_default(),
        }
    }
}

impl Edit {
    fn sign(self) -> char {
        match self {
            Self::New => '+',
            Self::Changed => '~',
            Self::Removed => '-',
        }
    }
}

impl Report {
    fn title(&self) -> String {
        let before = if self.pinned == self.release { String::new() } else { format!(" (before: {})", self.pinned) };
        let version = if self.version_before == self.version {
            self.version.clone()
        } else {
            format!("{} → {}", self.version_before, self.version)
        };
        format!("Codex {}{before}, crates {version}", self.release)
    }

    fn mode(&self) -> &'static str {
        match (self.written, self.files.is_empty()) {
            (true, _) => "Written.",
            (false, true) => "Nothing to write.",
            (false, false) => "Nothing was written: run it with --write to make these changes.",
        }
    }

    /// The report for a terminal; the styles are ANSI escapes.
    pub fn text(&self) -> String {
        let bold = Style::new().bold();
        let mut text = format!("{bold}{}{bold:#}\n\n", self.title());
        let width = self.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        for step in &self.steps {
            let style = step.outcome.style();
            let took = took(step);
            let _ = writeln!(
                text,
                "{style}{:>8}{style:#}  {:width$}  {}{took}",
                step.outcome.mark(),
                step.name,
                step.summary
            );
            for line in limited(&step.details) {
                let _ = writeln!(text, "          | {line}");
            }
        }
        if let Some(difference) = &self.difference {
            let _ = write!(text, "\n{}", difference.text(Detail::Breaking, true));
        }
        if !self.files.is_empty() {
            let _ = writeln!(text, "\n{bold}Files{bold:#} ({})\n{}", self.files.len(), self.file_list());
        }
        if !self.tasks.is_empty() {
            let _ = writeln!(text, "\n{bold}For a person{bold:#}");
            for (number, task) in self.tasks.iter().enumerate() {
                let _ = writeln!(text, "{:>3}. {}: {}", number + 1, task.place, task.what);
                if let Some(command) = &task.command {
                    let _ = writeln!(text, "       {command}");
                }
            }
        }
        let _ = writeln!(text, "\n{bold}To publish{bold:#}, when all is ready (nothing of this was run)");
        for command in &self.publish {
            let _ = writeln!(text, "  {command}");
        }
        let style = if self.ready { Outcome::Passed } else { Outcome::Failed }.style();
        let _ = writeln!(text, "\n{} {style}{}{style:#}", self.mode(), self.verdict());
        text
    }

    /// The report for the text of a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n**{}** {}\n", self.title(), self.verdict(), self.mode());
        if let Some(baseline) = &self.baseline {
            let _ = writeln!(text, "\nCompared with {baseline}.");
        }
        if !self.tasks.is_empty() {
            text.push_str("\n## For a person\n\n");
            for task in &self.tasks {
                let command = task.command.as_ref().map_or(String::new(), |command| format!("\n  `{command}`"));
                let _ = writeln!(text, "- [ ] `{}`: {}{command}", task.place, task.what);
            }
        }
        text.push_str("\n## Steps\n\n| | step | |\n|---|---|---|\n");
        for step in &self.steps {
            let mark = step.outcome.mark();
            let _ = writeln!(text, "| {mark} | {} | {}{} |", cell(&step.name), cell(&step.summary), took(step));
        }
        for step in self.steps.iter().filter(|step| !step.details.is_empty()) {
            let lines = limited(&step.details).join("\n");
            let fence = fence(&lines);
            let _ = write!(
                text,
                "\n<details><summary>{}</summary>\n\n{fence}text\n{lines}\n{fence}\n\n</details>\n",
                step.name
            );
        }
        if let Some(difference) = &self.difference {
            let _ = write!(text, "\n{}", cut(&difference.markdown(Detail::Normal)));
        }
        if !self.files.is_empty() {
            let _ = writeln!(
                text,
                "\n<details><summary>Files ({})</summary>\n\n```text\n{}\n```\n\n</details>",
                self.files.len(),
                self.file_list()
            );
        }
        let _ = writeln!(
            text,
            "\n## To publish\n\nWhen all is ready; nothing of this was run.\n\n```sh\n{}\n```",
            self.publish.join("\n")
        );
        text
    }

    fn file_list(&self) -> String {
        let list = |(path, edit): &(std::path::PathBuf, Edit)| format!("  {} {}", edit.sign(), path.display());
        let mut lines: Vec<String> = self.files.iter().take(MOST_FILES).map(list).collect();
        if self.files.len() > MOST_FILES {
            lines.push(format!("  and {} more", self.files.len() - MOST_FILES));
        }
        lines.join("\n")
    }
}

fn took(step: &Step) -> String {
    if step.seconds < 1.0 { String::new() } else { format!(" ({:.0} s)", step.seconds) }
}

/// The lines that there is room for.
fn limited(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> =
        lines.iter().take(MOST_LINES).map(|line| line.chars().take(MOST_WIDTH).collect()).collect();
    if lines.len() > MOST_LINES {
        shown.push(format!("and {} lines more", lines.len() - MOST_LINES));
    }
    shown
}

/// Text that ends with a whole line, if there is too much of it.
fn cut(text: &str) -> String {
    if text.len() <= MOST_CHANGES {
        return text.to_owned();
    }
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() > MOST_CHANGES {
            break;
        }
        kept.push_str(line);
    }
    kept + "\nThe rest is in CHANGELOG.md.\n"
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A fence that the lines don't end.
fn fence(lines: &str) -> String {
    let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::report::Task;

    fn report() -> Report {
        Report {
            ready: false,
            written: false,
            pinned: "0.169.0".into(),
            release: "0.170.0".into(),
            version_before: "0.169.0".into(),
            version: "0.170.0".into(),
            baseline: Some("v0.169.0".into()),
            steps: vec![Step::new("versions", Outcome::Changed, "a | b"), Step::new("tests", Outcome::Passed, "all")],
            files: vec![("Cargo.toml".into(), Edit::Changed)],
            tasks: Vec::new(),
            difference: None,
            publish: vec!["cargo publish -p codex-rpc".into()],
        }
    }

    #[test]
    fn it_is_ready_when_nothing_is_left_to_write_or_to_do_and_nothing_failed_or_was_left_out() {
        let judged = |change: fn(&mut Report)| {
            let mut report = report();
            change(&mut report);
            report.judge();
            (report.ready, report.verdict())
        };
        assert_eq!(judged(|_| ()), (false, "not ready: 1 file to write".to_owned()));
        assert_eq!(judged(|report| report.written = true), (true, "ready to be published".to_owned()));
        assert_eq!(judged(|report| report.files.clear()), (true, "ready to be published".to_owned()));
        let mut bad = [Outcome::Failed, Outcome::LeftOut].map(|outcome| {
            let mut report = report();
            report.files.clear();
            report.steps[0].outcome = outcome;
            report
        });
        for report in &mut bad {
            report.judge();
        }
        assert_eq!(bad.map(|report| report.verdict()), ["not ready: 1 failed", "not ready: 1 left out"]);
        let task = |report: &mut Report| {
            report.files.clear();
            report.tasks.push(Task { place: "a".into(), what: "b".into(), command: None });
        };
        assert_eq!(judged(task), (false, "not ready: 1 task for a person".to_owned()));
    }

    #[test]
    fn a_table_a_fence_and_a_long_list_hold_whatever_is_in_them() {
        let mut report = report();
        report.steps[0].details = vec!["```".to_owned(); MOST_LINES + 2];
        report.files = (0..=MOST_FILES).map(|number| (format!("f{number}").into(), Edit::New)).collect();
        let text = report.markdown();
        assert!(text.contains("| new | versions | a \\| b |"), "{text}");
        assert!(text.contains("````text\n```\n") && text.contains("and 2 lines more\n````"), "{text}");
        assert!(text.contains("  + f39\n  and 1 more\n"), "{text}");
        let long = "a line\n".repeat(MOST_CHANGES);
        assert!(
            cut(&long).len() < MOST_CHANGES + 60 && cut(&long).ends_with("a line\n\nThe rest is in CHANGELOG.md.\n")
        );
    }
}
