//! Enums over all methods that one side may send in one kind of message.

use super::input::{Done, Input};
use super::output::Output;
use crate::UnrecognizedMethod;

/// The key of `params`, as [`Output::field`] takes it.
pub(crate) const PARAMS: &str = ",\"params\":";

/// The methods of one direction and kind. It can't be implemented outside of this
/// crate.
pub trait Methods: Sized {
    /// The methods, sorted.
    const NAMES: &'static [&'static str];

    /// The index of a method.
    fn find(method: &str) -> Option<usize>;

    /// Becomes the method with this index in `NAMES`, with blank params. It must be blank
    /// before.
    fn select(&mut self, index: usize);

    /// The method's name.
    fn method(&self) -> &str;

    fn unrecognized(method: UnrecognizedMethod) -> Self;

    /// Reads the value of `params`.
    fn read_params(&mut self, input: &mut dyn Input) -> Done;

    /// Whether `params` may be left out.
    fn params_optional(&self) -> bool;

    /// Writes the member `params`, unless it is left out.
    fn write_params(&self, output: &mut Output<'_>);
}

/// Implements everything of an enum of methods but its definition. The index of a
/// method is its place in the list, which is sorted.
macro_rules! methods {
    ($name:ident { $($index:literal: $variant:ident($params:ty) = $method:literal),* $(,)? }) => {
        impl $name {
            /// The method's name on the wire.
            pub fn method(&self) -> &str {
                $crate::runtime::Methods::method(self)
            }
        }

        impl $crate::runtime::Methods for $name {
            const NAMES: &'static [&'static str] = &[$($method),*];

            fn find(method: &str) -> Option<usize> {
                static PLACES: $crate::runtime::NameTable =
                    $crate::runtime::NameTable::new(<$name as $crate::runtime::Methods>::NAMES);
                PLACES.find(method)
            }

            fn select(&mut self, index: usize) {
                $crate::runtime::put(self, match index {
                    $($index => Self::$variant(<$params as $crate::runtime::Decode>::blank().into()),)*
                    _ => Self::Unrecognized($crate::UnrecognizedMethod::default()),
                });
            }

            fn method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $method,)*
                    Self::Unrecognized(method) => &method.method,
                }
            }

            fn unrecognized(method: $crate::UnrecognizedMethod) -> Self {
                Self::Unrecognized(method)
            }

            fn read_params(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                match self {
                    $(Self::$variant(params) => {
                        let params: &mut $params = params;
                        $crate::runtime::Decode::decode(params, input)
                    })*
                    Self::Unrecognized(method) => $crate::runtime::Decode::decode(&mut method.params, input),
                }
            }

            fn params_optional(&self) -> bool {
                match self {
                    $(Self::$variant(_) => <$params as $crate::Params>::OPTIONAL,)*
                    Self::Unrecognized(_) => true,
                }
            }

            fn write_params(&self, output: &mut $crate::runtime::Output<'_>) {
                match self {
                    $(Self::$variant(params) => {
                        let params: &$params = params;
                        if !(<$params as $crate::Params>::OPTIONAL && $crate::Params::is_absent(params)) {
                            output.field($crate::runtime::PARAMS, params);
                        }
                    })*
                    Self::Unrecognized(method) => $crate::runtime::Methods::write_params(method, output),
                }
            }
        }
    };
}

pub(crate) use methods;

/// The set without a method of its own: every method is kept as it is.
impl Methods for UnrecognizedMethod {
    const NAMES: &'static [&'static str] = &[];

    fn find(_: &str) -> Option<usize> {
        None
    }

    fn select(&mut self, _: usize) {}

    fn method(&self) -> &str {
        &self.method
    }

    fn unrecognized(method: UnrecognizedMethod) -> Self {
        method
    }

    fn read_params(&mut self, input: &mut dyn Input) -> Done {
        super::Decode::decode(&mut self.params, input)
    }

    fn params_optional(&self) -> bool {
        true
    }

    fn write_params(&self, output: &mut Output<'_>) {
        output.omit(PARAMS, &self.params);
    }
}
