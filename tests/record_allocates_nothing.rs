//! Recording does not allocate, on or off.

use automagik_telemetry::{ApiRequest, Environment, HttpStatus, Label, Milliseconds, Schema, Telemetry};
use automagik_telemetry_test_support::Receiver;

#[derive(Label, Clone, Copy)]
enum Route {
    #[label("GET /contacts")]
    Contacts,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Api(ApiRequest<Route>),
}

fn allocations(telemetry: &Telemetry<Omni>) -> u64 {
    let record = || {
        telemetry.record(ApiRequest {
            route: Route::Contacts,
            status: HttpStatus::new(200),
            duration: Milliseconds::new(12),
        });
    };
    record();
    // More than fit, so that losing one is among what is measured.
    allocation_counter::measure(|| (0..10_000).for_each(|_| record())).count_total
}

#[test]
fn recording_does_not_allocate_when_it_is_on() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    let telemetry = Telemetry::builder().environment(environment).build().unwrap();
    assert!(telemetry.is_on());
    assert_eq!(allocations(&telemetry), 0);
    let seen = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 100]))).count_total;
    assert_eq!(seen, 1, "an allocation would be seen");
}

#[test]
fn recording_does_not_allocate_when_it_is_off() {
    let telemetry = Telemetry::builder().environment(Environment::at("/nonexistent")).build().unwrap();
    assert!(!telemetry.is_on());
    assert_eq!(allocations(&telemetry), 0);
}
