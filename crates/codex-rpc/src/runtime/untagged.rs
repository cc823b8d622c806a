//! Unions whose arms only their content tells apart.

use serde_json::Value;

use super::decode::{Decode, put, try_from_json};
use super::input::{Done, Input};
use super::note;

/// One attempt to read a text as an arm: the union and how much of the text the
/// arm did not know.
pub(crate) type Attempt<T> = fn(&str) -> Option<(T, u32)>;

/// Tries an arm.
pub(crate) fn try_arm<A: Decode, T>(text: &str, wrap: fn(A) -> T) -> Option<(T, u32)> {
    let mark = note::path_mark();
    let (arm, unknown) = note::count_unknown(|| try_from_json(text));
    note::forget_unknown(unknown);
    if arm.is_none() {
        note::forget_path(mark);
    }
    Some((wrap(arm?), unknown))
}

/// Takes the first arm that knows all of the value, else the one that knows most.
pub(crate) fn decode_untagged<T>(
    union: &mut T,
    name: &'static str,
    arms: &[Attempt<T>],
    input: &mut dyn Input,
) -> Done {
    let mut value = Value::Null;
    input.any(&mut value)?;
    let text = value.to_string();
    let mut best: Option<(T, u32)> = None;
    for arm in arms {
        let Some(attempt) = arm(&text) else { continue };
        if best.as_ref().is_none_or(|(_, unknown)| attempt.1 < *unknown) {
            best = Some(attempt);
        }
        if matches!(best, Some((_, 0))) {
            break;
        }
    }
    let Some((value, unknown)) = best else {
        return Err(input.fail(format_args!("{name}: the value fits no variant")));
    };
    for _ in 0..unknown {
        note::unknown();
    }
    put(union, value);
    Ok(())
}

/// Implements everything of a union but its definition.
macro_rules! untagged_union {
    ($union:ident { $first:ident($first_type:ty), $($variant:ident($arm:ty)),* $(,)? }) => {
        impl $crate::runtime::Decode for $union {
            fn blank() -> Self {
                Self::$first($crate::runtime::Decode::blank())
            }

            #[inline(never)]
            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                $crate::runtime::decode_untagged(
                    self,
                    stringify!($union),
                    &[
                        |text| $crate::runtime::try_arm::<$first_type, Self>(text, Self::$first),
                        $(|text| $crate::runtime::try_arm::<$arm, Self>(text, Self::$variant)),*
                    ],
                    input,
                )
            }
        }

        impl $crate::runtime::Encode for $union {
            #[inline(never)]
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                match self {
                    Self::$first(value) => $crate::runtime::Encode::encode(value, output),
                    $(Self::$variant(value) => $crate::runtime::Encode::encode(value, output),)*
                }
            }
        }

        impl From<$first_type> for $union {
            #[inline]
            fn from(value: $first_type) -> Self {
                Self::$first(value)
            }
        }

        $(
            impl From<$arm> for $union {
                #[inline]
                fn from(value: $arm) -> Self {
                    Self::$variant(value)
                }
            }
        )*

        $crate::runtime::implement_serde!($union);
    };
}

pub(crate) use untagged_union;
