//! `telemetry-gateway`: see `docs/GATEWAY.md`.

use automagik_telemetry_core::frames::Key;
use automagik_telemetry_core::manifest::Manifest;
use automagik_telemetry_gateway::known::keys::{self, Keys};
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::run::Gateway;
use automagik_telemetry_gateway::run::settings::{Acknowledge, Settings};
use automagik_telemetry_gateway::serve;
use automagik_telemetry_gateway::tools::carriers::{self, Over};
use automagik_telemetry_gateway::tools::{collector, decode, manifest, simulate};
use clap::{Parser, Subcommand};
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Takes sealed frames from devices, checks them against manifests, and forwards them as OTLP.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Takes frames until it is told to stop (SIGTERM, Ctrl-C). SIGHUP: reads keys and manifests again.
    Run(Run),
    /// Receives, keeps and shows telemetry on this machine, until it is told to stop. SIGHUP: reads keys, manifests and builds again.
    Serve(serve::settings::Settings),
    /// Manifests: what programs can say.
    #[command(subcommand)]
    Manifest(OfManifest),
    /// Keys.
    #[command(subcommand)]
    Key(OfKey),
    /// Says what captured frames say: a line of hexadecimal digits each, from arguments or standard input.
    Decode {
        /// The folder of keys.
        #[arg(long)]
        keys: PathBuf,
        /// The folder of manifests.
        #[arg(long)]
        manifests: PathBuf,
        /// Frames; without any, standard input is read.
        frames: Vec<String>,
    },
    /// Speaks as many devices.
    Simulate(Simulate),
}

#[derive(clap::Args)]
struct Run {
    /// A file of settings in TOML; flags beat it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The folder of what is kept.
    #[arg(long)]
    state: Option<PathBuf>,
    /// The folder of manifests, *.cbor.
    #[arg(long)]
    manifests: Option<PathBuf>,
    /// The folder of keys, *.key.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// The collector's base, such as http://localhost:4318.
    #[arg(long)]
    collector: Option<String>,
    /// When a frame is acknowledged.
    #[arg(long)]
    acknowledge: Option<Acknowledge>,
    /// An address to take datagrams at, such as 0.0.0.0:4319.
    #[arg(long)]
    udp: Vec<SocketAddr>,
    /// An address to take streams at.
    #[arg(long)]
    tcp: Vec<SocketAddr>,
    /// An address to take OTLP over HTTP at, from programs on this network, such as 192.168.1.2:4318.
    #[arg(long)]
    http: Vec<SocketAddr>,
    /// Takes a stream from standard input too.
    #[arg(long)]
    stdin: bool,
    /// A loopback address to answer questions about itself at.
    #[arg(long)]
    health: Option<SocketAddr>,
    /// Checks all settings, and ends.
    #[arg(long)]
    check: bool,
}

#[derive(Subcommand)]
enum OfManifest {
    /// Prints a manifest.
    Print {
        /// The manifest's file.
        file: PathBuf,
    },
    /// Prints a configuration of the OpenTelemetry Collector that lets nothing through but what is in a manifest.
    Collector {
        /// The folder of manifests, *.cbor.
        manifests: PathBuf,
    },
    /// Compares two: ends with 1 where the new one can say more.
    Compare {
        /// The manifest before.
        old: PathBuf,
        /// The manifest now.
        new: PathBuf,
    },
}

#[derive(Subcommand)]
enum OfKey {
    /// Makes a key: put it into a file *.key in the folder of keys, and into the devices.
    Make,
    /// Lists keys by what names them: no key is shown.
    List {
        /// The folder of keys.
        keys: PathBuf,
    },
}

