//! What kind of panic it was: a word of a closed list, found by how messages of the language begin.

use crate::counts::aggregate::Counted;
use crate::events::cell::Cells;
use crate::words::label::Label;
use core::hint::black_box;

/// What kind of panic: OTLP's `exception.type`. Four bits.
///
/// ```
/// use automagik_telemetry_core::crashes::Exception;
/// let message = "called `Result::unwrap()` on an `Err` value: \"ada@example.org\"";
/// assert_eq!(Exception::of_message(message), Exception::UnwrapErr);
/// assert_eq!(Exception::of_message("ada@example.org"), Exception::Panic);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exception {
    /// Any other panic.
    Panic,
    /// `Option::unwrap` of `None`.
    UnwrapNone,
    /// `Result::unwrap` of an `Err`, or `unwrap_err` of an `Ok`.
    UnwrapErr,
    /// An index that lies outside.
    IndexOutOfBounds,
    /// A range that lies outside a slice or a text, or between the bytes of a character.
    RangeOutOfBounds,
    /// An addition, a multiplication, ... beyond the type's range.
    Overflow,
    /// A division by zero.
    DivideByZero,
    /// An assertion.
    Assertion,
    /// `unreachable!`.
    Unreachable,
    /// `todo!` or `unimplemented!`.
    NotImplemented,
    /// A `RefCell` that was borrowed.
    Borrowed,
    /// A collection that would be too large, or no memory for it.
    Capacity,
    /// A panic without a text, by `panic_any`.
    Any,
}

/// How messages begin, and what they tell. What is not here is a [`Exception::Panic`].
const BEGINNINGS: &[(&str, Exception)] = &[
    ("called `Option::unwrap()` on a `None` value", Exception::UnwrapNone),
    ("called `Result::unwrap()` on an `Err` value", Exception::UnwrapErr),
    ("called `Result::unwrap_err()` on an `Ok` value", Exception::UnwrapErr),
    ("index out of bounds: ", Exception::IndexOutOfBounds),
    ("range start index ", Exception::RangeOutOfBounds),
    ("range end index ", Exception::RangeOutOfBounds),
    ("slice index starts at ", Exception::RangeOutOfBounds),
    ("byte index ", Exception::RangeOutOfBounds),
    ("start byte index ", Exception::RangeOutOfBounds),
    ("end byte index ", Exception::RangeOutOfBounds),
    ("begin <= end (", Exception::RangeOutOfBounds),
    ("attempt to divide by zero", Exception::DivideByZero),
    ("attempt to calculate the remainder with a divisor of zero", Exception::DivideByZero),
    ("attempt to ", Exception::Overflow),
    ("assertion ", Exception::Assertion),
    ("internal error: entered unreachable code", Exception::Unreachable),
    ("not implemented", Exception::NotImplemented),
    ("not yet implemented", Exception::NotImplemented),
    ("already borrowed", Exception::Borrowed),
    ("already mutably borrowed", Exception::Borrowed),
    ("RefCell already ", Exception::Borrowed),
    ("capacity overflow", Exception::Capacity),
    ("memory allocation ", Exception::Capacity),
];

impl Exception {
    /// All of them, in the order of their ordinals.
    pub(crate) const ALL: [Self; 13] = [
        Self::Panic,
        Self::UnwrapNone,
        Self::UnwrapErr,
        Self::IndexOutOfBounds,
        Self::RangeOutOfBounds,
        Self::Overflow,
        Self::DivideByZero,
        Self::Assertion,
        Self::Unreachable,
        Self::NotImplemented,
        Self::Borrowed,
        Self::Capacity,
        Self::Any,
    ];

    /// What kind of panic has this message. Nothing of the message is kept.
    #[must_use]
    pub fn of_message(message: &str) -> Self {
        let begins = |(start, _): &&(&str, Self)| message.starts_with(start);
        // A loop, and not 23 comparisons one behind the other: a panic can wait.
        black_box(BEGINNINGS).iter().find(begins).map_or(Self::Panic, |(_, kind)| *kind)
    }

    /// Returns the word that leaves.
    #[must_use]
    pub fn word(self) -> &'static str {
        <Self as Label>::WORDS.get(self as usize).copied().unwrap_or("")
    }
}

#[diagnostic::do_not_recommend]
impl Counted for Exception {
    type Of<T: Cells> = [T; <Self as Label>::WORDS.len()];
}

impl Label for Exception {
    const WORDS: &'static [&'static str] = &[
        "panic",
        "panic.unwrap_none",
        "panic.unwrap_err",
        "panic.index_out_of_bounds",
        "panic.range_out_of_bounds",
        "panic.overflow",
        "panic.divide_by_zero",
        "panic.assertion",
        "panic.unreachable",
        "panic.not_implemented",
        "panic.borrowed",
        "panic.capacity",
        "panic.any",
    ];

    #[inline]
    fn ordinal(&self) -> u32 {
        *self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{self, catch_unwind};

    /// The message of the panic of `work`, as the language of today writes it.
    fn message(work: impl FnOnce() + panic::UnwindSafe) -> String {
        let payload = catch_unwind(work).unwrap_err();
        payload
            .downcast_ref::<String>()
            .cloned()
            .or(payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap()
    }

    #[test]
    #[expect(clippy::unreachable, clippy::unnecessary_literal_unwrap, reason = "they are what is tested")]
    fn the_panics_of_the_language_are_known_by_how_their_messages_begin() {
        let zero = black_box(0_usize);
        let cell = std::cell::RefCell::new(1);
        let text = black_box("é");
        let kinds: [(Exception, String); 12] = [
            (Exception::UnwrapNone, message(|| None.unwrap())),
            (Exception::UnwrapErr, message(|| Err::<(), _>("ada").unwrap())),
            (Exception::IndexOutOfBounds, message(|| _ = black_box(black_box([1])[zero + 1]))),
            (Exception::RangeOutOfBounds, message(|| drop([1, 2][zero + 1..=zero + 5].to_vec()))),
            (Exception::RangeOutOfBounds, message(|| drop(text[zero + 1..].to_owned()))),
            (Exception::Overflow, message(|| _ = black_box(usize::MAX.strict_add_of_tests(zero)))),
            (Exception::DivideByZero, message(|| _ = black_box(1 / zero))),
            (Exception::Assertion, message(|| assert_eq!(zero, 1))),
            (Exception::Unreachable, message(|| unreachable!())),
            (Exception::NotImplemented, message(|| unimplemented! {})),
            (
                Exception::Borrowed,
                message(panic::AssertUnwindSafe(|| {
                    let _first = cell.borrow_mut();
                    drop(cell.borrow_mut());
                })),
            ),
            (Exception::Capacity, message(|| drop(Vec::<u64>::with_capacity(usize::MAX)))),
        ];
        for (kind, message) in kinds {
            assert_eq!(Exception::of_message(&message), kind, "{message}");
        }
    }

    trait Strict {
        fn strict_add_of_tests(self, other: Self) -> Self;
    }

    impl Strict for usize {
        fn strict_add_of_tests(self, other: Self) -> Self {
            self + other + 1
        }
    }

    #[test]
    fn every_kind_has_its_word_and_its_place() {
        for (at, kind) in Exception::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.word()), (at, Exception::WORDS[at]));
        }
        assert_eq!(Exception::ALL.len(), Exception::WORDS.len());
    }
}
