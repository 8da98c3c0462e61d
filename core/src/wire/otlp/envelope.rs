//! What a logs and a metrics request have in common: who speaks, in front of what is said.
//!
//! `ResourceLogs` and `ResourceMetrics`, `ScopeLogs` and `ScopeMetrics` number their fields alike.

use super::Error;
use super::room::{Counting, LEN, Room, Stop, any_value, field_len, key_value, tag};
use crate::events::field::Value;
use crate::person::pseudonym::Pseudonym;
use crate::schemas::schema::VERSION_LEN_MAX;
use crate::wire::resource::{
    BUILD, INSTALLATION_ID, Resource, SCHEMA_URL, SDK_NAME, SDK_VERSION, SERVICE_NAME, SERVICE_VERSION,
};
use crate::words::word::WORD_LEN_MAX;

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

/// Length of the resource's attributes behind those of the program.
const ATTRIBUTES_LEN: usize = BUILD_ATTRIBUTES.len() + ID_LEN;

/// Length of what stands behind the items.
const TAIL_LEN: usize = field_len(SCHEMA_URL.len());

/// Those attributes of the resource that are constants of the build, and the start of the installation's id, which is not: ready,
/// since nothing of them is known only later.
static BUILD_ATTRIBUTES: [u8; build_attributes::<0>().len] = build_attributes().bytes;

/// The scope, ready.
static SCOPE: [u8; scope::<0>().len] = scope().bytes;

/// Length of the longest piece around the items, of any resource's.
pub(super) const PIECE_LEN_MAX: usize = {
    const fn attribute_len(key: &str, text_len: usize) -> usize {
        field_len(field_len(key.len()).wrapping_add(field_len(field_len(text_len))))
    }
    // A length takes five bytes at most.
    let program =
        2 * 6 + attribute_len(SERVICE_NAME, WORD_LEN_MAX) + attribute_len(SERVICE_VERSION, VERSION_LEN_MAX);
    let build = ATTRIBUTES_LEN + 6 + SCOPE.len();
    if program > build { program } else { build }
};

/// The pieces of a request, in the order in which they are read.
#[derive(Clone, Copy)]
enum Next<N> {
    /// What the resource says of the program.
    Program,
    /// What it says of the build and the installation; the scope.
    Build,
    /// An item, or a part of one.
    Item(N),
    /// The schema's URL.
    Tail,
    Nothing,
}

/// A request that is read piece by piece: where it stands. A piece is measured, and then written from its end to its start, as a whole request
/// is: how long that is which follows it is known.
#[derive(Clone)]
pub(super) struct Pieces<N> {
    /// Length of all items, each with its start.
    items_len: usize,
    len: usize,
    first: N,
    next: Next<N>,
    /// How many bytes are still to be read.
    left: usize,
}

