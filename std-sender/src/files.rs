//! Files of ours, and the time: what everything else stands on.
//!
//! ```text
//!  bytes ──► disk: private, whole from one moment to the next, never the host's end ──► a folder of this library
//!            exclusive: the right of one process ── a record lock, or a lease
//!            busy: on Windows, a call made again while another program is in its way
//! ```

pub(crate) mod busy;
pub(crate) mod checksum;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod exclusive;
