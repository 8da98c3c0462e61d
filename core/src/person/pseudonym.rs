//! Identity without a person: a keyed hash of the project, under a secret that never leaves.
//!
//! `HMAC-SHA256(secret, "automagik-telemetry installation\0" project "\0" period)`, cut to 128 bits
//! ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104), FIPS 180-4). The secret is random and made after consent,
//! so the pseudonym says nothing of the machine or of its user; two projects, or two periods, can't be linked; and
//! whoever deletes the secret is forgotten.

use crate::person::consent::Consent;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Separates this use of the secret from any other.
const DOMAIN: &[u8] = b"automagik-telemetry installation\0";

/// Length of a [`Secret`], in bytes.
pub const SECRET_LEN: usize = 32;

/// Random bytes that stay on the machine. `Debug` does not show them.
#[derive(Clone)]
pub struct Secret([u8; SECRET_LEN]);

impl Secret {
    /// Creates a secret of `bytes`, which must come from a generator fit for cryptography.
    ///
    /// Without consent there is none: before it, a machine holds no identifier.
    #[must_use]
    pub const fn new(bytes: [u8; SECRET_LEN], _consent: Consent) -> Self {
        Self(bytes)
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The pseudonym of an installation: 128 bits of a keyed hash. The caller can't choose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pseudonym([u8; Self::LEN]);

impl Pseudonym {
    /// Length, in bytes; twice that in hexadecimal digits.
    pub const LEN: usize = 16;

    /// 32 zeros: the pseudonym of no installation, for a request that only tests whether a collector answers.
    pub const NOBODY: Self = Self([0; Self::LEN]);

    /// The pseudonym of an installation for one project and one period. With rotation off, `period` is 0;
    /// with rotation on it is the number of the month, say, and each month has a pseudonym of its own.
    ///
    /// ```
    /// use automagik_telemetry_core::consent::{Answer, Signals, decide};
    /// use automagik_telemetry_core::{Pseudonym, Secret};
    /// let decision = decide(&Signals { variable: Answer::Yes, ..Signals::default() });
    /// let secret = Secret::new([7; 32], decision.consent().unwrap());
    /// assert_ne!(Pseudonym::new(&secret, "omni", 0), Pseudonym::new(&secret, "forge", 0));
    /// ```
    #[must_use]
    pub fn new(secret: &Secret, project: &str, period: u32) -> Self {
        let period = period.to_be_bytes();
        let full = hmac_sha256(&secret.0, &[DOMAIN, project.as_bytes(), b"\0", &period]);
        let mut cut = [0; Self::LEN];
        for (slot, byte) in cut.iter_mut().zip(full) {
            *slot = byte;
        }
        Self(cut)
    }

    /// The bytes, as they stand in a frame.
    #[cfg(feature = "frames")]
    pub(crate) const fn bytes(&self) -> [u8; Self::LEN] {
        self.0
    }

    /// In lower-case hexadecimal digits, as it leaves.
    #[must_use]
    pub fn hex(&self) -> [u8; 2 * Self::LEN] {
        let mut text = [b'0'; 2 * Self::LEN];
        for (slot, digit) in text.iter_mut().zip(self.digits()) {
            *slot = digit;
        }
        text
    }

    /// The digits of [`hex`](Pseudonym::hex).
    pub(crate) fn digits(&self) -> impl Iterator<Item = u8> {
        (0..2 * Self::LEN).map(|at| {
            let byte = self.0.get(at >> 1).copied().unwrap_or(0);
            digit(if at & 1 == 0 { byte >> 4 } else { byte & 0xF })
        })
    }
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) }
}

