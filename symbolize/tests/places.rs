//! Programs of several builds say places, and the file of each says which they are.

use automagik_telemetry_symbolize::program::{Error, Program};
use std::path::PathBuf;
use std::process::Command;

/// `tests/program`, built with these flags and settings of the profile.
fn build(name: &str, flags: &str, settings: &[&str]) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let host = Command::new(env!("CARGO")).args(["-vV"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    // With a target, flags are for the program and not for what builds it.
    cargo.args(["build", "--quiet", "--release", "--target", host]);
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program"));
    cargo.env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", flags);
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap();
        cargo.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    assert!(cargo.status().unwrap().success());
    target.join(host).join("release/places").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Every place that the program says is the line that it says, by its own file.
fn tells_its_places(path: &PathBuf) {
    let said = Command::new(path).output().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let program = Program::read(&bytes).unwrap();
    let mut lines = 0;
    for line in String::from_utf8(said.stdout).unwrap().lines() {
        let (number, line) = line.split_once(' ').unwrap();
        let place = program.place(number.parse().unwrap()).unwrap();
        assert_eq!((place.line.to_string().as_str(), place.file.as_str()), (line, "src/main.rs"));
        lines += 1;
    }
    assert_eq!(lines, 3);
}

#[test]
fn a_program_that_is_stripped_and_as_small_as_can_be_tells_its_places() {
    tells_its_places(&build("small", "", &["STRIP=symbols", "LTO=fat", "OPT_LEVEL=z", "PANIC=abort"]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_with_packed_relocations_tells_its_places() {
    tells_its_places(&build("relr", "-Clink-arg=-Wl,-z,pack-relative-relocs", &[]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_always_loaded_at_the_same_place_tells_its_places() {
    tells_its_places(&build("static", "-Crelocation-model=static", &["STRIP=symbols"]));
}

#[test]
fn a_number_of_another_build_is_no_place_and_0_is_unknown() {
    let path = build("other", "", &[]);
    let bytes = std::fs::read(path).unwrap();
    let program = Program::read(&bytes).unwrap();
    assert_eq!(program.place(0), Err(Error::Unknown));
    assert_eq!(program.place((1 << 28) - 1), Err(Error::NoLocation));
    assert_eq!(
        Program::read(b"no program").err().map(|error| error.to_string().contains("no program")),
        Some(true)
    );
}
