//! Words with the signs that programs use.

use automagik_telemetry::Label;
use automagik_telemetry::label::Checked;

#[derive(Label)]
enum Word {
    #[label("omni instance create")]
    Command,
    #[label("OMNI-1001")]
    Code,
    #[label("2025-10-21")]
    Date,
    #[label("1.2.3-rc.1")]
    Version,
    #[label("x86_64-unknown-linux-gnu")]
    Target,
    #[label("omni::error::timeout")]
    Path,
    #[label("c++")]
    Language,
    #[label("10 to 100 ms")]
    Range,
    #[expect(non_camel_case_types, reason = "a word of a language")]
    r#type,
}

fn main() {
    assert_eq!(Checked::<Word>::WORDS.last(), Some(&"type"));
}
