use automagik_telemetry::{Counter, Histogram, Label, Metrics, Milliseconds};

#[derive(Label, Clone, Copy)]
enum Command {
    List,
    Create,
}

#[derive(Metrics)]
struct App {
    commands: Counter<Command>,
    #[metric(name = "app.duration")]
    duration: Histogram<(), Milliseconds>,
}

fn main() {}
