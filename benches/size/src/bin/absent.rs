//! Without telemetry.

fn main() {
    short_program::work();
}
