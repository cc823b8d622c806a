//! The quick road against serde_json's.

use crate::Map;

use serde_json::Value;

use super::{Outcome, Text};
use crate::runtime::Decode;
use crate::runtime::input::Waiting;

fn quickly<T: Decode>(text: &str) -> Option<T> {
    let mut value = T::blank();
    matches!(Text::read(text, &mut |input| value.decode(input)), Outcome::Read).then_some(value)
}

fn by_serde<T: Decode>(text: &str) -> Option<T> {
    let mut value = T::blank();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Waiting::read(&mut deserializer, |input| value.decode(input)).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// Both read it, and alike, or neither does.
fn alike<T: Decode + PartialEq + std::fmt::Debug>(text: &str) {
    assert_eq!(quickly::<T>(text), by_serde::<T>(text), "{text}");
}

#[test]
fn strings() {
    let contents = [
        "",
        "a",
        "1234567",
        "12345678",
        "123456789",
        "é",
        "日本語日本語",
        r"\n",
        r#"a\"b\\c\/d\be\ff\ng\rh\ti"#,
        r"\n\u00e9\n",
        r"\n\ud800",
        r"\0",
        r"12345678\u00e9",
        r"\ud83d\ude00",
        r"\ud83d",
        r"\x",
        r"\u12",
        "\u{1}",
        "12345678\n",
        "\u{7f}",
        r#"\""#,
        r"\\",
        r"\",
        "\u{20ac}\u{1f}",
        "/\u{80}\"",
    ];
    for content in contents {
        alike::<String>(&format!("\"{content}\""));
        alike::<Value>(&format!("\"{content}\""));
        alike::<Map<bool>>(&format!("{{\"{content}\" : true}}"));
        alike::<String>(&format!("\"{content}"));
    }
}

#[test]
fn strings_of_every_length_around_a_block() {
    for length in 0..200 {
        let plain = "x".repeat(length);
        for special in ["", "\\n", "\\\\", "\\\"", "\\u00e9", "\u{1}", "é"] {
            for after in [0, 1, 7, 31, 64, 100] {
                let content = format!("{plain}{special}{}", "y".repeat(after));
                alike::<String>(&format!("\"{content}\""));
                alike::<String>(&format!("\"{content}"));
            }
        }
    }
}

#[test]
fn numbers() {
    let numbers = [
        "0",
        "-0",
        "7",
        "-7",
        "01",
        "-01",
        "00",
        "+1",
        "1.",
        "1.0",
        "1.5",
        ".5",
        "1e2",
        "1e-2",
        "1E400",
        "-",
        "",
        "1a",
        "1_0",
        "999999999999999999",
        "9999999999999999999",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "0.1",
        "4294967295",
        "4294967296",
        "255",
        "256",
        "1e1000",
        "NaN",
        "0x1",
    ];
    for number in numbers {
        for text in [number.to_owned(), format!(" {number} "), format!("[{number}]"), format!("[{number} , {number}]")]
        {
            alike::<u8>(&text);
            alike::<i64>(&text);
            alike::<u64>(&text);
            alike::<f64>(&text);
            alike::<Value>(&text);
            alike::<Vec<u32>>(&text);
            alike::<Vec<f64>>(&text);
            alike::<Vec<Option<i64>>>(&text);
            alike::<Vec<Value>>(&text);
        }
    }
}

#[test]
fn structure() {
    let texts = [
        "",
        " ",
        "null",
        "nul",
        "nullx",
        "true",
        "false",
        "truefalse",
        "[]",
        "[ ]",
        "[,]",
        "[true,]",
        "[true false]",
        "[true",
        "]",
        "[true]]",
        "\t[\r\ntrue ,\nfalse ]\n",
        "[null]",
        "{}",
        "{ }",
        "{,}",
        "{\"a\":true,}",
        "{\"a\":true,\"a\":false}",
        "{\"a\" true}",
        "{\"a\":}",
        "{a:true}",
        "{\"a\":true",
        "{\"a\":true}}",
        "{\"a\":null}",
        "{1:true}",
        "\u{feff}[]",
        "\u{a0}[]",
        "[true] // no",
        "{\"\\u0061\":true}",
    ];
    for text in texts {
        alike::<bool>(text);
        alike::<Option<bool>>(text);
        alike::<Vec<bool>>(text);
        alike::<Vec<Option<bool>>>(text);
        alike::<Map<bool>>(text);
        alike::<Map<Option<bool>>>(text);
        alike::<Map<Value>>(text);
        alike::<Value>(text);
        alike::<crate::TraceContext>(text);
        alike::<crate::types::TurnStatus>(text);
    }
}

#[test]
fn depth() {
    for levels in [1, 100, 125, 126, 127, 128, 129, 200] {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        alike::<Value>(&nested);
        alike::<Vec<Value>>(&nested);
        alike::<Vec<Vec<Value>>>(&nested);
        alike::<Map<Value>>(&format!("{{\"a\":{nested},\"b\":1}}"));
        let wide = format!("[{}]", vec!["[]"; levels].join(","));
        alike::<Vec<Value>>(&format!("[{wide}]"));
    }
}
