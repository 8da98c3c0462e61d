//! Each way in which a request fails, made for real, and what a person is told of it: in verbose mode, by `telemetry status` and its
//! JSON, by `telemetry test`, by `Rights`. An ordinary run says nothing.

use automagik_telemetry::{
    Environment, HealthStatus, Organization, Schema, ServiceHealth, Telemetry, signals,
};
use automagik_telemetry_test_support::sockets::{Sockets, read_request, write};
use automagik_telemetry_test_support::tls::{self, Issuer};
use automagik_telemetry_test_support::{Answer, Receiver, at_home, omni};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use std::path::Path;
use std::process::Output;

/// The project of the example; its events don't matter here.
#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Health(ServiceHealth<HealthStatus>),
}

/// A person who agreed, and what they set.
struct Person {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Person {
    fn new(endpoint: &str) -> Self {
        let person = Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() };
        person.with("AUTOMAGIK_TELEMETRY_ENABLED", "true").with("AUTOMAGIK_TELEMETRY_ENDPOINT", endpoint)
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    fn run(&self, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        let mut command = at_home(self.home.path(), omni());
        command.args(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.envs(more.iter().copied()).output().unwrap()
    }

    /// What is told, wherever somebody asks: each place holds `what` and `remedy`.
    fn assert_told(&self, what: &str, remedy: &str) {
        let ordinary = self.run(&["instance", "list"], &[]);
        assert_eq!(String::from_utf8_lossy(&ordinary.stderr), "", "nobody asked");
        // What the ordinary run left behind may be faster, and send this one's event.
        let verbose = (0..5)
            .map(|_| self.run(&["instance", "list"], &[("AUTOMAGIK_TELEMETRY_VERBOSE", "true")]))
            .find(|output| String::from_utf8_lossy(&output.stderr).contains("[Telemetry] Not taken"))
            .expect("a run that says what became of its request");
        let status = self.run(&["telemetry", "status"], &[]);
        let json = self.run(&["telemetry", "status", "--json"], &[]);
        let test = self.run(&["telemetry", "test"], &[]);
        assert_eq!(test.status.code(), Some(1), "{test:?}");
        for (place, text) in [
            ("verbose mode", &verbose.stderr),
            ("status", &status.stdout),
            ("status --json", &json.stdout),
            ("telemetry test", &test.stderr),
        ] {
            let text = String::from_utf8_lossy(text);
            assert!(text.contains(what) && text.contains(remedy), "{place} does not say {what:?}: {text}");
        }
        let health = rights(self.home.path()).health();
        let (_, failure) = health.last_failure.unwrap();
        assert!(
            failure.to_string().contains(what) && failure.remedy(Organization::of::<Omni>()).contains(remedy),
            "{health:?}"
        );
        assert!(health.failures_in_a_row > 0);
    }

    /// It was taken; what `telemetry test` said of the way.
    fn assert_taken(&self) -> String {
        let test = self.run(&["telemetry", "test"], &[]);
        assert!(test.status.success(), "{test:?}");
        let verbose = self.run(&["instance", "list"], &[("AUTOMAGIK_TELEMETRY_VERBOSE", "true")]);
        let said = String::from_utf8_lossy(&verbose.stderr).into_owned();
        assert!(said.contains("[Telemetry] Taken, in "), "{said}");
        assert_eq!(rights(self.home.path()).health().failures_in_a_row, 0);
        String::from_utf8(test.stdout).unwrap()
    }
}

fn rights(home: &Path) -> automagik_telemetry::Rights<Omni> {
    Telemetry::<Omni>::builder().environment(Environment::at(home)).rights()
}

fn nobody() -> String {
    format!("http://127.0.0.1:{}", Receiver::start().port())
}

#[test]
fn a_closed_port() {
    Person::new(&nobody()).assert_told("nobody listens at the collector's port", "check the port");
}

#[test]
fn a_black_hole() {
    let hole = Sockets::start(|_, connection| {
        read_request(connection);
        read_request(connection);
    });
    let person = Person::new(&hole.endpoint()).with("AUTOMAGIK_TELEMETRY_TIMEOUT", "0.3");
    person.assert_told("no answer came in time", "AUTOMAGIK_TELEMETRY_TIMEOUT");
}

#[test]
fn a_name_that_nobody_knows() {
    Person::new("http://collector.invalid")
        .assert_told("nobody knows the collector's name", "check the name");
}

#[test]
fn a_connection_that_ends_without_an_answer() {
    let rude = Sockets::start(|_, connection| {
        read_request(connection);
    });
    Person::new(&rude.endpoint()).assert_told("ended without an answer", "not gRPC");
}

#[test]
fn each_status() {
    for (status, remedy) in [
        (401, "AUTOMAGIK_TELEMETRY_HEADERS"),
        (404, "check the path"),
        (407, "a user and a password"),
        (429, "asked again later"),
        (500, "the collector's own log"),
        (302, "redirects are not followed"),
    ] {
        let collector = Receiver::answering(move |_| Answer::status(status));
        Person::new(&collector.endpoint()).assert_told(&format!("the collector answered {status}"), remedy);
    }
}

#[test]
fn a_page() {
    let portal = Receiver::answering(|_| Answer::status(200).body("<!doctype html><title>Log in</title>"));
    Person::new(&portal.endpoint()).assert_told("a web page", "log in to the network");
}

#[test]
fn a_proxy_that_refuses() {
    let proxy = Sockets::start(|_, connection| {
        read_request(connection);
        write(connection, b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    });
    let person = Person::new("https://collector.example").with("HTTPS_PROXY", proxy.endpoint());
    person.assert_told("the proxy refused", "HTTPS_PROXY");
}

mod certificates {
    use super::*;

    const CERTIFICATE: &str = "AUTOMAGIK_TELEMETRY_CERTIFICATE";

    /// A collector with a certificate of `params`, by `issuer` or by itself, and the certificate as a file in `folder`.
    fn collector(folder: &Path, params: CertificateParams, issuer: Option<&Issuer>) -> (Sockets, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        let file = folder.join("certificate.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        let (sockets, _) = tls::collector(vec![certificate.der().clone()], &key);
        (sockets, file.to_str().unwrap().to_owned())
    }

    fn at(sockets: &Sockets) -> Person {
        Person::new(&format!("https://localhost:{}", sockets.port()))
    }

    /// What `openssl req -x509 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost` makes: it vouches for itself, and
    /// says that it is an authority's.
    fn first() -> CertificateParams {
        let mut params = tls::named("localhost");
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    #[test]
    fn the_first_one_that_self_hosters_make_is_taken_where_they_named_it() {
        let folder = tempfile::tempdir().unwrap();
        let (sockets, file) = collector(folder.path(), first(), None);
        at(&sockets).with(CERTIFICATE, file).assert_taken();
    }

    #[test]
    fn one_that_nobody_vouches_for_says_what_to_name() {
        let folder = tempfile::tempdir().unwrap();
        let (sockets, _) = collector(folder.path(), first(), None);
        let somebody = folder.path().join("other.pem");
        std::fs::write(&somebody, tls::authority().pem()).unwrap();
        at(&sockets)
            .with(CERTIFICATE, somebody.to_str().unwrap())
            .assert_told("nobody who is trusted vouches", "AUTOMAGIK_TELEMETRY_CERTIFICATE");
    }

    #[test]
    fn one_for_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let (sockets, file) = collector(folder.path(), tls::named("collector.example"), None);
        at(&sockets).with(CERTIFICATE, file).assert_told("for another name", "subjectAltName");
    }

    #[test]
    fn an_expired_one() {
        let (folder, issuer) = (tempfile::tempdir().unwrap(), tls::authority());
        let mut params = tls::named("localhost");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let (sockets, file) = collector(folder.path(), params, Some(&issuer));
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, issuer.pem()).unwrap();
        at(&sockets)
            .with(CERTIFICATE, authority.to_str().unwrap())
            .assert_told("has expired", "renew the server's certificate");
        // Who names exactly that certificate has vouched for it.
        at(&sockets).with(CERTIFICATE, file).assert_taken();
    }

    #[test]
    fn a_chain_without_its_root_and_one_without_its_middle() {
        let (folder, root) = (tempfile::tempdir().unwrap(), tls::authority());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "intermediate");
        let middle = rcgen::CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = tls::named("localhost").signed_by(&key, &middle).unwrap();
        let authority = folder.path().join("root.pem");
        std::fs::write(&authority, root.pem()).unwrap();
        let authority = authority.to_str().unwrap();
        let (whole, _) = tls::collector(vec![leaf.der().clone(), middle.der().clone()], &key);
        let said = at(&whole).with(CERTIFICATE, authority).assert_taken();
        let whose =
            "Certificate: for localhost, issued by intermediate, vouched for by the file that you named";
        assert!(said.contains(whose) && said.contains("Encrypted: TLS 1.3"), "{said}");
        let (short, _) = tls::collector(vec![leaf.der().clone()], &key);
        at(&short)
            .with(CERTIFICATE, authority)
            .assert_told("nobody who is trusted vouches", "a server must send every certificate between");
    }

    #[test]
    fn a_server_that_does_not_encrypt() {
        let collector = Receiver::start();
        Person::new(&format!("https://localhost:{}", collector.port()))
            .assert_told("does not speak TLS", "write http://");
    }

    // Windows keeps them in a store of its own, not in a file.
    #[cfg(unix)]
    #[test]
    fn a_system_without_any() {
        let folder = tempfile::tempdir().unwrap();
        let (sockets, _) = collector(folder.path(), first(), None);
        at(&sockets)
            .with("SSL_CERT_FILE", "/nonexistent")
            .with("SSL_CERT_DIR", "/nonexistent")
            .assert_told("the system has no certificates", "ca-certificates");
    }
}

#[test]
fn what_a_test_sends_holds_constants_alone() {
    let collector = Receiver::start();
    let person = Person::new(&collector.endpoint());
    let test = person.run(&["telemetry", "test"], &[]);
    let said = String::from_utf8_lossy(&test.stdout).into_owned();
    for step in ["Address: ", "Resolved: 127.0.0.1", "Connected, in", "Not encrypted", "Request: taken"] {
        assert!(said.contains(step), "{said}");
    }
    let logs = collector.logs();
    assert_eq!((logs.len(), logs[0].attribute("count")), (1, "0"));
    assert_eq!(logs[0].resource["app.installation.id"], "0".repeat(32));
    assert_eq!(std::fs::read_dir(person.home.path()).unwrap().count(), 0, "nothing is kept");
}

#[test]
fn where_somebody_said_no_a_test_is_sent_only_on_demand() {
    let collector = Receiver::start();
    let person = Person::new(&collector.endpoint()).with(signals::DO_NOT_TRACK, "1");
    let test = person.run(&["telemetry", "test"], &[]);
    assert_eq!((test.status.code(), collector.connections()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&test.stderr).contains("telemetry test --send"), "{test:?}");
    assert!(person.run(&["telemetry", "test", "--send"], &[]).status.success());
    assert_eq!(collector.logs().len(), 1);
}

#[test]
fn no_header_or_credential_appears_anywhere() {
    let collector = Receiver::answering(|_| Answer::status(401));
    let address = collector.endpoint().replace("http://", "http://alice:hunter2@");
    let person = Person::new(&address).with("AUTOMAGIK_TELEMETRY_HEADERS", "api-key=s3cret");
    let verbose = person.run(&["instance", "list"], &[("AUTOMAGIK_TELEMETRY_VERBOSE", "true")]);
    for output in
        [verbose, person.run(&["telemetry", "test"], &[]), person.run(&["telemetry", "status"], &[])]
    {
        let said = format!("{output:?}");
        assert!(!said.contains("hunter2") && !said.contains("s3cret"), "{said}");
    }
}
