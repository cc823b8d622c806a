//! Nothing that a client or a file says makes a replay panic or differ.

use std::fs;

use codex_rpc_testkit::replay::{Answers, Options, Order, Params, Replay};
use codex_rpc_testkit::transcript::{From, Line, Reader};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::recorded::files;

/// What a client does next.
#[derive(Clone, Debug)]
enum Step {
    /// The next recorded message.
    Next,
    /// Another recorded message.
    Other(Index),
    /// A recorded message, cut.
    Torn(Index, Index),
    Text(String),
}

fn step() -> impl Strategy<Value = Step> {
    let texts = prop_oneof![
        any::<String>(),
        r#"\{"id":(-?[0-9]{1,20}|null|"[a-z\\]*"|1\.5|[0-3]),"(result|error|method)":(\{\}|null|"a"|\[1e999\])\}"#,
        r#"[\[\]{}":,a-z0-9\\ ]{0,40}"#,
    ];
    prop_oneof![
        8 => Just(Step::Next),
        1 => any::<Index>().prop_map(Step::Other),
        1 => any::<(Index, Index)>().prop_map(|(message, end)| Step::Torn(message, end)),
        1 => texts.prop_map(Step::Text),
    ]
}

fn options() -> impl Strategy<Value = Options> {
    any::<[bool; 4]>().prop_map(|[any, params, answers, partial]| {
        Options::new()
            .order(if any { Order::Any } else { Order::Recorded })
            .params(if params { Params::Same } else { Params::Ignore })
            .answers(if answers { Answers::Same } else { Answers::Ignore })
            .partial(partial)
    })
}

/// All that a client sees.
fn played(text: &[u8], options: &Options, lines: &[String]) -> Vec<String> {
    let mut replay = match Replay::with_options("t", text, options.clone()) {
        Ok(replay) => replay,
        Err(error) => return vec![error.to_string()],
    };
    let mut seen = replay.start();
    for line in lines {
        match replay.receive(line) {
            Ok(lines) => seen.extend(lines),
            Err(mismatch) => seen.extend([mismatch.to_string(), format!("{:?}", mismatch.answer())]),
        }
    }
    seen.push(format!("{:?} {}", replay.finish(), replay.ignored()));
    seen
}

/// A position in a text that is no middle of a character.
fn cut(text: &str, end: Index) -> String {
    let end = (0..=end.index(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text[..end].to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_client_gets_the_same_from_any_part_of_a_transcript_twice(
        file in any::<Index>(),
        part in prop_oneof![Just(None), any::<Index>().prop_map(Some)],
        options in options(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let files = files();
        let mut text = fs::read(file.get(&files)).expect("a transcript");
        let recorded: Vec<String> = Reader::new(text.as_slice()).filter_map(|(_, line)| match line {
            Line::Message { from: From::Client, message, .. } => Some(message.get().to_owned()),
            _ => None,
        }).collect();
        let mut next = recorded.iter();
        let lines: Vec<String> = steps.iter().filter_map(|step| match step {
            Step::Next => next.next().cloned(),
            Step::Other(index) => Some(index.get(&recorded).clone()),
            Step::Torn(index, end) => Some(cut(&recorded[index.index(recorded.len())], *end)),
            Step::Text(text) => Some(text.clone()),
        }).collect();
        if let Some(part) = part {
            text.truncate(part.index(text.len() + 1));
        }
        let seen = played(&text, &options, &lines);
        prop_assert_eq!(&seen, &played(&text, &options, &lines));
        for line in seen.iter().filter_map(|line| line.strip_prefix("Some(\"")) {
            prop_assert!(!line.contains('\n'), "an answer is one line: {}", line);
        }
    }
}
