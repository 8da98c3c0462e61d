//! Writes a first corpus: `cargo run -p automagik-telemetry-fuzz-properties --example seeds`.

use automagik_telemetry::loss::Reason;
use automagik_telemetry::manifest;
use automagik_telemetry::schema::{Checked, Schema};
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{FeatureUsed, Label, Record};
use std::path::Path;

#[derive(Label)]
enum Word {
    One,
    #[label("GET /two/{id}")]
    Two,
}

#[derive(automagik_telemetry::Schema)]
#[schema(organization = "automagik", project = "seeds", version = "1.0.0")]
enum Seeds {
    Used(FeatureUsed<Word>),
}

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let keep = |name: &str, bytes: &[u8]| {
        std::fs::create_dir_all(corpus.join(name))?;
        std::fs::write(corpus.join(name).join("seed"), bytes)
    };
    let schema = Checked::<Seeds>::DESCRIPTOR;
    let mut cbor = vec![0; manifest::len(schema)];
    manifest::encode(schema, cbor.as_mut_slice()).map_err(std::io::Error::other)?;
    keep("manifest", &cbor)?;

    let time = Coarse::from_unix_seconds(1_761_048_000, Seeds::RESOLUTION);
    let mut records = Vec::new();
    for event in
        [Seeds::Used(FeatureUsed { feature: Word::One }), Seeds::Used(FeatureUsed { feature: Word::Two })]
    {
        records
            .extend_from_slice(Record::new(&event, time).map_err(std::io::Error::other)?.encode().as_slice());
    }
    records.extend_from_slice(Record::dropped(Reason::Refused, 7, time).encode().as_slice());
    keep("record", &records)?;
    keep("redaction", b"alice@example.org called +55 11 98765-4321 from 192.168.1.10 /home/alice")?;
    keep("metrics", &(0..=255).collect::<Vec<u8>>())?;
    keep("otlp", &(0..=255).collect::<Vec<u8>>())
}
