//! The person: whose program it is, what they said, and what they said it to.
//!
//! ```text
//!  organization ──► names of variables, files and folders
//!  environment: variables, home ──► signals ──► core decides
//!                     choice: the answer that is kept ─┘   agreed: the inventories it was given to
//! ```

pub(crate) mod agreed;
pub(crate) mod choice;
pub(crate) mod environment;
pub(crate) mod inventory;
pub(crate) mod organization;
pub mod signals;