#[derive(clap::Args)]
struct Simulate {
    /// The gateway's address, or the broker's; the path of a serial device; `-` over standard output and input.
    #[arg(long, required_unless_present = "write_manifest")]
    to: Option<String>,
    /// What carries frames.
    #[arg(long, value_enum, default_value_t)]
    over: Over,
    /// Where devices publish at a broker: `+` stands for a device's number.
    #[arg(long, default_value = "telemetry/+/up")]
    topic: String,
    /// The folder of keys: the first one seals.
    #[arg(long, required_unless_present = "write_manifest")]
    keys: Option<PathBuf>,
    /// How many devices.
    #[arg(long, default_value_t = 10)]
    devices: u32,
    /// How many events each has.
    #[arg(long, default_value_t = 100)]
    events: u32,
    /// How many events stand in a frame.
    #[arg(long, default_value_t = 10)]
    per_frame: u32,
    /// Of a hundred frames, how many are lost.
    #[arg(long, default_value_t = 0)]
    loss: u8,
    /// Of a hundred frames, how many arrive twice.
    #[arg(long, default_value_t = 0)]
    repeated: u8,
    /// Of a hundred frames, how many arrive late.
    #[arg(long, default_value_t = 0)]
    reordered: u8,
    /// Devices hear no answers.
    #[arg(long)]
    one_way: bool,
    /// Most frames a second.
    #[arg(long)]
    rate: Option<u32>,
    /// Most seconds that it takes.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The same numbers make the same devices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the manifest of simulated devices to this file, and ends: the gateway needs it.
    #[arg(long)]
    write_manifest: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(run) => self::run(run),
        Command::Serve(settings) => serve(settings),
        Command::Manifest(OfManifest::Print { file }) => read(&file).and_then(|bytes| {
            print!("{}", manifest::print(&decoded(&file, &bytes)?));
            Ok(ExitCode::SUCCESS)
        }),
        Command::Manifest(OfManifest::Collector { manifests }) => configuration(&manifests),
        Command::Manifest(OfManifest::Compare { old, new }) => compare(&old, &new),
        Command::Key(OfKey::Make) => make_key(),
        Command::Key(OfKey::List { keys }) => {
            Keys::load(&keys).map_err(|error| error.to_string()).map(|keys| {
                keys.all().iter().for_each(|known| println!("{:016x} {}", known.id, known.comment));
                ExitCode::SUCCESS
            })
        }
        Command::Decode { keys, manifests, frames } => decode(&keys, &manifests, frames),
        Command::Simulate(plan) => simulate(plan),
    };
    done.unwrap_or_else(|error| {
        eprintln!("telemetry-gateway: {error}");
        ExitCode::from(2)
    })
}

fn run(run: Run) -> Result<ExitCode, String> {
    let mut settings = run.config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read)?;
    settings.state = run.state.or(settings.state);
    settings.manifests = run.manifests.or(settings.manifests);
    settings.keys = run.keys.or(settings.keys);
    settings.collector = run.collector.or(settings.collector);
    settings.acknowledge = run.acknowledge.unwrap_or(settings.acknowledge);
    settings.health = run.health.or(settings.health);
    settings.stdin |= run.stdin;
    if !run.udp.is_empty() {
        settings.udp = run.udp;
    }
    if !run.tcp.is_empty() {
        settings.tcp = run.tcp;
    }
    if !run.http.is_empty() {
        settings.http = run.http;
    }
    let (ready, warnings) = settings.ready()?;
    warnings.iter().for_each(|warning| eprintln!("telemetry-gateway: {warning}"));
    if run.check {
        let (keys, manifests) = &ready.known;
        println!("{} keys, {} manifests: all is well", keys.all().len(), manifests.all().count());
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = runtime()?;
    runtime.block_on(async {
        let gateway = Gateway::start(ready).await?;
        for (what, addresses) in [
            ("udp", gateway.udp()),
            ("tcp", gateway.tcp()),
            ("http", gateway.http()),
            ("health", gateway.health().as_slice()),
        ] {
            addresses.iter().for_each(|address| eprintln!("telemetry-gateway: {what} {address}"));
        }
        until_stopped(|| gateway.reload()).await;
        gateway.stop();
        Ok::<(), String>(())
    })?;
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| format!("no threads can be started ({error})"))
}

fn serve(settings: serve::settings::Settings) -> Result<ExitCode, String> {
    if settings.manifests.is_none() {
        eprintln!("telemetry-gateway: without --manifests all that programs say is kept, texts too");
    }
    let scheme = if settings.tls_key.is_some() { "https" } else { "http" };
    let runtime = runtime()?;
    runtime.block_on(async {
        let serving = serve::start(settings).await?;
        if let Some(gateway) = &serving.frames {
            gateway.udp().iter().for_each(|address| eprintln!("telemetry-gateway: udp {address}"));
            gateway.tcp().iter().for_each(|address| eprintln!("telemetry-gateway: tcp {address}"));
        }
        eprintln!("telemetry-gateway: open {scheme}://{}", serving.address);
        until_stopped(|| serving.reload()).await;
        if let Some(gateway) = serving.frames {
            gateway.stop();
        }
        Ok::<(), String>(())
    })?;
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Returns when somebody says that it is time to stop. SIGHUP calls `reload`.
#[cfg(unix)]
async fn until_stopped(reload: impl Fn() -> Result<(), String>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    let Ok(mut again) = signal(SignalKind::hangup()) else { return };
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = tokio::signal::ctrl_c() => return,
            _ = again.recv() => match reload() {
                Ok(()) => eprintln!("telemetry-gateway: keys and manifests were read again"),
                Err(error) => eprintln!("telemetry-gateway: {error}: what was known stays"),
            },
        }
    }
}

