//! Programs that panic in every way: each arrives once, without a word of what the program knew, and its functions and lines are found again from the program's file.

use automagik_telemetry_gateway::serve::settings::Settings;
use automagik_telemetry_symbolize::backtrace::{Backtrace, Symbolizer};
use automagik_telemetry_symbolize::builds::Builds;
use automagik_telemetry_symbolize::crashes;
use automagik_telemetry_test_support::{Receiver, Rotel, at_home};
use clap::Parser;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/panics");

const MAIN: &str = include_str!("panics/src/main.rs");
const PLUGIN: &str = include_str!("panics/src/plugin.rs");

/// Whatever the program knows of its user, and where it was built.
const MARKS: [&str; 5] = ["MARKED", "ada@example", "src/main.rs", "tests/panics", "symbolize"];

/// Ways to panic, and how many crashes each tells: where one does not end the process, it goes on.
const WAYS: [(&str, usize); 24] = [
    ("message", 1),
    ("silent", 1),
    ("none", 1),
    ("err", 1),
    ("index", 1),
    ("range", 1),
    ("overflow", 1),
    ("zero", 1),
    ("assert", 1),
    ("unreachable", 1),
    ("unimplemented", 1),
    ("borrow", 1),
    ("thread", 1),
    ("small_stack", 1),
    ("destructor", 1),
    ("async", 1),
    ("runtime", 1),
    ("long", 1),
    ("any", 1),
    ("recursion", 1),
    ("circle", 1),
    ("thousand", 1),
    ("plugin", 1),
    // The first, that of the destructor, and the runtime's, which can't go on.
    ("twice", 3),
];

#[cfg(unix)]
const UNIX_WAYS: &[(&str, usize)] = &[
    ("signal", 1),
    #[cfg(target_os = "linux")]
    ("memory", 1),
];
#[cfg(not(unix))]
const UNIX_WAYS: &[(&str, usize)] = &[];

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("panics")
}

/// Runs cargo for the package in `folder`.
fn cargo(folder: &Path, arguments: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(arguments)
        .env("CARGO_TERM_QUIET", "true")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target());
    // The program's flags are its own, and not those that this test was built with.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    assert!(cargo.status().unwrap().success(), "{arguments:?}");
}

/// Held by who builds and takes what was built: each test builds in one folder, so that they share what the program depends on.
static BUILDING: Mutex<()> = Mutex::new(());

/// A folder with the program and its library, built with `profile`.
fn built(profile: &'static str) -> tempfile::TempDir {
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    cargo(Path::new(PACKAGE), &["build", "--profile", profile]);
    let folder = tempfile::tempdir().unwrap();
    let library = format!("{}plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::fs::copy(program(&target().join(profile)), program(folder.path())).unwrap();
    std::fs::copy(target().join(profile).join(&library), folder.path().join(&library)).unwrap();
    folder
}

fn program(folder: &Path) -> PathBuf {
    folder.join("panics").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Runs `program` in a way, and gives what it says of where it panics.
fn run(program: &Path, way: &str, home: &Path, collector: &str) -> Vec<(String, u32)> {
    let mut command = at_home(home, program);
    command.arg(way).arg("MARKED argument").env("PANICS_WAIT", "1").env("RUST_BACKTRACE", "0");
    command.env("MARKED_VARIABLE", "MARKED").env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
    command.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector);
    places(&command.output().unwrap().stdout)
}

/// The same, of a program for Windows, under Wine.
fn run_under_wine(program: &Path, way: &str, state: &Path, collector: &str) -> Vec<(String, u32)> {
    let wine = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/wine");
    let mut command = Command::new(wine);
    // It is CI that runs this, and no CI that the program is to see.
    let needed = ["HOME", "PATH", "WINEPREFIX"];
    command.env_clear().envs(needed.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.arg(program).args([way, "MARKED argument"]).env("PANICS_WAIT", "1").env("RUST_BACKTRACE", "0");
    command.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
    command.env("AUTOMAGIK_TELEMETRY_STATE_DIR", format!("Z:{}", state.display()).replace('/', "\\"));
    command.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector);
    places(&command.output().unwrap().stdout)
}

/// What a program says of where it panics.
fn places(output: &[u8]) -> Vec<(String, u32)> {
    let said = String::from_utf8_lossy(output);
    let places = said.lines().filter_map(|line| line.trim_end().rsplit_once(' '));
    places.filter_map(|(function, line)| Some((function.to_owned(), line.parse().ok()?))).collect()
}

/// No file below `folder` has a mark in it.
fn has_no_marks(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            has_no_marks(&path);
        } else {
            assert_no_marks(&std::fs::read(&path).unwrap(), &path.display().to_string());
        }
    }
}

