//! Manifests from anybody: a device that somebody else built.

use automagik_telemetry::manifest::{Manifest, ManifestValues};
use automagik_telemetry::word;

/// Bytes are read as a manifest. What is taken keeps every rule, and can be walked to its end.
///
/// # Panics
///
/// Where that does not hold.
pub fn manifest(input: &[u8]) {
    let Ok(manifest) = Manifest::decode(input) else { return };
    assert_eq!(word::check_project(manifest.project()), None);
    for event in manifest.events() {
        assert_eq!(word::check_name(event.name), None);
        assert!(event.bits() <= 64 && event.number_bits() <= 20);
        for field in event.fields() {
            assert_eq!(word::check_name(field.name), None);
            let is_place = matches!(field.values, ManifestValues::CodeLocation);
            assert!(is_place || (1..=1 << 20).contains(&field.cardinality()));
            if let ManifestValues::Words(words) = field.values {
                assert!(words.clone().all(|word| word::check(word).is_none()));
                assert_eq!(words.count() as u64 + u64::from(field.optional), field.cardinality());
            }
        }
    }
}
