//! PRIVACY.md says what the code does. `BLESS=1 cargo test --test privacy` writes its generated parts anew.

#![expect(dead_code, reason = "the vocabularies are looked at, not spoken")]

use automagik_telemetry::{
    ApiRequest, CommandExecuted, ErrorOccurred, FeatureUsed, Inventory, Label, OperationLatency, Schema,
    ServiceHealth, resource, signals, vocabulary,
};

/// The words of the policy's own examples.
#[derive(Label)]
enum Feature {
    ListContacts,
}

#[derive(Label)]
enum Route {
    #[label("GET /contacts")]
    ListContacts,
}

#[derive(Label)]
enum Command {
    #[label("omni instance list")]
    InstanceList,
    #[label("omni instance create")]
    InstanceCreate,
}

#[derive(Label)]
enum Operation {
    SendMessage,
}

#[derive(Label)]
enum Code {
    #[label("OMNI-1001")]
    Omni1001,
}

#[derive(Label)]
enum Service {
    Database,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Policy {
    Feature(FeatureUsed<Feature>),
    Command(CommandExecuted<Command>),
    Api(ApiRequest<Route>),
    Latency(OperationLatency<Operation>),
    Error(ErrorOccurred<Code>),
    Health(ServiceHealth<Service>),
}

fn path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("PRIVACY.md")
}

/// The document between the marks of `part`, and `generated` put there where `BLESS` is set.
fn between(part: &str, generated: &str) -> String {
    let text = std::fs::read_to_string(path()).unwrap();
    let (begin, end) = (format!("<!-- {part}:begin -->\n"), format!("<!-- {part}:end -->"));
    let start = text.find(&begin).unwrap() + begin.len();
    let stop = text.find(&end).unwrap();
    if std::env::var_os("BLESS").is_some() {
        let blessed = format!("{}{generated}{}", &text[..start], &text[stop..]);
        std::fs::write(path(), blessed).unwrap();
        return generated.to_owned();
    }
    text[start..stop].to_owned()
}

/// One test, so that two parts are not written at once.
#[test]
fn the_generated_parts_are_what_the_code_says() {
    let inventory = Inventory::of::<Policy>().markdown().unwrap();
    assert_eq!(between("inventory", &inventory), inventory, "run BLESS=1 cargo test --test privacy");
    let names: Vec<String> = signals::CI.iter().map(|name| format!("`{name}`")).collect();
    let names = format!("{}.\n", names.join(", "));
    assert_eq!(between("ci", &names), names, "run BLESS=1 cargo test --test privacy");
}

#[test]
fn every_key_that_goes_with_a_request_is_named() {
    let text = std::fs::read_to_string(path()).unwrap();
    for (key, _) in resource::constants(automagik_telemetry::schema::Checked::<Policy>::DESCRIPTOR) {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
    assert!(text.contains(&format!("`{}`", resource::INSTALLATION_ID)));
}

#[test]
fn every_word_that_can_be_sent_is_named() {
    let text = std::fs::read_to_string(path()).unwrap();
    let schema = automagik_telemetry::schema::Checked::<Policy>::DESCRIPTOR;
    let built = [env!("CARGO_PKG_VERSION"), resource::SCHEMA_URL];
    for word in vocabulary::strings(schema).filter(|word| !built.contains(word)) {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_switch_of_the_person_is_named() {
    let text = std::fs::read_to_string(path()).unwrap();
    for name in [
        "AUTOMAGIK_TELEMETRY_ENABLED",
        signals::DO_NOT_TRACK,
        signals::ENVIRONMENT,
        ".automagik-no-telemetry",
        "AUTOMAGIK_TELEMETRY_ENDPOINT",
        "AUTOMAGIK_TELEMETRY_VERBOSE",
    ] {
        assert!(text.contains(name), "{name}");
    }
}
