//! Documentation of the generated items.

use proc_macro2::TokenStream;
use quote::quote;

/// Upstream's text as rustdoc: what would be read as code, a link or a tag is
/// made plain.
fn clean(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.trim().lines() {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            // A fence without a language would be compiled as a test.
            let text = if !fenced && language.is_empty() { "```text" } else { trimmed };
            fenced = !fenced;
            lines.push(text.to_owned());
        } else if fenced {
            lines.push(line.trim_end().to_owned());
        } else {
            lines.push(escape(trimmed));
        }
    }
    if fenced {
        lines.push("```".to_owned());
    }
    lines
}

fn escape(line: &str) -> String {
    let mut escaped = String::new();
    let mut code = line.matches('`').count() % 2 == 1;
    let odd = code;
    for c in line.chars() {
        match c {
            '`' if !odd => {
                code = !code;
                escaped.push(c);
            }
            '<' | '>' | '[' | ']' | '`' if odd || !code => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A doc comment from paragraphs.
pub(crate) fn doc(paragraphs: &[&str]) -> TokenStream {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in paragraphs.iter().filter(|paragraph| !paragraph.trim().is_empty()) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(paragraph.lines().map(str::to_owned));
    }
    let lines = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// Upstream's text, if there is one, else our own.
pub(crate) fn or(upstream: Option<&str>, own: &str) -> String {
    match upstream {
        Some(text) if !text.trim().is_empty() => clean(text).join("\n"),
        _ => own.to_owned(),
    }
}

/// What is said of everything that only the experimental export has.
pub(crate) const EXPERIMENTAL: &str = "Experimental: not in the stable export.";

/// A paragraph about being experimental, or nothing.
pub(crate) fn experimental(is: bool) -> &'static str {
    if is { EXPERIMENTAL } else { "" }
}
