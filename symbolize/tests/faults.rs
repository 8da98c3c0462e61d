//! A Cortex-M3 in QEMU that falls in every way, with the handlers of automagik-telemetry-cortex-m: its next life tells which fault it was, and its file where.

#![cfg(unix)]

use automagik_telemetry_symbolize::frames::Symbols;
use automagik_telemetry_test_support::{Log, firmware, logs};

/// What the next life of a device tells that falls in this way; `None` where there is no QEMU, which is said.
fn told(way: &str) -> Option<Vec<Log>> {
    let image = firmware::faults()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("request");
    assert!(firmware::fall(image, way, &path, "yes"), "{way}");
    let request = std::fs::read(&path).unwrap();
    assert!(!request.windows(7).any(|window| window == b"main.rs"), "no path leaves");
    Some(logs(&request))
}

fn number(log: &Log, key: &str) -> u32 {
    log.attribute(key).parse().unwrap()
}

fn symbols() -> Symbols {
    Symbols::new(&[firmware::faults().unwrap().to_owned()])
}

/// The line of the firmware's source that holds `text`.
fn line_of(text: &str) -> u32 {
    let source = include_str!("../../tests/faults/src/main.rs");
    u32::try_from(source.lines().position(|line| line.contains(text)).unwrap() + 1).unwrap()
}

/// The fault that is told, and the functions and lines around its instruction.
fn falls(way: &str, fault: &str, reason: &str) -> Option<Vec<String>> {
    let logs = told(way)?;
    assert_eq!((logs.len(), logs[0].event.as_str()), (2, "automagik.device.crash"), "{way}");
    assert_eq!(logs[0].attribute("fault"), fault, "{way}");
    assert_eq!(logs[1].event, "automagik.device.restart");
    assert_eq!((logs[1].attribute("reason"), logs[1].attribute("restarts")), (reason, "1"), "{way}");
    let frames = symbols().instruction(number(&logs[0], "crash_place"), false).unwrap_or_default();
    let named = frames.into_iter().filter_map(|frame| {
        let (file, line) = frame.line?;
        Some(format!("{} {file}:{line}", frame.function))
    });
    Some(named.collect())
}

#[test]
fn an_undefined_instruction_is_told_with_its_function() {
    let Some(frames) = falls("hard", "usage.undefined_instruction", "software") else { return };
    let here = format!("undefined faults/src/main.rs:{}", line_of("asm::udf()"));
    assert!(frames.iter().any(|frame| frame.ends_with(&here)), "{frames:?}");
}

#[test]
fn a_read_of_memory_that_is_not_there_is_told_with_its_function() {
    let Some(frames) = falls("bus", "bus.data", "software") else { return };
    let here = format!("bus faults/src/main.rs:{}", line_of("0x3000_0000"));
    assert!(frames.iter().any(|frame| frame.ends_with(&here)), "{frames:?}");
}

#[test]
fn a_stack_that_overflows_and_a_watchdog_are_told_as_what_they_are() {
    if falls("stack", "stack_overflow", "software").is_some() {
        falls("watchdog", "watchdog", "watchdog");
    }
}

#[test]
fn a_panic_is_told_with_its_place() {
    let Some(logs) = told("panic") else { return };
    assert_eq!(logs[0].attribute("fault"), "panic");
    let place = symbols().place(number(&logs[0], "crash_place")).unwrap();
    assert_eq!((place.file.as_str(), place.line), ("src/main.rs", line_of("few[at]")));
}

#[test]
fn without_consent_nothing_is_kept_of_a_fall() {
    let Some(image) = firmware::faults() else { return };
    let folder = tempfile::tempdir().unwrap();
    assert!(firmware::fall(image, "bus", &folder.path().join("request"), "no"));
}
