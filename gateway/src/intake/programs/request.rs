//! OTLP over HTTP, as bytes: a body of either form, and the answer in the same form.

use super::taken::Taken;
use super::{logs, metrics};
use crate::intake::placing::Now;
use crate::known::manifests::Manifests;
use automagik_telemetry_core::otlp::Signal;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::io::Read;

/// Most bytes of a request, before and after it is unpacked: 1 MiB. What a message takes in memory is a hundred times that at worst.
pub const BYTES_MAX: usize = 1 << 20;

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Protobuf.
    Protobuf,
    /// OTLP's JSON.
    Json,
}

/// Why a body is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is longer than [`BYTES_MAX`].
    TooLarge,
    /// It is not of the form that it says.
    Malformed,
}

impl Form {
    /// The one that a content type names.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("application/x-protobuf") {
            Some(Self::Protobuf)
        } else {
            name.eq_ignore_ascii_case("application/json").then_some(Self::Json)
        }
    }

    /// Its content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// The message that `body` is.
    pub(crate) fn read<M: Message + Default + DeserializeOwned>(self, body: &[u8]) -> Result<M, Error> {
        match self {
            Self::Protobuf => M::decode(body).map_err(|_| Error::Malformed),
            Self::Json => serde_json::from_slice(body).map_err(|_| Error::Malformed),
        }
    }

    fn write(self, message: &(impl Message + Serialize)) -> Vec<u8> {
        match self {
            Self::Protobuf => message.encode_to_vec(),
            Self::Json => serde_json::to_vec(message).unwrap_or_default(),
        }
    }
}

/// Takes `body`, which may be packed with gzip, as a request of `signal`.
///
/// # Errors
///
/// [`Error`].
pub fn take(
    signal: Signal,
    form: Form,
    is_gzip: bool,
    body: &[u8],
    manifests: &Manifests,
    now: Now,
) -> Result<Taken, Error> {
    let body = &*unpacked(body, is_gzip)?;
    Ok(match signal {
        Signal::Logs => logs::take(&form.read::<ExportLogsServiceRequest>(body)?, manifests, now),
        Signal::Metrics => metrics::take(&form.read::<ExportMetricsServiceRequest>(body)?, manifests, now),
    })
}

/// `body`, which may be packed with gzip, as it was before.
///
/// # Errors
///
/// [`Error`].
pub fn unpacked(body: &[u8], is_gzip: bool) -> Result<Cow<'_, [u8]>, Error> {
    let mut unpacked = Vec::new();
    let body = if is_gzip {
        let most = BYTES_MAX as u64 + 1;
        GzDecoder::new(body).take(most).read_to_end(&mut unpacked).map_err(|_| Error::Malformed)?;
        Cow::Owned(unpacked)
    } else {
        Cow::Borrowed(body)
    };
    if body.len() > BYTES_MAX { Err(Error::TooLarge) } else { Ok(body) }
}

/// The answer to a request of which so many records were refused, and why.
#[must_use]
pub fn answer(signal: Signal, form: Form, (refused, why): (u64, &str)) -> Vec<u8> {
    let (refused, error_message) = (i64::try_from(refused).unwrap_or(i64::MAX), why.to_owned());
    match signal {
        Signal::Logs => form.write(&ExportLogsServiceResponse {
            partial_success: (refused > 0)
                .then_some(ExportLogsPartialSuccess { rejected_log_records: refused, error_message }),
        }),
        Signal::Metrics => form.write(&ExportMetricsServiceResponse {
            partial_success: (refused > 0)
                .then_some(ExportMetricsPartialSuccess { rejected_data_points: refused, error_message }),
        }),
    }
}

/// `google.rpc.Status`: what an error's body is.
#[derive(Clone, PartialEq, Message, Serialize)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The body of an answer that is an error: what is wrong, and what to do.
#[must_use]
pub fn error(form: Form, message: &str) -> Vec<u8> {
    // INVALID_ARGUMENT: HTTP's status says the rest.
    form.write(&Status { code: 3, message: message.to_owned() })
}
