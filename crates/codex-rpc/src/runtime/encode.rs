//! Writing values: the mirror of [`Decode`](super::Decode).

use serde::ser::Serializer;
use serde_json::Value;

use super::output::Output;
use super::sink;
use crate::{Map, Tristate};

/// A type that can be written.
///
/// Compiled once, whatever it is written to: see [`Output`].
pub trait Encode {
    /// Writes the value.
    fn encode(&self, output: &mut Output<'_>);
}

/// What `Serialize` of every type of this crate does.
pub(crate) fn to_serializer<S: Serializer>(value: &dyn Encode, serializer: S) -> Result<S::Ok, S::Error> {
    sink::write(value, serializer)
}

/// JSON text of a value, with room for this many bytes from the start.
pub(crate) fn to_text(value: &dyn Encode, size: usize) -> String {
    let mut text = String::with_capacity(size);
    append_text(value, &mut text);
    text
}

/// Appends JSON text of a value.
pub(crate) fn append_text(value: &dyn Encode, text: &mut String) {
    let mut output = Output::new(std::mem::take(text));
    value.encode(&mut output);
    *text = output.into_text();
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, output: &mut Output<'_>) {
        (**self).encode(output);
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, output: &mut Output<'_>) {
        (**self).encode(output);
    }
}

impl<T: Encode> Encode for Option<T> {
    #[inline(never)]
    fn encode(&self, output: &mut Output<'_>) {
        match self {
            Some(value) => output.some(&value),
            None => output.null(),
        }
    }
}

impl<T: Encode> Encode for Tristate<T> {
    fn encode(&self, output: &mut Output<'_>) {
        match self {
            Self::Value(value) => output.some(&value),
            Self::Null | Self::Absent => output.null(),
        }
    }
}

impl Encode for str {
    fn encode(&self, output: &mut Output<'_>) {
        output.string(self);
    }
}

impl Encode for String {
    fn encode(&self, output: &mut Output<'_>) {
        output.string(self);
    }
}

impl Encode for bool {
    fn encode(&self, output: &mut Output<'_>) {
        output.boolean(*self);
    }
}

macro_rules! integers {
    ($($name:ident as $method:ident),*) => {$(
        impl Encode for $name {
            fn encode(&self, output: &mut Output<'_>) {
                output.$method((*self).into());
            }
        }
    )*};
}

integers!(i8 as signed, i16 as signed, i32 as signed, i64 as signed);
integers!(u8 as unsigned, u16 as unsigned, u32 as unsigned, u64 as unsigned);

impl Encode for f64 {
    fn encode(&self, output: &mut Output<'_>) {
        output.float(*self);
    }
}

impl Encode for Value {
    fn encode(&self, output: &mut Output<'_>) {
        output.any(self);
    }
}

impl Encode for serde_json::Map<String, Value> {
    fn encode(&self, output: &mut Output<'_>) {
        output.open_map(Some(self.len()));
        for (name, value) in self {
            output.entry(name, value);
        }
        output.close_map();
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline(never)]
    fn encode(&self, output: &mut Output<'_>) {
        output.open_list(self.len());
        for item in self {
            output.item(&item);
        }
        output.close_list();
    }
}

impl<T: Encode> Encode for Map<T> {
    fn encode(&self, output: &mut Output<'_>) {
        output.open_map(Some(self.len()));
        output.entries(self);
        output.close_map();
    }
}
