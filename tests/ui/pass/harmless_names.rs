//! Names that sound personal and are not, each with its reason; a `bool` needs none.

use automagik_telemetry::{Count, Event};

#[derive(Event)]
#[event(name = "app.contact.added")]
struct ContactAdded {
    has_email: bool,
    #[event(harmless = "number of the tab that was open")]
    file: Count<99>,
    email_count: Count<9>,
}

fn main() {
    let _ = ContactAdded { has_email: true, file: Count::new(1), email_count: Count::new(2) };
}
