//! What a tired developer would write, and what the compiler says to it; and what people fear is refused and is not.
//!
//! The expected messages are those of one release of rustc: with another one this says that it skips them.
//! `TRYBUILD=overwrite cargo test --test ui` writes them anew; read each as the person who will see it.

use std::io::Write;
use std::process::Command;

/// The release whose words the expected messages are.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn mistakes_are_refused_with_a_sentence_and_what_is_fine_is_not() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(RELEASE) {
        // Not `eprintln!`, which a passing test hides.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the expected messages are those of {RELEASE}x, not {version}"
        );
        return;
    }
    let cases = trybuild::TestCases::new();
    for topic in ["event", "field", "handwritten", "label", "metric", "record", "schema"] {
        cases.compile_fail(format!("tests/ui/{topic}/*.rs"));
    }
    cases.pass("tests/ui/pass/*.rs");
}

#[test]
fn what_a_derive_says_is_a_sentence_of_ours() {
    let mut read = 0;
    for topic in ["event", "field", "label", "metric", "record", "schema"] {
        for entry in std::fs::read_dir(format!("tests/ui/{topic}")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "stderr") {
                continue;
            }
            read += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap();
            for generic in ["the trait bound", "mismatched types", "cannot find", "expected", "no method"] {
                assert!(!first.contains(generic), "{}: {first}", path.display());
            }
        }
    }
    assert!(read >= 40, "{read}");
}
