//! What a logs and a metrics request have in common: who speaks, in front of what is said.
//!
//! `ResourceLogs` and `ResourceMetrics`, `ScopeLogs` and `ScopeMetrics` number their fields alike.

use super::Error;
use super::attribute::{self, any_value, key_value};
use super::backward::{Room, Stop};
use super::protobuf::{LEN, Piece, field_len, tag};
use crate::field::Value;
use crate::pseudonym::Pseudonym;
use crate::resource::{
    BUILD, INSTALLATION_ID, Resource, SCHEMA_URL, SDK_NAME, SDK_VERSION, SERVICE_NAME, SERVICE_VERSION,
};
use crate::schema::{SchemaDescriptor, VERSION_LEN_MAX};
use crate::word::WORD_LEN_MAX;

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
mod resource_field {
    pub(super) const ATTRIBUTES: u8 = 1;
}
mod of_scope {
    pub(super) const SCOPE: u8 = 1;
}
mod scope_field {
    pub(super) const NAME: u8 = 1;
    pub(super) const VERSION: u8 = 2;
}

/// `log_records` of `ScopeLogs`, `metrics` of `ScopeMetrics`: the field of what a request says.
pub(super) const ITEMS: u8 = 2;

const ID_LEN: usize = 2 * Pseudonym::LEN;

/// Those attributes of the resource that are constants of the build, and the start of the installation's id, which is not: ready,
/// since nothing of them is known only later.
static BUILD_ATTRIBUTES: [u8; build_attributes::<0>().len] = build_attributes().bytes;

/// The scope, ready.
static SCOPE: [u8; scope::<0>().len] = scope().bytes;

/// Length of the longest piece that [`Envelope`] writes, of any resource's.
pub(super) const PIECE_LEN_MAX: usize = {
    // A length takes five bytes at most.
    let program = 2 * 6
        + attribute::text_len(SERVICE_NAME.len(), WORD_LEN_MAX)
        + attribute::text_len(SERVICE_VERSION.len(), VERSION_LEN_MAX);
    let build = BUILD_ATTRIBUTES.len() + ID_LEN + 6 + SCOPE.len();
    if program > build { program } else { build }
};

#[derive(Clone)]
pub(super) struct Envelope<'a> {
    pub(super) resource: &'a Resource,
    resource_len: usize,
    /// Length of all items, each with its start.
    pub(super) items_len: usize,
}

impl<'a> Envelope<'a> {
    /// Around no item yet.
    pub(super) fn new(resource: &'a Resource) -> Self {
        let mut program = Piece::new(&mut []);
        write_program(resource.schema(), &mut program);
        Self {
            resource,
            resource_len: program.len().wrapping_add(BUILD_ATTRIBUTES.len()).wrapping_add(ID_LEN),
            items_len: 0,
        }
    }

    const fn of_scope_len(&self) -> usize {
        SCOPE.len().wrapping_add(self.items_len)
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

    /// Writes the first piece: what the resource says of the program.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn write_program(&self, piece: &mut Piece<'_>) {
        piece.open(request::OF_RESOURCE, self.of_resource_len());
        piece.open(of_resource::RESOURCE, self.resource_len);
        write_program(self.resource.schema(), piece);
    }

    /// Writes the second piece, behind which the items follow: what it says of the build and the installation, and the scope.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn write_build(&self, piece: &mut Piece<'_>) {
        piece.put(&BUILD_ATTRIBUTES);
        self.resource.pseudonym().digits().for_each(|digit| piece.byte(digit));
        piece.open(of_resource::OF_SCOPE, self.of_scope_len());
        piece.put(&SCOPE);
    }

    /// Writes the piece behind the last item.
    pub(super) fn write_tail(piece: &mut Piece<'_>) {
        piece.text(of_resource::SCHEMA_URL, SCHEMA_URL.as_bytes());
    }
}

