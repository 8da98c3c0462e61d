//! A decision that nobody decided.

use automagik_telemetry::consent::{Because, Decision};

fn main() {
    let _ = Decision { because: Because::VariableYes };
}
