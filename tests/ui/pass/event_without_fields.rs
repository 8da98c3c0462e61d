//! That something happened may be all there is to say.

use automagik_telemetry::{Event, Schema};

#[derive(Event)]
#[event(name = "app.started")]
struct Started;

#[derive(Event)]
#[event(name = "app.stopped")]
struct Stopped {}

#[derive(Schema)]
#[schema(organization = "automagik", project = "my-app_2.0", resolution = "day")]
enum App {
    Started(Started),
    Stopped(Stopped),
}

fn main() {
    let _ = (App::Started(Started), App::Stopped(Stopped {}));
}
