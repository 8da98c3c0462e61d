//! For distributions: a program compiled unchanged, with nothing of telemetry in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).arg("--offline").current_dir(folder);
    command.env("CARGO_TARGET_DIR", Path::new(ROOT).join("target/off"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A package outside of this one: `examples/omni.rs` as it is, and the same program written without telemetry.
fn package(folder: &Path) {
    let manifest = format!(
        "[package]\nname = \"short-program\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         automagik-telemetry = {{ path = {ROOT:?}, default-features = false, features = [\"off\", \"clap\"] }}\n\
         clap = {{ version = \"4\", features = [\"derive\"] }}\n\
         [profile.release]\nlto = \"thin\"\ncodegen-units = 1\nstrip = true\n"
    );
    let programs = folder.join("src/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::copy(Path::new(ROOT).join("examples/omni.rs"), programs.join("omni.rs")).unwrap();
    let without = Path::new(ROOT).join("benches/short-program/src");
    fs::copy(without.join("lib.rs"), folder.join("src/lib.rs")).unwrap();
    fs::copy(without.join("bin/absent.rs"), programs.join("absent.rs")).unwrap();
}

fn program(name: &str) -> PathBuf {
    Path::new(ROOT).join("target/off/release").join(name)
}

/// Crates that speak HTTP, or that only somebody needs who sends.
const SENDING: [&str; 6] = ["reqwest", "hyper", "rustls", "tokio", "prost", "automagik-telemetry-std"];

fn assert_sends_nothing(tree: &[u8]) {
    let tree = String::from_utf8_lossy(tree);
    assert!(tree.contains("automagik-telemetry-off"), "{tree}");
    for name in SENDING {
        assert!(!tree.lines().any(|line| line.contains(&format!("{name} v"))), "{name} is in {tree}");
    }
}

#[test]
fn with_the_feature_off_a_program_compiles_unchanged_and_has_no_telemetry_in_it() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path());
    assert_sends_nothing(&cargo(folder.path(), &["tree", "--edges", "normal"]).stdout);
    cargo(folder.path(), &["build", "--release", "--quiet"]);

    // It does its work, takes its options, and says that there is no telemetry.
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut omni = Command::new(program("omni"));
        omni.args(arguments).env("HOME", home.path()).env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
        let output = omni.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(&["instance", "list"]), "no instances\n");
    for command in [&["telemetry", "status"][..], &["telemetry", "status", "--json"], &["telemetry", "on"]] {
        assert_eq!(run(command), "Telemetry is off: this build has no telemetry in it.\n");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);

    let bytes = fs::read(program("omni")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("no instances"), "strings can't be found in it");
    for text in
        ["namastex", "TELEMETRY", "v1/logs", "Enable telemetry", "automagik.cli.command", "x-protobuf"]
    {
        assert!(!holds(text), "{text}");
    }
    // One page.
    let (with, without) = (bytes.len(), fs::metadata(program("absent")).unwrap().len() as usize);
    assert!(with <= without + 4_096, "{} bytes more than a program without telemetry", with - without);
}

#[test]
fn with_the_cfg_whatever_a_program_chose_is_left_out() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--offline", "--edges", "normal", "--package", "automagik-telemetry"]);
    command.args(["--features", "clap"]).env("RUSTFLAGS", "--cfg automagik_telemetry_off").current_dir(ROOT);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_sends_nothing(&output.stdout);
}

/// The functions and constants that the sources in `folder` offer to other crates.
fn offered(folder: &Path) -> Vec<(String, String)> {
    let mut offered = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            offered.extend(self::offered(&path));
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines().map(str::trim) {
            let Some(rest) = line.strip_prefix("pub ") else { continue };
            let rest =
                rest.strip_prefix("const fn ").or(rest.strip_prefix("fn ")).or(rest.strip_prefix("const "));
            let Some(rest) = rest else { continue };
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            offered.push((name.to_owned(), format!("{}: {line}", path.display())));
        }
    }
    offered
}

#[test]
fn what_the_sender_offers_is_there_without_it_too() {
    let off = offered(&Path::new(ROOT).join("off/src"));
    let written_by_a_macro = fs::read_to_string(Path::new(ROOT).join("off/src/person.rs")).unwrap();
    let sender = offered(&Path::new(ROOT).join("std-sender/src"));
    assert!(sender.len() > 80, "{}", sender.len());
    for (name, line) in sender {
        let is_there = off.iter().any(|(other, _)| *other == name)
            || written_by_a_macro.contains(&format!("fn {name}(&self)"));
        assert!(is_there, "not in off/src: {line}");
    }
}
