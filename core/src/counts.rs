//! What happens often, and what the policy names.
//!
//! ```text
//!  Counter::add ──► cells ──► aggregate::drain ──► records
//!  policy: six events and four metrics, ready to use
//! ```

pub mod aggregate;
pub mod policy;
