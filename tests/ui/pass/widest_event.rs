//! 64 bits are allowed; plain numbers of more than 20 with a reason, which the inventory shows.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.wide")]
struct Wide {
    a: Count<0xF_FFFF>,
    #[event(harmless = "rows of a table that the program brings along")]
    b: Count<0xF_FFFF>,
    #[event(harmless = "columns of the same table")]
    c: Count<0xF_FFFF>,
    #[event(harmless = "pages of the same table")]
    d: Count<0xF>,
}

fn main() {
    let event = Wide { a: Count::new(1), b: Count::new(2), c: Count::new(3), d: Count::new(4) };
    assert_eq!(event.ordinals().as_slice(), [1, 2, 3, 4]);
}
