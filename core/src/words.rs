//! What a word may be: constant text, checked while the program is compiled.
//!
//! ```text
//!  "list_contacts" ──► word: the rules ── personal: shapes of personal data ──► message: a sentence where one is broken
//!  an enum ──► label: a closed vocabulary, behind the one door to its words
//! ```

pub(crate) mod text;
pub mod message;
pub(crate) mod personal;
pub mod word;
pub mod label;
