//! The leak of the product that the policy names: its middleware sends `request.url.path`, and a route is `/traces/phone/{phone_number}`.

include!("../shared/app.rs");

fn answered(telemetry: &Telemetry<App>, path: String) {
    let (status, duration) = (HttpStatus::new(200), Milliseconds::new(3));
    telemetry.record(ApiRequest { route: path, status, duration });
}

fn main() {
    let _ = (answered, Feature::ListContacts, Route::TracesOfPhone, FeatureUsed { feature: Feature::ListContacts });
}