fn assert_no_marks(bytes: &[u8], of: &str) {
    for mark in MARKS {
        assert!(!bytes.windows(mark.len()).any(|window| window == mark.as_bytes()), "{of} has `{mark}`");
    }
}

/// The crashes that arrived, with functions by the files in `builds`.
fn arrived(collector: &Receiver, builds: &Path) -> Vec<Backtrace> {
    let mut symbolizer = Symbolizer::new(Builds::read(builds).unwrap());
    let requests = collector.requests();
    requests.iter().for_each(|request| assert_no_marks(&request.body, "a request"));
    let found = requests.iter().flat_map(|request| crashes::read(&request.body).unwrap());
    found.map(|crash| symbolizer.backtrace(crash)).collect()
}

/// Whether it panicked in this function, in this line.
fn is_at(crash: &Backtrace, function: &str, line: u32) -> bool {
    let is_place = crash.place.as_ref().is_some_and(|place| place.line == line);
    let mut named = crash.functions().filter(|(frame, _)| {
        let is_line = frame.line.as_ref().is_some_and(|(_, at)| *at == line);
        let own = function.rsplit("::").next().unwrap();
        is_line && frame.function.contains(own)
    });
    // A plugin's place is told by its own file, as any other is. An async function is a closure to the compiler.
    is_place
        && (named.next().is_some() || crash.functions().any(|(frame, _)| frame.function.contains("async_fn")))
}

/// Each way is told once, and found again.
fn tells_all(folder: &Path, builds: &Path, aborts: bool) {
    for (way, count) in WAYS.iter().chain(UNIX_WAYS) {
        let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
        let expected = run(&program(folder), way, home.path(), &collector.endpoint());
        has_no_marks(home.path());
        let report = if *way == "plugin" { "report_plugin" } else { "report" };
        run(&program(folder), report, home.path(), &collector.endpoint());
        has_no_marks(home.path());
        let crashes = arrived(&collector, builds);
        // A destructor does not run where the first panic ends the process.
        let count = if aborts { 1 } else { *count };
        assert_eq!(crashes.len(), count, "{way}: {crashes:#?}");
        // One whose own hook prints nothing, and one that is over before it can say where a library panicked.
        let unsaid = match *way {
            "silent" => Some(("panics::message", MAIN, "MARKED message of")),
            "plugin" => Some(("plugin::fall", PLUGIN, "MARKED in a plugin")),
            _ => None,
        };
        let unsaid = unsaid.map(|(function, source, text)| (function.to_owned(), line_of(source, text)));
        let expected: Vec<(String, u32)> = unsaid.map_or(expected, |one| vec![one]);
        for (function, line) in expected {
            let is_one = crashes.iter().any(|crash| is_at(crash, &function, line));
            let text: Vec<String> = crashes.iter().map(|crash| crash.text(true)).collect();
            assert!(is_one, "{way}: {function} {line}\n{}", text.join("\n"));
        }
    }
}

/// The line of `source` that holds `text`.
fn line_of(source: &str, text: &str) -> u32 {
    let at = source.lines().position(|line| line.contains(text)).unwrap();
    u32::try_from(at + 1).unwrap()
}

#[test]
fn a_panic_in_any_way_arrives_once_without_a_word_and_is_found_again() {
    let folder = built("release");
    tells_all(folder.path(), folder.path(), false);
}

#[cfg(target_os = "linux")]
#[test]
fn so_does_one_of_a_program_as_small_as_can_be_whose_debug_file_lies_elsewhere() {
    let folder = built("small");
    let (stripped, builds) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["panics", "libplugin.so"] {
        strip(&folder.path().join(name), stripped.path(), builds.path(), name);
    }
    tells_all(stripped.path(), builds.path(), true);
}

/// Splits the program at `path` into one without symbols, in `stripped` and in `builds`, and its debug file, in `builds`.
#[cfg(target_os = "linux")]
fn strip(path: &Path, stripped: &Path, builds: &Path, name: &str) {
    let debug = builds.join(format!("{name}.debug"));
    let objcopy = |arguments: &[&std::ffi::OsStr]| {
        assert!(Command::new("objcopy").args(arguments).status().unwrap().success());
    };
    objcopy(&["--only-keep-debug".as_ref(), path.as_ref(), debug.as_ref()]);
    let link = format!("--add-gnu-debuglink={}", debug.display());
    let target = stripped.join(name);
    objcopy(&["--strip-all".as_ref(), link.as_ref(), path.as_ref(), target.as_ref()]);
    std::fs::copy(&target, builds.join(name)).unwrap();
}

