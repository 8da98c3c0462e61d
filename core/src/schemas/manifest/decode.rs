//! A manifest taken from anybody: every rule checked once, as a whole.

use super::check::{check_event, check_metric};
use super::view::{Events, Manifest, ManifestEvent, Metrics, array_of, items};
use super::{Error, FORMAT, MANIFEST_LEN_MAX};
use crate::events::metric::METRICS_MAX;
use crate::events::time::Resolution;
use crate::schemas::fingerprint::Fingerprint;
use crate::schemas::schema::{self, EVENTS_MAX};
use crate::words::word;
use minicbor::Decoder;

impl<'a> Manifest<'a> {
    /// The manifest in `bytes`, which may come from anybody.
    ///
    /// # Errors
    ///
    /// Any [`Error`]: what is returned keeps every rule that a schema keeps when it is compiled.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > MANIFEST_LEN_MAX {
            return Err(Error::TooLong);
        }
        let mut decoder = Decoder::new(bytes);
        array_of(&mut decoder, 8)?;
        if decoder.u32()? != FORMAT {
            return Err(Error::Format);
        }
        let organization = decoder.str()?;
        word::check_organization(organization).map_or(Ok(()), |rule| Err(Error::Rule(rule)))?;
        let project = decoder.str()?;
        word::check_project(project).map_or(Ok(()), |rule| Err(Error::Rule(rule)))?;
        let version = decoder.str()?;
        if !schema::is_version(version) {
            return Err(Error::Version);
        }
        let resolution = Resolution::from_seconds(decoder.u32()?).ok_or(Error::Number)?;
        let fingerprint = decoder.u64()?;
        let events = items(&mut decoder, EVENTS_MAX)?;
        let mut found = Fingerprint::new(organization, project, resolution);
        for index in 0..events.count {
            let event = check_event(&mut decoder, &mut found)?;
            let is_another =
                |earlier: ManifestEvent<'_>| earlier.name == event.name && !earlier.is_shaped_like(&event);
            if Events(events).take(index).any(is_another) {
                return Err(Error::Duplicate);
            }
        }
        let metrics = items(&mut decoder, METRICS_MAX)?;
        for index in 0..metrics.count {
            let metric = check_metric(&mut decoder, &mut found)?;
            if Metrics(metrics).take(index).any(|earlier| earlier.name == metric.name) {
                return Err(Error::Duplicate);
            }
        }
        if decoder.position() != bytes.len() {
            return Err(Error::Trailing);
        }
        if found.finish() != fingerprint {
            return Err(Error::Fingerprint);
        }
        Ok(Self { organization, project, version, resolution, fingerprint, events, metrics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::EVENT_BITS_MAX;
    use crate::schemas::manifest::{ManifestValues, encode, len};
    use crate::testing::schema;
    use proptest::prelude::*;

    fn encoded() -> Vec<u8> {
        let mut bytes = vec![0; len(schema())];
        encode(schema(), bytes.as_mut_slice()).unwrap();
        bytes
    }

    /// The manifest of the testing schema with `from` replaced by `to`, of the same length.
    fn altered(from: &str, to: &str) -> Result<(), Error> {
        assert_eq!(from.len(), to.len());
        let mut bytes = encoded();
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        Manifest::decode(&bytes).map(drop)
    }

    #[test]
    fn it_reads_back_as_what_the_program_can_say() {
        let bytes = encoded();
        let manifest = Manifest::decode(&bytes).unwrap();
        assert_eq!((manifest.organization(), manifest.project()), ("acme", "testing"));
        assert_eq!(manifest.version(), "1.2.3");
        assert_eq!(manifest.resolution(), schema().resolution());
        assert_eq!(manifest.fingerprint(), schema().fingerprint());
        let events: Vec<_> = schema().events().collect();
        assert_eq!(manifest.events().count(), events.len());
        for (told, event) in manifest.events().zip(events) {
            assert_eq!((told.name, told.severity, told.bits()), (event.name, event.severity, event.bits()));
            assert_eq!(told.fields().count(), event.fields.len());
            for (told, field) in told.fields().zip(event.fields) {
                assert_eq!((told.name, told.optional), (field.name, field.domain.optional));
                assert_eq!(told.cardinality(), u64::from(field.domain.cardinality()));
                if let crate::events::field::Values::Words(words) = field.domain.values {
                    let ManifestValues::Words(told) = told.values else { panic!("words") };
                    assert_eq!(told.collect::<Vec<_>>(), words);
                }
            }
        }
    }

    #[test]
    fn a_manifest_that_breaks_a_rule_is_refused() {
        assert_eq!(altered("GET /two/{id}", "a@example.org"), Err(Error::Rule(word::Rule::Email)));
        assert_eq!(altered("GET /two/{id}", "5511987654321"), Err(Error::Rule(word::Rule::PhoneNumber)));
        assert_eq!(altered("testing.everything", "Testing everything"), Err(Error::Rule(word::Rule::Name)));
        assert_eq!(altered("count", "email"), Err(Error::Rule(word::Rule::PersonalName)));
        assert_eq!(altered("1.2.3", "1.2+3"), Err(Error::Version));
        assert_eq!(altered("acme", "acm_"), Err(Error::Rule(word::Rule::Organization)));
        assert_eq!(altered("acme", "acmf"), Err(Error::Fingerprint));
        assert_eq!(altered("word", "flag"), Err(Error::Duplicate));
        assert_eq!(altered("database", "internal"), Err(Error::Duplicate));
        assert_eq!(altered("GET /two/{id}", "GET /two/{xx}"), Err(Error::Fingerprint));
        assert_eq!(altered("testing", "tasting"), Err(Error::Fingerprint));
    }

    #[test]
    fn plain_numbers_of_more_than_20_bits_are_refused() {
        // The count up to 65,535, and a range that is almost the statuses of HTTP: 16 and 9 bits.
        let mut bytes = encoded();
        for (from, to) in [
            ([2, 0, 0x19, 0x03, 0xE8], [2, 0, 0x19, 0xFF, 0xFF]),
            ([100, 0x19, 2, 0x57, 0x84], [100, 0x19, 2, 0x56, 0x84]),
        ] {
            let at = bytes.windows(5).position(|window| window == from).unwrap();
            bytes[at..at + 5].copy_from_slice(&to);
        }
        assert_eq!(Manifest::decode(&bytes).unwrap_err(), Error::NumberBits);
    }

    #[test]
    fn a_manifest_that_ends_early_or_late_is_refused() {
        let mut bytes = encoded();
        for len in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..len]).is_err(), "{len}");
        }
        bytes.push(0);
        assert_eq!(Manifest::decode(&bytes).unwrap_err(), Error::Trailing);
        assert_eq!(Manifest::decode(&vec![0; MANIFEST_LEN_MAX + 1]).unwrap_err(), Error::TooLong);
    }

    proptest! {
        #[test]
        fn any_damage_is_refused_or_harmless(at: prop::sample::Index, byte: u8) {
            let mut bytes = encoded();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(manifest) = Manifest::decode(&bytes) {
                for event in manifest.events() {
                    prop_assert!(event.bits() <= EVENT_BITS_MAX);
                }
            }
        }

        #[test]
        fn any_bytes_are_a_manifest_or_an_error(bytes: Vec<u8>) {
            let _ = Manifest::decode(&bytes);
        }
    }
}
