//! A consent that nobody gave.

use automagik_telemetry::Consent;

fn main() {
    let _ = Consent(());
}
