//! Whose request it is: what its resource and scope say, all of which is in a manifest, in a closed list, or a pseudonym.

use crate::counts::RecordRefusal as Refusal;
use crate::intake::held::{Held, Packing};
use crate::intake::placing::Now;
use crate::known::keys;
use crate::known::manifests::Manifests;
use crate::known::system::System;
use crate::known::vocabulary::Vocabulary;
use automagik_telemetry_core::frames::version_mark;
use automagik_telemetry_core::resource::{INSTALLATION_ID, SDK_NAME};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use std::sync::Arc;

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What its program can say.
    pub vocabulary: Arc<Vocabulary>,
    version: [u8; 3],
    pseudonym: [u8; 16],
    system: System,
}

impl Origin {
    /// The one that `resource` and `scope` name.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownProgram`], or [`Refusal::Origin`] where they say anything else.
    pub fn of(
        resource: Option<&Resource>,
        scope: Option<&InstrumentationScope>,
        manifests: &Manifests,
    ) -> Result<Self, Refusal> {
        let resource = resource.ok_or(Refusal::UnknownProgram)?;
        let (mut name, mut version, mut pseudonym, mut system) = (None, None, None, System::default());
        for attribute in &resource.attributes {
            let text = text(attribute).ok_or(Refusal::Origin)?;
            match attribute.key.as_str() {
                "service.name" => name = Some(text),
                "service.version" => version = Some(text),
                INSTALLATION_ID => pseudonym = Some(self::pseudonym(text).ok_or(Refusal::Origin)?),
                "telemetry.sdk.name" if text == SDK_NAME => {}
                "telemetry.sdk.language" if text == "rust" => {}
                // It is the gateway's own that goes on.
                "telemetry.sdk.version" => {}
                key => system.set(key, text).ok_or(Refusal::Origin)?,
            }
        }
        let has_more = resource.dropped_attributes_count > 0 || !resource.entity_refs.is_empty();
        let is_ours = scope.is_some_and(|scope| {
            scope.name == SDK_NAME && scope.attributes.is_empty() && scope.dropped_attributes_count == 0
        });
        let (name, version) = (name.ok_or(Refusal::UnknownProgram)?, version.ok_or(Refusal::UnknownProgram)?);
        let vocabulary = manifests.named(name, version).ok_or(Refusal::UnknownProgram)?;
        let pseudonym = pseudonym.filter(|_| is_ours && !has_more).ok_or(Refusal::Origin)?;
        Ok(Self { vocabulary, version: version_mark(version), pseudonym, system })
    }

    /// `records` of it, which arrived `now`, as they are kept.
    #[must_use]
    pub fn held<'a>(&self, records: &'a [u8], now: Now) -> Held<'a> {
        Held {
            mark: self.vocabulary.mark(),
            version: self.version,
            pseudonym: self.pseudonym,
            system: self.system,
            arrived: now.0,
            packing: Packing::Encoded,
            stream: records,
            ..Held::default()
        }
    }
}

/// The text that `attribute` has.
fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// 32 digits, as a program writes them.
fn pseudonym(text: &str) -> Option<[u8; 16]> {
    let is_written_so = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    keys::bytes(text).filter(|_| is_written_so)?.try_into().ok()
}
