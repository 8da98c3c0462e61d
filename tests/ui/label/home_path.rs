//! Somebody's folder.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("/home/alice/notes")]
    Mine,
}

fn main() {}
