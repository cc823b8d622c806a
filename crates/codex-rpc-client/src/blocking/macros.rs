//! Delegation to the async types.

/// Settings that are those of the async builder.
macro_rules! settings {
    ($of:ident: $($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("As [`", stringify!($of), "::", stringify!($name), "`](crate::", stringify!($of), "::", stringify!($name), ").")]
            pub fn $name(mut self, $($argument: $type),*) -> Self {
                self.inner = self.inner.$name($($argument),*);
                self
            }
        )*
    };
}

/// Methods that do what the async ones of the same name do, and wait for it.
macro_rules! same {
    ($of:ident: $($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($of), "::", stringify!($name), "`](crate::", stringify!($of), "::", stringify!($name), ").")]
            #[track_caller]
            pub fn $name(&self, $($argument: $type),*) -> Result<$output, Error> {
                self.runtime.block_on(self.inner.$name($($argument),*))
            }
        )*
    };
}

/// Methods that begin something of which there is a handle, and wait until it has begun.
macro_rules! handles {
    ($of:ident: $($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) -> $handle:ident;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($of), "::", stringify!($name), "`](crate::", stringify!($of), "::", stringify!($name), ").")]
            #[track_caller]
            pub fn $name(&self, $($argument: $type),*) -> Result<$handle, Error> {
                let inner = self.runtime.block_on(self.inner.$name($($argument),*))?;
                Ok($handle::new(&self.runtime, inner))
            }
        )*
    };
}

/// Lists that are fetched as they are read.
macro_rules! pages {
    ($($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) -> $item:ty;)*) => {
        $(
            $(#[$meta])*
            pub fn $name(&self, $($argument: $type),*) -> Pages<$item> {
                Pages::new(&self.runtime, self.inner.$name($($argument),*))
            }
        )*
    };
}

/// A type that is an async one and the runtime of its session.
macro_rules! wrapper {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name {
            // Before the runtime, so that it is dropped before.
            inner: $inner,
            runtime: Runtime,
        }

        impl $name {
            pub(super) fn new(runtime: &Runtime, inner: $inner) -> Self {
                Self { inner, runtime: runtime.clone() }
            }
        }
    };
}
