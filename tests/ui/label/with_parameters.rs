//! Words that depend on a type.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place<T> {
    Here,
    There(T),
}

fn main() {}
