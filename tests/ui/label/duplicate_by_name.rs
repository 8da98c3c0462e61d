//! A word that another variant has by its name.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    ListContacts,
    #[label("list_contacts")]
    Other,
}

fn main() {}
