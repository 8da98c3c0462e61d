//! An event that leaves its words to the application.

use automagik_telemetry::{Count, Event, Label, Schema};

#[derive(Event)]
#[event(name = "app.exported")]
struct Exported<F, K> {
    format: F,
    kind: Option<K>,
    rows: Count<1_000_000>,
}

#[derive(Label)]
enum Format {
    Csv,
    Json,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Exported(Exported<Format, Format>),
}

fn main() {
    let event = Exported { format: Format::Csv, kind: Some(Format::Json), rows: Count::new(5) };
    let _ = App::Exported(event);
}