#[cfg(not(unix))]
async fn until_stopped(_: impl Fn() -> Result<(), String>) {
    let _ = tokio::signal::ctrl_c().await;
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: can't be read ({error})", file.display()))
}

fn decoded<'a>(file: &Path, bytes: &'a [u8]) -> Result<Manifest<'a>, String> {
    Manifest::decode(bytes).map_err(|error| format!("{}: {error}", file.display()))
}

fn configuration(manifests: &Path) -> Result<ExitCode, String> {
    let known = Manifests::load(manifests).map_err(|error| error.to_string())?;
    if known.all().next().is_none() {
        return Err(format!(
            "{}: there is no manifest, *.cbor: nothing would get through",
            manifests.display()
        ));
    }
    print!("{}", collector::configuration(known.all()).map_err(|error| error.to_string())?);
    Ok(ExitCode::SUCCESS)
}

fn compare(old: &Path, new: &Path) -> Result<ExitCode, String> {
    let (old_bytes, new_bytes) = (read(old)?, read(new)?);
    let (more, less) = manifest::difference(&decoded(old, &old_bytes)?, &decoded(new, &new_bytes)?);
    more.iter().for_each(|line| println!("+ {line}"));
    less.iter().for_each(|line| println!("- {line}"));
    Ok(if more.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn make_key() -> Result<ExitCode, String> {
    println!("{}", keys::random()?);
    Ok(ExitCode::SUCCESS)
}

fn decode(keys: &Path, manifests: &Path, frames: Vec<String>) -> Result<ExitCode, String> {
    let keys = Keys::load(keys).map_err(|error| error.to_string())?;
    let manifests = Manifests::load(manifests).map_err(|error| error.to_string())?;
    let mut decoder = decode::Decoder::new(keys, manifests);
    let mut is_well = true;
    let mut say = |line: &str| {
        let frame = keys::bytes(line.trim()).ok_or_else(|| "is no line of hexadecimal digits".to_owned());
        match frame.and_then(|frame| decoder.decode(&frame)) {
            Ok(said) => println!("{said}"),
            Err(error) => {
                is_well = false;
                eprintln!("telemetry-gateway: {}: {error}", line.trim());
            }
        }
    };
    if frames.is_empty() {
        for line in std::io::stdin().lock().lines() {
            say(&line.map_err(|error| format!("standard input: {error}"))?);
        }
    } else {
        frames.iter().for_each(|frame| say(frame));
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn simulate(simulated: Simulate) -> Result<ExitCode, String> {
    if let Some(path) = simulated.write_manifest {
        std::fs::write(&path, simulate::manifest())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(to), Some(folder)) = (simulated.to, simulated.keys) else {
        return Err("no gateway and no keys: set --to and --keys".to_owned());
    };
    let keys = Keys::load(&folder).map_err(|error| error.to_string())?;
    let key: &Key = keys
        .all()
        .first()
        .map(|known| &known.key)
        .ok_or_else(|| format!("{}: no key is in there", folder.display()))?;
    let plan = simulate::Plan {
        devices: simulated.devices,
        events: simulated.events,
        per_frame: simulated.per_frame.max(1),
        loss: simulated.loss,
        repeated: simulated.repeated,
        reordered: simulated.reordered,
        one_way: simulated.one_way,
        frames_per_second: simulated.rate,
        patience: Duration::from_secs(simulated.seconds),
        seed: simulated.seed,
    };
    let bar = indicatif::ProgressBar::new(1_000);
    let mut carrier =
        carriers::open(simulated.over, &to, &simulated.topic).map_err(|error| format!("{to}: {error}"))?;
    let report = simulate::run_over(&plan, key, &mut *carrier, |done| bar.set_position(done.into()));
    bar.finish_and_clear();
    // Standard output may be the line.
    let mut out: Box<dyn std::io::Write> =
        if simulated.over == Over::Stdio { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let _ = writeln!(
        out,
        "{} events in {} frames, {} sent; {} frames acknowledged, with {} events; {} ms",
        report.events,
        report.frames,
        report.datagrams,
        report.acknowledged,
        report.events_acknowledged,
        report.milliseconds
    );
    Ok(ExitCode::SUCCESS)
}
