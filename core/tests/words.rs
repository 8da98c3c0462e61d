//! The rules for words, on words that real programs have.

use automagik_telemetry_core::word;

const INNOCENT: &str = include_str!("innocent.txt");

#[test]
fn of_routes_commands_codes_and_versions_of_real_programs_none_is_refused() {
    let words: Vec<&str> = INNOCENT.lines().filter(|line| !line.starts_with("# ")).collect();
    assert!(words.len() >= 200, "{}", words.len());
    let refused: Vec<_> =
        words.iter().filter_map(|word| word::check(word).map(|rule| (*word, rule))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
