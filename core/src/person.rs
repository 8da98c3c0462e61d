//! The person: what they said, and what stands for them.
//!
//! ```text
//!  signals ──► consent: decides ──► Consent, made nowhere else ──► pseudonym: a keyed hash
//! ```

pub mod consent;
pub mod pseudonym;
