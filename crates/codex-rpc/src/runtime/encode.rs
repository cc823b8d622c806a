//! Writing members.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::Record;
use crate::{Extra, Params, Tristate};

/// Writes members one after the other and keeps the first error, so that the
/// generated code is a plain list of calls.
pub struct Members<'a, M: SerializeMap> {
    map: &'a mut M,
    result: Result<(), M::Error>,
}

impl<'a, M: SerializeMap> Members<'a, M> {
    pub(crate) fn new(map: &'a mut M) -> Self {
        Self { map, result: Ok(()) }
    }

    /// Writes a member.
    pub(crate) fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        if self.result.is_ok() {
            self.result = self.map.serialize_entry(name, value);
        }
    }

    /// Writes a member if there is a value.
    #[expect(clippy::ref_option, reason = "the generated calls pass fields as they are")]
    pub(crate) fn omit<T: Serialize>(&mut self, name: &'static str, value: &Option<T>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// Writes a member unless it is absent.
    pub(crate) fn tristate<T: Serialize>(&mut self, name: &'static str, value: &Tristate<T>) {
        if !value.is_absent() {
            self.field(name, value);
        }
    }

    /// Writes the members that this release does not know.
    pub(crate) fn extra(&mut self, extra: &Extra) {
        for (name, value) in extra.iter() {
            if self.result.is_ok() {
                self.result = self.map.serialize_entry(name, value);
            }
        }
    }

    /// Writes the entries of a map that lies flat in the object.
    pub(crate) fn entries<T: Serialize>(&mut self, entries: &BTreeMap<String, T>) {
        for (name, value) in entries {
            if self.result.is_ok() {
                self.result = self.map.serialize_entry(name, value);
            }
        }
    }

    /// Writes the `params` of a message if there are any.
    pub(crate) fn params<P: Params>(&mut self, params: &P) {
        if !params.is_absent() {
            self.field("params", params);
        }
    }

    pub(crate) fn finish(self) -> Result<(), M::Error> {
        self.result
    }
}

pub(crate) fn encode_record<R: Record, S: Serializer>(record: &R, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let mut members = Members::new(&mut map);
    record.write(&mut members);
    members.finish()?;
    map.end()
}

/// Writes an object with one member.
pub(crate) fn encode_one<T: Serialize + ?Sized, S: Serializer>(
    name: &'static str,
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}
