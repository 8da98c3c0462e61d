//! Who may write, who may read, and what readers' browsers may do.

use super::server::Server;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What a page may load: its own style and script, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What a request says of whoever sends it, in this scheme.
pub(super) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix(scheme)
}

/// The password of `Basic` (RFC 7617).
fn password_of(headers: &HeaderMap) -> Option<Vec<u8>> {
    let given = BASE64_STANDARD.decode(credentials(headers, "Basic ")?).ok()?;
    let colon = given.iter().position(|byte| *byte == b':')?;
    Some(given.get(colon + 1..)?.to_vec())
}

/// Whether a secret is the right one, in the same time wherever they differ.
pub(super) fn is_equal(given: &[u8], expected: &str) -> bool {
    given.ct_eq(expected.as_bytes()).into()
}

/// Lets readers in, and says what their browsers may do.
pub(super) async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let refused = match &server.secrets.read {
        Some(password) => {
            let is_reader = password_of(request.headers()).is_some_and(|given| is_equal(&given, password));
            (!is_reader).then(|| {
                let ask = [(WWW_AUTHENTICATE, "Basic realm=\"telemetry\", charset=\"UTF-8\"")];
                (StatusCode::UNAUTHORIZED, ask, "the password of readers is needed\n").into_response()
            })
        }
        // A page from elsewhere whose name leads to this machine must not read it.
        None => (!is_for_this_machine(request.headers())).then(|| {
            (StatusCode::FORBIDDEN, "open the page as http://localhost or http://127.0.0.1\n").into_response()
        }),
    };
    let mut response = match refused {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
