//! One request a signal of what many devices recorded: `ResourceLogs` and `ResourceMetrics`, one each device.

use super::metrics;
use crate::intake::held::Held;
use crate::known::backward::Backward;
use crate::known::manifests::Manifests;
use crate::known::system::System;
use crate::known::vocabulary::{RECORD_UID, Vocabulary};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::{INSTALLATION_ID, SCHEMA_URL, SDK_NAME, SDK_VERSION};
use std::collections::HashMap;
use std::sync::Arc;

/// Who recorded what.
#[derive(Debug)]
pub struct Device {
    /// What its program can say.
    pub vocabulary: Arc<Vocabulary>,
    /// Whether that is of the very version that runs there.
    is_version: bool,
    pseudonym: [u8; 16],
    system: System,
    /// In the order of their arrival.
    pub records: Vec<Record>,
    /// What each is named by, where records are: none is all zeros.
    uids: Vec<[u8; 16]>,
}

/// What frames say, device by device.
#[derive(Debug, Default)]
pub struct Devices {
    /// In the order of their first frame.
    pub devices: Vec<Device>,
    /// Records whose time lay in the future or too far back.
    pub moved: u32,
    /// Frames whose manifest is no longer there.
    pub unknown: u32,
}

impl Devices {
    /// What `frames` say; `names` whether each log record has a name.
    #[must_use]
    pub fn of<'a>(frames: impl IntoIterator<Item = Held<'a>>, manifests: &Manifests, names: bool) -> Self {
        let mut found = Self::default();
        let mut places: HashMap<([u8; 16], u32, [u8; 3], System), usize> = HashMap::new();
        for held in frames {
            let place = (held.pseudonym, held.mark, held.version, held.system);
            let at = match places.get(&place) {
                Some(at) => *at,
                None => {
                    let Some(known) = manifests.find(held.mark, held.version) else {
                        found.unknown += 1;
                        continue;
                    };
                    found.devices.push(Device {
                        vocabulary: known.vocabulary,
                        is_version: known.is_version,
                        pseudonym: held.pseudonym,
                        system: held.system,
                        records: Vec::new(),
                        uids: Vec::new(),
                    });
                    places.insert(place, found.devices.len() - 1);
                    found.devices.len() - 1
                }
            };
            let device = &mut found.devices[at];
            let Device { vocabulary, records, uids, .. } = device;
            found.moved += held.records(vocabulary, |record, number| {
                records.push(record);
                if names {
                    uids.push(number.map_or([0; 16], |number| name(&held, number)));
                }
            });
        }
        found
    }

    /// What the parts behind each other in `held` say, of one program's request.
    #[must_use]
    pub fn of_program(held: &[u8], manifests: &Manifests) -> Self {
        let mut rest = held;
        Self::of(std::iter::from_fn(|| Held::take(&mut rest)), manifests, false)
    }

    /// The request of `signal`.
    #[must_use]
    pub fn request(&self, signal: Signal) -> Vec<u8> {
        let mut out = Backward::with_room(1 << 16);
        match signal {
            Signal::Logs => self.logs(&mut out),
            Signal::Metrics => self.metrics(&mut out),
        };
        out.as_slice().to_vec()
    }

    /// Writes the logs request into `out`, and says how many records are in it.
    pub fn logs(&self, out: &mut Backward) -> usize {
        let mut count = 0;
        for device in self.devices.iter().rev() {
            let end = out.len();
            out.text(3, SCHEMA_URL);
            let items = out.len();
            for (at, record) in device.records.iter().enumerate().rev() {
                if record.as_delta().is_none() {
                    write_record(out, record, &device.vocabulary, device.uids.get(at));
                    count += 1;
                }
            }
            if out.len() == items {
                out.take_back(end);
                continue;
            }
            write_around(out, device, items, end);
        }
        count
    }

    /// Writes the metrics request into `out`, and says how many records are in it.
    pub fn metrics(&self, out: &mut Backward) -> usize {
        let mut count = 0;
        for device in self.devices.iter().rev() {
            let end = out.len();
            out.text(3, SCHEMA_URL);
            let items = out.len();
            count += metrics::write(out, &device.vocabulary, &device.records);
            if out.len() == items {
                out.take_back(end);
                continue;
            }
            write_around(out, device, items, end);
        }
        count
    }
}

/// Writes scope and resource in front of the items, which end at `items`, and the start of all, which ends at `end`.
fn write_around(out: &mut Backward, device: &Device, items: usize, end: usize) {
    let scope = out.len();
    out.text(2, SDK_VERSION);
    out.text(1, SDK_NAME);
    out.open(1, scope);
    out.open(2, items);
    let resource = out.len();
    out.attribute_bytes(1, INSTALLATION_ID, &digits(&device.pseudonym));
    for (key, word) in device.system.attributes().rev() {
        out.attribute(1, key, word);
    }
    out.attribute(1, "telemetry.sdk.version", SDK_VERSION);
    out.attribute(1, "telemetry.sdk.language", "rust");
    out.attribute(1, "telemetry.sdk.name", SDK_NAME);
    if device.is_version {
        out.attribute(1, "service.version", &device.vocabulary.version);
    }
    out.attribute(1, "service.name", &device.vocabulary.project);
    out.open(1, resource);
    out.open(1, end);
}

/// What names the record that has this number.
fn name(held: &Held<'_>, number: u32) -> [u8; 16] {
    let mut name = [0; 16];
    name[..12].copy_from_slice(&held.uid);
    name[12..].copy_from_slice(&number.to_be_bytes());
    name
}

/// Sixteen bytes in hexadecimal digits.
fn digits(bytes: &[u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (slot, nibble) in digits.iter_mut().zip(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15])) {
        *slot = b"0123456789abcdef"[usize::from(nibble)];
    }
    digits
}

/// Writes a `LogRecord`.
fn write_record(out: &mut Backward, record: &Record, vocabulary: &Vocabulary, uid: Option<&[u8; 16]>) {
    let Some(event) = vocabulary.events.get(usize::from(record.event())) else { return };
    let end = out.len();
    let nanos = record.time().unix_nanos(vocabulary.resolution);
    out.put(&event.name_ready);
    out.fixed64(11, nanos);
    if let Some(uid) = uid.filter(|uid| **uid != [0; 16]) {
        out.attribute_bytes(6, RECORD_UID, &digits(uid));
    }
    let mut above: u32 = event.bits;
    for field in event.fields.iter().rev() {
        above -= field.bits;
        let ordinal = record.bits().checked_shr(above).unwrap_or(0) & ((1 << field.bits) - 1);
        field.write(ordinal, out);
    }
    out.number(2, event.severity as u64);
    out.fixed64(1, nanos);
    out.open(2, end);
}