/// How the programs of a history are linked: with and without a build id, at a fixed place, with packed relocations, small.
#[cfg(target_os = "linux")]
const LINKED: [&[&str]; 5] = [
    &[],
    &["-Clink-arg=-Wl,--build-id=none"],
    &["-Crelocation-model=static", "-Clink-arg=-Wl,--build-id=uuid"],
    &["-Clink-arg=-Wl,-z,pack-relative-relocs"],
    &["-Copt-level=z", "-Clink-arg=-Wl,--build-id=md5"],
];

#[cfg(target_os = "linux")]
#[test]
fn a_newer_version_tells_the_crashes_of_older_ones_and_each_is_found_in_its_own_build() {
    let (home, builds, collector) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Receiver::start());
    let manifest = std::fs::read_to_string(Path::new(PACKAGE).join("Cargo.toml")).unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut expected = Vec::new();
    let mut newest = PathBuf::new();
    for nth in 0..20_usize {
        // The same program, some lines later, of a version of its own.
        let package = tempfile::tempdir().unwrap();
        std::fs::create_dir(package.path().join("src")).unwrap();
        let lines = "//\n".repeat(nth);
        std::fs::write(package.path().join("src/main.rs"), format!("{lines}{}", MAIN.replace("//!", "//")))
            .unwrap();
        std::fs::copy(Path::new(PACKAGE).join("src/plugin.rs"), package.path().join("src/plugin.rs"))
            .unwrap();
        std::fs::copy(Path::new(PACKAGE).join("Cargo.lock"), package.path().join("Cargo.lock")).unwrap();
        // Not the version of the package itself: cargo would take one for the other.
        let version = format!("1.1.{nth}");
        let manifest = manifest.replacen("1.0.0", &version, 1).replace("\"../../..\"", &format!("{root:?}"));
        std::fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
        let mut arguments = vec!["rustc", "--release", "--bin", "panics", "--"];
        arguments.extend(LINKED[nth % LINKED.len()]);
        let building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        cargo(package.path(), &arguments);
        let (stripped, name) = (tempfile::tempdir().unwrap(), format!("panics-{nth}"));
        let built = program(&target().join("release"));
        if nth % 2 == 0 {
            strip(&built, stripped.path(), builds.path(), &name);
        } else {
            std::fs::copy(&built, stripped.path().join(&name)).unwrap();
            std::fs::copy(&built, builds.path().join(&name)).unwrap();
        }
        drop(building);
        let crashed = run(&stripped.path().join(&name), "err", home.path(), &collector.endpoint());
        expected.extend(crashed.into_iter().map(|(function, line)| (version.clone(), function, line)));
        newest = builds.path().join(&name);
    }
    run(&newest, "report", home.path(), &collector.endpoint());
    let crashes = arrived(&collector, builds.path());
    assert_eq!((crashes.len(), expected.len()), (20, 20));
    for (version, function, line) in expected {
        let crash = crashes.iter().find(|crash| crash.crash.version == version).unwrap();
        assert!(is_at(crash, &function, line), "{version} {function} {line}\n{}", crash.text(true));
    }
    let groups: std::collections::BTreeSet<u64> = crashes.iter().map(Backtrace::group).collect();
    assert!(groups.len() <= 2, "the same functions are one group, whatever the build: {}", groups.len());
}

#[cfg(unix)]
#[test]
fn what_a_real_collector_hands_on_reads_like_a_backtrace_after_one_command() {
    let store = Receiver::start();
    let Some(rotel) = Rotel::forwarding(&store.endpoint()) else { return };
    let (folder, home) = (built("release"), tempfile::tempdir().unwrap());
    run(&program(folder.path()), "err", home.path(), &rotel.endpoint());
    run(&program(folder.path()), "report", home.path(), &rotel.endpoint());
    assert!(store.wait_for_logs(Duration::from_secs(30), 1));
    let request = home.path().join("request");
    std::fs::write(&request, &store.requests()[0].body).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry-symbolize"));
    let output = command.arg("--builds").arg(folder.path()).arg(&request).output().unwrap();
    let (line, caller) = (line_of(MAIN, "failed.unwrap()"), line_of(MAIN, "\"err\" => err()"));
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        format!("panic.unwrap_err in version 1.0.0 at src/main.rs:{line}:"),
        format!("panics::err\n             at panics/src/main.rs:{line}\n"),
        format!("panics::main\n             at panics/src/main.rs:{caller}\n"),
    ] {
        assert!(output.status.success() && text.contains(&expected), "{expected}\n{text}");
    }
}

