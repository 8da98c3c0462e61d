//! The rules for exporters of the OTLP 1.x and OpenTelemetry specifications, row by row: which test holds each, or why it
//! is not ours. The rows are those of the protocol's texts: H for OTLP over HTTP, V for variables, L for logs, M for
//! metrics, R for resources.

use automagik_telemetry::{Builder, Count, Environment, Event, Schema, Telemetry};
use automagik_telemetry_test_support::sockets::{Sockets, read_request};
use automagik_telemetry_test_support::{Answer, Receiver, Request, tls};
use rcgen::KeyPair;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where a row is tested, as file and function, or why it is not ours.
enum Row {
    Tested(&'static str, &'static str),
    NotOurs(&'static str),
}

use Row::{NotOurs, Tested};

const THIS: &str = "tests/exporter_rules.rs";
const ENDPOINT: &str = "std-sender/src/send/endpoint.rs";
const SETTINGS: &str = "std-sender/src/send/settings.rs";
const FAULTS: &str = "tests/faults.rs";
const DELIVERY: &str = "core/src/wire/delivery.rs";

/// Every row.
const ROWS: &[(&str, Row)] = &[
    ("H1", Tested(ENDPOINT, "the_signals_path_is_joined_to_the_base")),
    ("H2", Tested(ENDPOINT, "a_signals_own_endpoint_is_used_as_it_is")),
    ("H2", Tested(THIS, "h2_a_signals_own_endpoint_is_posted_to_as_it_is")),
    ("H3", Tested(ENDPOINT, "the_signals_path_is_joined_to_the_base")),
    ("H4", NotOurs("the default is the policy's server, and without consent nothing is sent there")),
    ("H5", Tested(THIS, "h5_the_content_type_is_protobuf")),
    ("H6", Tested(THIS, "h6_a_body_above_one_kibibyte_is_gzip_and_says_so")),
    ("H7", Tested("std-sender/src/send/http.rs", "h7_a_body_above_the_limit_is_not_sent")),
    ("H8", Tested(FAULTS, "a_huge_answer_is_not_read_to_its_end")),
    ("H9", Tested(THIS, "h9_any_success_is_a_success_whatever_its_body_is")),
    ("H10", Tested(FAULTS, "what_is_refused_in_part_is_counted_and_never_sent_again")),
    ("H10", Tested(THIS, "h10_a_warning_is_a_success")),
    ("H11", Tested(THIS, "h11_only_429_502_503_and_504_are_sent_again")),
    ("H11", Tested(THIS, "h11_what_somebody_can_mend_is_kept_until_they_have")),
    ("H11", Tested(THIS, "h11_what_is_too_large_is_sent_in_smaller_requests")),
    ("H12", Tested(FAULTS, "too_many_requests_are_sent_again_after_the_time_that_was_asked_for")),
    ("H12", Tested("std-sender/src/send/http.rs", "retry_after_is_read_as_seconds_or_as_a_date")),
    ("H13", Tested(DELIVERY, "waits_fill_the_range_below_the_ceiling_evenly")),
    ("H14", Tested(FAULTS, "a_reset_in_the_middle_of_a_body_is_tried_again")),
    ("H14", Tested(FAULTS, "nobody_at_the_port_is_tried_again")),
    ("H15", Tested(THIS, "h15_ten_requests_share_a_connection")),
    ("H16", NotOurs("a SHOULD: requests go one at a time, in order")),
    ("H17", Tested(THIS, "h17_nothing_recorded_is_no_request")),
    ("H18", Tested(THIS, "h18_a_request_is_given_up_after_the_timeout")),
    ("H18", Tested(SETTINGS, "h18_the_timeout_is_ten_seconds_or_what_the_variable_says")),
    ("H19", Tested(THIS, "h19_the_user_agent_names_the_exporter_and_no_machine")),
    ("H20", Tested(SETTINGS, "h20_headers_are_percent_decoded")),
    ("H20", Tested(THIS, "h20_headers_are_sent")),
    ("H21", Tested(THIS, "h21_a_given_authority_and_a_client_certificate_are_used")),
    ("H21", Tested(THIS, "h21_a_collector_that_nobody_vouches_for_gets_nothing")),
    ("H22", Tested(SETTINGS, "h22_compression_is_gzip_or_none_in_any_case")),
    ("H23", Tested(SETTINGS, "h23_a_signals_own_variable_beats_that_of_both")),
    ("H23", Tested(THIS, "h23_timeout_and_compression_have_a_form_in_code")),
    ("V1", Tested(SETTINGS, "v1_an_empty_variable_is_not_set")),
    (
        "V2",
        NotOurs(
            "OTEL_* variables are the application's own; our booleans are the policy's, and no beats yes",
        ),
    ),
    ("V3", Tested(SETTINGS, "v3_a_wrong_number_or_word_is_warned_of_and_ignored")),
    (
        "V4",
        NotOurs(
            "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are free strings: there is no place for them",
        ),
    ),
    ("V5", NotOurs("see V4")),
    ("L1", Tested("tests/wire.rs", "the_policys_example_is_told_field_by_field")),
    ("L2", Tested("tests/wire.rs", "the_policys_example_is_told_field_by_field")),
    ("L3", Tested("tests/wire.rs", "the_policys_example_is_told_field_by_field")),
    ("L4", NotOurs("a record has no body: all that it says is in attributes")),
    ("L5", Tested("tests/ui.rs", "mistakes_are_refused_with_a_sentence_and_what_is_fine_is_not")),
    ("L6", NotOurs("nothing is ever cut off")),
    (
        "M1",
        NotOurs("a default of cumulative is an SDK's: installations come and go, so what leaves are deltas"),
    ),
    ("M2", Tested("tests/metrics.rs", "a_million_additions_during_flushes_are_counted_exactly")),
    ("M3", Tested("tests/metrics.rs", "counters_are_delta_sums_and_durations_are_delta_histograms")),
    ("M4", NotOurs("histograms have explicit bounds, and no sum")),
    ("M5", NotOurs("there is no NaN among whole numbers")),
    ("M6", Tested("core/src/events/metric.rs", "what_breaks_a_rule_is_a_fault_that_says_which")),
    ("R1", Tested("tests/policy_example.rs", "it_arrives_and_nothing_that_points_at_a_person_comes_with_it")),
    ("R2", Tested(THIS, "r2_the_sdk_is_named_and_is_not_opentelemetrys")),
    ("R3", Tested("tests/wire.rs", "the_policys_example_is_told_field_by_field")),
    ("R4", Tested(THIS, "r2_the_sdk_is_named_and_is_not_opentelemetrys")),
    ("J1", NotOurs("JSON is never sent")),
];

#[test]
fn every_row_names_a_test_that_exists() {
    for (row, place) in ROWS {
        match place {
            Tested(file, function) => {
                let source =
                    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
                assert!(source.contains(&format!("fn {function}(")), "{row}: {file} has no {function}");
            }
            NotOurs(why) => assert!(!why.is_empty(), "{row}"),
        }
    }
}

#[derive(Event, Clone, Copy)]
#[event(name = "rules.numbered")]
struct Numbered {
    number: Count<100_000>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "rules")]
