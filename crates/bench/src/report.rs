//! Tables for people and JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::contender::{CodexCodes, Contender, Derived, Ours};
use crate::corpus::Line;
use crate::measure::Taken;

pub struct Report {
    corpus: String,
    tables: Vec<Table>,
    kinds: Vec<Table>,
}

struct Table {
    title: String,
    messages: usize,
    size: usize,
    taken: Vec<Taken>,
}

impl Table {
    fn new(title: String, lines: &[&Line], taken: Vec<Taken>) -> Self {
        Self { title, messages: lines.len(), size: average(lines.iter().copied()), taken }
    }

    fn json(&self) -> Value {
        let taken: Vec<Value> = self
            .taken
            .iter()
            .map(|taken| {
                json!({
                    "contender": taken.name,
                    "ns_least": taken.least,
                    "ns_median": taken.median,
                    "allocations": taken.allocations,
                    "bytes_allocated": taken.bytes,
                })
            })
            .collect();
        json!({"what": self.title, "messages": self.messages, "average_size": self.size, "per_message": taken})
    }
}

impl Report {
    pub fn new(server: &[Line], common: &[&Line]) -> Self {
        let unread = |reads: fn(&Line) -> bool| server.iter().filter(|line| !reads(line)).count();
        let corpus = format!(
            "{} recorded messages of the server, {} bytes on average; not read: {} by {}, {} by {}, {} by {}; \
             the tables are of the {} that all read.",
            server.len(),
            average(server.iter()),
            unread(|line| Ours::decode(line).is_some()),
            Ours::NAME,
            unread(|line| Derived::decode(line).is_some()),
            Derived::NAME,
            unread(|line| CodexCodes::decode(line).is_some()),
            CodexCodes::NAME,
            common.len(),
        );
        Self { corpus, tables: Vec::new(), kinds: Vec::new() }
    }

    pub fn table(&mut self, title: &str, lines: &[&Line], taken: Vec<Taken>) {
        eprintln!("{title}");
        self.tables.push(Table::new(title.to_owned(), lines, taken));
    }

    pub fn kind(&mut self, what: &str, method: &str, lines: &[&Line], taken: Vec<Taken>) {
        self.kinds.push(Table::new(format!("{what} {method}"), lines, taken));
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.corpus);
        for table in &self.tables {
            let _ = writeln!(
                text,
                "\n**{}** ({} messages, {} bytes on average)\n\n\
                 | | ns, least | ns, median | of codex-rpc | allocations | bytes allocated |\n\
                 |---|---:|---:|---:|---:|---:|",
                table.title, table.messages, table.size,
            );
            let ours = table.taken[0].least;
            for taken in &table.taken {
                let _ = writeln!(
                    text,
                    "| {} | {:.0} | {:.0} | {:.2} | {:.1} | {:.0} |",
                    taken.name,
                    taken.least,
                    taken.median,
                    taken.least / ours,
                    taken.allocations,
                    taken.bytes,
                );
            }
        }
        if let Some(first) = self.kinds.first() {
            let names: Vec<&str> = first.taken.iter().map(|taken| taken.name).collect();
            let _ = writeln!(text, "\n**by kind**, ns a message\n\n| | messages | bytes | {} |", names.join(" | "));
            let _ = writeln!(text, "|---|---:|---:|{}", "---:|".repeat(names.len()));
            for kind in &self.kinds {
                let cell = |name: &&str| {
                    let taken = kind.taken.iter().find(|taken| taken.name == *name);
                    taken.map_or_else(String::new, |taken| format!("{:.0}", taken.least))
                };
                let cells: Vec<String> = names.iter().map(cell).collect();
                let _ =
                    writeln!(text, "| {} | {} | {} | {} |", kind.title, kind.messages, kind.size, cells.join(" | "));
            }
        }
        text
    }

    pub fn json(&self) -> Value {
        let tables = |tables: &[Table]| tables.iter().map(Table::json).collect::<Vec<_>>();
        json!({"corpus": self.corpus, "tables": tables(&self.tables), "kinds": tables(&self.kinds)})
    }
}

fn average<'a>(lines: impl ExactSizeIterator<Item = &'a Line>) -> usize {
    let count = lines.len().max(1);
    lines.map(|line| line.text.len()).sum::<usize>() / count
}
