//! 64 bits are allowed.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.wide")]
struct Wide {
    a: Count<0xF_FFFF>,
    b: Count<0xF_FFFF>,
    c: Count<0xF_FFFF>,
    d: Count<0xF>,
}

fn main() {
    let event = Wide { a: Count::new(1), b: Count::new(2), c: Count::new(3), d: Count::new(4) };
    assert_eq!(event.ordinals().as_slice(), [1, 2, 3, 4]);
}
