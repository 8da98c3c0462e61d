//! What a tired developer would write first.

include!("../shared/app.rs");

fn used(telemetry: &Telemetry<App>) {
    telemetry.record("opened the contacts of alice@example.org");
}

fn main() {
    let _ = (used, Route::TracesOfPhone, HttpStatus::new(200), Milliseconds::new(3));
}
