//! From wire names to Rust names. It never invents: every name is the wire name
//! in Rust's spelling.

/// The words of a wire name, whatever its spelling: kebab, snake, camel, path.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = index.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(index + 1);
        let starts = c.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit())
                || (before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase())));
        if starts {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// `turn/steer`, `on-request`, `read_only` → `TurnSteer`, `OnRequest`, `ReadOnly`.
pub fn pascal(name: &str) -> String {
    let mut pascal = String::new();
    for word in words(name) {
        let mut chars = word.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        pascal.extend(first);
        if word.chars().all(|c| !c.is_lowercase()) {
            pascal.extend(chars.flat_map(char::to_lowercase));
        } else {
            pascal.extend(chars);
        }
    }
    if pascal.starts_with(|c: char| c.is_ascii_digit()) {
        pascal.insert(0, 'V');
    }
    if pascal == "Self" { "SelfValue".to_owned() } else { pascal }
}

/// The name of a definition: as upstream wrote it, unless that is no Rust name.
pub fn type_name(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric()) && name.starts_with(|c: char| c.is_ascii_uppercase());
    if plain { name.to_owned() } else { pascal(name) }
}

/// `threadId`, `_meta`, `OPENAI_API_KEY` → `thread_id`, `meta`, `openai_api_key`.
/// A keyword gets an underscore behind it.
pub fn snake(name: &str) -> String {
    let words: Vec<String> = words(name).iter().map(|word| word.to_lowercase()).collect();
    let mut snake = words.join("_");
    if snake.is_empty() || snake.starts_with(|c: char| c.is_ascii_digit()) {
        snake.insert(0, 'n');
    }
    if KEYWORDS.contains(&snake.as_str()) {
        snake.push('_');
    }
    snake
}

/// Whether Rust takes a word for a name.
pub(crate) fn is_identifier(name: &str) -> bool {
    if !name.is_ascii() {
        return syn::parse_str::<syn::Ident>(name).is_ok();
    }
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_' && name.len() > 1)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name != "Self"
        && !(KEYWORDS.contains(&name) && name != "union")
}

/// Whether a word is a name for a type or variant, as Rust writes them.
pub(crate) fn is_upper_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && is_identifier(name)
}

/// Whether a word is a name for a field or module, as Rust writes them.
pub(crate) fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && is_identifier(name)
}

const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_wire_becomes_a_rust_name() {
        for (wire, expected) in [
            ("thread/start", "ThreadStart"),
            ("on-request", "OnRequest"),
            ("approved_execpolicy_amendment", "ApprovedExecpolicyAmendment"),
            ("AVAILABLE", "Available"),
            ("openai/userVerification", "OpenaiUserVerification"),
            ("1h", "V1h"),
            ("config/mcpServer/reload", "ConfigMcpServerReload"),
        ] {
            assert_eq!(pascal(wire), expected, "{wire}");
        }
        for (wire, expected) in [
            ("threadId", "thread_id"),
            ("_meta", "meta"),
            ("type", "type_"),
            ("emittedAtMs", "emitted_at_ms"),
            ("OPENAI_API_KEY", "openai_api_key"),
            ("isOAuth2", "is_o_auth2"),
        ] {
            assert_eq!(snake(wire), expected, "{wire}");
        }
    }

    #[test]
    fn what_rust_takes_for_a_name_is_known() {
        for name in ["A", "a1", "_a", "union", "Über", "type_"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "_", "1a", "a b", "a-b", "Self", "self", "type", "gen", "²", "a²"] {
            assert!(!is_identifier(name), "{name}");
        }
        assert!(is_upper_camel("OpenaiForm") && !is_upper_camel("openaiForm") && !is_upper_camel("Openai_Form"));
        assert!(is_snake("server_requests") && !is_snake("serverRequests") && !is_snake("mod") && !is_snake("_a"));
    }

    #[test]
    fn a_definition_keeps_the_name_that_upstream_gave_it() {
        assert_eq!(type_name("W3cTraceContext"), "W3cTraceContext");
        assert_eq!(type_name("Result_of_CallToolResult_or_String"), "ResultOfCallToolResultOrString");
    }
}
