//! What is to be sent, and where its bytes are.

use crate::sealed::Head;
use automagik_telemetry_core::frames::Boot;

/// What is to be sent.
#[derive(Clone, Copy)]
pub(super) struct Outgoing {
    pub(super) boot: Boot,
    pub(super) sequence: u32,
    pub(super) what: What,
}

/// Where its bytes are.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// Who this session is.
    Said,
    /// Who an earlier one was.
    SaidBefore(Head),
    /// So many bytes of the frame in the buffer; and who sealed them, where it was an earlier session.
    Frame(usize, Option<Head>),
}

impl What {
    /// The bytes, of what was `said` of this session or of the `frame` in the buffer.
    pub(super) fn bytes<'a>(&'a self, said: &'a [u8], frame: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Said => said,
            Self::SaidBefore(head) => head.said(),
            Self::Frame(len, _) => frame.get(..*len).unwrap_or(&[]),
        }
    }
}