impl<N: Copy> Pieces<N> {
    /// Those of a request whose first item is `first`; `write_item` writes one, and says which follows.
    pub(super) fn new(
        resource: &Resource,
        first: N,
        write_item: impl Fn(N, &mut Counting<'_>) -> Option<N>,
    ) -> Self {
        let mut pieces = Self { items_len: 0, len: 0, first, next: Next::Item(first), left: 0 };
        let mut items = Counting::nowhere();
        while let Next::Item(_) = pieces.next {
            pieces.next = pieces.write(resource, &write_item, &mut items);
        }
        (pieces.items_len, pieces.next) = (items.measured(), Next::Program);
        // What stands in front of them goes on with the count.
        while !matches!(pieces.next, Next::Item(_)) {
            pieces.next = pieces.write(resource, &write_item, &mut items);
        }
        pieces.len = items.measured().wrapping_add(TAIL_LEN);
        pieces.rewind();
        pieces
    }

    /// Length of the request.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Starts again at the first piece.
    pub(super) const fn rewind(&mut self) {
        (self.next, self.left) = (Next::Program, self.len);
    }

    /// Fills `buffer` with the next pieces, as [`Body::read`](super::Body::read) does.
    pub(super) fn read(
        &mut self,
        resource: &Resource,
        mut buffer: &mut [u8],
        write_item: impl Fn(N, &mut Counting<'_>) -> Option<N>,
    ) -> Result<usize, Error> {
        let mut filled: usize = 0;
        while !matches!(self.next, Next::Nothing) {
            let mut nowhere = Counting::nowhere();
            let following = self.write(resource, &write_item, &mut nowhere);
            let len = nowhere.measured();
            let Some((slot, free)) = buffer.split_at_mut_checked(len) else {
                // What does not fit comes with the next call.
                return if filled > 0 { Ok(filled) } else { Err(Error::BufferTooSmall(len)) };
            };
            self.write(resource, &write_item, &mut Counting::new(slot));
            buffer = free;
            filled = filled.wrapping_add(len);
            self.left = self.left.checked_sub(len).ok_or(Error::Changed)?;
            self.next = following;
        }
        if self.left > 0 { Err(Error::Changed) } else { Ok(filled) }
    }

    /// Writes the next piece, and says which follows.
    fn write(
        &self,
        resource: &Resource,
        write_item: &impl Fn(N, &mut Counting<'_>) -> Option<N>,
        piece: &mut Counting<'_>,
    ) -> Next<N> {
        let end = piece.at();
        // One that counts never stops.
        match self.next {
            Next::Program => {
                let end_of_resource = end.wrapping_add(ATTRIBUTES_LEN);
                let of_scope = field_len(SCOPE.len().wrapping_add(self.items_len));
                let end = end_of_resource.wrapping_add(of_scope).wrapping_add(TAIL_LEN);
                let _ = write_program(resource, piece, end_of_resource, end);
                Next::Build
            }
            Next::Build => {
                let _ = write_build(resource, piece, end.wrapping_add(self.items_len));
                Next::Item(self.first)
            }
            Next::Item(item) => write_item(item, piece).map_or(Next::Tail, Next::Item),
            Next::Tail | Next::Nothing => {
                let _ = write_tail(piece);
                Next::Nothing
            }
        }
    }
}

/// What a request says.
pub(super) trait Items {
    /// Writes all of it.
    fn write<const COUNTING: bool>(&self, room: &mut Room<'_, COUNTING>) -> Result<(), Stop>;
}

/// Writes the request around `items` to the end of `buffer`, and gives it; where it does not fit, an error that says its length.
#[inline]
pub(super) fn encode<'b>(
    resource: &Resource,
    buffer: &'b mut [u8],
    items: &impl Items,
) -> Result<&'b [u8], Error> {
    let mut room = Room::<'_, false>::new(&mut *buffer);
    match write_request(resource, &mut room, items) {
        Ok(()) => {
            let at = room.at();
            Ok(buffer.get(at..).unwrap_or(&[]))
        }
        Err(_) => {
            let mut nowhere = Counting::nowhere();
            let _ = write_request(resource, &mut nowhere, items);
            Err(Error::BufferTooSmall(nowhere.measured()))
        }
    }
}

/// The same for what is sent rarely: by the code that counts on where nothing fits, alone.
pub(super) fn encode_rarely<'b>(
    resource: &Resource,
    buffer: &'b mut [u8],
    items: &impl Items,
) -> Result<&'b [u8], Error> {
    let room_len = buffer.len();
    let mut room = Counting::new(&mut *buffer);
    let _ = write_request(resource, &mut room, items);
    let at = room.at();
    // Where it did not fit, the place wrapped around.
    buffer.get(at..).ok_or(Error::BufferTooSmall(room_len.wrapping_sub(at)))
}

#[inline]
fn write_request<const COUNTING: bool>(
    resource: &Resource,
    room: &mut Room<'_, COUNTING>,
    items: &impl Items,
) -> Result<(), Stop> {
    write_tail(room)?;
    let end = room.at();
    items.write(room)?;
    write_head(resource, room, end)
}

/// Writes what stands in front of the items, whose end is `end`.
fn write_head<const COUNTING: bool>(
    resource: &Resource,
    room: &mut Room<'_, COUNTING>,
    end: usize,
) -> Result<(), Stop> {
    write_build(resource, room, end)?;
    let end_of_resource = room.at().wrapping_add(ATTRIBUTES_LEN);
    write_program(resource, room, end_of_resource, end.wrapping_add(TAIL_LEN))
}

/// Writes what the resource says of the program, in front of its other attributes, which end at `end_of_resource`, and the start of the
/// request, which ends at `end`.
fn write_program<const COUNTING: bool>(
    resource: &Resource,
    room: &mut Room<'_, COUNTING>,
    end_of_resource: usize,
    end: usize,
) -> Result<(), Stop> {
    let schema = resource.schema();
    room.attribute(resource_field::ATTRIBUTES, SERVICE_VERSION, Value::Word(schema.version()))?;
    room.attribute(resource_field::ATTRIBUTES, SERVICE_NAME, Value::Word(schema.project()))?;
    room.open(of_resource::RESOURCE, end_of_resource)?;
    room.open(request::OF_RESOURCE, end)
}

/// Writes what stands between the program and the items, whose end is `end`: what the resource says of the build and the installation, and the
/// scope.
fn write_build<const COUNTING: bool>(
    resource: &Resource,
    room: &mut Room<'_, COUNTING>,
    end: usize,
) -> Result<(), Stop> {
    room.put(&SCOPE)?;
    room.open(of_resource::OF_SCOPE, end)?;
    let mut digits = [0; ID_LEN];
    digits.iter_mut().zip(resource.pseudonym().digits()).for_each(|(slot, digit)| *slot = digit);
    room.put(&digits)?;
    room.put(&BUILD_ATTRIBUTES)
}

/// Writes what stands behind the items.
fn write_tail<const COUNTING: bool>(room: &mut Room<'_, COUNTING>) -> Result<(), Stop> {
    room.text(of_resource::SCHEMA_URL, SCHEMA_URL.as_bytes())
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
