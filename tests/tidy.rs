//! The habits of this repository, as tests.

use std::collections::{BTreeMap, BTreeSet};
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
    for manifest in [
        "Cargo.toml",
        "core/Cargo.toml",
        "core/derive/Cargo.toml",
        "std-sender/Cargo.toml",
        "gateway/Cargo.toml",
        "symbolize/Cargo.toml",
    ] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest}");
    }
}

/// The sources of a crate, each under its path as a module: `spool::turn`. Tests are left out.
fn modules(folder: &str) -> BTreeMap<String, String> {
    let of_crate = |(path, text): (PathBuf, String)| {
        let module = path.strip_prefix(folder).ok()?.with_extension("");
        let module = module.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let module: Vec<String> = module.collect();
        let is_of_tests = module.iter().any(|part| part == "tests" || part == "testing");
        let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        (!is_of_tests).then(|| (module.join("::"), lines.collect::<Vec<_>>().join("\n")))
    };
    sources().into_iter().filter_map(of_crate).collect()
}

/// The paths that a `use` names, its braces spread out.
fn spread(tree: &str) -> Vec<String> {
    let Some((before, inner)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner.get(start..at).unwrap_or("").trim();
                if !part.is_empty() {
                    paths.extend(spread(&format!("{}{part}", before.trim())));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// The module of `modules` that `path`, written in `module`, leads to.
fn leads_to(modules: &BTreeMap<String, String>, module: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut from: Vec<&str> = module.split("::").collect();
    match *parts.first()? {
        "crate" => from.clear(),
        "super" => {}
        // A child.
        _ => parts.insert(0, "self"),
    }
    while *parts.first()? == "super" {
        from.pop()?;
        parts.remove(0);
    }
    if matches!(parts.first(), Some(&"crate" | &"self")) {
        parts.remove(0);
    }
    let whole: Vec<&str> = from.into_iter().chain(parts).collect();
    (1..=whole.len()).rev().map(|len| whole[..len].join("::")).find(|path| modules.contains_key(path))
}

/// Which modules a module uses. What it re-exports of its own children is none: a folder's first file says what is in it.
fn used(modules: &BTreeMap<String, String>, module: &str, text: &str) -> BTreeSet<String> {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for statement in text.split_inclusive(';') {
        let Some((before, tree)) = statement.split_once("use ") else {
            rest.push_str(statement);
            continue;
        };
        let is_reexport = before.trim_end().lines().last().is_some_and(|line| line.trim().starts_with("pub"));
        let is_use = before.trim().is_empty() || before.trim_end().ends_with(['}', ']', ';']) || is_reexport;
        if !is_use {
            rest.push_str(statement);
        } else if !is_reexport
            || tree.trim_start().starts_with("crate")
            || tree.trim_start().starts_with("super")
        {
            paths.extend(spread(&tree.replace(['\n', ';'], " ")));
        }
    }
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = rest.split(|c: char| !is_of_path(c)).filter(|word| word.contains("::"));
    paths.extend(words.map(str::to_owned));
    let used = paths.iter().filter_map(|path| leads_to(modules, module, path));
    used.filter(|used| used != module && used != "lib").collect()
}

#[test]
fn no_module_of_any_crate_uses_one_that_uses_it() {
    for folder in [
        "core/src",
        "core/derive/src",
        "std-sender/src",
        "embassy-sender/src",
        "off/src",
        "gateway/src",
        "symbolize/src",
    ] {
        let modules = modules(folder);
        let mut graph: BTreeMap<&str, BTreeSet<String>> =
            modules.iter().map(|(module, text)| (module.as_str(), used(&modules, module, text))).collect();
        assert!(
            folder == "off/src" || graph.values().map(BTreeSet::len).sum::<usize>() > 3,
            "{folder}: no uses found"
        );
        // Whatever uses nothing that is left is no part of a circle.
        loop {
            let before = graph.len();
            let left: BTreeSet<String> = graph.keys().map(|module| (*module).to_owned()).collect();
            graph.retain(|_, used| used.iter().any(|module| left.contains(module)));
            if graph.len() == before {
                break;
            }
        }
        assert!(graph.is_empty(), "{folder}: {graph:#?}");
    }
}

#[test]
fn a_folder_uses_only_those_above_it() {
    let std = ["files", "person", "kept", "decode", "send", "run", "shown", "handle"];
    let core = ["words", "events", "schemas", "records", "counts", "person", "crashes", "frames", "wire"];
    for (crate_folder, order) in [("core/src", &core[..]), ("std-sender/src", &std)] {
        // What stands in no folder is the front door.
        let rank = |module: &str| {
            let folder = module.split("::").next().unwrap();
            order.iter().position(|name| *name == folder).unwrap_or(order.len())
        };
        let (modules, mut count) = (modules(crate_folder), 0);
        for (module, text) in &modules {
            for used in used(&modules, module, text) {
                assert!(rank(&used) <= rank(module), "{crate_folder}: {module} uses {used}");
                count += 1;
            }
        }
        assert!(count > 50, "{crate_folder}: {count}");
    }
}

#[test]
fn a_folder_has_about_ten_files_at_most() {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (path, _) in sources() {
        *folders.entry(path.parent().unwrap().to_owned()).or_default() += 1;
    }
    for (folder, count) in folders {
        // A scenario each, as many as there are.
        let is_of_tests =
            folder.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "benches")));
        assert!(is_of_tests || count <= 11, "{}: {count} files", folder.display());
    }
}

#[test]
fn a_circle_would_be_found() {
    let modules: BTreeMap<String, String> = [
        ("a", "use crate::b::{self, c::{D, E}};"),
        ("b", "mod c;\npub use c::D;"),
        ("b::c", "use super::super::a::A;\nfn f() { crate::a::g() }"),
    ]
    .map(|(module, text)| (module.to_owned(), text.to_owned()))
    .into();
    let used_by = |module: &str| used(&modules, module, &modules[module]).into_iter().collect::<Vec<_>>();
    assert_eq!(used_by("a"), ["b", "b::c"]);
    assert_eq!(used_by("b"), [""; 0]);
    assert_eq!(used_by("b::c"), ["a"]);
}
