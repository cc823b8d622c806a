//! The results as JSON.

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
                    "name": taken.name,
                    "ns": rounded(taken.least),
                    "ns_median": rounded(taken.median),
                    "allocations": rounded(taken.allocations),
                    "allocated_bytes": taken.bytes.round(),
                })
            })
            .collect();
        json!({"what": self.title, "messages": self.messages, "bytes": self.size, "contenders": taken})
    }
}

impl Report {
    pub fn new(server: &[Line], common: &[&Line]) -> Self {
        let unread = |reads: fn(&Line) -> bool| server.iter().filter(|line| !reads(line)).count();
        let corpus = format!(
            "{} recorded messages of the server, {} bytes on average; not read: {} by {}, {} by {}, {} by {}; \
             the figures are of the {} that all read.",
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

    pub fn kind(&mut self, method: &str, lines: &[&Line], taken: Vec<Taken>) {
        self.kinds.push(Table::new(method.to_owned(), lines, taken));
    }

    pub fn json(&self) -> Value {
        let tables = |tables: &[Table]| tables.iter().map(Table::json).collect::<Vec<_>>();
        json!({"corpus": self.corpus, "rows": tables(&self.tables), "kinds": tables(&self.kinds)})
    }
}

fn average<'a>(lines: impl ExactSizeIterator<Item = &'a Line>) -> usize {
    let count = lines.len().max(1);
    lines.map(|line| line.text.len()).sum::<usize>() / count
}

/// To a tenth: more digits would be noise.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
