use automagik_telemetry::{Counter, Histogram, Label, Metrics, Milliseconds};

#[derive(Label, Clone, Copy)]
enum Command {
    List,
    Create,
}

#[derive(Metrics)]
struct App {
    #[metric(name = "app.commands", by = "user_email")]
    commands: Counter<Command>,
    #[metric(name = "app.duration", by = "command")]
    duration: Histogram<Command, Milliseconds>,
}

fn main() {}
