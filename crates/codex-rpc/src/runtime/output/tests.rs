//! The quick road of encoding against serde_json's.

use crate::Map;

use serde_json::{Value, json};

use crate::types::{Account, CodexErrorInfo, ThreadStartParams, TurnStatus};
use crate::{Extra, RawJson, RequestId, Response, Tristate, to_json};

/// Text on the quick road, text by serde_json, and a value by serde_json, all the
/// same.
#[track_caller]
fn alike<T: crate::ProtocolType>(value: &T) -> String {
    let quick = to_json(value).expect("JSON");
    assert_eq!(quick, serde_json::to_string(value).expect("JSON"));
    let parsed: Value = serde_json::from_str(&quick).expect("what was written is JSON");
    assert_eq!(parsed, serde_json::to_value(value).expect("JSON"));
    quick
}

#[test]
fn strings_are_escaped_as_serde_json_escapes_them_wherever_the_escape_stands() {
    let every: Vec<char> = (0..=0x2ff).chain([0x2028, 0xd7ff, 0xfeff, 0x1f600]).filter_map(char::from_u32).collect();
    for character in every {
        for before in 0..18 {
            for after in [0, 1, 7, 8, 9] {
                alike(&format!("{}{character}{}", "x".repeat(before), "é".repeat(after)));
            }
        }
    }
    assert_eq!(alike(&String::from("a\"\\\n\t\r\u{8}\u{c}\u{1}\u{1f}/é")), r#""a\"\\\n\t\r\b\f\u0001\u001f/é""#);
}

#[test]
fn numbers_are_written_as_serde_json_writes_them() {
    for number in [0, 1, -1, 9, 10, 99, 100, 255, -128, i64::MAX, i64::MIN] {
        alike(&number);
        alike(&json!(number));
        alike(&RequestId::Integer(number));
    }
    for number in [u64::MAX, u64::MAX - 1, 1 << 63] {
        alike(&number);
        alike(&json!(number));
    }
    alike(&vec![u8::MAX, 0, 7]);
    for number in [0.0, -0.0, 1.0, -1.5, 0.1, 1e300, 1e-300, 1e16, 5e-324, f64::MAX, f64::NAN, f64::INFINITY] {
        assert_eq!(to_json(&number).expect("JSON"), serde_json::to_string(&number).expect("JSON"), "{number}");
        alike(&json!(number));
    }
}

#[test]
fn lists_and_maps_are_separated_at_any_depth() {
    for value in [
        json!(null),
        json!([]),
        json!({}),
        json!([[], {}, [[]], [{}], "", "[", "{", ",", null, true, false]),
        json!({"": {}, "a": [], "[": "[", "{": "{", "\"": "\"", "b": {"c": {}, "d": [{}, {}]}, "e": null}),
    ] {
        alike(&value);
        alike(&vec![value.clone(), value.clone()]);
        alike(&Some(value.clone()));
        alike(&Map::from([(String::from("{"), value.clone()), (String::from("é\n"), value.clone())]));
        alike(&Response::new("{", value));
    }
    alike(&None::<Vec<String>>);
    alike(&Tristate::<bool>::Absent);
    alike(&vec![Tristate::Null, Tristate::Value(true)]);
    alike(&vec![vec![Some(false)], vec![], vec![None]]);
}

#[test]
fn members_are_written_in_order_with_those_that_are_unknown_behind_them() {
    let mut params = ThreadStartParams::new();
    assert_eq!(alike(&params), "{}");
    params.extra = Extra::from(serde_json::Map::from_iter([("\"new\"".to_owned(), json!({"a": [1]}))]));
    assert_eq!(alike(&params), r#"{"\"new\"":{"a":[1]}}"#);
    let params = params.model("m").cwd("/w");
    assert_eq!(alike(&params), r#"{"model":"m","cwd":"/w","\"new\"":{"a":[1]}}"#);
}

#[test]
fn unions_are_written_with_their_tags() {
    for text in [
        r#"{"type":"chatgpt","email":null,"planType":"pro","workspaceName":null}"#,
        r#"{"type":"new \"kind\"","a":1,"b":[]}"#,
        r#"{"type":""}"#,
    ] {
        assert_eq!(alike(&crate::from_json::<Account>(text).expect("an account")), text);
    }
    for text in
        [r#""usageLimitExceeded""#, r#"{"httpConnectionFailed":{"httpStatusCode":502}}"#, r#"{"new":{}}"#, r#""new""#]
    {
        assert_eq!(alike(&crate::from_json::<CodexErrorInfo>(text).expect("an error's kind")), text);
    }
    assert_eq!(alike(&TurnStatus::from("\"new\"")), r#""\"new\"""#);
}

#[test]
fn json_that_was_not_read_is_written_as_it_stands() {
    let raw: RawJson = crate::from_json(r#"{"a" : [1.50, 1e3]}"#).expect("JSON");
    assert_eq!(to_json(&raw).expect("JSON"), raw.get());
    let response = Response::new(1, raw);
    assert_eq!(to_json(&response).expect("JSON"), r#"{"id":1,"result":{"a" : [1.50, 1e3]}}"#);
    assert_eq!(serde_json::to_string(&response).expect("JSON"), to_json(&response).expect("JSON"));
}

#[test]
fn an_error_of_the_serializer_is_handed_on() {
    /// Takes up to so many bytes.
    struct Full(usize);

    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let params = ThreadStartParams::new().model("m").cwd("/w");
    let length = to_json(&params).expect("JSON").len();
    for room in 0..length {
        let error = serde_json::to_writer(Full(room), &params).expect_err("no room");
        assert_eq!(error.io_error_kind(), Some(std::io::ErrorKind::StorageFull), "{room}: {error}");
    }
    serde_json::to_writer(Full(length), &params).expect("room");
}

#[test]
fn text_is_appended_behind_what_is_there() {
    let mut text = String::from("x{");
    crate::append_json(&vec![1_i64, 2], &mut text).expect("JSON");
    crate::append_json(&true, &mut text).expect("JSON");
    assert_eq!(text, "x{[1,2]true");
}
