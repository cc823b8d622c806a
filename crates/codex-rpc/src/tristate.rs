//! A field for which absent, null and a value mean three things.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::runtime::{Decode, Done, Input};

/// A field for which absent, null and a value mean three different things.
///
/// In most of the protocol null and absent mean the same, and the field is an
/// [`Option`]. Some inputs tell them apart, `serviceTier` of `turn/start` for
/// one: absent keeps the setting, null clears it, a value sets it.
///
/// ```
/// use codex_rpc::Tristate;
///
/// let tier: Tristate<String> = Tristate::from("fast");
/// assert_eq!(tier.value().map(String::as_str), Some("fast"));
/// assert!(Tristate::<String>::default().is_absent());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tristate<T> {
    /// The field is left out.
    #[default]
    Absent,
    /// The field is written as `null`.
    Null,
    /// The field is written with a value.
    Value(T),
}

impl<T> Tristate<T> {
    /// Whether the field is left out.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether the field is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value, if there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<T> From<T> for Tristate<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Tristate<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

/// Outside of a struct there is nothing to leave out: absent is written as `null`.
impl<T: Serialize> Serialize for Tristate<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// Reads `null` as [`Tristate::Null`]; only the struct around it can tell that a
/// field is absent.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tristate<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Decode> Decode for Tristate<T> {
    fn blank() -> Self {
        Self::Absent
    }

    fn decode(&mut self, input: &mut dyn Input) -> Done {
        let mut value: Option<T> = None;
        value.decode(input)?;
        *self = value.map_or(Self::Null, Self::Value);
        Ok(())
    }
}
