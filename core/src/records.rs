//! What happened: ordinals instead of words.
//!
//! ```text
//!  event ──► record: which one, which members, when ──► ring: encoded, in memory ── queue: the same in a static
//!                                                        of any origin ──► checked against the schema
//! ```

pub mod record;
pub mod ring;
pub mod queue;
