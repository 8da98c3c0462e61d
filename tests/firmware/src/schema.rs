//! What this firmware can say; `gateway/tests/devices.rs` knows it by this file too.

// Of different crates for the two.
use super::{Count, Counter, DeviceCrash, DeviceRestarted, Event, FeatureUsed, Label, Metrics, Schema};

/// What the button does.
#[derive(Label, Clone, Copy)]
pub(crate) enum Feature {
    Pump,
    Lamp,
}

/// A record from an interrupt.
#[derive(Event, Clone, Copy)]
#[event(name = "firmware.interrupted")]
pub(crate) struct Interrupted {
    pub(crate) number: Count<4095>,
}

/// Counts of this firmware.
#[derive(Metrics)]
pub(crate) struct Counted {
    #[metric(name = "firmware.turns", by = "feature")]
    pub(crate) turns: Counter<Feature>,
}

/// All that this firmware can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "firmware", version = "0.0.0", resolution = "second", metrics = Counted)]
pub(crate) enum Firmware {
    Feature(FeatureUsed<Feature>),
    Interrupted(Interrupted),
    Crash(DeviceCrash),
    Restarted(DeviceRestarted),
}
