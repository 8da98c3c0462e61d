//! Files of macOS, whose pointers are links of a chain, or stand in them as they are. No Mac links them here, so they lie in `tests/macho`:
//!
//! ```text
//! #[unsafe(no_mangle)]
//! pub extern "C" fn place() -> u32 {
//!     CodeLocation::caller().get()                              line 4 of src/lib.rs, under a line of `use`
//! }
//! cargo build --release --target aarch64-apple-darwin           crate-type = ["staticlib"], panic = "abort"
//! rust-lld -flavor darwin -arch arm64 -dylib -platform_version macos 13.0 13.0 -undefined dynamic_lookup -fixup_chains
//!     -dead_strip -x -u _place -exported_symbol _place -install_name chained.dylib -o chained.dylib libmacho.a
//! ```

use automagik_telemetry_symbolize::program::Program;
use std::io::Read;

/// The places that are found around the anchor.
fn places(packed: &[u8]) -> Vec<String> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    let program = Program::read(&bytes).unwrap();
    // 64 KiB on either side: more than the file has.
    let numbers = (1 << 27) - (1 << 14)..(1 << 27) + (1 << 14);
    numbers.filter_map(|number| program.place(number).ok()).map(|place| place.to_string()).collect()
}

#[test]
fn a_place_is_found_where_pointers_are_links_of_a_chain() {
    assert_eq!(places(include_bytes!("macho/chained.dylib.gz")), ["src/lib.rs:4:5"]);
}

#[test]
fn a_place_is_found_where_pointers_stand_as_they_are() {
    assert_eq!(places(include_bytes!("macho/rebased.dylib.gz")), ["src/lib.rs:4:5"]);
}
