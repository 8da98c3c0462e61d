//! Fields: finite values that an event may hold, and what they range over.
//!
//! | field | OTLP value | cardinality |
//! |---|---|---|
//! | any [`Label`] | string, one of its words | number of words |
//! | `bool` | bool | 2 |
//! | [`Count<MAX>`] | int, 0 to `MAX`, saturating | `MAX` + 1 |
//! | [`Milliseconds`], [`Bytes`] | int, the lower bound of a bucket | 124 |
//! | [`HttpStatus`] | int, 100 to 599 | 500 |
//! | [`CodeLocation`](crate::CodeLocation) | int, a place in the program's own file | 2^28: places, none of which a program chooses |
//! | `Option<F>` | that of `F`, or no attribute | that of `F`, + 1 |

use crate::events::bucket;
use crate::words::label::{self, Checked, Label};
use crate::words::message::Message;

/// Most values that a field may range over. An IPv4 address (2^32), a phone number (more than 2^33) and a
/// card number do not fit.
pub const CARDINALITY_MAX: u32 = 1 << 20;

/// What a field ranges over, before it is optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// A word of this table.
    Words(&'static [&'static str]),
    /// False or true.
    Bool,
    /// Every whole number from `first` to `last`, both included.
    Range {
        /// The value of ordinal 0.
        first: u32,
        /// The value of the last ordinal.
        last: u32,
    },
    /// A log-scaled bucket (see [`bucket`]), reported as its lower bound.
    Bucket,
    /// A place in the program (see [`code_location`](crate::events::code_location)), one of [`CODE_LOCATIONS`].
    CodeLocation,
    /// The stack of a crash (see [`crashes`](crate::crashes)): a list beside the record, which holds nothing of it. So it takes no bits there, and
    /// [`STACK_BITS`] where it is sent.
    Stack,
}

/// Most bits of a stack: 16 return addresses of 32 bits, the depth of each, how many more there were, how many in other files (7 bits each).
pub const STACK_BITS: u32 = 16 * (32 + 7) + 7 + 7;

/// Values of a [`CodeLocation`](crate::events::code_location::CodeLocation), the unknown one included: 2^28, half a gigabyte on either side of the anchor.
pub const CODE_LOCATIONS: u32 = 1 << 28;

/// The finite set that a field's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The values.
    pub values: Values,
    /// Whether the field may also be absent; then ordinal 0 says so and the values follow.
    pub optional: bool,
    /// Kept beside the values, so that no target works it out again for every record.
    bits: u8,
    /// Likewise; more than 2^32 - 1 are that many, and too many.
    cardinality: u32,
}

/// A value of a [`Domain`], as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The field is absent.
    Absent,
    /// A word.
    Word(&'static str),
    /// False or true.
    Bool(bool),
    /// A whole number.
    Int(u32),
}

impl Domain {
    /// Creates a domain that is never absent.
    #[must_use]
    pub const fn new(values: Values) -> Self {
        Self::with_size(values, false)
    }

    /// This one, or absent.
    #[must_use]
    pub const fn or_absent(self) -> Self {
        Self::with_size(self.values, true)
    }

    const fn with_size(values: Values, optional: bool) -> Self {
        let cardinality = size(values, optional);
        let bits = u64::BITS.saturating_sub(cardinality.saturating_sub(1).leading_zeros());
        let cardinality = if cardinality > u32::MAX as u64 { u32::MAX } else { cardinality as u32 };
        Self { values, optional, bits: bits as u8, cardinality }
    }

    /// Returns how many values there are, absence included; 2^32 - 1 where there are more, which is outside the rules. A range whose
    /// end lies before its start has none.
    #[must_use]
    pub const fn cardinality(&self) -> u32 {
        self.cardinality
    }

