//! The whole system on loopback: `cargo run --release --example demo`.
//!
//! A receiver in this process plays the collector: it decodes with the official OTLP types and none of our code. An
//! application that was told "yes" records one event of each kind. What it sends is shown twice: by the application's
//! verbose mode, and by the receiver. Then a gateway takes the sealed frames of devices that can't speak HTTP, over a line that loses a third of them, and
//! forwards what they say to the same collector. At last a server of one's own is given all that arrived, and shows it: at a terminal until Enter is pressed, elsewhere and
//! with `--exit` no longer than it takes. The exit code is 0 only where every event arrived and every string of the application is one of its
//! vocabulary.

use automagik_telemetry::record::Record;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    ApiRequest, CommandExecuted, Environment, ErrorCategory, ErrorOccurred, Event, FeatureUsed, HealthStatus,
    HttpStatus, Includes, Label, Milliseconds, OperationLatency, Schema, ServiceHealth, Telemetry, resource,
    vocabulary,
};
use automagik_telemetry_test_support::{Log, Receiver, Request};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command as Process, ExitCode, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
    SendMessage,
}

#[derive(Label, Clone, Copy)]
enum Route {
    #[label("GET /contacts")]
    #[expect(dead_code, reason = "part of the vocabulary; this demonstration serves only the other")]
    ListContacts,
    #[label("GET /traces/phone/{phone}")]
    TracesOfPhone,
}

#[derive(Label, Clone, Copy)]
enum Command {
    #[label("omni instance list")]
    InstanceList,
}

#[derive(Label, Clone, Copy)]
enum Operation {
    MessageDelivery,
}

#[derive(Label, Clone, Copy)]
enum Code {
    #[label("OMNI-1001")]
    Omni1001,
}

#[derive(Label, Clone, Copy)]
enum Service {
    Database,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni", resolution = "minute")]
enum Omni {
    Feature(FeatureUsed<Feature>),
    Api(ApiRequest<Route>),
    Command(CommandExecuted<Command>),
    Latency(OperationLatency<Operation>),
    Error(ErrorOccurred<Code>),
    Health(ServiceHealth<Service>),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let collector = Receiver::start();
    let home = tempfile::tempdir()?;
    println!("A collector listens on {}.", collector.endpoint());
    println!(
        "The application is told \"yes\" by AUTOMAGIK_TELEMETRY_ENABLED=true; its home is a temporary folder.\n"
    );

    // Variables and home are handed over, so this runs wherever it is tried: a CI service would else say "no".
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint())
        .with("AUTOMAGIK_TELEMETRY_VERBOSE", "true");
    let telemetry = Telemetry::<Omni>::builder().environment(environment).build()?;

    let mut recorded = Vec::new();
    record(&telemetry, &mut recorded, FeatureUsed { feature: Feature::ListContacts }); // the policy's example
    record(&telemetry, &mut recorded, FeatureUsed { feature: Feature::SendMessage });
    record(
        &telemetry,
        &mut recorded,
        ApiRequest {
            route: Route::TracesOfPhone, // the route's template: the number itself has no place to go
            status: HttpStatus::new(200),
            duration: Milliseconds::new(137),
        },
    );
    record(
        &telemetry,
        &mut recorded,
        CommandExecuted { command: Command::InstanceList, success: true, duration: Milliseconds::new(42) },
    );
    record(
        &telemetry,
        &mut recorded,
        OperationLatency { operation: Operation::MessageDelivery, duration: Milliseconds::new(1_250) },
    );
    record(
        &telemetry,
        &mut recorded,
        ErrorOccurred { code: Code::Omni1001, category: ErrorCategory::Authentication },
    );
    record(
        &telemetry,
        &mut recorded,
        ServiceHealth { service: Service::Database, status: HealthStatus::Healthy },
    );
    telemetry.flush(Duration::from_secs(10))?;

    let logs = collector.logs();
    show(&logs);
    if logs.len() != recorded.len() {
        return Err(format!("{} events were recorded and {} arrived", recorded.len(), logs.len()).into());
    }
    let postcard: usize = recorded.iter().map(|record| record.encode().as_slice().len()).sum();
    let otlp: usize = collector.requests().iter().map(|request| request.body_len).sum();
    println!(
        "\nBytes an event: {} as a postcard record, {} as OTLP with its share of the resource.", //
        postcard / recorded.len(),
        otlp / recorded.len()
    );
    prove(&logs)?;
    if cfg!(windows) {
        println!("\nOn Linux and macOS this goes on with devices and a gateway.");
        return Ok(());
    }
    devices(&collector, logs.len())
}

/// Devices that are none, and a gateway between them and the collector.
fn devices(collector: &Receiver, before: usize) -> Result<(), Box<dyn std::error::Error>> {
    const DEVICES: usize = 3;
    const EVENTS: usize = 20;
    println!(
        "\nThree devices on a radio, which can't speak HTTP: they seal frames, and a gateway opens them. It is built first.\n"
    );
    let gateway = Gateway::start(&collector.endpoint())?;
    let (devices, events) = (DEVICES.to_string(), EVENTS.to_string());
    let arguments = ["--devices", &devices, "--events", &events, "--loss", "33", "--to", &gateway.address];
    let said = gateway.command("simulate").args(arguments).output()?;
    print!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    let all = before + DEVICES * EVENTS;
    if !collector.wait_for_logs(Duration::from_secs(60), all) {
        return Err(format!("{} events were to arrive, and {} did", all, collector.logs().len()).into());
    }
    let logs = collector.logs();
    let Some(log) = logs.last() else { return Err("nothing arrived".into()) };
    let attributes: Vec<String> =
        log.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    println!("\nThe last of {} events that the collector decoded, each once:\n", DEVICES * EVENTS);
    println!("{:<31} {}", log.event, attributes.join("  "));
    for (key, value) in &log.resource {
        println!("{key:<31} {value}");
    }
    serve(&gateway, &collector.requests())
}

