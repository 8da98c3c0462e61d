//! A descriptor made while the program runs, past every check.

use automagik_telemetry::schema::SchemaDescriptor;
use automagik_telemetry::time::Resolution;

fn main() {
    let project: &'static str = Box::leak(std::env::args().collect::<String>().into_boxed_str());
    let _ = SchemaDescriptor { project, version: "1", resolution: Resolution::Second, events: &[], fingerprint: 0 };
}
