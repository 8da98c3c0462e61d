//! `ExportLogsServiceRequest` of one crash: a log record named `app.crash`, as OpenTelemetry's
//! [conventions](https://opentelemetry.io/docs/specs/semconv/app/app-events/) have it.
//!
//! The resource is that of the run that reports it. What it says of the program holds for the run that crashed only where the record doesn't say otherwise, so the
//! record says the version and the build.
//!
//! ```text
//! build c89b11207f6479603b0d49bf291c092c2b719293
//! 0x1a2b4
//! 0x1b000 48 times                 recursion: so often, or up to a quarter more
//! and 12 more
//! and 7 in other files
//! ```

use super::envelope::{self, Items};
use super::room::{Room, Stop};
use super::{Error, logs};
use crate::crashes::build::BUILD_LEN_MAX;
use crate::crashes::report::{Crash, PLACE, STACK, TYPE};
use crate::crashes::stack::{Address, STACK_MAX};
use crate::crashes::{Build, CrashReport, Stack};
use crate::events::event::Event;
use crate::events::field::Value;
use crate::wire::resource::{Resource, SERVICE_VERSION};
use core::fmt;

/// The attribute by which crashes of one build are grouped: 16 hexadecimal digits.
pub const FINGERPRINT: &str = "app.crash.fingerprint";

/// Writes the request that tells `report` from `resource` to the end of `buffer`, and gives it.
///
/// # Errors
///
/// [`Error::BufferTooSmall`] with the length of the request. What stands in `buffer` then is unspecified.
pub fn encode_crash<'b>(
    resource: &Resource,
    report: &CrashReport,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], Error> {
    envelope::encode_rarely(resource, buffer, report)
}

impl Items for CrashReport {
    fn write<const COUNTING: bool>(&self, room: &mut Room<'_, COUNTING>) -> Result<(), Stop> {
        room.attempt(|room| write_report(room, self))
    }
}

/// Writes the record, from its end to its start.
fn write_report<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    report: &CrashReport,
) -> Result<(), Stop> {
    let (end, time, event) = (room.at(), report.unix_nanos(), &Crash::DESCRIPTOR);
    let (build, mut digits) = (report.build(), Text::<{ 2 * BUILD_LEN_MAX }>::new());
    logs::write_behind(room, event, time)?;
    write(room, FINGERPRINT, digits.of(format_args!("{:016x}", report.fingerprint())))?;
    write(
        room,
        STACK,
        Text::<STACK_LEN_MAX>::new().of(format_args!("{}", Trace { build, stack: report.stack() })),
    )?;
    logs::write_value(room, PLACE, Value::Int(report.place()))?;
    write(room, TYPE, report.exception().word().as_bytes())?;
    if *build != Build::UNKNOWN {
        write(room, build.key(), digits.of(format_args!("{build}")))?;
    }
    write(room, SERVICE_VERSION, report.version().as_bytes())?;
    logs::write_before(room, event, time, end)
}

/// Writes an attribute. Not inlined, as elsewhere: a crash is rare.
#[inline(never)]
fn write<const COUNTING: bool>(room: &mut Room<'_, COUNTING>, key: &str, text: &[u8]) -> Result<(), Stop> {
    logs::write_text(room, key, |room| room.put(text))
}

/// The longest `exception.stacktrace`: the build; addresses of 8 digits with a depth of 10; two counts of 10.
const STACK_LEN_MAX: usize =
    "build ".len() + 2 * BUILD_LEN_MAX + STACK_MAX * ("\n0x".len() + 8 + " 4294967295 times".len()) + 2 * 32;

/// A stack as text.
struct Trace<'a> {
    build: &'a Build,
    stack: &'a Stack,
}

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { build, stack } = self;
        if **build == Build::UNKNOWN { f.write_str("build unknown") } else { write!(f, "build {build}") }?;
        for Address { offset, times } in stack.addresses() {
            write!(f, "\n0x{offset:x}")?;
            if *times > 1 {
                write!(f, " {times} times")?;
            }
        }
        for (count, behind) in [(stack.more(), "more"), (stack.elsewhere(), "in other files")] {
            if count > 0 {
                write!(f, "\nand {count} {behind}")?;
            }
        }
        Ok(())
    }
}

/// Text of so many bytes at most.
struct Text<const MOST: usize> {
    bytes: [u8; MOST],
    len: usize,
}

impl<const MOST: usize> Text<MOST> {
    const fn new() -> Self {
        Self { bytes: [0; MOST], len: 0 }
    }

    /// Holds these instead of what it held.
    fn of(&mut self, arguments: fmt::Arguments<'_>) -> &[u8] {
        self.len = 0;
        // It is long enough.
        let _ = fmt::write(self, arguments);
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl<const MOST: usize> fmt::Write for Text<MOST> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.bytes.get_mut(self.len..).and_then(|free| free.get_mut(..text.len()));
        free.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crashes::Exception;
    use crate::person::consent::{Answer, Signals, decide};
    use crate::testing::schema;
    use crate::{Pseudonym, Secret};
    use core::panic::Location;

    fn resource() -> Resource {
        let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
        Resource::new(schema(), Pseudonym::new(&Secret::new([7; 32], consent), "app", 0))
    }

    fn report() -> CrashReport {
        let mut stack = Stack::new();
        [0x1a2b4, 0x1b000, 0x1b000, 0x1b000, 0xFFFF_FFFF].into_iter().for_each(|address| stack.push(address));
        stack.push_more();
        stack.push_elsewhere();
        let (build, place) = (Build::gnu(&[0x0C, 0x9B]).unwrap(), Location::caller());
        CrashReport::new(schema(), Exception::Overflow, Some(place), stack, build, 1_761_048_042)
    }

    #[test]
    fn a_crash_is_a_log_record_of_words_and_digits() {
        let mut buffer = [0; 2_048];
        let request = encode_crash(&resource(), &report(), &mut buffer).unwrap();
        let text: String = request.iter().map(|byte| char::from(*byte)).collect();
        let stack = "build 0c9b\n0x1a2b4\n0x1b000 3 times\n0xffffffff\nand 1 more\nand 1 in other files";
        for part in ["app.crash", "panic.overflow", "process.executable.build_id.gnu", stack] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("crash.rs"));
    }

    #[test]
    fn the_longest_stack_is_written_whole() {
        let parts = (0..STACK_MAX).map(|_| Some(Address { offset: u32::MAX, times: 7 << 29 }));
        let stack = Stack::of_parts(parts, 7 << 29, 7 << 29).unwrap();
        let build = Build::gnu(&[0xFF; BUILD_LEN_MAX]).unwrap();
        let trace = Trace { build: &build, stack: &stack };
        let text = trace.to_string();
        assert_eq!(Text::<STACK_LEN_MAX>::new().of(format_args!("{trace}")), text.as_bytes());
    }

    #[test]
    fn a_request_that_does_not_fit_says_how_long_it_is() {
        let len = encode_crash(&resource(), &report(), &mut [0; 2_048]).unwrap().len();
        let short = encode_crash(&resource(), &report(), &mut [0; 2_048][..len - 1]).err();
        assert_eq!(short, Some(Error::BufferTooSmall(len)));
        assert!(encode_crash(&resource(), &report(), &mut [0; 2_048][..len]).is_ok());
    }
}