/// Settings as the server's command line gives them.
#[derive(clap::Parser)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
}

#[cfg(unix)]
#[test]
fn a_server_that_has_the_programs_shows_its_crashes_as_functions_and_lines() {
    let (folder, home) = (built("release"), tempfile::tempdir().unwrap());
    let (state, builds) = (home.path().join("server"), folder.path());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--state", state.to_str().unwrap()];
    let serve = Serve::parse_from(arguments.iter().chain(&["--builds", builds.to_str().unwrap()]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let serving = runtime.block_on(automagik_telemetry_gateway::serve::start(serve.settings)).unwrap();
    let address = serving.address;
    for way in ["err", "report"] {
        run(&program(builds), way, home.path(), &format!("http://{address}"));
    }
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    let request =
        "GET /view/crashes.csv?project=panics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let line = line_of(MAIN, "failed.unwrap()");
    for expected in [
        format!("panic.unwrap_err in version 1.0.0 at src/main.rs:{line}:"),
        format!("panics::err\n             at panics/src/main.rs:{line}\n"),
    ] {
        assert!(answer.contains(&expected), "{expected}\n{answer}");
    }
}

/// `PANICS_PE` names the folder of the program, built for Windows: `.ci/windows` does that.
#[cfg(unix)]
#[test]
#[ignore = "needs Wine, and a program that .ci/windows builds"]
fn a_program_for_windows_tells_its_panics_too() {
    let folder = PathBuf::from(std::env::var_os("PANICS_PE").expect("PANICS_PE names the program's folder"));
    let program = folder.join("panics.exe");
    for way in [
        "message",
        "err",
        "index",
        "thread",
        "small_stack",
        "destructor",
        "runtime",
        "recursion",
        "any",
        "long",
    ] {
        let told = (0..3).any(|_| {
            let (state, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
            let expected = run_under_wine(&program, way, state.path(), &collector.endpoint());
            has_no_marks(state.path());
            run_under_wine(&program, "report", state.path(), &collector.endpoint());
            let crashes = arrived(&collector, &folder);
            // Wine itself fails now and then, before the program says anything.
            if expected.is_empty() || crashes.is_empty() {
                return false;
            }
            assert_eq!(crashes.len(), 1, "{way}");
            let (function, line) = &expected[0];
            assert!(
                is_at(&crashes[0], function, *line),
                "{way}: {function} {line}\n{}",
                crashes[0].text(true)
            );
            true
        });
        assert!(told, "{way}");
    }
}

#[test]
fn where_there_is_no_disk_a_program_that_lives_on_or_unwinds_tells_it_all_the_same() {
    let folder = built("release");
    // In a container: nothing can be kept.
    let nowhere = folder.path().join("panics.txt");
    std::fs::write(&nowhere, "").unwrap();
    for way in ["message", "thread", "runtime"] {
        let collector = Receiver::start();
        run(&program(folder.path()), way, &nowhere, &collector.endpoint());
        assert_eq!(arrived(&collector, folder.path()).len(), 1, "{way}");
    }
}

#[test]
fn without_consent_nothing_is_kept_of_a_panic() {
    let (folder, home, collector) = (built("release"), tempfile::tempdir().unwrap(), Receiver::start());
    let mut command = at_home(home.path(), program(folder.path()));
    command.arg("message").env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    assert!(!command.output().unwrap().status.success());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_build_of_which_there_is_no_file_is_named() {
    let mut symbolizer = Symbolizer::new(Builds::read(&std::env::current_exe().unwrap()).unwrap());
    let row =
        br#"{"LogAttributes": {"exception.type": "panic", "service.version": "1.0.0", "error_place": "7",
        "exception.stacktrace": "build 0c9b\n0x1a2b4\n0x1b000 48 times\nand 12 more"}}"#;
    let crash = crashes::read(row).unwrap().remove(0);
    assert_eq!((crash.place, crash.addresses.as_slice()), (7, &[(0x1a2b4, 1), (0x1b000, 48)][..]));
    let text = symbolizer.backtrace(crash).text(false);
    assert!(text.contains("of build 0c9b, of which there is no file"), "{text}");
    assert!(text.contains("0x1b000 (48 times)") && text.contains("and 12 more"), "{text}");
}