    /// Returns how many bits an ordinal of this domain takes in a record: 0 to 20 for a domain without fault, 28 or 29 for places in the program.
    ///
    /// ```
    /// use automagik_telemetry_core::{Count, Field};
    /// assert_eq!(Count::<255>::DOMAIN.bits(), 8);
    /// assert_eq!(<bool as Field>::DOMAIN.bits(), 1);
    /// ```
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits as u32
    }

    /// Returns whether its values are arbitrary whole numbers: neither words, nor a flag, nor classes, nor the statuses of HTTP.
    /// Of these an event has few ([`NUMBER_BITS_MAX`](crate::events::event::NUMBER_BITS_MAX)).
    ///
    /// ```
    /// use automagik_telemetry_core::{Count, Field, HttpStatus};
    /// assert!(Count::<499>::DOMAIN.is_plain_number());
    /// assert!(!HttpStatus::DOMAIN.is_plain_number());
    /// ```
    #[must_use]
    pub const fn is_plain_number(&self) -> bool {
        match self.values {
            Values::Range { first, last } => is_plain_range(first, last),
            _ => false,
        }
    }

    /// Returns the value of `ordinal`, or `None` if there are fewer values.
    #[must_use]
    pub fn value(&self, ordinal: u32) -> Option<Value> {
        if ordinal >= self.cardinality {
            return None;
        }
        let ordinal = match (self.optional, ordinal) {
            (true, 0) => return Some(Value::Absent),
            (true, _) => ordinal.wrapping_sub(1),
            (false, _) => ordinal,
        };
        Some(match self.values {
            Values::Words(words) => Value::Word(words.get(usize::try_from(ordinal).ok()?)?),
            Values::Bool => Value::Bool(ordinal == 1),
            Values::Range { first, .. } => Value::Int(first.wrapping_add(ordinal)),
            Values::Bucket => Value::Int(bucket::lower_bound(ordinal)),
            Values::CodeLocation => Value::Int(ordinal),
            Values::Stack => Value::Absent,
        })
    }

    /// Returns what is wrong with this domain, or `None`.
    ///
    /// ```
    /// use automagik_telemetry_core::field::{Domain, Values};
    /// assert!(Domain::new(Values::Range { first: 0, last: u32::MAX }).fault().is_some());
    /// ```
    #[must_use]
    pub const fn fault(&self) -> Option<Message> {
        if let Values::Words(words) = self.values {
            if let Some(message) = label::fault(words) {
                return Some(message);
            }
        }
        let cardinality = size(self.values, self.optional);
        if cardinality == 0 {
            return Some(
                Message::new().and("a field ranges over no value: its last value lies before its first"),
            );
        }
        if cardinality > CARDINALITY_MAX as u64 && !matches!(self.values, Values::CodeLocation) {
            return Some(
                Message::new()
                    .and("a field ranges over ")
                    .and_number(cardinality)
                    .and(" values, more than 2^20, so it could hold an address, a phone number or an id: ")
                    .and("use `Count` with a smaller maximum, `Milliseconds`, `Bytes` or a label"),
            );
        }
        None
    }
}

/// Whether the range is not that of [`HttpStatus`].
pub(crate) const fn is_plain_range(first: u32, last: u32) -> bool {
    first != HttpStatus::FIRST as u32 || last != HttpStatus::LAST as u32
}

/// How many values there are, absence included.
const fn size(values: Values, optional: bool) -> u64 {
    let size = match values {
        Values::Words(words) => words.len() as u64,
        Values::Bool => 2,
        Values::Range { first, last } => (last as u64).saturating_add(1).saturating_sub(first as u64),
        Values::Bucket => bucket::COUNT as u64,
        Values::CodeLocation => CODE_LOCATIONS as u64,
        Values::Stack => 1,
    };
    size.saturating_add(optional as u64)
}

/// A value that an event may hold: a member of a finite [`Domain`].
///
/// Every [`Label`] is a field. Text, raw numbers, times, addresses and paths are not, because they could hold
/// personal data.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a field of an event: it could hold personal data",
    label = "not a finite set of values that is fixed when the program is compiled",
    note = "for text, write an enum of the words you expect and derive `Label` on it",
    note = "for a number use `Count<MAX>`, for a duration `Milliseconds`, for a size `Bytes`, for an HTTP status `HttpStatus`; `bool` and `Option` of a field are fields"
)]
pub trait Field {
    /// What this field ranges over.
    const DOMAIN: Domain;

    /// The position of this value in the domain. A number outside it is refused when it is recorded.
    fn ordinal(&self) -> u32;
}

#[diagnostic::do_not_recommend]
impl<L: Label> Field for L {
    const DOMAIN: Domain = Domain::new(Values::Words(Checked::<L>::WORDS));

    #[inline]
    fn ordinal(&self) -> u32 {
        Label::ordinal(self)
    }
}

impl Field for bool {
    const DOMAIN: Domain = Domain::new(Values::Bool);

    #[inline]
    fn ordinal(&self) -> u32 {
        u32::from(*self)
    }
}

/// An optional field: absent, it adds no attribute. An option of an option does not compile.
impl<F: Field> Field for Option<F> {
    const DOMAIN: Domain = {
        assert!(!F::DOMAIN.optional, "an option of an option can't be told apart: remove one `Option`");
        F::DOMAIN.or_absent()
    };

    #[inline]
    fn ordinal(&self) -> u32 {
        self.as_ref().map_or(0, |field| field.ordinal().saturating_add(1))
    }
}

/// A count from 0 to `MAX`; a larger one is reported as `MAX`.
///
/// ```
/// use automagik_telemetry_core::Count;
/// assert_eq!(Count::<10>::new(3).get(), 3);
/// assert_eq!(Count::<10>::new(4_000_000_000).get(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count<const MAX: u32>(u32);

impl<const MAX: u32> Count<MAX> {
    /// The count, or `MAX` where it is larger.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self(if count < MAX { count } else { MAX })
    }

    /// Returns the count, 0 to `MAX`.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32> Field for Count<MAX> {
    const DOMAIN: Domain = Domain::new(Values::Range { first: 0, last: MAX });

    #[inline]
    fn ordinal(&self) -> u32 {
        self.0
    }
}

