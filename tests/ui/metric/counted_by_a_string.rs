use automagik_telemetry::{Counter, Metrics};

#[derive(Metrics)]
struct App {
    #[metric(name = "app.commands", by = "command")]
    commands: Counter<String>,
}

fn main() {}
