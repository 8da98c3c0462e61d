//! What becomes of a frame: bytes in, and out come frames that are whole, new, and hold nothing but what their manifest can say. What becomes of a
//! program's request is `programs`'s to say.
//!
//! ```text
//!  bytes ──► Clear::parse ──► whose session? ──► Key::open ──► is it new? ──► every ordinal ──► Held ──► store, one step
//!              │ malformed        │ unknown: ask     │ bad tag       │ seen: acknowledge again   │ out of domain: told, acknowledged
//!              └──────────────────┴──────────────────┴───────────────┴───────────────────────────┴──► counted by reason
//! ```
//!
//! Nothing here waits, reads a clock or touches a network. No address comes this far.

pub mod received;
pub mod placing;
pub mod session;
pub mod held;
pub mod taker;
pub mod programs;
