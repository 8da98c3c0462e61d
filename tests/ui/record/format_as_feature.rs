//! A text made while the program runs.

include!("../shared/app.rs");

fn used(telemetry: &Telemetry<App>, contact: &str) {
    telemetry.record(FeatureUsed { feature: format!("open {contact}") });
}

fn main() {
    let _ = (used, Route::TracesOfPhone, HttpStatus::new(200), Milliseconds::new(3));
}
