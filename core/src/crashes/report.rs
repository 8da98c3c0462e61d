//! One crash: what leaves of it, and how it is kept until another run tells it.

use crate::crashes::build::{Build, BuildKind};
use crate::crashes::exception::Exception;
use crate::crashes::stack::{Address, STACK_MAX, Stack};
use crate::events::code_location::CodeLocation;
use crate::events::event::{Event, EventDescriptor, FieldDescriptor, Ordinals, Severity, field};
use crate::events::field::{CODE_LOCATIONS, Domain, Values};
use crate::events::time::Coarse;
use crate::schemas::fingerprint::hash;
use crate::schemas::schema::{SchemaDescriptor, VERSION_LEN_MAX, is_version};
use core::convert::Infallible;
use core::panic::Location;
use minicbor::{Decoder, Encoder};

/// The attribute that holds what kind of panic it was.
pub(crate) const TYPE: &str = "exception.type";

/// The attribute that holds where: as of an error.
pub(crate) const PLACE: &str = "error_place";

/// The attribute that holds the stack.
pub(crate) const STACK: &str = "exception.stacktrace";

/// The program crashed: a variant of a schema whose program [reports panics](CrashReport). It only says so to those who read what the program could send; no value
/// of it exists, since a crash is recorded by the library. Policy: "stack traces (with PII removed)".
///
/// | attribute | what |
/// |---|---|
/// | `exception.type` | a word of [`Exception`], 4 bits |
/// | `error_place` | where it panicked, a [`CodeLocation`], 28 bits |
/// | `exception.stacktrace` | the build's id and up to 16 return addresses in its file, 32 bits each, with their depth |
/// | `service.version`, `process.executable.build_id.gnu` or `.htlhash` | of the file that crashed, which may be older than the one that reports it |
/// | `app.crash.fingerprint` | the same for all crashes of one build with the same stack |
#[derive(Clone, Copy, Debug)]
pub struct Crash(Infallible);

impl Event for Crash {
    const DESCRIPTOR: EventDescriptor = EventDescriptor {
        name: "app.crash",
        severity: Severity::Fatal,
        fields: &[
            field::<Exception>(TYPE),
            field::<CodeLocation>(PLACE),
            FieldDescriptor { name: STACK, domain: Domain::new(Values::Stack), harmless: None }
                .harmless("offsets in the file of the program, alike for all who run it"),
        ],
    };

    fn ordinals(&self) -> Ordinals {
        match self.0 {}
    }
}

/// Most bytes of a report as it is kept.
pub const REPORT_LEN_MAX: usize = 256;

/// The form in which reports are kept.
const FORMAT: u32 = 1;

/// One crash: which kind, where, which calls led there, in which file of which version, and when. No text of the program's is in it.
///
/// ```
/// # use automagik_telemetry_core::event::{Event, EventDescriptor, Ordinals};
/// # use automagik_telemetry_core::{Schema, schema::Checked};
/// # struct Omni;
/// # impl Schema for Omni {
/// #     const ORGANIZATION: &'static str = "automagik";
/// #     const PROJECT: &'static str = "omni";
/// #     const VERSION: &'static str = "1.2.3";
/// #     const EVENTS: &'static [EventDescriptor] = &[];
/// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
/// # }
/// use automagik_telemetry_core::crashes::{Build, CrashReport, Exception, Stack};
/// use core::panic::Location;
/// let build = Build::gnu(&[7; 20]).unwrap();
/// let mut stack = Stack::new();
/// [0x1a2b4, 0x1b000].into_iter().for_each(|address| stack.push(address));
/// let schema = Checked::<Omni>::DESCRIPTOR;
/// let report = CrashReport::new(schema, Exception::Panic, Some(Location::caller()), stack, build, 1_761_048_042);
/// let mut kept = [0; automagik_telemetry_core::crashes::report::REPORT_LEN_MAX];
/// let len = report.encode(&mut kept);
/// assert_eq!(CrashReport::decode(&kept[..len]), Some(report));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashReport {
    /// When, in seconds since 1970: a whole step of the schema's resolution.
    seconds: u64,
    exception: Exception,
    place: u32,
    stack: Stack,
    build: Build,
    version: [u8; VERSION_LEN_MAX],
    version_len: u8,
}

