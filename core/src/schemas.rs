//! All that one program can say, as one constant.
//!
//! ```text
//!  events, metrics ──► schema: checked, one descriptor ──► fingerprint: 64 bits over it
//!                                                    └──► manifest: the same in CBOR, for people and gateways
//! ```

pub(crate) mod fingerprint;
pub mod schema;
pub mod manifest;