/// A duration in milliseconds, reported as the lower bound of its bucket.
///
/// ```
/// use automagik_telemetry_core::Milliseconds;
/// use core::time::Duration;
/// assert_eq!(Milliseconds::from(Duration::from_millis(137)).lower_bound(), 128);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milliseconds(u32);

impl Milliseconds {
    /// Creates a duration of `milliseconds`.
    #[must_use]
    pub const fn new(milliseconds: u32) -> Self {
        Self(bucket::ordinal(milliseconds))
    }

    /// Returns the value that is sent, in milliseconds.
    #[must_use]
    pub const fn lower_bound(self) -> u32 {
        bucket::lower_bound(self.0)
    }
}

/// More than 49 days are reported as the last bucket.
impl From<core::time::Duration> for Milliseconds {
    fn from(duration: core::time::Duration) -> Self {
        Self::new(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
    }
}

impl Field for Milliseconds {
    const DOMAIN: Domain = Domain::new(Values::Bucket);

    #[inline]
    fn ordinal(&self) -> u32 {
        self.0
    }
}

/// A size in bytes, reported as the lower bound of its bucket.
///
/// ```
/// use automagik_telemetry_core::Bytes;
/// assert_eq!(Bytes::new(1_000_000).lower_bound(), 917_504);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u32);

impl Bytes {
    /// Creates a size of `bytes`; 4 GiB and more are reported as the last bucket.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        let bytes = if bytes > u32::MAX as u64 { u32::MAX } else { bytes as u32 };
        Self(bucket::ordinal(bytes))
    }

    /// Returns the value that is sent, in bytes.
    #[must_use]
    pub const fn lower_bound(self) -> u32 {
        bucket::lower_bound(self.0)
    }
}

impl Field for Bytes {
    const DOMAIN: Domain = Domain::new(Values::Bucket);

    #[inline]
    fn ordinal(&self) -> u32 {
        self.0
    }
}

/// An HTTP status code, 100 to 599 (RFC 9110, section 15).
///
/// ```
/// use automagik_telemetry_core::HttpStatus;
/// assert_eq!(HttpStatus::new(404).get(), 404);
/// assert_eq!(HttpStatus::new(7).get(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpStatus(u16);

impl HttpStatus {
    const FIRST: u16 = 100;
    const LAST: u16 = 599;

    /// The status, or the nearest valid one.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self(if status < Self::FIRST {
            Self::FIRST
        } else if status > Self::LAST {
            Self::LAST
        } else {
            status
        })
    }

    /// Returns the status, 100 to 599.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Field for HttpStatus {
    const DOMAIN: Domain = Domain::new(Values::Range { first: Self::FIRST as u32, last: Self::LAST as u32 });

    #[inline]
    fn ordinal(&self) -> u32 {
        u32::from(self.0.saturating_sub(Self::FIRST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<F: Field>(field: F) -> Option<Value> {
        F::DOMAIN.value(field.ordinal())
    }

    #[test]
    fn a_field_reads_back_as_what_it_was() {
        assert_eq!(value(true), Some(Value::Bool(true)));
        assert_eq!(value(Count::<9>::new(9)), Some(Value::Int(9)));
        assert_eq!(value(HttpStatus::new(204)), Some(Value::Int(204)));
        assert_eq!(value(Milliseconds::new(5)), Some(Value::Int(5)));
        assert_eq!(value(None::<bool>), Some(Value::Absent));
        assert_eq!(value(Some(false)), Some(Value::Bool(false)));
    }

    #[test]
    fn no_ordinal_outside_the_domain_has_a_value() {
        for domain in [
            bool::DOMAIN,
            Count::<9>::DOMAIN,
            HttpStatus::DOMAIN,
            Milliseconds::DOMAIN,
            <Option<bool>>::DOMAIN,
            <Option<Count<9>>>::DOMAIN,
        ] {
            let last = domain.cardinality() - 1;
            assert!(domain.value(last).is_some());
            assert_eq!(domain.value(last + 1), None);
            assert_eq!(domain.value(u32::MAX), None);
        }
    }

    #[test]
    fn bits_hold_the_last_ordinal_and_no_more() {
        for (cardinality, bits) in [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 20, 20)] {
            let domain = Domain::new(Values::Range { first: 0, last: cardinality - 1 });
            assert_eq!(domain.bits(), bits, "{cardinality}");
        }
    }

    #[test]
    fn a_domain_of_more_than_a_million_values_is_a_fault() {
        let of = |last| Domain::new(Values::Range { first: 0, last }).fault();
        assert!(of(CARDINALITY_MAX - 1).is_none());
        assert!(of(CARDINALITY_MAX).is_some());
        assert!(Domain::new(Values::Range { first: 2, last: 1 }).fault().is_some());
    }
}