impl CrashReport {
    /// The crash of a program of `schema` at `location`, `unix_seconds` after 1970, which are kept as coarsely as the schema says.
    #[must_use]
    pub fn new(
        schema: &SchemaDescriptor,
        exception: Exception,
        location: Option<&Location<'_>>,
        stack: Stack,
        build: Build,
        unix_seconds: u64,
    ) -> Self {
        let resolution = schema.resolution();
        let time = Coarse::from_unix_seconds(unix_seconds, resolution).unix_nanos(resolution);
        let place = location.map_or(CodeLocation::UNKNOWN, CodeLocation::of);
        Self::of_parts(time / NANOS, exception, place.get(), stack.finished(), build, schema.version())
    }

    fn of_parts(
        seconds: u64,
        exception: Exception,
        place: u32,
        stack: Stack,
        build: Build,
        text: &str,
    ) -> Self {
        let mut version = [0; VERSION_LEN_MAX];
        version.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
        // A schema's version is as long at most.
        let version_len = text.len().min(VERSION_LEN_MAX) as u8;
        Self { seconds, exception, place, stack, build, version, version_len }
    }

    /// Returns the kind of panic.
    #[must_use]
    pub const fn exception(&self) -> Exception {
        self.exception
    }

    /// Returns the number of the place, a [`CodeLocation`]'s.
    #[must_use]
    pub const fn place(&self) -> u32 {
        self.place
    }

    /// Returns the return addresses.
    #[must_use]
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Returns the file that crashed.
    #[must_use]
    pub const fn build(&self) -> &Build {
        &self.build
    }

    /// Returns the version of the program that crashed: letters, digits, `.` and `-`.
    #[must_use]
    pub fn version(&self) -> &str {
        let bytes = self.version.get(..usize::from(self.version_len)).unwrap_or(&[]);
        core::str::from_utf8(bytes).unwrap_or("")
    }

    /// Returns when it crashed, in nanoseconds since 1970.
    #[must_use]
    pub const fn unix_nanos(&self) -> u64 {
        self.seconds.saturating_mul(NANOS)
    }

    /// Returns a number that crashes of one build have alike where they have the same kind, place and stack.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let numbers = [self.exception as u32, self.place];
        let addresses = self.stack.addresses().iter().map(|address| address.offset);
        let bytes = numbers.into_iter().chain(addresses).flat_map(u32::to_le_bytes);
        hash(bytes.chain(self.build.as_bytes().iter().copied()))
    }

    /// Writes the report in CBOR to the start of `buffer`, to be kept, and says how long it is.
    ///
    /// ```text
    /// report = [1, seconds: uint, exception: uint, place: uint, build-kind: 0 / 1, build: bstr, version: tstr, more: uint, elsewhere: uint,
    ///           [* (offset: uint, times: uint)]]
    /// ```
    pub fn encode(&self, buffer: &mut [u8; REPORT_LEN_MAX]) -> usize {
        let mut encoder = Encoder::new(minicbor::encode::write::Cursor::new(buffer.as_mut_slice()));
        // The longest is shorter than the buffer.
        let _ = self.write(&mut encoder);
        encoder.into_writer().position()
    }

    fn write<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(10)?.u32(FORMAT)?.u64(self.seconds)?.u32(self.exception as u32)?.u32(self.place)?;
        encoder.u32(self.build.kind() as u32)?.bytes(self.build.as_bytes())?.str(self.version())?;
        encoder.u32(self.stack.more())?.u32(self.stack.elsewhere())?;
        encoder.array(self.stack.addresses().len().saturating_mul(2) as u64)?;
        for Address { offset, times } in self.stack.addresses() {
            encoder.u32(*offset)?.u32(*times)?;
        }
        Ok(())
    }

    /// Reads a report that was kept. Bytes of any origin are safe to give: what is no report, or says what none can say, is `None`.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        let report = Self::read(&mut decoder)?;
        (decoder.position() == bytes.len()).then_some(report)
    }

    fn read(decoder: &mut Decoder<'_>) -> Option<Self> {
        if decoder.array().ok()? != Some(10) || decoder.u32().ok()? != FORMAT {
            return None;
        }
        let seconds = decoder.u64().ok().filter(|seconds| seconds.checked_mul(NANOS).is_some())?;
        let exception = *Exception::ALL.get(usize::try_from(decoder.u32().ok()?).ok()?)?;
        let place = decoder.u32().ok().filter(|place| *place < CODE_LOCATIONS)?;
        let kind = match decoder.u32().ok()? {
            0 => BuildKind::Gnu,
            1 => BuildKind::HeadTailLength,
            _ => return None,
        };
        let id = decoder.bytes().ok()?;
        let build = if id.is_empty() { Build::UNKNOWN } else { Build::new(kind, id)? };
        let version = decoder.str().ok().filter(|version| is_version(version))?;
        let (more, elsewhere) = (decoder.u32().ok()?, decoder.u32().ok()?);
        let numbers = decoder.array().ok()??;
        if numbers % 2 != 0 || numbers / 2 > STACK_MAX as u64 {
            return None;
        }
        let address = |_| Some(Address { offset: decoder.u32().ok()?, times: decoder.u32().ok()? });
        let stack = Stack::of_parts((0..numbers / 2).map(address), more, elsewhere)?;
        Some(Self::of_parts(seconds, exception, place, stack, build, version))
    }
}

