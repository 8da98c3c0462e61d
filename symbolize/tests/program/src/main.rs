//! Prints places as they would be sent, and the lines where they stand: what `symbolize/tests/places.rs` compares.

use automagik_telemetry_core::CodeLocation;

fn inlined() -> (CodeLocation, u32) {
    (CodeLocation::caller(), line!())
}

#[track_caller]
fn of_caller() -> CodeLocation {
    CodeLocation::caller()
}

fn main() {
    let places = [(CodeLocation::caller(), line!()), inlined(), (of_caller(), line!())];
    for (place, line) in places {
        println!("{} {line}", place.get());
    }
}
