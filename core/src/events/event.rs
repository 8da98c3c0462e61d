//! Events: a name and a few fields, described by constants.

use crate::events::field::{Domain, Field, Values};
use crate::words::message::Message;
use crate::words::text;
use crate::words::word;
use core::marker::PhantomData;

/// Bits that the fields of one event may take together. A record holds them in one `u64`, so a wider event
/// could not even be stored; 64 bits are also too few to carry a name, an address or a number at will.
pub const EVENT_BITS_MAX: u32 = 64;

/// Bits that the plain numbers of one event may take together: those that are no word, no flag, no class and no status. An IPv4
/// address (32 bits), a phone number (34) and a card number (54) do not fit, however many fields share them. A field with
/// a reason for being [`harmless`](FieldDescriptor::harmless) does not count, and the manifest shows the reason.
pub const NUMBER_BITS_MAX: u32 = 20;

/// Most fields of one event. More are a document and not an event.
pub const FIELDS_MAX: usize = 12;

/// How serious an event is: OTLP's `severity_number`, the first of each range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Severity {
    /// `SEVERITY_NUMBER_INFO`, 9.
    #[default]
    Info = 9,
    /// `SEVERITY_NUMBER_WARN`, 13.
    Warn = 13,
    /// `SEVERITY_NUMBER_ERROR`, 17.
    Error = 17,
    /// `SEVERITY_NUMBER_FATAL`, 21.
    Fatal = 21,
}

impl Severity {
    /// The severity of an OTLP `severity_number`, or `None` if it is none of ours.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            9 => Some(Self::Info),
            13 => Some(Self::Warn),
            17 => Some(Self::Error),
            21 => Some(Self::Fatal),
            _ => None,
        }
    }
}

/// One field of an event, as encoders and readers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldDescriptor {
    /// The attribute's key.
    pub name: &'static str,
    /// What its values range over.
    pub domain: Domain,
    /// Why its values are harmless, whatever its name or its range (see [`FieldDescriptor::harmless`]).
    pub harmless: Option<&'static str>,
}

/// An event, as encoders and readers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventDescriptor {
    /// OTLP's `event_name`.
    pub name: &'static str,
    /// OTLP's `severity_number`.
    pub severity: Severity,
    /// Its fields, in the order of their ordinals.
    pub fields: &'static [FieldDescriptor],
}

impl FieldDescriptor {
    /// This field, whose name sounds as if it held personal data, or whose numbers are more than [`NUMBER_BITS_MAX`] allows, and
    /// why they can't point at a person: the one way past both rules. The derive's form is `#[event(harmless = "...")]`.
    /// The manifest prints the reason, for everybody to judge. A `bool` needs none.
    ///
    /// ```
    /// use automagik_telemetry_core::event::field;
    /// use automagik_telemetry_core::Count;
    /// assert!(field::<Count<99>>("file").fault().is_some());
    /// assert!(field::<Count<99>>("file").harmless("the number of the open tab").fault().is_none());
    /// ```
    #[must_use]
    pub const fn harmless(mut self, reason: &'static str) -> Self {
        self.harmless = Some(reason);
        self
    }

    /// Returns what is wrong with this field, or `None`.
    #[must_use]
    pub const fn fault(&self) -> Option<Message> {
        if let Some(message) =
            word::field_name_fault(self.name, self.harmless, matches!(self.domain.values, Values::Bool))
        {
            return Some(message);
        }
        match self.domain.fault() {
            Some(message) => {
                Some(Message::new().and("the field `").and(self.name).and("`: ").and(message.as_str()))
            }
            None => None,
        }
    }
}

