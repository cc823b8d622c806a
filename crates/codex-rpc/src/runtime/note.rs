//! Notes that decoding leaves beside its result: where it failed, and how much
//! it did not know.
//!
//! Both are per thread and are written only on the cold paths, so a message of
//! this release pays nothing for them.

use std::cell::{Cell, RefCell};

/// A deeper path than this is cut: the parser stops at 128 levels anyway.
const DEEPEST: usize = 256;

pub enum Segment {
    Key(&'static str),
    Name(String),
    Index(usize),
}

thread_local! {
    static PATH: RefCell<Vec<Segment>> = const { RefCell::new(Vec::new()) };
    static UNKNOWN: Cell<u32> = const { Cell::new(0) };
}

/// Records that the error on its way out happened below `segment`.
#[cold]
pub(crate) fn failed_below(segment: Segment) {
    PATH.with_borrow_mut(|path| {
        if path.len() < DEEPEST {
            path.push(segment);
        }
    });
}

/// How long the path is, to cut it back with [`forget_path`].
pub(crate) fn path_mark() -> usize {
    PATH.with_borrow(Vec::len)
}

/// Forgets what was recorded since the mark, because the error was dealt with.
pub(crate) fn forget_path(mark: usize) {
    PATH.with_borrow_mut(|path| path.truncate(mark));
}

/// The path of the last error as a JSON pointer; clears it.
#[cold]
pub(crate) fn take_pointer() -> String {
    PATH.with_borrow_mut(|path| {
        let mut pointer = String::new();
        for segment in path.drain(..).rev() {
            pointer.push('/');
            match segment {
                Segment::Key(key) => escape(key, &mut pointer),
                Segment::Name(name) => escape(&name, &mut pointer),
                Segment::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    })
}

fn escape(name: &str, pointer: &mut String) {
    for c in name.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// Records that a member, value or variant was kept without being known.
#[cold]
pub(crate) fn unknown() {
    UNKNOWN.set(UNKNOWN.get().saturating_add(1));
}

/// How many unknowns were recorded, to go back to with [`set_unknown`].
pub(crate) fn unknown_count() -> u32 {
    UNKNOWN.get()
}

/// Forgets what was recorded since, because the attempt was given up.
pub(crate) fn set_unknown(count: u32) {
    UNKNOWN.set(count);
}

/// Runs `decode` and tells how many unknowns it kept.
pub(crate) fn count_unknown<T>(decode: impl FnOnce() -> T) -> (T, u32) {
    let before = UNKNOWN.replace(0);
    let result = decode();
    let counted = UNKNOWN.replace(before.saturating_add(UNKNOWN.get()));
    (result, counted)
}

/// Takes back unknowns that belong to an attempt that was given up.
pub(crate) fn forget_unknown(count: u32) {
    UNKNOWN.set(UNKNOWN.get().saturating_sub(count));
}
