//! What people do with keys, manifests and frames.

pub mod decode;
pub mod manifest;
pub mod carriers;
pub mod collector;
pub mod simulate;
