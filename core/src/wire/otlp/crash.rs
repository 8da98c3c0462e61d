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
use crate::crashes::report::{Crash, PLACE, STACK, TYPE};
use crate::crashes::{Build, CrashReport, Stack};
use crate::events::event::Event;
use crate::events::field::Value;
use crate::wire::resource::{Resource, SERVICE_VERSION};

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
    envelope::encode(resource, buffer, report)
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
    logs::write_behind(room, event, time)?;
    logs::write_text(room, FINGERPRINT, |room| {
        let fingerprint = report.fingerprint();
        room.digits(fingerprint as u32, 16, 8)?;
        room.digits((fingerprint >> 32) as u32, 16, 8)
    })?;
    logs::write_text(room, STACK, |room| write_stack(room, report.build(), report.stack()))?;
    logs::write_value(room, PLACE, Value::Int(report.place()))?;
    logs::write_value(room, TYPE, Value::Word(report.exception().word()))?;
    if *report.build() != Build::UNKNOWN {
        logs::write_text(room, report.build().key(), |room| write_build(room, report.build()))?;
    }
    logs::write_text(room, SERVICE_VERSION, |room| room.put(report.version().as_bytes()))?;
    logs::write_before(room, event, time, end)
}

fn write_build<const COUNTING: bool>(room: &mut Room<'_, COUNTING>, build: &Build) -> Result<(), Stop> {
    build.as_bytes().iter().rev().try_for_each(|byte| room.digits(u32::from(*byte), 16, 2))
}

fn write_stack<const COUNTING: bool>(
    room: &mut Room<'_, COUNTING>,
    build: &Build,
    stack: &Stack,
) -> Result<(), Stop> {
    for (count, behind) in [(stack.elsewhere(), " in other files"), (stack.more(), " more")] {
        if count > 0 {
            room.put(behind.as_bytes())?;
            room.digits(count, 10, 1)?;
            room.put(b"\nand ")?;
        }
    }
    for address in stack.addresses().iter().rev() {
        if address.times > 1 {
            room.put(b" times")?;
            room.digits(address.times, 10, 1)?;
            room.put(b" ")?;
        }
        room.digits(address.offset, 16, 1)?;
        room.put(b"\n0x")?;
    }
    write_build(room, build)?;
    if *build == Build::UNKNOWN {
        room.put(b"unknown")?;
    }
    room.put(b"build ")
}

impl<const COUNTING: bool> Room<'_, COUNTING> {
    /// A number in digits of `base`, at least `least` of them.
    fn digits(&mut self, number: u32, base: u32, least: u32) -> Result<(), Stop> {
        let (mut rest, mut written) = (number, 0_u32);
        while rest > 0 || written < least {
            let digit = rest.checked_rem(base).and_then(|digit| char::from_digit(digit, base)).unwrap_or('0');
            self.put(&[digit as u8])?;
            (rest, written) = (rest.checked_div(base).unwrap_or(0), written.saturating_add(1));
        }
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
    fn a_request_that_does_not_fit_says_how_long_it_is() {
        let len = encode_crash(&resource(), &report(), &mut [0; 2_048]).unwrap().len();
        let short = encode_crash(&resource(), &report(), &mut [0; 2_048][..len - 1]).err();
        assert_eq!(short, Some(Error::BufferTooSmall(len)));
        assert!(encode_crash(&resource(), &report(), &mut [0; 2_048][..len]).is_ok());
    }
}
