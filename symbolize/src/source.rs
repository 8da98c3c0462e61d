//! Where a source file lay on whoever built the program: cut to its crate.

/// `path` without what is of the machine that built it: the folder of the crate stays, and what lies in it.
///
/// ```
/// use automagik_telemetry_symbolize::source::cut;
/// assert_eq!(cut("/rustc/59807616e1fa/library/std/src/io/mod.rs"), "std/src/io/mod.rs");
/// assert_eq!(cut("/home/ada/.cargo/registry/src/index.crates.io-1949/serde-1.0.2/src/de.rs"), "serde-1.0.2/src/de.rs");
/// assert_eq!(cut("C:\\Users\\ada\\omni\\src\\main.rs"), "omni/src/main.rs");
/// assert_eq!(cut("src/main.rs"), "src/main.rs");
/// ```
#[must_use]
pub fn cut(path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":/");
    let parts: Vec<&str> = path.split('/').collect();
    // The crate is the folder around the last `src`, `examples`, `tests` or `benches`.
    let folder = parts.iter().rposition(|part| matches!(*part, "src" | "examples" | "tests" | "benches"));
    let folder = folder.filter(|at| *at > 0 && is_absolute);
    match folder {
        Some(at) => parts[at - 1..].join("/"),
        None if is_absolute => parts.last().copied().unwrap_or_default().to_owned(),
        None => path,
    }
}
