//! Sets of strings that may grow.

/// Implements everything of an enum but its definition. The index of a value is its
/// place in the list.
macro_rules! open_enum {
    ($name:ident { $($index:literal: $variant:ident = $value:literal),* $(,)? }) => {
        impl $name {
            /// The values that this release knows, as they stand on the wire.
            pub const VALUES: &'static [&'static str] = &[$($value),*];

            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unrecognized(value) => value,
                }
            }

            /// Whether this release knows the value.
            #[inline]
            pub fn is_recognized(&self) -> bool {
                !matches!(self, Self::Unrecognized(_))
            }

            #[inline(never)]
            fn chosen(choice: $crate::runtime::Choice) -> Self {
                match choice {
                    $($crate::runtime::Choice::Known($index) => Self::$variant,)*
                    $crate::runtime::Choice::Known(_) => $crate::runtime::blank(),
                    $crate::runtime::Choice::Other(value) => Self::Unrecognized(value),
                }
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(value: &str) -> Self {
                Self::chosen($crate::runtime::Choice::of(Self::VALUES, value))
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(value: String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            #[inline]
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(value))
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::runtime::Encode for $name {
            #[inline(never)]
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                output.string(self.as_str());
            }
        }

        impl $crate::runtime::Decode for $name {
            fn blank() -> Self {
                Self::Unrecognized(String::new())
            }

            #[inline(never)]
            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                $crate::runtime::put(self, Self::chosen(input.choice(Self::VALUES)?));
                Ok(())
            }
        }

        $crate::runtime::implement_serde!($name);
    };
}

/// Implements everything of a string with a name but its definition.
macro_rules! named_strings {
    ($($name:ident),* $(,)?) => {$(
        impl $name {
            /// The string.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl From<String> for $name {
            #[inline]
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl From<$name> for String {
            #[inline]
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::runtime::newtypes!($name);
    )*};
}

/// Implements serde for a type that is another one with a name.
macro_rules! newtypes {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::runtime::Encode for $name {
            #[inline(never)]
            fn encode(&self, output: &mut $crate::runtime::Output<'_>) {
                $crate::runtime::Encode::encode(&self.0, output);
            }
        }

        impl $crate::runtime::Decode for $name {
            fn blank() -> Self {
                Self($crate::runtime::Decode::blank())
            }

            #[inline(never)]
            fn decode(&mut self, input: &mut dyn $crate::runtime::Input) -> $crate::runtime::Done {
                $crate::runtime::Decode::decode(&mut self.0, input)
            }
        }

        $crate::runtime::implement_serde!($name);
    )*};
}

pub(crate) use {named_strings, newtypes, open_enum};
