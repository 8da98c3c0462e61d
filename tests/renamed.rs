//! The derives where the facade has another name: a renamed dependency, and a library that re-exports it. A package outside of this
//! one, checked by cargo without a network.

use std::path::Path;
use std::process::{Command, Output};

/// Checks a package that has the facade as `telemetry`, of this source.
fn check(folder: &Path, source: &str) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    let manifest = format!(
        "[package]\nname = \"renamed\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         telemetry = {{ package = \"automagik-telemetry\", path = {root:?}, default-features = false }}\n"
    );
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("src/lib.rs"), source).unwrap();
    std::fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(Path::new(root).join("target/renamed"))
        .current_dir(folder)
        .output()
        .unwrap()
}

const SOURCE: &str = r#"
    //! All four derives.
    pub mod library { pub use telemetry as reexported; }
    #[derive(telemetry::Label, Clone, Copy)]
    #[label(crate = "telemetry")]
    pub enum Feature { One, #[label("number two")] Two }
    #[derive(telemetry::Event, Clone, Copy)]
    #[event(name = "renamed.step", crate = "telemetry")]
    pub struct Step { pub feature: Feature }
    #[derive(telemetry::Metrics)]
    #[metric(crate = "crate::library::reexported")]
    pub struct Counted { #[metric(name = "renamed.calls", by = "feature")] pub calls: telemetry::Counter<Feature> }
    #[derive(telemetry::Schema)]
    #[schema(crate = "crate::library::reexported", organization = "automagik", project = "renamed", metrics = Counted)]
    pub enum Renamed { Step(Step) }
"#;

#[test]
fn a_renamed_or_reexported_facade_is_named_by_crate_and_the_error_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let checked = check(folder.path(), SOURCE);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let checked = check(folder.path(), &SOURCE.replace("#[label(crate = \"telemetry\")]", ""));
    let said = String::from_utf8_lossy(&checked.stderr);
    let sentence =
        "no dependency named `automagik-telemetry`: say where it is, as in `#[label(crate = \"telemetry\")]`";
    assert!(!checked.status.success() && said.contains(sentence), "{said}");
}
