//! Each property on random samples, on the kept corpus, and on what once failed.

use automagik_telemetry_fuzz_properties::replay;
use automagik_telemetry_gateway_properties::{folders, ingest, programs};
use proptest::prelude::*;

#[test]
fn frames_that_were_found_are_taken_safely() {
    replay("ingest", ingest);
}

#[test]
fn requests_that_were_found_are_taken_safely() {
    replay("programs", programs);
}

#[test]
fn files_that_were_found_are_read_safely() {
    replay("folders", folders);
}

#[test]
fn a_good_request_is_taken_whole() {
    (4..8).for_each(|which| programs(&[which]));
}

proptest! {
    #[test]
    fn nothing_of_any_frame_leaves_that_is_not_in_the_manifest(input in prop::collection::vec(any::<u8>(), 0..600)) {
        ingest(&input);
    }

    #[test]
    fn nothing_of_any_request_leaves_that_is_not_in_the_manifest(input in prop::collection::vec(any::<u8>(), 0..300)) {
        programs(&input);
    }

    #[test]
    fn nothing_of_a_changed_request_leaves_that_is_not_in_the_manifest(
        which in 4_u8..8,
        changes in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        programs(&[&[which], changes.as_slice()].concat());
    }

    #[test]
    fn any_bytes_are_files_or_are_refused(input in prop::collection::vec(any::<u8>(), 0..200), lines in "([0-9a-f]{30,34}( # x)?\n){0,3}") {
        folders(&input);
        folders(lines.as_bytes());
    }
}
