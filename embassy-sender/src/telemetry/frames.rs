//! The task that speaks frames: one under way, kept as the bytes that it is until the gateway has it.
//!
//! ```text
//!  queue ──► sealed, once ──► Link ──► acknowledged: its records leave the queue
//!                              │ not acknowledged, and there is flash
//!                              └──► SealedBacklog ──► the same bytes, oldest first, after a reset too
//! ```

mod outgoing;
mod speaker;
mod speech;

pub use speech::Frames;

use super::upload::Upload;
use super::{Settings, Telemetry};
use crate::backlog::Nowhere;
use crate::link::Link;
use crate::sealed::{InMemory, KeepSealed, SEALED_HEAD_LEN, SealedBacklog};
use automagik_telemetry_core::delivery::Delivery;
use automagik_telemetry_core::frames::{Boot, Hello, MTU_MAX, MTU_MIN};
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Schema, Secret};
use embassy_futures::select::select;
use embassy_time::Timer;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use speaker::Speaker;

impl<S: Schema, const N: usize> Telemetry<S, N> {
    /// Runs the task that speaks frames of `MTU` bytes at most (48 to 1,200): sends what is recorded and counted, and never returns. While it is off it waits,
    /// and uses no link.
    ///
    /// It takes `MTU` bytes of memory, and 13 for answers.
    pub async fn run_frames<const MTU: usize>(
        &self,
        secret: &Secret,
        frames: Frames<impl Link, impl FnMut() -> Boot>,
        settings: Settings,
    ) -> ! {
        const { assert!(MTU >= MTU_MIN && MTU <= MTU_MAX, "a frame has 48 to 1,200 bytes") };
        self.speak::<_, MTU>(secret, frames, InMemory::default(), settings).await
    }

    /// [`run_frames`](Telemetry::run_frames), with a place in flash for sealed frames that the gateway does not acknowledge at once: they are sent after
    /// a reset too, byte for byte. Where consent is withdrawn, that is erased.
    ///
    /// `LEN` is the memory for a frame and what stands in front of it in flash: a frame has `LEN` - [`SEALED_HEAD_LEN`] bytes at most, at least 48. Over
    /// a link without answers nothing is kept in flash.
    pub async fn run_frames_with<F: MultiwriteNorFlash, const LEN: usize>(
        &self,
        secret: &Secret,
        frames: Frames<impl Link, impl FnMut() -> Boot>,
        backlog: SealedBacklog<F>,
        settings: Settings,
    ) -> ! {
        const {
            assert!(
                LEN >= MTU_MIN + SEALED_HEAD_LEN,
                "a frame has 48 bytes at least, and 72 stand in front of it"
            );
            assert!(
                LEN <= MTU_MAX + SEALED_HEAD_LEN,
                "a frame has 1,200 bytes at most, and 72 stand in front of it"
            );
        };
        self.speak::<_, LEN>(secret, frames, backlog, settings).await
    }

    async fn speak<K: KeepSealed, const LEN: usize>(
        &self,
        secret: &Secret,
        frames: Frames<impl Link, impl FnMut() -> Boot>,
        kept: K,
        settings: Settings,
    ) -> ! {
        let schema = Checked::<S>::DESCRIPTOR;
        let pseudonym = Pseudonym::new(secret, schema.project(), 0);
        let mut upload = Upload {
            telemetry: self,
            resource: Resource::new(schema, pseudonym),
            delivery: Delivery::new(settings.seed),
            interval: settings.interval,
            counted: Coarse::from_steps(self.now().steps().saturating_add(1)),
            kept: Nowhere::default(),
            taken: true,
        };
        let mut speaker = Speaker::<_, _, K, LEN>::new(frames, Hello::new(schema, pseudonym, None), kept);
        let mut is_cleared = false;
        loop {
            select(Timer::after(settings.interval), self.wake.wait()).await;
            if self.is_on() {
                is_cleared = false;
                speaker.collect(&mut upload);
                // Ends early where consent does.
                let _ = speaker.all(&mut upload).await;
            } else if !is_cleared {
                is_cleared = speaker.kept.clear().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
