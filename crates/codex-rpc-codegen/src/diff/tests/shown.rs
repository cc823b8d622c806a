//! Text, Markdown and JSON.

use super::*;

fn sample() -> Difference {
    let old = json!({
        "Both": {"type": "string", "enum": ["new"]},
        "Received": {"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}},
        "Sent": {"type": "object", "properties": {"old": {"type": "string"}}},
    });
    let new = json!({
        "Both": {"type": "string", "enum": ["new", "full"], "description": "A phase."},
        "Received": {"type": "object"},
        "Sent": {"type": "object", "properties": {"old": {"type": "string"}, "new": {"type": "integer"}}},
    });
    let mut new = release(&new);
    new.release = "1.1.0".to_owned();
    diff(&release(&old), &new)
}

#[test]
fn the_text_has_a_line_for_every_change_the_worst_first() {
    let expected = "\
Changes from 1.0.0 to 1.1.0

Breaks compilation (1)
  field removed Received.a: bool (received) — new bindings: the field is gone; old bindings: decoding fails without it

Tolerated (1)
  value added Both[full] (sent and received) — old bindings: it comes as Unrecognized; new bindings: a variant more, for a match without _

Additive (1)
  field added Sent.new: Option<i64> (sent) — new bindings: there is a field more

4 changes: 1 breaks compilation, 1 tolerated, 1 additive, 1 only documentation. 1 of them breaks old bindings at run time.
";
    assert_eq!(sample().text(Detail::Normal, false), expected);
}

#[test]
fn all_of_the_text_has_the_documentation_too_and_a_summary_only_what_breaks() {
    let all = sample().text(Detail::All, false);
    assert!(all.contains("\nDocumentation (1)\n  text Both: added (sent and received)\n"), "{all}");
    let expected = "\
Changes from 1.0.0 to 1.1.0

Breaks compilation (1)
  field removed Received.a: bool (received) — new bindings: the field is gone; old bindings: decoding fails without it

4 changes: 1 breaks compilation, 1 tolerated, 1 additive, 1 only documentation. 1 of them breaks old bindings at run time.
";
    assert_eq!(sample().text(Detail::Breaking, false), expected);
}

#[test]
fn styles_are_all_that_a_styled_text_has_more() {
    let styled = sample().text(Detail::All, true);
    assert!(styled.contains("\u{1b}[1m\u{1b}[31mBreaks compilation\u{1b}[0m (1)"), "{styled:?}");
    let mut plain = String::new();
    for part in styled.split('\u{1b}') {
        let visible = part.strip_prefix('[').and_then(|part| part.split_once('m')).map_or(part, |(_, rest)| rest);
        plain.push_str(visible);
    }
    assert_eq!(plain, sample().text(Detail::All, false));
}

#[test]
fn the_markdown_is_a_list_for_each_verdict() {
    let expected = "\
## Changes from codex 1.0.0 to 1.1.0

4 changes: 1 breaks compilation, 1 tolerated, 1 additive, 1 only documentation. 1 of them breaks old bindings at run time.

### Breaks compilation (1)

- field removed `Received.a`: `bool` (received) — new bindings: the field is gone; old bindings: decoding fails without it

### Tolerated (1)

- value added `Both[full]` (sent and received) — old bindings: it comes as `Unrecognized`; new bindings: a variant more, for a `match` without `_`

### Additive (1)

- field added `Sent.new`: `Option<i64>` (sent) — new bindings: there is a field more
";
    assert_eq!(sample().markdown(Detail::Normal), expected);
    assert!(
        sample().markdown(Detail::All).ends_with("### Documentation (1)\n\n- text `Both`: added (sent and received)\n")
    );
}

#[test]
fn nothing_is_said_in_one_line() {
    let one = release(&json!({}));
    let mut other = one.clone();
    other.release = "1.1.0".to_owned();
    assert_eq!(diff(&one, &one).text(Detail::All, true), "No method or type differs from 1.0.0.\n");
    let between = "No method or type differs between 1.0.0 and 1.1.0.\n";
    assert_eq!(diff(&one, &other).text(Detail::Normal, false), between);
    assert_eq!(diff(&one, &other).markdown(Detail::Normal), between);
}

#[test]
fn the_json_has_what_the_text_says() {
    let value = serde_json::to_value(sample().without_documentation()).unwrap();
    assert_eq!(
        value["counts"],
        json!({"breaksCompilation": 1, "breaksAtRuntime": 0, "tolerated": 1, "additive": 1, "documentation": 1,
            "breakOldBindings": 1})
    );
    assert_eq!((&value["old"], &value["new"]), (&json!("1.0.0"), &json!("1.1.0")));
    assert_eq!(
        value["changes"][0],
        json!({
            "verdict": "breaksCompilation", "kind": "fieldRemoved", "place": "Received.a", "detail": "`bool`",
            "direction": "received",
            "oldBindings": {"verdict": "breaksAtRuntime", "reason": "decoding fails without it"},
            "newBindings": {"verdict": "breaksCompilation", "reason": "the field is gone"},
        })
    );
    assert_eq!(value["changes"].as_array().unwrap().len(), 3);
}