enum Rules {
    Numbered(Numbered),
}

const PATIENCE: Duration = Duration::from_secs(30);

/// What `count` events become, sent with `variables` to `collector`.
fn sent(collector: &Receiver, variables: &[(&str, &str)], count: u32) -> Vec<Request> {
    let home = tempfile::tempdir().unwrap();
    send(builder(home.path(), &collector.endpoint(), variables), count);
    collector.requests()
}

fn builder(home: &Path, base: &str, variables: &[(&str, &str)]) -> Builder<Rules> {
    let mut environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", base);
    for (name, value) in variables {
        environment = environment.with(*name, *value);
    }
    Telemetry::builder().environment(environment)
}

fn send(builder: Builder<Rules>, count: u32) {
    let telemetry = builder.build().unwrap();
    (0..count).for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
    telemetry.flush(PATIENCE).unwrap();
}

#[test]
fn h2_a_signals_own_endpoint_is_posted_to_as_it_is() {
    let collector = Receiver::start();
    for (path, posted) in [("", "/"), ("/", "/"), ("/x/", "/x/"), ("/v1/traces?k=1", "/v1/traces?k=1")] {
        let whole = format!("{}{path}", collector.endpoint());
        let requests = sent(&collector, &[("AUTOMAGIK_TELEMETRY_LOGS_ENDPOINT", &whole)], 1);
        assert_eq!(requests.last().unwrap().path, posted, "{path:?}");
    }
}

#[test]
fn h5_the_content_type_is_protobuf() {
    let requests = sent(&Receiver::start(), &[], 1);
    assert_eq!(requests[0].header("content-type"), Some("application/x-protobuf"));
}

