//! A label: a closed vocabulary, fixed when the program is compiled.

use crate::words::message::Message;
use crate::words::text;
use crate::words::word;
use core::marker::PhantomData;

/// Most words in one label. With more, const evaluation of the checks becomes slow, and a person can no
/// longer read what could be sent.
pub const LABEL_WORDS_MAX: usize = 1024;

/// A closed vocabulary: a value is one of [`WORDS`](Label::WORDS), and nothing else.
///
/// Derive it on an enum without data. The words are the variants in snake_case, or what `#[label("...")]` says.
///
/// The table is an associated constant, so no value that is made while the program runs can get into it, not
/// even through an implementation written by hand. Readers take the words from [`Checked::WORDS`] alone.
///
/// ```
/// use automagik_telemetry_core::{Label, label::Checked};
///
/// enum Channel { Stable, Beta }
///
/// // What the derive writes:
/// impl Label for Channel {
///     const WORDS: &'static [&'static str] = &["stable", "beta"];
///     fn ordinal(&self) -> u32 {
///         match self { Self::Stable => 0, Self::Beta => 1 }
///     }
/// }
///
/// assert_eq!(Checked::<Channel>::WORDS.len(), 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a label: an event can only hold words that are fixed when the program is compiled",
    label = "this needs an enum without data and with `#[derive(Label)]`",
    note = "text made while the program runs may hold personal data, so no field takes it"
)]
pub trait Label: 'static {
    /// The words, in the order of their ordinals.
    const WORDS: &'static [&'static str];

    /// The position of this value's word in [`WORDS`](Label::WORDS). A larger number is refused when it is
    /// recorded.
    fn ordinal(&self) -> u32;
}

/// The only door to a label's words: an inherent constant, which no implementation can override.
#[derive(Debug)]
pub struct Checked<L>(PhantomData<L>);

impl<L: Label> Checked<L> {
    /// The words of `L`, every one of them within the rules of [`word`].
    ///
    /// A word outside the rules is a compile error that names it.
    pub const WORDS: &'static [&'static str] = match fault(L::WORDS) {
        None => L::WORDS,
        // Const evaluation: this is the compile error.
        Some(message) => panic!("{}", message.as_str()),
    };
}

/// Returns what is wrong with `words` as the words of one label, or `None`.
///
/// ```
/// use automagik_telemetry_core::label::fault;
/// assert!(fault(&["stable", "beta"]).is_none());
/// assert_eq!(fault(&["beta", "beta"]).unwrap().as_str(), "the word `beta` stands twice in one label: remove one");
/// ```
#[must_use]
pub const fn fault(words: &[&str]) -> Option<Message> {
    if words.is_empty() {
        return Some(Message::new().and("a label has no words: give the enum at least one variant"));
    }
    if words.len() > LABEL_WORDS_MAX {
        return Some(
            Message::new()
                .and("a label has more than ")
                .and_number(LABEL_WORDS_MAX as u64)
                .and(" words: split it into two labels"),
        );
    }
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        if let Some(message) = word::fault(word) {
            return Some(message);
        }
        rest = tail;
    }
    match duplicate(words) {
        Some(word) => {
            Some(Message::new().and("the word `").and(word).and("` stands twice in one label: remove one"))
        }
        None => None,
    }
}

/// A word that stands twice, found with a hash table in const evaluation: comparing all pairs of a thousand
/// words would exceed what the compiler evaluates without a warning.
const fn duplicate<'a>(words: &[&'a str]) -> Option<&'a str> {
    const SLOTS: usize = 2 * LABEL_WORDS_MAX;
    let mut table: [Option<&'a str>; SLOTS] = [None; SLOTS];
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        let mut slot = hash(word) % SLOTS;
        let mut tried = 0;
        while tried < SLOTS {
            let Some((_, [entry, ..])) = table.split_at_mut_checked(slot) else { break };
            match entry {
                None => {
                    *entry = Some(word);
                    break;
                }
                Some(seen) if text::same(seen, word) => return Some(word),
                Some(_) => {}
            }
            slot = slot.wrapping_add(1) % SLOTS;
            tried = tried.wrapping_add(1);
        }
        rest = tail;
    }
    None
}

/// FNV-1a, 32 bits.
const fn hash(word: &str) -> usize {
    let mut state: u32 = 0x811c_9dc5;
    let mut bytes = word.as_bytes();
    while let [first, rest @ ..] = bytes {
        state = (state ^ *first as u32).wrapping_mul(0x0100_0193);
        bytes = rest;
    }
    state as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_needs_a_word() {
        assert!(fault(&[]).is_some());
    }

    #[test]
    fn a_label_of_the_most_words_passes_and_one_more_does_not() {
        let owned: Vec<String> = (0..=LABEL_WORDS_MAX).map(|n| format!("word_{n}")).collect();
        let words: Vec<&str> = owned.iter().map(String::as_str).collect();
        assert!(fault(&words[..LABEL_WORDS_MAX]).is_none());
        assert!(fault(&words).is_some());
    }

    #[test]
    fn a_duplicate_is_found_wherever_it_stands() {
        let owned: Vec<String> = (0..200).map(|n| format!("word_{n}")).collect();
        for at in 0..199 {
            let mut words: Vec<&str> = owned.iter().map(String::as_str).collect();
            words[199] = words[at];
            assert!(fault(&words).is_some(), "{at}");
        }
    }
}