const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crashes::build::BUILD_LEN_MAX;
    use proptest::prelude::*;

    fn longest() -> CrashReport {
        let parts = (0..STACK_MAX).map(|_| Some(Address { offset: u32::MAX, times: 3 << 30 }));
        let stack = Stack::of_parts(parts, 7 << 29, 7 << 29).unwrap();
        let build = Build::gnu(&[0xFF; BUILD_LEN_MAX]).unwrap();
        let version = "1".repeat(VERSION_LEN_MAX);
        CrashReport::of_parts(u64::MAX / NANOS, Exception::Any, CODE_LOCATIONS - 1, stack, build, &version)
    }

    #[test]
    fn the_longest_report_fits_and_is_read_back() {
        let mut buffer = [0; REPORT_LEN_MAX];
        let len = longest().encode(&mut buffer);
        assert!((200..REPORT_LEN_MAX).contains(&len), "{len}");
        assert_eq!(CrashReport::decode(&buffer[..len]), Some(longest()));
    }

    #[test]
    fn a_report_that_says_what_none_can_say_is_none() {
        let mut buffer = [0; REPORT_LEN_MAX];
        let report = CrashReport::of_parts(
            60,
            Exception::Panic,
            7,
            Stack::new(),
            Build::gnu(&[1]).unwrap(),
            "ada@example.org",
        );
        let len = report.encode(&mut buffer);
        assert_eq!(CrashReport::decode(&buffer[..len]), None, "no version has an @");
        let len = longest().encode(&mut buffer);
        buffer[len] = 0;
        assert_eq!(CrashReport::decode(&buffer[..=len]), None, "something follows");
        assert_eq!(CrashReport::decode(&buffer[..len - 1]), None, "it ends too early");
    }

    #[test]
    fn no_value_of_the_event_exists_and_it_is_within_the_rules() {
        assert_eq!(size_of::<Crash>(), 0);
        let descriptor = crate::event::Checked::<Crash>::DESCRIPTOR;
        assert_eq!((descriptor.name, descriptor.bits()), ("app.crash", 4 + 28));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_report_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(report) = CrashReport::decode(&bytes) {
                prop_assert!(is_version(report.version()));
            }
        }

        #[test]
        fn a_report_that_is_changed_is_another_or_none(at in 0_usize..REPORT_LEN_MAX, bit in 0_u32..8) {
            let mut buffer = [0; REPORT_LEN_MAX];
            let len = longest().encode(&mut buffer);
            buffer[at % len] ^= 1 << bit;
            if let Some(report) = CrashReport::decode(&buffer[..len]) {
                prop_assert!(is_version(report.version()));
            }
        }
    }
}
