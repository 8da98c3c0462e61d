//! Every kind of field in one event, one of them a label of another crate's making.

use automagik_telemetry::{Bytes, Count, ErrorCategory, Event, HttpStatus, Milliseconds};

#[derive(Event)]
#[event(name = "app.everything.happened", severity = "warn")]
struct Everything {
    category: Option<ErrorCategory>,
    retried: bool,
    attempts: Count<255>,
    status: Option<HttpStatus>,
    duration_ms: Milliseconds,
    #[event(name = "size_by")]
    size: Bytes,
}

fn main() {
    let _ = Everything {
        category: None,
        retried: false,
        attempts: Count::new(3),
        status: Some(HttpStatus::new(200)),
        duration_ms: Milliseconds::from(std::time::Duration::from_secs(2)),
        size: Bytes::new(1 << 40),
    };
}
