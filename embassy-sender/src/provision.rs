//! What a person provisioned, in flash: the answer, and the secret that exists only after a yes.
//!
//! No answer, no data. A no erases everything first, the secret included, and is written then: where power fails between
//! the two there is no answer, which is off as well.

use automagik_telemetry_core::consent::{Answer, Decision, Signals, decide};
use automagik_telemetry_core::pseudonym::SECRET_LEN;
use automagik_telemetry_core::{Consent, Secret};
use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapConfigError, MapStorage};

const ANSWER: u8 = 0;
const SECRET: u8 = 1;

/// Pages of flash needed: one is written while the other is erased.
pub const RANGE_LEN_MIN: u32 = 2;

/// Bytes that an item takes in memory: its key, the secret, and what the flash's words round up to.
const BUFFER_LEN: usize = 64;

/// What is read once a start needs no cache.
type NoCache = Cache<Uncached, Uncached, Uncached, u8>;

/// Stores the user's answer and the installation's secret in two pages of flash or more, with wear levelling.
///
/// ```
/// use automagik_telemetry_core::Schema;
/// use automagik_telemetry_embassy::{Provision, Telemetry};
/// use embedded_storage_async::nor_flash::NorFlash;
///
/// async fn begin<S: Schema, F: NorFlash>(telemetry: &Telemetry<S, 2048>, flash: F, random: impl FnMut(&mut [u8])) {
///     let Ok(mut provision) = Provision::new(flash, 0x3F000..0x3F800) else { return };
///     if let Some(consent) = provision.decision().await.consent() {
///         let Ok(secret) = provision.secret(consent, random).await else { return };
///         telemetry.start(consent);
///         // ... and a task runs `telemetry.run(&secret, ...)`
///     }
/// }
/// ```
pub struct Provision<F: NorFlash> {
    map: MapStorage<u8, F, NoCache>,
}

impl<F: NorFlash> Provision<F> {
    /// Uses `range` of `flash`, in bytes: whole pages, [`RANGE_LEN_MIN`] at least.
    ///
    /// # Errors
    ///
    /// If `range` does not fit `flash`.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, MapConfigError> {
        Ok(Self {
            map: MapStorage::new(flash, MapConfig::try_new(range)?, Cache::new(Uncached, Uncached, Uncached)),
        })
    }

    /// Returns whether telemetry is on. Flash that cannot be read holds no yes.
    pub async fn decision(&mut self) -> Decision {
        let stored = match self.map.fetch_item::<u8>(&mut [0; BUFFER_LEN], &ANSWER).await {
            Ok(None) => Answer::Silent,
            Ok(Some(1)) => Answer::Yes,
            Ok(Some(0)) => Answer::No,
            Ok(Some(_)) | Err(_) => Answer::Unintelligible,
        };
        decide(&Signals { stored, ..Signals::default() })
    }

    /// Stores the user's answer. A no erases the secret, so a later yes has a new pseudonym. After a no, also call
    /// [`Telemetry::withdraw`](crate::Telemetry::withdraw).
    ///
    /// # Errors
    ///
    /// If the flash fails.
    pub async fn answer(&mut self, yes: bool) -> Result<(), Error<F::Error>> {
        if !yes {
            self.map.erase_all().await?;
        }
        self.map.store_item(&mut [0; BUFFER_LEN], &ANSWER, &u8::from(yes)).await
    }

    /// Returns the installation's secret. If there is none, it is made of `random` bytes: use the device's random number generator, not
    /// its serial number.
    ///
    /// # Errors
    ///
    /// If the flash fails.
    pub async fn secret(
        &mut self,
        consent: Consent,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<Secret, Error<F::Error>> {
        let mut buffer = [0; BUFFER_LEN];
        if let Some(kept) = self.map.fetch_item::<[u8; SECRET_LEN]>(&mut buffer, &SECRET).await? {
            return Ok(Secret::new(kept, consent));
        }
        let mut fresh = [0; SECRET_LEN];
        random(&mut fresh);
        self.map.store_item(&mut buffer, &SECRET, &fresh).await?;
        Ok(Secret::new(fresh, consent))
    }
}