/// A server that keeps what arrived, and shows it.
fn serve(gateway: &Gateway, requests: &[Request]) -> Result<(), Box<dyn std::error::Error>> {
    let state = gateway.folder.path().join("served");
    let mut command = Process::new(&gateway.program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--state"]).arg(state).stderr(Stdio::piped());
    let mut server = Ended(command.spawn()?);
    let lines = BufReader::new(server.0.stderr.take().ok_or("it says nothing")?).lines();
    // `telemetry-gateway: open http://127.0.0.1:40000`
    let said = lines.map_while(Result::ok).find(|line| line.contains("http://"));
    let said = said.ok_or("the server has ended")?;
    let address = said.rsplit("http://").next().unwrap_or_default();
    for request in requests {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            request.path,
            request.body.len()
        );
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(&[head.as_bytes(), &request.body].concat())?;
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer)?;
        if !answer.contains(" 200 ") {
            return Err(format!("the server answered {answer}").into());
        }
    }
    println!("\nA server of your own has all of it: http://{address}");
    if std::env::args().all(|argument| argument != "--exit") && std::io::stdin().is_terminal() {
        println!("Press Enter to end it.");
        std::io::stdin().read_line(&mut String::new())?;
    }
    Ok(())
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `telemetry-gateway run`, with what it needs in a folder. It ends with this.
struct Gateway {
    folder: tempfile::TempDir,
    program: PathBuf,
    _process: Ended,
    address: String,
}

impl Gateway {
    fn start(collector: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let mut cargo = Process::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--profile", profile, "-p", "automagik-telemetry-gateway", "--bins"]);
        if !cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
            return Err("the gateway can't be built".into());
        }
        // target/<profile>/examples/demo
        let examples = std::env::current_exe()?;
        let built = examples.ancestors().nth(2).ok_or("the program is in no folder")?;
        let program = built.join("telemetry-gateway").with_extension(std::env::consts::EXE_EXTENSION);
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("keys"))?;
        std::fs::create_dir(path("manifests"))?;
        let key = Process::new(&program).args(["key", "make"]).output()?;
        std::fs::write(path("keys").join("fleet.key"), key.stdout)?;
        let manifest = path("manifests").join("simulated.cbor");
        Process::new(&program).args(["simulate", "--write-manifest"]).arg(manifest).status()?;
        let mut process = Process::new(&program)
            .args(["run", "--udp", "127.0.0.1:0", "--collector", collector])
            .arg("--keys")
            .arg(path("keys"))
            .arg("--manifests")
            .arg(path("manifests"))
            .arg("--state")
            .arg(path("state"))
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(process.stderr.take().ok_or("it says nothing")?).lines();
        // `telemetry-gateway: udp 127.0.0.1:40000`
        let said = lines.next().ok_or("the gateway has ended")??;
        let address = said.rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { folder, program, _process: Ended(process), address })
    }

    fn command(&self, name: &str) -> Process {
        let mut command = Process::new(&self.program);
        command.arg(name).arg("--keys").arg(self.folder.path().join("keys"));
        command
    }
}

fn record<E: Event + Copy>(telemetry: &Telemetry<Omni>, recorded: &mut Vec<Record>, event: E)
where
    Omni: Includes<E>,
{
    telemetry.record(event);
    // What the line above keeps, once more, to know its length.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    recorded.extend(Record::new(&Omni::include(event), Coarse::from_unix_seconds(now, Omni::RESOLUTION)));
}

fn show(logs: &[Log]) {
    println!("\nWhat the collector decoded ({} events):\n", logs.len());
    println!("{:<31} attributes", "event");
    for log in logs {
        let attributes: Vec<String> =
            log.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        println!("{:<31} {}", log.event, attributes.join("  "));
    }
    println!("\nThe same for all of them:\n");
    for (key, value) in logs.first().into_iter().flat_map(|log| &log.resource) {
        println!("{key:<31} {value}");
    }
}

/// Every string that arrived is a constant of this program, but for the pseudonym's 32 digits.
fn prove(logs: &[Log]) -> Result<(), Box<dyn std::error::Error>> {
    let vocabulary: BTreeSet<&str> = vocabulary::strings(Checked::<Omni>::DESCRIPTOR).collect();
    let mut seen = BTreeSet::new();
    for log in logs {
        seen.insert(log.event.as_str());
        for (key, value) in log.attributes.iter().chain(&log.resource) {
            seen.insert(key.as_str());
            let is_a_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let is_the_pseudonym = key == resource::INSTALLATION_ID
                && value.len() == 32
                && value.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_a_number && !is_the_pseudonym && value != "true" && value != "false" {
                seen.insert(value);
            }
        }
    }
    let strange: Vec<&&str> = seen.iter().filter(|text| !vocabulary.contains(**text)).collect();
    if !strange.is_empty() {
        return Err(format!("these strings arrived and are not in the vocabulary: {strange:?}").into());
    }
    println!(
        "\nProof: each of the {} different strings that arrived is among the {} of this program's vocabulary.",
        seen.len(),
        vocabulary.len()
    );
    Ok(())
}
