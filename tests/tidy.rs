//! The habits of this repository, as tests.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files, without those that were built.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().to_owned()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(sources.len() > 30);
    sources
}

/// The part of a file before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn a_module_of_core_uses_only_modules_above_it() {
    let lib = std::fs::read_to_string(root().join("core/src/lib.rs")).unwrap();
    let order: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(order.len() > 15, "{order:?}");
    let sources = sources();
    for (position, module) in order.iter().enumerate().filter(|(_, module)| **module != "testing") {
        let of_module = |file: &Path| {
            let behind = file.strip_prefix(format!("core/src/{module}")).is_ok();
            behind || file == Path::new(&format!("core/src/{module}.rs"))
        };
        for (file, text) in sources.iter().filter(|(file, _)| of_module(file)) {
            let lines = code(text).lines().filter(|line| !line.trim_start().starts_with("//"));
            for used in lines.flat_map(|line| line.split("crate::").skip(1)) {
                let used = used.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
                let at = order.iter().position(|name| *name == used);
                assert!(
                    at.is_some_and(|at| at <= position),
                    "{}: uses `{used}`, which stands below",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn a_file_is_one_idea_of_at_most_400_lines() {
    for (path, text) in sources() {
        let lines = code(&text).lines().count();
        let is_a_test =
            path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "benches")));
        assert!(is_a_test || lines <= 400, "{}: {lines} lines", path.display());
    }
}

#[test]
fn a_name_explains_itself() {
    for (path, _) in sources() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for banned in ["util", "utils", "helper", "helpers", "manager", "common", "misc", "mod"] {
            assert_ne!(name, banned, "{}", path.display());
        }
    }
}

#[test]
fn nothing_is_left_for_later_in_the_source() {
    for (path, text) in sources().iter().filter(|(path, _)| !path.ends_with("tidy.rs")) {
        for mark in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("] {
            assert!(!text.contains(mark), "{}: {mark}", path.display());
        }
    }
}

#[test]
fn every_crate_of_ours_inherits_the_lints() {
    for manifest in ["Cargo.toml", "core/Cargo.toml", "core/derive/Cargo.toml", "std-sender/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest}");
    }
}