impl<F: NorFlash> core::fmt::Debug for Provision<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Provision")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Flash, RANGE};
    use automagik_telemetry_core::Pseudonym;
    use automagik_telemetry_core::consent::Because;
    use embassy_futures::block_on;
    fn open(flash: &mut Flash) -> Provision<&mut Flash> {
        Provision::new(flash, RANGE).unwrap()
    }

    fn decision(flash: &mut Flash) -> Decision {
        block_on(open(flash).decision())
    }

    fn pseudonym(flash: &mut Flash, seed: u8) -> Pseudonym {
        let mut provision = open(flash);
        let consent = block_on(provision.decision()).consent().unwrap();
        let secret = block_on(provision.secret(consent, |bytes| bytes.fill(seed))).unwrap();
        Pseudonym::new(&secret, "pump", 0)
    }

    #[test]
    fn without_a_flag_there_is_no_data() {
        assert_eq!(decision(&mut Flash::new()).because(), Because::NothingSaid);
    }

    #[test]
    fn noise_in_flash_is_no_yes() {
        let mut flash = Flash::new();
        (0_u8..=255).cycle().zip(&mut flash.bytes).for_each(|(n, byte)| *byte = n.wrapping_mul(31));
        assert!(!decision(&mut flash).enabled());
    }

    #[test]
    fn the_answer_and_the_secret_outlive_a_reset() {
        let mut flash = Flash::new();
        block_on(open(&mut flash).answer(true)).unwrap();
        assert_eq!(decision(&mut flash).because(), Because::StoredYes);
        assert_eq!(pseudonym(&mut flash, 1), pseudonym(&mut flash, 2));
    }

    #[test]
    fn a_no_erases_the_secret() {
        let mut flash = Flash::new();
        block_on(open(&mut flash).answer(true)).unwrap();
        let before = pseudonym(&mut flash, 0xA5);
        block_on(open(&mut flash).answer(false)).unwrap();
        assert_eq!(decision(&mut flash).because(), Because::StoredNo);
        assert!(!flash.bytes.windows(8).any(|window| window == [0xA5; 8]), "it is still there");
        block_on(open(&mut flash).answer(true)).unwrap();
        assert_ne!(pseudonym(&mut flash, 0x5A), before);
    }

    #[test]
    fn power_that_fails_at_any_write_makes_no_yes_of_a_no() {
        let mut yes = Flash::new();
        block_on(open(&mut yes).answer(true)).unwrap();
        pseudonym(&mut yes, 1);
        for writes in 0..100 {
            // Nothing said, and a yes is interrupted.
            let mut flash = Flash { left: writes, ..Flash::new() };
            let ended = block_on(open(&mut flash).answer(true)).is_ok();
            flash.left = usize::MAX;
            assert!(!ended || decision(&mut flash).enabled(), "{writes}");
            // A yes, and a no is interrupted: it may not be said yet, but once it is, it stays.
            let mut flash = Flash { left: writes, ..yes.clone() };
            let ended = block_on(open(&mut flash).answer(false)).is_ok();
            flash.left = usize::MAX;
            assert!(!ended || decision(&mut flash).because() == Because::StoredNo, "{writes}");
            block_on(open(&mut flash).answer(false)).unwrap();
            assert_eq!(decision(&mut flash).because(), Because::StoredNo, "{writes}");
        }
    }

    #[test]
    fn a_thousand_answers_fit() {
        let mut flash = Flash::new();
        for n in 0..1_000 {
            block_on(open(&mut flash).answer(n % 3 != 0)).unwrap();
            assert_eq!(decision(&mut flash).enabled(), n % 3 != 0);
        }
    }
}
