//! What the images share: a schema, and a panic handler that does not link. If the compiler can't show that no panic is
//! reached, there is no image.

#![no_std]

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::otlp::Body;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    Consent, Counter, Event, FeatureUsed, Histogram, Label, Metrics, Milliseconds, Pseudonym, Queue, Record,
    Schema, Secret,
};
use core::hint::black_box;
use core::panic::PanicInfo;

/// A vocabulary.
#[derive(Label, Clone, Copy)]
pub enum Feature {
    /// A word.
    Pump,
    /// A word.
    Lamp,
}

/// An event with three fields.
#[derive(Event, Clone, Copy)]
#[event(name = "pump.ran")]
pub struct Ran {
    /// A choice.
    pub feature: Feature,
    /// A size class.
    pub duration_ms: Milliseconds,
    /// A flag.
    pub success: bool,
}

/// All that these images can send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "pump")]
pub enum Pump {
    /// An event of the policy.
    Feature(FeatureUsed<Feature>),
    /// An event of this firmware.
    Ran(Ran),
}

/// What is the application's and not telemetry's, so that every image has it: the critical section; `memcpy` and `memset`, which every
/// program has that moves more than a few bytes; and, unless the image is to tell what that costs, the vocabulary.
pub fn application() {
    cortex_m::interrupt::free(|_| ());
    let zeros = [0_u8; 256];
    black_box(black_box(zeros));
    #[cfg(not(feature = "wordless"))]
    {
        let schema = automagik_telemetry::schema::Checked::<Pump>::DESCRIPTOR;
        // The first event of every schema tells of losses.
        black_box((schema, schema.event(0)));
    }
}

/// What is counted in the image that counts.
#[derive(Metrics)]
pub struct PumpMetrics {
    /// How often.
    #[metric(name = "pump.runs", by = "feature")]
    pub runs: Counter<Feature>,
    /// How long.
    #[metric(name = "pump.run.duration", by = "feature")]
    pub durations: Histogram<Feature, Milliseconds>,
}

/// All that the image that counts can send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "pump", metrics = PumpMetrics)]
pub enum Metered {
    /// An event of the policy.
    Feature(FeatureUsed<Feature>),
    /// An event of this firmware.
    Ran(Ran),
}

/// Records an event that the compiler can't foresee.
pub fn record(queue: &Queue<256>) {
    let event = Ran {
        feature: black_box(Feature::Lamp),
        duration_ms: Milliseconds::new(black_box(130)),
        success: black_box(true),
    };
    if let Ok(record) = Record::new(&Pump::Ran(event), Coarse::from_steps(black_box(1))) {
        let _ = queue.push(&record);
    }
}

/// Takes all of a request, in pieces.
#[inline(always)]
pub fn pull(body: &mut impl Body) {
    let mut piece = [0; 64];
    black_box(body.len());
    while let Ok(1..) = body.read(&mut piece) {
        black_box(&piece);
    }
}

/// The consent of somebody of whom the compiler can't know whether they said yes.
pub fn consent() -> Option<Consent> {
    let signals = Signals { variable: black_box(Answer::Yes), ..Signals::default() };
    decide(&signals).consent()
}

/// Their secret and their consent.
pub fn agreed() -> Option<(Secret, Consent)> {
    let consent = consent()?;
    Some((Secret::new(black_box([7; 32]), consent), consent))
}

/// Their pseudonym.
pub fn pseudonym() -> Option<Pseudonym> {
    let (secret, _) = agreed()?;
    Some(Pseudonym::new(&secret, "pump", 0))
}

#[cfg(feature = "sender")]
pub mod sender;

#[cfg(feature = "sender")]
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(not(feature = "sender"))]
unsafe extern "C" {
    /// Defined nowhere: a panic that may be reached makes the linker name it.
    fn a_panic_can_be_reached() -> !;
}

#[cfg(not(feature = "sender"))]
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    // SAFETY: it is never linked.
    unsafe { a_panic_can_be_reached() }
}
