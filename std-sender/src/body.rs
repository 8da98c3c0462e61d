//! A request's body in one piece.

use automagik_telemetry_core::otlp::{self, Body};

/// The whole of `body`.
///
/// # Errors
///
/// Those of [`Body::read`].
pub(crate) fn to_vec(body: &mut dyn Body) -> Result<Vec<u8>, otlp::Error> {
    let mut bytes = vec![0; body.len()];
    let len = otlp::to_slice(body, &mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}