#[test]
fn h6_a_body_above_one_kibibyte_is_gzip_and_says_so() {
    let requests = sent(&Receiver::start(), &[], 100);
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    assert!(requests[0].body_len * 4 < requests[0].body.len(), "{}", requests[0].body_len);
    let requests = sent(&Receiver::start(), &[], 1);
    assert_eq!(requests[0].header("content-encoding"), None);
}

#[test]
fn h9_any_success_is_a_success_whatever_its_body_is() {
    for (status, body) in [
        (200, &b""[..]),
        (200, br#"{"partialSuccess":{}}"#),
        (200, b"\xFF\xFF\xFF\xFF garbage"),
        (202, b"accepted"),
        (204, b""),
    ] {
        let answer = Answer::status(status).header("content-type", "text/html").body(body);
        let collector = Receiver::answering(move |_| answer.clone());
        assert_eq!(sent(&collector, &[], 1).len(), 1, "{status} {body:?}");
    }
}

#[test]
fn h10_a_warning_is_a_success() {
    // partial_success { rejected_log_records: 0, error_message: "slow down" }
    let body = b"\x0A\x0B\x12\x09slow down";
    let collector = Receiver::answering(move |_| Answer::status(200).body(&body[..]));
    assert_eq!(sent(&collector, &[], 1).len(), 1);
}

#[test]
fn h11_only_429_502_503_and_504_are_sent_again() {
    for status in [400, 403, 404, 405, 408, 413, 415, 422, 500, 501, 505, 507, 599] {
        let collector = Receiver::answering(move |_| Answer::status(status));
        assert_eq!(sent(&collector, &[], 1).len(), 1, "{status}");
    }
    for status in [429, 502, 503, 504] {
        let collector = Receiver::answering(move |n| match n {
            0 => Answer::status(status).header("retry-after", "0"),
            _ => Answer::status(200),
        });
        assert_eq!(sent(&collector, &[], 1).len(), 2, "{status}");
    }
}

/// Beyond the rule: these are answers to whoever sends, and not to what is sent.
#[test]
fn h11_what_somebody_can_mend_is_kept_until_they_have() {
    let page = || Answer::status(200).header("content-type", "text/html").body("<html>Log in</html>");
    for status in [401, 407, 511, 301, 302, 307, 308, 200] {
        let collector = Receiver::answering(move |n| match (n, status) {
            (0, 200) => page(),
            (0, _) => Answer::status(status).header("location", "/elsewhere").header("retry-after", "0"),
            _ => Answer::status(200),
        });
        let requests = sent(&collector, &[], 1);
        assert_eq!(requests.len(), 2, "{status}");
        assert!(
            requests.iter().all(|request| request.path == "/v1/logs"),
            "{status}: nobody is led elsewhere"
        );
    }
}

#[test]
fn h11_what_is_too_large_is_sent_in_smaller_requests() {
    let home = tempfile::tempdir().unwrap();
    // Takes 10 records at most, which are less than 2 KiB.
    let collector = Receiver::deciding(|body| Answer::status(if body.len() < 2_000 { 200 } else { 413 }));
    send(builder(home.path(), &collector.endpoint(), &[]), 250);
    let told: Vec<u32> =
        collector.logs().iter().map(|log| log.attribute("number").parse().unwrap()).collect();
    assert_eq!(told, (0..250).collect::<Vec<u32>>());
}

#[test]
fn h15_ten_requests_share_a_connection() {
    let collector = Receiver::start();
    assert!(sent(&collector, &[], 1_000).len() >= 10);
    assert_eq!(collector.connections(), 1);
}

#[test]
fn h17_nothing_recorded_is_no_request() {
    let collector = Receiver::start();
    assert_eq!(sent(&collector, &[], 0).len(), 0);
    assert_eq!(collector.connections(), 0);
}

#[test]
fn h18_a_request_is_given_up_after_the_timeout() {
    let home = tempfile::tempdir().unwrap();
    let black_hole = Sockets::start(|_, connection| {
        read_request(connection);
        read_request(connection); // until the other side gives up
    });
    let timeout = [("AUTOMAGIK_TELEMETRY_TIMEOUT", "0.2")];
    let telemetry = builder(home.path(), &black_hole.endpoint(), &timeout).build().unwrap();
    telemetry.record(Numbered { number: Count::new(1) });
    assert!(telemetry.flush(Duration::from_millis(10)).is_err());
    assert!(black_hole.wait(PATIENCE, 1), "it was not given up");
}

#[test]
fn h19_the_user_agent_names_the_exporter_and_no_machine() {
    let requests = sent(&Receiver::start(), &[], 1);
    let expected = format!("automagik-telemetry-rust/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(requests[0].header("user-agent"), Some(expected.as_str()));
}

#[test]
fn h20_headers_are_sent() {
    let both = ("AUTOMAGIK_TELEMETRY_HEADERS", "api-key=a%20secret,x-tenant=1");
    let requests = sent(&Receiver::start(), &[both], 1);
    assert_eq!(requests[0].header("api-key"), Some("a secret"));
    assert_eq!(requests[0].header("x-tenant"), Some("1"));
    let own = ("AUTOMAGIK_TELEMETRY_LOGS_HEADERS", "api-key=other");
    let requests = sent(&Receiver::start(), &[both, own], 1);
    assert_eq!((requests[0].header("api-key"), requests[0].header("x-tenant")), (Some("other"), None));
}

#[test]
fn h23_timeout_and_compression_have_a_form_in_code() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    send(builder(home.path(), &collector.endpoint(), &[]).timeout(Duration::ZERO).compression(false), 100);
    assert!(collector.requests().iter().all(|request| request.header("content-encoding").is_none()));
    // The person's word counts.
    let gzip = [("AUTOMAGIK_TELEMETRY_COMPRESSION", "gzip")];
    send(builder(home.path(), &collector.endpoint(), &gzip).compression(false), 100);
    assert!(collector.requests().iter().any(|request| request.header("content-encoding") == Some("gzip")));
}

#[test]
fn r2_the_sdk_is_named_and_is_not_opentelemetrys() {
    let collector = Receiver::start();
    sent(&collector, &[], 1);
    let resource = &collector.logs()[0].resource;
    assert_eq!(resource["telemetry.sdk.name"], "automagik-telemetry");
    assert_eq!(resource["telemetry.sdk.language"], "rust");
    assert_eq!(resource["telemetry.sdk.version"], env!("CARGO_PKG_VERSION"));
    assert!(resource.keys().all(|key| !key.starts_with("otel.")));
}

/// An authority, a collector that it vouches for and that asks for a certificate of it, and that certificate.
struct Encrypted {
    folder: tempfile::TempDir,
    collector: Sockets,
    requests: tls::Requests,
}

impl Encrypted {
    fn start() -> Self {
        let authority = tls::authority();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (tls::named(name).signed_by(&key, &authority).unwrap(), key)
        };
        let folder = tempfile::tempdir().unwrap();
        let (client, client_key) = issue("client");
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        std::fs::write(folder.path().join("client.pem"), client.pem()).unwrap();
        std::fs::write(folder.path().join("client-key.pem"), client_key.serialize_pem()).unwrap();

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .unwrap();
        let (server, server_key) = issue("localhost");
        let key = rustls::pki_types::PrivateKeyDer::try_from(server_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server.der().clone()], key)
            .unwrap();
        let (collector, requests) = tls::serve(config);
        Self { folder, collector, requests }
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.collector.port())
    }
}

