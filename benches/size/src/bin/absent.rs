//! Without telemetry.

fn main() {
    size::work();
}
