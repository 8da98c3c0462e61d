//! What leaves a gateway, and which strings are in it.

use automagik_telemetry_core::resource::{INSTALLATION_ID, SCHEMA_URL};
use automagik_telemetry_core::vocabulary::strings;
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::held::Held;
use automagik_telemetry_gateway::known::backward::Backward;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::system::{HOST_ARCH, OS_TYPE, System};
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The one program that the gateway of the properties knows.
pub(crate) fn manifests() -> &'static Manifests {
    static KNOWN: LazyLock<Manifests> = LazyLock::new(|| {
        let mut manifests = Manifests::default();
        let known = Vocabulary::read(&simulate::manifest()).expect("it is a manifest");
        manifests.add(known).expect("there is one");
        manifests
    });
    &KNOWN
}

/// Every text of a message: `Debug` of prost's types quotes texts and nothing else.
fn texts(debug: &str) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let mut rest = debug;
    while let Some((_, behind)) = rest.split_once('"') {
        let Some((text, behind)) = behind.split_once('"') else { break };
        texts.insert(text.to_owned());
        rest = behind;
    }
    texts
}

/// Panics where what was taken would leave with a string that is in no manifest, in no closed list, and no pseudonym.
pub(crate) fn says_only_what_is_in_the_manifest(mut held: &[u8]) {
    let devices = Devices::of(std::iter::from_fn(|| Held::take(&mut held)), manifests(), false);
    let mut out = Backward::with_room(8);
    devices.logs(&mut out);
    let logs = ExportLogsServiceRequest::decode(out.as_slice()).expect("it is a request");
    out.clear();
    devices.metrics(&mut out);
    let metrics = ExportMetricsServiceRequest::decode(out.as_slice()).expect("it is a request");
    let may: BTreeSet<&str> =
        strings(simulate::schema()).chain([INSTALLATION_ID, SCHEMA_URL, OS_TYPE, HOST_ARCH]).collect();
    for text in texts(&format!("{logs:?}{metrics:?}")) {
        let is_digits =
            text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_system = [OS_TYPE, HOST_ARCH].iter().any(|key| System::default().set(key, &text).is_some());
        assert!(text.is_empty() || may.contains(text.as_str()) || is_digits || is_system, "{text} leaves");
    }
}