#[test]
fn h21_a_given_authority_and_a_client_certificate_are_used() {
    let encrypted = Encrypted::start();
    let (authority, certificate, key) =
        (encrypted.file("authority.pem"), encrypted.file("client.pem"), encrypted.file("client-key.pem"));
    let variables = [
        ("AUTOMAGIK_TELEMETRY_CERTIFICATE", authority.as_str()),
        ("AUTOMAGIK_TELEMETRY_CLIENT_CERTIFICATE", &certificate),
        ("AUTOMAGIK_TELEMETRY_CLIENT_KEY", &key),
    ];
    send(builder(encrypted.folder.path(), &encrypted.endpoint(), &variables), 1);
    let requests = encrypted.requests.all();
    assert!(requests[0].starts_with(b"POST /v1/logs HTTP/1.1\r\n"));
}

#[test]
fn h21_a_collector_that_nobody_vouches_for_gets_nothing() {
    let encrypted = Encrypted::start();
    let telemetry = builder(encrypted.folder.path(), &encrypted.endpoint(), &[]).build().unwrap();
    telemetry.record(Numbered { number: Count::new(1) });
    assert!(telemetry.flush(Duration::from_millis(10)).is_err());
    assert!(encrypted.collector.wait(PATIENCE, 1), "it was not tried");
    drop(telemetry);
    assert!(encrypted.requests.all().is_empty());
}