impl EventDescriptor {
    /// Returns how many bits the fields take together in a record.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        let mut bits: u32 = 0;
        let mut fields = self.fields;
        while let [field, rest @ ..] = fields {
            bits = bits.saturating_add(field.domain.bits());
            fields = rest;
        }
        bits
    }

    /// Whether a reader may take `other` for the same event with other words: severity and the fields' names are the same.
    #[must_use]
    pub(crate) const fn is_shaped_like(&self, other: &Self) -> bool {
        if self.severity as u8 != other.severity as u8 || self.fields.len() != other.fields.len() {
            return false;
        }
        let (mut mine, mut theirs) = (self.fields, other.fields);
        while let ([a, mine_rest @ ..], [b, theirs_rest @ ..]) = (mine, theirs) {
            if !text::same(a.name, b.name) {
                return false;
            }
            (mine, theirs) = (mine_rest, theirs_rest);
        }
        true
    }

    /// Returns how many bits the plain numbers take together: those of fields without a reason for being harmless.
    ///
    /// ```
    /// use automagik_telemetry_core::event::{EventDescriptor, FieldDescriptor, Severity, field};
    /// use automagik_telemetry_core::{Bytes, Count, HttpStatus};
    /// const FIELDS: &[FieldDescriptor] =
    ///     &[field::<Count<1000>>("files"), field::<Bytes>("size"), field::<HttpStatus>("status")];
    /// let event = EventDescriptor { name: "app.synchronized", severity: Severity::Info, fields: FIELDS };
    /// assert_eq!((event.number_bits(), event.bits()), (10, 26));
    /// ```
    #[must_use]
    pub const fn number_bits(&self) -> u32 {
        let mut bits: u32 = 0;
        let mut fields = self.fields;
        while let [field, rest @ ..] = fields {
            if field.harmless.is_none() && field.domain.is_plain_number() {
                bits = bits.saturating_add(field.domain.bits());
            }
            fields = rest;
        }
        bits
    }

    /// Returns what is wrong with this event, or `None`.
    #[must_use]
    pub const fn fault(&self) -> Option<Message> {
        if let Some(message) = word::name_fault("the event name `", self.name) {
            return Some(message);
        }
        let in_event = Message::new().and("the event `").and(self.name).and("` ");
        if self.fields.len() > FIELDS_MAX {
            return Some(
                in_event.and("has more than ").and_number(FIELDS_MAX as u64).and(" fields: split it in two"),
            );
        }
        let mut fields = self.fields;
        while let [field, rest @ ..] = fields {
            if let Some(message) = field.fault() {
                return Some(in_event.and("has a fault: ").and(message.as_str()));
            }
            let mut others = rest;
            while let [other, rest @ ..] = others {
                if text::same(field.name, other.name) {
                    return Some(in_event.and("has two fields named `").and(field.name).and("`: rename one"));
                }
                others = rest;
            }
            fields = rest;
        }
        if self.bits() > EVENT_BITS_MAX {
            return Some(
                in_event
                    .and("takes ")
                    .and_number(self.bits() as u64)
                    .and(" bits, more than 64, so it could hold an identifier: remove a field or narrow one"),
            );
        }
        if self.number_bits() > NUMBER_BITS_MAX {
            return Some(
                in_event
                    .and("holds plain numbers of ")
                    .and_number(self.number_bits() as u64)
                    .and(" bits together, more than 20, so they could hold an address or a phone number: use `Bytes`, ")
                    .and("`Milliseconds` or a smaller `Count`, or say with `harmless` why one can't point at a person"),
            );
        }
        None
    }
}

/// The ordinals of one event's fields, in their order: all that an event hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordinals {
    values: [u32; FIELDS_MAX],
    len: usize,
}

impl Ordinals {
    /// The ordinals of `K` fields, at most [`FIELDS_MAX`]: more do not compile.
    #[must_use]
    #[inline]
    pub fn new<const K: usize>(ordinals: [u32; K]) -> Self {
        const { assert!(K <= FIELDS_MAX, "an event has more than 12 fields: split it in two") }
        let values = core::array::from_fn(|at| ordinals.get(at).copied().unwrap_or(0));
        Self { values, len: K }
    }

    /// Returns the ordinals.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        self.values.get(..self.len).unwrap_or(&[])
    }
}

/// Something that happened: a name and fields, all of them finite.
///
/// Derive it on a struct whose fields are [`Field`]s. It hands over ordinals and nothing else; core checks
/// each against its domain and writes the record itself, so no implementation can widen what leaves.
///
/// ```
/// use automagik_telemetry_core::event::{Event, EventDescriptor, Ordinals, Severity, field};
/// use automagik_telemetry_core::{Count, Field};
///
/// struct Synchronized { files: Count<1000> }
///
/// // What the derive writes:
/// impl Event for Synchronized {
///     const DESCRIPTOR: EventDescriptor = EventDescriptor {
///         name: "app.synchronized",
///         severity: Severity::Info,
///         fields: &[field::<Count<1000>>("files")],
///     };
///     fn ordinals(&self) -> Ordinals {
///         Ordinals::new([self.files.ordinal()])
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "this needs a struct with `#[derive(Event)]`"
)]
pub trait Event {
    /// The event's name, severity and fields.
    const DESCRIPTOR: EventDescriptor;

    /// The ordinals of the fields, in the descriptor's order.
    fn ordinals(&self) -> Ordinals;
}

