//! Whatever bytes arrive, from strangers or from who holds a key: nothing panics, and no string leaves that is not in a manifest.

use ascon_aead::TruncatedAsconAead128;
use ascon_aead::aead::consts::U8;
use ascon_aead::aead::{AeadInOut, KeyInit};
use automagik_telemetry_core::frames::{Boot, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::vocabulary::strings;
use automagik_telemetry_core::{Pseudonym, Record};
use automagik_telemetry_gateway::backward::Backward;
use automagik_telemetry_gateway::counts::{Counts, Refusal};
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::held::Held;
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::session::Session as Known;
use automagik_telemetry_gateway::intake::taker::{Answer, Boots, Taker};
use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate;
use hmac::{Hmac, Mac};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use proptest::prelude::*;
use prost::Message;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Nothing;

impl Boots for Nothing {
    fn of_session(&self, _: u16) -> Vec<(u64, Known)> {
        Vec::new()
    }

    fn of_number(&self, _: u64) -> Option<Known> {
        None
    }
}

const KEY: [u8; 16] = [7; 16];
const BOOT: [u8; 8] = [9; 8];

fn known() -> (Keys, Manifests) {
    let (mut keys, mut manifests) = (Keys::default(), Manifests::default());
    keys.add(Key::new(KEY));
    manifests.add(Vocabulary::read(&simulate::manifest()).unwrap()).unwrap();
    (keys, manifests)
}

/// A frame of data that says `plain`, whatever that is: as `docs/FRAMES.md` says, by who holds the key and means harm.
fn forged(sequence: u32, plain: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&KEY).unwrap();
    mac.update(b"automagik-telemetry frames seal\0");
    let seal: [u8; 16] = mac.finalize().into_bytes()[..16].try_into().unwrap();
    let [low, high, ..] = sequence.to_le_bytes();
    let head = [0b1001, BOOT[0], BOOT[1], low, high];
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&BOOT);
    nonce[8..12].copy_from_slice(&sequence.to_le_bytes());
    let mut sealed = plain.to_vec();
    let ascon = TruncatedAsconAead128::<U8>::new(&seal.into());
    let tag = ascon.encrypt_inout_detached(&nonce.into(), &head, sealed.as_mut_slice().into()).unwrap();
    [&head, sealed.as_slice(), tag.as_slice()].concat()
}

/// Every string of a protobuf message, found without knowing what it is of: what is UTF-8 of some length.
fn texts(request: &str) -> BTreeSet<String> {
    // `Debug` of prost's types quotes strings and nothing else.
    let mut texts = BTreeSet::new();
    let mut rest = request;
    while let Some((_, behind)) = rest.split_once('"') {
        let Some((text, behind)) = behind.split_once('"') else { break };
        texts.insert(text.to_owned());
        rest = behind;
    }
    texts
}

proptest! {
    #[test]
    fn nothing_of_any_frame_leaves_that_is_not_in_the_manifest(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..8),
        plains in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 0..8),
        said in prop::collection::vec(any::<u8>(), 1..60),
    ) {
        let (keys, manifests) = known();
        let counts = Arc::new(Counts::default());
        let mut taker = Taker::new(keys, manifests.clone(), Arc::clone(&counts));
        let now = Now(1_800_000_000);
        let mut session = Session::new(Key::new(KEY), Boot::random(BOOT), None);
        let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
        let mut buffer = [0; MTU_MAX];
        let sealed = session.hello(&hello, &mut buffer).unwrap();
        taker.take(&buffer[..sealed.len], &Nothing, u64::MAX, now);
        // A frame of the device's own among them.
        let records = [Record::dropped(automagik_telemetry_core::loss::Reason::Refused, 1, Default::default())];
        let sealed =
            session.data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer).unwrap().unwrap();
        let answer = taker.take(&buffer[..sealed.len], &Nothing, u64::MAX, now);
        prop_assert!(matches!(answer, Answer::Taken(_)));
        for bytes in noise {
            taker.take(&bytes, &Nothing, u64::MAX, now);
        }
        let strangers = counts.refused(Refusal::BadTag);
        for (number, plain) in plains.iter().chain([&said]).enumerate() {
            taker.take(&forged(100 * (number as u32 + 1), plain), &Nothing, u64::MAX, now);
        }
        prop_assert_eq!(counts.refused(Refusal::BadTag), strangers, "who holds the key opens every door but that of words");

        let batch = taker.batch();
        let mut held = batch.held.as_slice();
        let devices = Devices::of(std::iter::from_fn(|| Held::take(&mut held)), &manifests, false);
        let mut out = Backward::with_room(8);
        devices.logs(&mut out);
        let mut left = texts(&format!("{:?}", ExportLogsServiceRequest::decode(out.as_slice()).unwrap()));
        out.clear();
        devices.metrics(&mut out);
        left.extend(texts(&format!("{:?}", ExportMetricsServiceRequest::decode(out.as_slice()).unwrap())));
        let may: BTreeSet<&str> = strings(simulate::schema()).collect();
        for text in &left {
            prop_assert!(text.is_empty() || may.contains(text.as_str()) || *text == "0".repeat(32), "{}", text);
        }
    }
}
