//! The first ten letters of a token.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("eyJhbGciOi")]
    Mine,
}

fn main() {}
