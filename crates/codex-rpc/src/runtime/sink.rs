//! A serializer of serde behind [`Output`]: the only code of encoding that is
//! compiled for every kind of serializer.

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use super::encode::Encode;
use super::output::Output;
use crate::RawJson;

/// What an [`Output`] asks of a serializer. It takes one value; the first error is
/// kept, and what comes after it is passed over.
pub(super) trait Sink {
    fn null(&mut self);

    fn some(&mut self, value: &dyn Encode);

    fn boolean(&mut self, value: bool);

    fn signed(&mut self, value: i64);

    fn unsigned(&mut self, value: u64);

    fn float(&mut self, value: f64);

    fn string(&mut self, value: &str);

    fn any(&mut self, value: &Value);

    fn raw(&mut self, value: &RawJson);

    fn open_list(&mut self, length: usize);

    fn item(&mut self, value: &dyn Encode);

    fn open_map(&mut self, length: Option<usize>);

    fn entry(&mut self, name: &str, value: &dyn Encode);

    /// Ends the list or the map.
    fn close(&mut self);
}

enum State<S: Serializer> {
    Ready(S),
    List(S::SerializeSeq),
    Map(S::SerializeMap),
    Written(S::Ok),
    Failed(S::Error),
    /// Between two of the others.
    Taken,
}

/// A value as serde wants it.
struct Erased<'a>(&'a dyn Encode);

impl Serialize for Erased<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0, serializer)
    }
}

pub(super) fn write<S: Serializer>(value: &dyn Encode, serializer: S) -> Result<S::Ok, S::Error> {
    let mut state = State::Ready(serializer);
    value.encode(&mut Output::to(&mut state));
    match state {
        State::Written(written) => Ok(written),
        State::Failed(error) => Err(error),
        _ => Err(S::Error::custom("a value was not written to its end")),
    }
}

impl<S: Serializer> State<S> {
    /// Takes a step that uses the state up, unless an earlier one failed.
    fn step(&mut self, step: impl FnOnce(Self) -> Result<Self, S::Error>) {
        *self = match std::mem::replace(self, Self::Taken) {
            Self::Failed(error) => Self::Failed(error),
            state => step(state).unwrap_or_else(Self::Failed),
        };
    }

    fn whole(&mut self, write: impl FnOnce(S) -> Result<S::Ok, S::Error>) {
        self.step(|state| match state {
            Self::Ready(serializer) => write(serializer).map(Self::Written),
            _ => Err(misplaced()),
        });
    }
}

#[cold]
fn misplaced<E: serde::ser::Error>() -> E {
    E::custom("a value was written twice or out of place")
}

impl<S: Serializer> Sink for State<S> {
    fn null(&mut self) {
        self.whole(Serializer::serialize_none);
    }

    fn some(&mut self, value: &dyn Encode) {
        self.whole(|serializer| serializer.serialize_some(&Erased(value)));
    }

    fn boolean(&mut self, value: bool) {
        self.whole(|serializer| serializer.serialize_bool(value));
    }

    fn signed(&mut self, value: i64) {
        self.whole(|serializer| serializer.serialize_i64(value));
    }

    fn unsigned(&mut self, value: u64) {
        self.whole(|serializer| serializer.serialize_u64(value));
    }

    fn float(&mut self, value: f64) {
        self.whole(|serializer| serializer.serialize_f64(value));
    }

    fn string(&mut self, value: &str) {
        self.whole(|serializer| serializer.serialize_str(value));
    }

    fn any(&mut self, value: &Value) {
        self.whole(|serializer| value.serialize(serializer));
    }

    fn raw(&mut self, value: &RawJson) {
        self.whole(|serializer| value.as_raw_value().serialize(serializer));
    }

    fn open_list(&mut self, length: usize) {
        self.step(|state| match state {
            Self::Ready(serializer) => serializer.serialize_seq(Some(length)).map(Self::List),
            _ => Err(misplaced()),
        });
    }

    fn item(&mut self, value: &dyn Encode) {
        self.step(|state| match state {
            Self::List(mut list) => list.serialize_element(&Erased(value)).map(|()| Self::List(list)),
            _ => Err(misplaced()),
        });
    }

    fn open_map(&mut self, length: Option<usize>) {
        self.step(|state| match state {
            Self::Ready(serializer) => serializer.serialize_map(length).map(Self::Map),
            _ => Err(misplaced()),
        });
    }

    fn entry(&mut self, name: &str, value: &dyn Encode) {
        self.step(|state| match state {
            Self::Map(mut map) => map.serialize_entry(name, &Erased(value)).map(|()| Self::Map(map)),
            _ => Err(misplaced()),
        });
    }

    fn close(&mut self) {
        self.step(|state| match state {
            Self::List(list) => list.end().map(Self::Written),
            Self::Map(map) => map.end().map(Self::Written),
            _ => Err(misplaced()),
        });
    }
}
