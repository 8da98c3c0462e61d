//! What a logs and a metrics request have in common: who speaks, in front of what is said.
//!
//! `ResourceLogs` and `ResourceMetrics`, `ScopeLogs` and `ScopeMetrics` number their fields alike.

use super::attribute;
use super::protobuf::{Piece, field_len};
use crate::resource::{ATTRIBUTE_COUNT, Resource, SCHEMA_URL, SDK_NAME, SDK_VERSION};
use crate::word::NAME_LEN_MAX;

mod request {
    /// `resource_logs`, `resource_metrics`.
    pub(super) const OF_RESOURCE: u8 = 1;
}
mod of_resource {
    pub(super) const RESOURCE: u8 = 1;
    /// `scope_logs`, `scope_metrics`.
    pub(super) const OF_SCOPE: u8 = 2;
    pub(super) const SCHEMA_URL: u8 = 3;
}
mod resource {
    pub(super) const ATTRIBUTES: u8 = 1;
}
mod of_scope {
    pub(super) const SCOPE: u8 = 1;
}
mod scope {
    pub(super) const NAME: u8 = 1;
    pub(super) const VERSION: u8 = 2;
}

/// `log_records` of `ScopeLogs`, `metrics` of `ScopeMetrics`: the field of what a request says.
pub(super) const ITEMS: u8 = 2;

const SCOPE_LEN: usize = field_len(SDK_NAME.len()).wrapping_add(field_len(SDK_VERSION.len()));

/// Length of the longest piece that [`Envelope`] writes, of any resource's.
///
/// That is an attribute: the installation's id, or a version and a project at their longest.
pub(super) const PIECE_LEN_MAX: usize = attribute::text_len("telemetry.sdk.language", &[0; NAME_LEN_MAX]);

/// The pieces in front of the first item.
#[derive(Clone, Copy)]
pub(super) enum Head {
    Start,
    Attribute(usize),
    Scope,
}

#[derive(Clone)]
pub(super) struct Envelope<'a> {
    pub(super) resource: &'a Resource,
    resource_len: usize,
    /// Length of all items, each with its start.
    pub(super) items_len: usize,
}

impl<'a> Envelope<'a> {
    /// Around no item yet.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn new(resource: &'a Resource) -> Self {
        let attributes = resource.attributes().map(|(key, text)| attribute::text_len(key, text.as_bytes()));
        Self { resource, resource_len: attributes.fold(0, usize::wrapping_add), items_len: 0 }
    }

    /// Counts an item of `len` bytes in.
    pub(super) const fn add(&mut self, len: usize) {
        self.items_len = self.items_len.wrapping_add(field_len(len));
    }

    const fn of_scope_len(&self) -> usize {
        field_len(SCOPE_LEN).wrapping_add(self.items_len)
    }

    #[cfg_attr(target_os = "none", inline(never))]
    const fn of_resource_len(&self) -> usize {
        field_len(self.resource_len)
            .wrapping_add(field_len(self.of_scope_len()))
            .wrapping_add(field_len(SCHEMA_URL.len()))
    }

    /// Length of the request.
    pub(super) const fn len(&self) -> usize {
        field_len(self.of_resource_len())
    }

    /// Writes the piece at `head` and says which follows; the items do behind the last.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn write_head(&self, head: Head, piece: &mut Piece<'_>) -> Option<Head> {
        match head {
            Head::Start => {
                piece.open(request::OF_RESOURCE, self.of_resource_len());
                piece.open(of_resource::RESOURCE, self.resource_len);
                Some(Head::Attribute(0))
            }
            Head::Attribute(position) => {
                if let Some((key, text)) = self.resource.attribute(position) {
                    attribute::write_text(piece, resource::ATTRIBUTES, key, text.as_bytes());
                }
                let following = position.wrapping_add(1);
                Some(if following < ATTRIBUTE_COUNT { Head::Attribute(following) } else { Head::Scope })
            }
            Head::Scope => {
                piece.open(of_resource::OF_SCOPE, self.of_scope_len());
                piece.open(of_scope::SCOPE, SCOPE_LEN);
                piece.text(scope::NAME, SDK_NAME.as_bytes());
                piece.text(scope::VERSION, SDK_VERSION.as_bytes());
                None
            }
        }
    }

    /// Writes the piece behind the last item.
    pub(super) fn write_tail(piece: &mut Piece<'_>) {
        piece.text(of_resource::SCHEMA_URL, SCHEMA_URL.as_bytes());
    }
}
