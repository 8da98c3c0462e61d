//! A leaked box is a `&'static str`, and still made while the program runs.

include!("../shared/app.rs");

fn used(telemetry: &Telemetry<App>, contact: String) {
    let leaked: &'static str = Box::leak(contact.into_boxed_str());
    telemetry.record(FeatureUsed { feature: leaked });
}

fn main() {
    let _ = (used, Route::TracesOfPhone, HttpStatus::new(200), Milliseconds::new(3));
}
