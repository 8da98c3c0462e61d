//! A label that says nothing.

use automagik_telemetry::Label;

#[derive(Label)]
enum Nothing {}

fn main() {}