/// The only door to an event's descriptor: an inherent constant, which no implementation can override.
#[derive(Debug)]
pub struct Checked<E>(PhantomData<E>);

impl<E: Event> Checked<E> {
    /// The descriptor of `E`, within all the rules. One outside them is a compile error that says which.
    pub const DESCRIPTOR: EventDescriptor = match E::DESCRIPTOR.fault() {
        None => E::DESCRIPTOR,
        // Const evaluation: this is the compile error.
        Some(message) => panic!("{}", message.as_str()),
    };
}

/// A field's descriptor, for the derive.
#[must_use]
pub const fn field<F: Field>(name: &'static str) -> FieldDescriptor {
    FieldDescriptor { name, domain: F::DOMAIN, harmless: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::field::{Count, HttpStatus, Milliseconds, Values};

    const WIDE: FieldDescriptor = FieldDescriptor {
        name: "a",
        domain: Domain::new(Values::Range { first: 0, last: (1 << 20) - 1 }),
        harmless: None,
    };

    fn fault(name: &'static str, fields: &'static [FieldDescriptor]) -> Option<String> {
        let event = EventDescriptor { name, severity: Severity::Info, fields };
        event.fault().map(|message| message.as_str().to_owned())
    }

    #[test]
    fn an_event_within_the_rules_has_no_fault() {
        assert_eq!(fault("app.started", &[]), None);
        assert_eq!(fault("app.started", &[WIDE]), None);
    }

    #[test]
    fn an_event_of_more_than_64_bits_is_a_fault() {
        const FIELDS: &[FieldDescriptor] = &[
            WIDE,
            FieldDescriptor { name: "b", ..WIDE },
            FieldDescriptor { name: "c", ..WIDE },
            FieldDescriptor { name: "d", ..WIDE },
        ];
        assert!(fault("app.started", FIELDS).unwrap().contains("takes 80 bits"));
    }

    #[test]
    fn plain_numbers_of_more_than_20_bits_together_are_a_fault_unless_one_is_said_to_be_harmless() {
        const HALF: FieldDescriptor =
            FieldDescriptor { name: "hi", domain: Count::<65_535>::DOMAIN, harmless: None };
        const ADDRESS: &[FieldDescriptor] = &[HALF, FieldDescriptor { name: "lo", ..HALF }];
        const PHONE: &[FieldDescriptor] = &[WIDE, FieldDescriptor { name: "b", ..WIDE }];
        const FLAGGED: &[FieldDescriptor] =
            &[WIDE, FieldDescriptor { name: "b", domain: Count::<1>::DOMAIN, harmless: None }];
        assert!(fault("app.started", ADDRESS).unwrap().contains("32 bits together"));
        assert!(fault("app.started", PHONE).unwrap().contains("40 bits together"));
        assert!(fault("app.started", FLAGGED).unwrap().contains("21 bits together"));
        const EXPLAINED: &[FieldDescriptor] = &[WIDE, HALF.harmless("a number of a test")];
        assert_eq!(fault("app.started", EXPLAINED), None);
        // Words, flags, classes and statuses are no numbers at will.
        const OTHERS: &[FieldDescriptor] = &[
            WIDE,
            field::<bool>("flag"),
            field::<Milliseconds>("duration"),
            field::<Option<HttpStatus>>("status"),
        ];
        assert_eq!(fault("app.started", OTHERS), None);
    }

    #[test]
    fn a_name_that_asks_for_personal_data_is_a_fault_unless_it_is_said_to_be_harmless() {
        for name in ["email", "user_email", "contact.phone", "ip", "file_path"] {
            assert!(FieldDescriptor { name, ..WIDE }.fault().unwrap().as_str().contains(name));
            assert!(FieldDescriptor { name, ..WIDE }.harmless("number of its row").fault().is_none());
            assert!(field::<bool>(name).fault().is_none());
        }
        for name in ["email_kind", "feature_name", "zipped", "trip", "error_message_kind"] {
            assert!(FieldDescriptor { name, ..WIDE }.fault().is_none(), "{name}");
        }
        assert!(FieldDescriptor { name: "ip", ..WIDE }.harmless("").fault().is_some());
    }

    #[test]
    fn two_fields_of_one_name_are_a_fault() {
        assert!(fault("app.started", &[WIDE, WIDE]).unwrap().contains("two fields named `a`"));
    }

    #[test]
    fn a_bad_name_is_a_fault_that_names_it() {
        assert!(fault("App Started", &[]).unwrap().contains("`App Started`"));
    }
}
