//! Frames, from strangers or from who holds a key and means harm.

use crate::leaving::{manifests, says_only_what_is_in_the_manifest};
use ascon_aead::TruncatedAsconAead128;
use ascon_aead::aead::consts::U8;
use ascon_aead::aead::{AeadInOut, KeyInit};
use automagik_telemetry_core::frames::{Boot, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::{Pseudonym, Record};
use automagik_telemetry_gateway::counts::{Counts, Refusal};
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::taker::{Answer, Taker};
use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::tools::simulate;
use hmac::{Hmac, Mac};
use std::sync::Arc;

const KEY: [u8; 16] = [7; 16];
const BOOT: [u8; 8] = [9; 8];
const NOW: Now = Now(1_800_000_000);

/// A frame of data that says `plain`, whatever that is: as `docs/FRAMES.md` says, by who holds the key.
fn forged(sequence: u32, plain: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&KEY).expect("any key will do");
    mac.update(b"automagik-telemetry frames seal\0");
    let digest: [u8; 32] = mac.finalize().into_bytes().into();
    let mut seal = [0; 16];
    seal.copy_from_slice(&digest[..16]);
    let [low, high, ..] = sequence.to_le_bytes();
    let head = [0b1001, BOOT[0], BOOT[1], low, high];
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&BOOT);
    nonce[8..12].copy_from_slice(&sequence.to_le_bytes());
    let mut sealed = plain.to_vec();
    let ascon = TruncatedAsconAead128::<U8>::new(&seal.into());
    let tag = ascon
        .encrypt_inout_detached(&nonce.into(), &head, sealed.as_mut_slice().into())
        .expect("it is short");
    [&head, sealed.as_slice(), tag.as_slice()].concat()
}

/// `input` is pieces: a length, whose lowest bit says whether who holds the key seals the piece, or a stranger sends it as it is.
///
/// # Panics
///
/// Where the property does not hold.
pub fn ingest(input: &[u8]) {
    let mut keys = Keys::default();
    keys.add(Key::new(KEY));
    let counts = Arc::new(Counts::default());
    let mut taker = Taker::new(keys, manifests().clone(), Arc::clone(&counts));
    let mut session = Session::new(Key::new(KEY), Boot::random(BOOT), None);
    let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
    let mut buffer = [0; MTU_MAX];
    let sealed = session.hello(&hello, &mut buffer).expect("a hello fits");
    taker.take(&buffer[..sealed.len], &(), u64::MAX, NOW);
    // A frame of the device's own among them.
    let records = [Record::dropped(Reason::Refused, 1, Default::default())];
    let sealed = session.data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer);
    let sealed = sealed.expect("a record fits").expect("there is one");
    let answer = taker.take(&buffer[..sealed.len], &(), u64::MAX, NOW);
    assert!(matches!(answer, Answer::Taken(_)), "a device's own frame is taken");

    let (mut rest, mut number) = (input, 0_u32);
    while let Some((first, behind)) = rest.split_first() {
        let (piece, behind) = behind.split_at(usize::from(first >> 1).min(behind.len()));
        rest = behind;
        if first & 1 == 0 || piece.is_empty() {
            taker.take(piece, &(), u64::MAX, NOW);
            continue;
        }
        number += 1;
        let strangers = counts.refused(Refusal::BadTag);
        taker.take(&forged(100 * number, piece), &(), u64::MAX, NOW);
        assert_eq!(
            counts.refused(Refusal::BadTag),
            strangers,
            "who holds the key opens every door but that of words"
        );
    }
    says_only_what_is_in_the_manifest(&taker.batch().held);
}
