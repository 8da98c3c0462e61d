//! Each property on random samples, on the kept corpus, and on what once failed.

use automagik_telemetry_fuzz_properties::{
    crash, frames, manifest, metrics, otlp, record, redaction, replay,
};
use proptest::prelude::*;

#[test]
fn nothing_that_a_program_is_given_leaves() {
    replay("redaction", redaction);
}

#[test]
fn crashes_from_anybody_are_read_safely() {
    replay("crash", crash);
}

#[test]
fn records_from_anybody_are_walked_safely() {
    replay("record", record);
}

#[test]
fn manifests_from_anybody_are_read_safely() {
    replay("manifest", manifest);
}

#[test]
fn frames_from_anybody_are_opened_safely() {
    replay("frames", frames);
}

#[test]
fn prost_writes_the_same_bytes() {
    replay("otlp", otlp);
}

#[test]
fn prost_writes_the_same_bytes_for_metrics() {
    replay("metrics", metrics);
}

proptest! {
    #[test]
    fn nothing_of_any_input_leaves(input in prop::collection::vec(any::<u8>(), 0..400)) {
        redaction(&input);
    }

    #[test]
    fn nothing_of_a_personal_text_leaves(input in "[a-z]{3,12}@[a-z]{3,12}\\.org \\+[0-9]{8,13} /home/[a-z]{4,9}") {
        redaction(input.as_bytes());
    }

    #[test]
    fn nothing_of_a_panics_message_leaves(input in prop::collection::vec(any::<u8>(), 0..200)) {
        crash(&input);
    }

    #[test]
    fn any_bytes_are_frames_or_none(input in prop::collection::vec(any::<u8>(), 0..60)) {
        frames(&input);
    }

    #[test]
    fn any_bytes_are_walked_safely(input in prop::collection::vec(any::<u8>(), 0..200)) {
        record(&input);
    }

    #[test]
    fn any_bytes_are_no_manifest_that_breaks_a_rule(input in prop::collection::vec(any::<u8>(), 0..200)) {
        manifest(&input);
    }

    #[test]
    fn any_events_are_encoded_as_prost_does(input in prop::collection::vec(any::<u8>(), 0..400)) {
        otlp(&input);
    }

    #[test]
    fn any_counts_are_encoded_as_prost_does(input in prop::collection::vec(any::<u8>(), 0..400)) {
        metrics(&input);
    }
}
