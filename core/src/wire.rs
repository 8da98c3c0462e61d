//! What leaves, and what becomes of it.
//!
//! ```text
//!  records ── resource: where from ──► otlp: requests ──► sender: a transport ──► outcome ──► delivery: when to try again
//!  vocabulary: every string that can leave
//! ```

mod interface;
pub mod resource;
pub mod vocabulary;
pub mod otlp;
pub mod outcome;
pub mod answer;
pub mod sender;
pub mod delivery;
