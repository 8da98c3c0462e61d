//! What a person is asked, sees and may do.
//!
//! ```text
//!  ask: the question, what is new ──► terminal, or a dialog of the application's
//!  rights ──► status: on or off and why, how delivery goes; trial: one request now; what waits, what was sent; deleting it; page: all of it in HTML
//! ```

pub(crate) mod ask;
mod page;
pub(crate) mod rights;
pub(crate) mod status;
pub(crate) mod terminal;
pub(crate) mod trial;
