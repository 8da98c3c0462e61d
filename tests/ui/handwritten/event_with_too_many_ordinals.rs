//! An implementation by hand that hands over a text, letter by letter.

use automagik_telemetry::event::Ordinals;

fn main() {
    let _ = Ordinals::new([0; 13]);
}
