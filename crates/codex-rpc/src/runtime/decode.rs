//! Decoding in place: what is decoded is filled where it will stay.

use serde::de::Deserializer;
use serde_json::Value;

use super::input::{Done, Entries, Failed, Input, Slot, Waiting};
use super::note;
use super::record::Record;
use super::text::{Outcome, Text};
use crate::{Map, Tristate};

/// A type that can be filled in place.
///
/// In place, because a struct of the protocol is some hundred bytes and would
/// otherwise be moved at every level of the message that holds it.
pub trait Decode: Sized {
    /// Whether `null` is a value of the type, and not the absence of one.
    const HAS_NULL: bool = false;

    /// A value to fill. It never leaves the decoder unless it was filled.
    fn blank() -> Self;

    /// Fills a blank value. After an error the value is of no use.
    fn decode(&mut self, input: &mut dyn Input) -> Done;

    /// Decodes JSON text.
    ///
    /// A method, because methods are compiled where the type is: what drops a message,
    /// and that is all types, is compiled once and not for every module that has one.
    fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        let mut value = Self::blank();
        let decode = &mut |input: &mut dyn Input| {
            value = Self::blank();
            value.decode(input)
        };
        fill_from_text(decode, text)?;
        Ok(value)
    }
}

/// What `Deserialize` of every type of this crate does.
pub(crate) fn from_deserializer<'de, T: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::blank();
    Waiting::read(deserializer, |input| value.decode(input))?;
    Ok(value)
}

/// Decodes JSON text. `decode` must begin with a blank value: it is called again
/// where the quick road ends.
pub(crate) fn fill_from_text(
    decode: &mut dyn FnMut(&mut dyn Input) -> Done,
    text: &str,
) -> Result<(), serde_json::Error> {
    let unknown = note::unknown_count();
    if let Outcome::Read = Text::read(text, decode) {
        return Ok(());
    }
    note::set_unknown(unknown);
    fill_with_care(decode, text)
}

/// Decodes text that is known to be JSON, if it has the right shape.
pub(crate) fn try_from_json<T: Decode>(text: &str) -> Option<T> {
    let mut value = T::blank();
    let unknown = note::unknown_count();
    match Text::read(text, &mut |input| value.decode(input)) {
        Outcome::Read => Some(value),
        Outcome::Unfit => None,
        Outcome::Unsure => {
            note::set_unknown(unknown);
            value = T::blank();
            fill_with_care(&mut |input| value.decode(input), text).ok()?;
            Some(value)
        }
    }
}

#[cold]
fn fill_with_care(decode: &mut dyn FnMut(&mut dyn Input) -> Done, text: &str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Waiting::read(&mut deserializer, decode)?;
    deserializer.end()
}

/// Puts a value where a blank one is, which has nothing that must be dropped. To drop it
/// all the same would compile what drops the type into every module that fills it.
pub(crate) fn put<T>(place: &mut T, value: T) {
    std::mem::forget(std::mem::replace(place, value));
}

/// Reads a value of a type that holds itself, which may be missing but is never null.
#[allow(dead_code, reason = "not every release has such a type")]
pub(crate) fn boxed_some<T: Decode>(field: &mut Option<Box<T>>, input: &mut dyn Input) -> Done {
    field.insert(Box::new(T::blank())).decode(input)
}

/// Reads an optional field of a type that holds itself.
#[allow(dead_code, reason = "not every release has such a type")]
pub(crate) fn boxed_option<T: Decode>(field: &mut Option<Box<T>>, input: &mut dyn Input) -> Done {
    let mut value: Option<T> = None;
    value.decode(input)?;
    *field = value.map(Box::new);
    Ok(())
}

/// Reads a three-state field of a type that holds itself.
#[allow(dead_code, reason = "not every release has such a type")]
pub(crate) fn boxed_tristate<T: Decode>(field: &mut Tristate<Box<T>>, input: &mut dyn Input) -> Done {
    let mut value = None;
    boxed_option(&mut value, input)?;
    *field = value.map_or(Tristate::Null, Tristate::Value);
    Ok(())
}

pub(crate) fn blank<T: Decode>() -> T {
    T::blank()
}

/// A default of the schema that is no literal in Rust. A default that does not fit
/// its own type, which no release has, stays blank.
#[allow(dead_code, reason = "not every release has such a default")]
pub(crate) fn decoded<T: Decode>(text: &str) -> T {
    T::from_text(text).unwrap_or_else(|_| T::blank())
}

impl<T: Decode> Slot for &mut Option<T> {
    #[inline(never)]
    fn fill(&mut self, input: &mut dyn Input) -> Done {
        put(*self, Some(T::blank()));
        // Written out: `insert` would be compiled once more for every type.
        match *self {
            Some(value) => value.decode(input),
            None => Ok(()),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn blank() -> Self {
        None
    }

    #[inline(never)]
    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut slot = self;
        if T::HAS_NULL { slot.fill(input) } else { input.option(&mut slot) }
    }
}

/// One impl for all objects, because one for each of them is a tenth of the time
/// that checking this crate takes. It rules out one for `Box<T>`.
impl<R: Record> Decode for R {
    #[inline(never)]
    fn blank() -> Self {
        Record::blank()
    }

    #[inline(never)]
    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut fields = self;
        input.object(R::SHAPE, &mut fields)
    }
}

impl Decode for String {
    fn blank() -> Self {
        Self::new()
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        input.string(self)
    }
}

impl Decode for bool {
    fn blank() -> Self {
        false
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        input.boolean(self)
    }
}

macro_rules! integers {
    ($($name:ident),*) => {$(
        impl Decode for $name {
            fn blank() -> Self {
                0
            }

            fn decode(&mut self, input: &mut dyn Input) -> Done {
                let mut wide = 0;
                input.integer(&mut wide)?;
                match Self::try_from(wide) {
                    Ok(value) => {
                        *self = value;
                        Ok(())
                    }
                    Err(_) => Err(out_of_range(wide, stringify!($name), input)),
                }
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

#[cold]
fn out_of_range(value: i128, name: &str, input: &mut dyn Input) -> Failed {
    input.fail(format_args!("invalid value: integer `{value}`, expected {name}"))
}

impl Decode for f64 {
    fn blank() -> Self {
        0.0
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        input.float(self)
    }
}

impl Decode for Value {
    /// Where any JSON may stand.
    const HAS_NULL: bool = true;

    fn blank() -> Self {
        Self::Null
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        input.any(self)
    }
}

impl Decode for serde_json::Map<String, Value> {
    fn blank() -> Self {
        Self::new()
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        self.clear();
        input.map(self)
    }
}

impl Entries for serde_json::Map<String, Value> {
    fn entry(&mut self, name: &str, input: &mut dyn Input) -> Done {
        let mut value = Value::Null;
        input.any(&mut value)?;
        self.insert(name.to_owned(), value);
        Ok(())
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }

    #[inline(never)]
    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut items = self;
        input.list(&mut items)
    }
}

impl<T: Decode> Slot for &mut Vec<T> {
    #[inline(never)]
    fn fill(&mut self, input: &mut dyn Input) -> Done {
        self.push(T::blank());
        let last = self.len() - 1;
        self[last].decode(input)
    }
}

impl<T: Decode> Decode for Map<T> {
    fn blank() -> Self {
        Self::new()
    }

    #[inline(never)]
    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut entries = self;
        input.map(&mut entries)
    }
}

impl<T: Decode> Entries for &mut Map<T> {
    fn entry(&mut self, name: &str, input: &mut dyn Input) -> Done {
        super::entry(name, input, self)
    }
}