/// The keyed hash of `parts` behind each other. A key is 64 bytes at most.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // It is shorter than SHA-256's block, so it is padded and never hashed (RFC 2104, section 2).
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&padded(key).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The key, zeros behind it, as long as a block.
fn padded(key: &[u8]) -> [u8; 64] {
    let mut block = [0; 64];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::consent::{Answer, Signals, decide};

    fn secret_of(bytes: [u8; SECRET_LEN]) -> Secret {
        let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() });
        Secret::new(bytes, yes.consent().unwrap())
    }

    fn secret(byte: u8) -> Secret {
        secret_of([byte; SECRET_LEN])
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 4231 gives keys of 20, 4, 20, 25, 20 and 131 bytes. Zeros behind a key shorter than a block do not
    /// change the result, so the first four and the sixth with a short key can be asked of a 32-byte key.
    #[test]
    fn the_hash_is_that_of_rfc_4231() {
        let cases: [(&str, Vec<u8>, &str); 4] = [
            (
                "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                "4a656665",
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                "0102030405060708090a0b0c0d0e0f10111213141516171819",
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
        ];
        for (key, data, expected) in cases {
            let mut padded = [0; SECRET_LEN];
            padded[..key.len() / 2].copy_from_slice(&bytes(key));
            assert_eq!(hmac_sha256(&padded, &[&data]).as_slice(), bytes(expected));
        }
    }

    /// Case 5 of RFC 4231 is cut to 128 bits, as ours is.
    #[test]
    fn a_cut_hash_is_that_of_rfc_4231() {
        let mut key = [0; SECRET_LEN];
        key[..20].fill(0x0c);
        let hash = hmac_sha256(&key, &[b"Test With Truncation"]);
        assert_eq!(hash[..Pseudonym::LEN], bytes("a3b6167473100ee06e0c796c2955552b"));
    }

    /// A phone number's plain hash is found by hashing all of them. Ours is not: whoever lacks the secret has nothing
    /// to try.
    #[test]
    fn the_attack_on_unsalted_hashes_finds_nothing_without_the_secret() {
        use sha2::Digest;
        let number = "5511987654";
        let cut = |hash: &[u8]| -> [u8; Pseudonym::LEN] { hash[..Pseudonym::LEN].try_into().unwrap() };
        let unsalted = |guess: &str| cut(&Sha256::digest(guess));
        let keyed = |key: &[u8; SECRET_LEN], guess: &str| Pseudonym::new(&secret_of(*key), guess, 0).0;
        let attack = |target: [u8; Pseudonym::LEN], hash: &dyn Fn(&str) -> [u8; Pseudonym::LEN]| {
            (0..10_000).map(|tail| format!("551198{tail:04}")).find(|guess| hash(guess) == target)
        };
        assert_eq!(attack(unsalted(number), &unsalted).as_deref(), Some(number), "the attack works");

        let target = keyed(&[0x5A; SECRET_LEN], number);
        assert_eq!(attack(target, &unsalted), None);
        assert_eq!(attack(target, &|guess| cut(&hmac_sha256(&[0; SECRET_LEN], &[guess.as_bytes()]))), None);
        for guessed_key in [[0; SECRET_LEN], [0xFF; SECRET_LEN], [0x5B; SECRET_LEN]] {
            assert_eq!(attack(target, &|guess| keyed(&guessed_key, guess)), None);
        }
        let with_the_secret = attack(target, &|guess| keyed(&[0x5A; SECRET_LEN], guess));
        assert_eq!(with_the_secret.as_deref(), Some(number), "and the attack would work for who has it");
    }

    #[test]
    fn projects_periods_and_installations_cannot_be_linked() {
        let one = Pseudonym::new(&secret(1), "omni", 0);
        assert_eq!(one, Pseudonym::new(&secret(1), "omni", 0));
        assert_ne!(one, Pseudonym::new(&secret(1), "forge", 0));
        assert_ne!(one, Pseudonym::new(&secret(1), "omni", 1));
        assert_ne!(one, Pseudonym::new(&secret(2), "omni", 0));
    }

    #[test]
    fn it_leaves_as_32_hexadecimal_digits() {
        let hex = Pseudonym::new(&secret(1), "omni", 0).hex();
        assert!(hex.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", secret(0xAB)), "Secret(..)");
    }
}
