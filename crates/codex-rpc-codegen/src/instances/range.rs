//! The integers that a schema allows.

use serde_json::Value;

/// The integers a schema allows, by `format` and `minimum`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub low: i128,
    pub high: i128,
    /// What the format alone allows.
    pub format: (i128, i128),
}

impl Range {
    pub fn of(schema: &Value) -> Self {
        let format = match schema.get("format").and_then(Value::as_str) {
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            Some("uint8") => (0, u8::MAX.into()),
            Some("uint16") => (0, u16::MAX.into()),
            Some("uint32") => (0, u32::MAX.into()),
            Some("uint64" | "uint") => (0, u64::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        };
        let minimum = schema.get("minimum").and_then(Value::as_f64);
        Self { low: minimum.map_or(format.0, |minimum| format.0.max(whole(minimum.ceil()))), high: format.1, format }
    }

    pub fn contains(self, number: i128) -> bool {
        (self.low..=self.high).contains(&number)
    }
}

/// A float without a fraction as an integer.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and an i128 reaches far beyond every format")]
pub(super) fn whole(number: f64) -> i128 {
    number as i128
}
