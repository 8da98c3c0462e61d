//! The example `omni` without telemetry.

fn main() {
    short_program::work();
}