/// Writes the request around the items that `write_items` writes, to the end of `buffer`, and gives it; where it does not fit, an
/// error that says its length.
#[inline]
pub(super) fn encode<'b>(
    resource: &Resource,
    buffer: &'b mut [u8],
    write_items: impl FnOnce(Room<'_>) -> Result<Room<'_>, Stop>,
    len: impl FnOnce() -> usize,
) -> Result<&'b [u8], Error> {
    let written = write_behind(Room::new(buffer)).and_then(|room| {
        let end = room.len();
        write_before(resource, write_items(room)?, end)
    });
    match written.map(|room| room.len()) {
        Ok(free) => Ok(buffer.get(free..).unwrap_or(&[])),
        Err(_) => Err(Error::BufferTooSmall(len())),
    }
}

/// Writes what stands in front of the items, which were written since `end` bytes were free, and in front of the schema's URL.
fn write_before<'a>(resource: &Resource, items: Room<'a>, end: usize) -> Result<Room<'a>, Stop> {
    let end_of_resource = end.wrapping_add(field_len(SCHEMA_URL.len()));
    let room = items.put(&SCOPE)?.open(of_resource::OF_SCOPE, end)?;
    let end = room.len();
    let mut digits = [0; ID_LEN];
    digits.iter_mut().zip(resource.pseudonym().digits()).for_each(|(slot, digit)| *slot = digit);
    let schema = resource.schema();
    room.array(digits)?
        .put(&BUILD_ATTRIBUTES)?
        .attribute(resource_field::ATTRIBUTES, SERVICE_VERSION, Value::Word(schema.version()))?
        .attribute(resource_field::ATTRIBUTES, SERVICE_NAME, Value::Word(schema.project()))?
        .open(of_resource::RESOURCE, end)?
        .open(request::OF_RESOURCE, end_of_resource)
}

/// Writes what stands behind the items.
fn write_behind(room: Room<'_>) -> Result<Room<'_>, Stop> {
    room.text(of_resource::SCHEMA_URL, SCHEMA_URL.as_bytes())
}

/// Writes what the resource says of the program: its name and its version.
fn write_program(schema: &SchemaDescriptor, piece: &mut Piece<'_>) {
    attribute::write_text(piece, resource_field::ATTRIBUTES, SERVICE_NAME, schema.project());
    attribute::write_text(piece, resource_field::ATTRIBUTES, SERVICE_VERSION, schema.version());
}

/// The bytes of [`BUILD_ATTRIBUTES`].
const fn build_attributes<const N: usize>() -> Constant<N> {
    let mut constant = Constant::new();
    let mut attributes: &[(&str, Option<&str>)] = &BUILD;
    while let [(key, word), rest @ ..] = attributes {
        if let Some(word) = word {
            constant = constant.attribute(key, word.len()).and(word.as_bytes());
        }
        attributes = rest;
    }
    constant.attribute(INSTALLATION_ID, ID_LEN)
}

/// The bytes of [`SCOPE`].
const fn scope<const N: usize>() -> Constant<N> {
    Constant::new()
        .open(of_scope::SCOPE, field_len(SDK_NAME.len()).wrapping_add(field_len(SDK_VERSION.len())))
        .open(scope_field::NAME, SDK_NAME.len())
        .and(SDK_NAME.as_bytes())
        .open(scope_field::VERSION, SDK_VERSION.len())
        .and(SDK_VERSION.as_bytes())
}

/// Bytes put together by the compiler, and how many they are, also where `N` is too small for them.
struct Constant<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Constant<N> {
    const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// The start of an attribute, whose text of `text_len` bytes follows.
    const fn attribute(self, key: &str, text_len: usize) -> Self {
        self.open(
            resource_field::ATTRIBUTES,
            field_len(key.len()).wrapping_add(field_len(field_len(text_len))),
        )
        .open(key_value::KEY, key.len())
        .and(key.as_bytes())
        .open(key_value::VALUE, field_len(text_len))
        .open(any_value::STRING, text_len)
    }

    /// The start of a field of `len` bytes.
    const fn open(self, field: u8, len: usize) -> Self {
        assert!(len < 0x80, "a constant's field is short");
        self.and(&[tag(field, LEN), len as u8])
    }

    const fn and(mut self, mut bytes: &[u8]) -> Self {
        while let [first, rest @ ..] = bytes {
            if let Some((_, [slot, ..])) = self.bytes.split_at_mut_checked(self.len) {
                *slot = *first;
            }
            self.len = self.len.wrapping_add(1);
            bytes = rest;
        }
        self
    }
}
