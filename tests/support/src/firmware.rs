//! Firmwares in QEMU: a Cortex-M3 (lm3s6965evb, 64 KiB of RAM), a Cortex-M0 (microbit, 16 KiB) and a RISC-V core (virt). `tests/firmware/run` installs
//! what the first needs; the last is in Debian's qemu-system-misc.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::Duration;

const ARM: &str = "qemu-system-arm";
const RISCV: &str = "qemu-system-riscv32";

/// SHA-256 in its small form: it is used once a start.
const COMPACT: &str = "--cfg sha2_backend=\"soft\" --cfg sha2_backend_soft=\"compact\"";

/// The folder of the images for a Cortex-M3: that of the tests, and `examples/firmware.rs`. Built once; `None` where this machine can't, which is said.
///
/// # Panics
///
/// Where they can't be built.
#[must_use]
pub fn images() -> Option<&'static Path> {
    static IMAGES: OnceLock<Option<PathBuf>> = OnceLock::new();
    IMAGES.get_or_init(|| build("thumbv7m-none-eabi", "firmware", "", ARM)).as_deref()
}

/// The image for a Cortex-M0, `tests/microbit`. Built once; `None` where this machine can't, which is said.
///
/// # Panics
///
/// Where it can't be built.
#[must_use]
pub fn microbit() -> Option<&'static Path> {
    static IMAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build =
        || Some(build("thumbv6m-none-eabi", "microbit", COMPACT, ARM)?.join("automagik-telemetry-microbit"));
    IMAGE.get_or_init(build).as_deref()
}

/// The image of a Cortex-M3 that falls, `tests/faults`. Built once; `None` where this machine can't, which is said.
///
/// # Panics
///
/// Where it can't be built.
#[must_use]
pub fn faults() -> Option<&'static Path> {
    static IMAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || Some(build("thumbv7m-none-eabi", "faults", "", ARM)?.join("automagik-telemetry-faults"));
    IMAGE.get_or_init(build).as_deref()
}

/// The image for a RISC-V core of 32 bits, `tests/riscv`. Built once; `None` where this machine can't, which is said.
///
/// # Panics
///
/// Where it can't be built.
#[must_use]
pub fn riscv() -> Option<&'static Path> {
    static IMAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let target = "riscv32imac-unknown-none-elf";
    let build = || Some(build(target, "riscv", COMPACT, RISCV)?.join("automagik-telemetry-riscv"));
    IMAGE.get_or_init(build).as_deref()
}

fn build(target: &str, package: &str, flags: &str, emulator: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let qemu = Command::new(emulator).arg("--version").output();
    // The same that .ci/cross looks for.
    let has = |rustc: &str, part: &str| {
        Command::new(rustc).args(["--print", "sysroot"]).output().is_ok_and(|output| {
            let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Path::new(&sysroot).join("lib/rustlib").join(part).is_dir()
        })
    };
    let rustup = has("rustc", &format!("{target}/lib"));
    let debian = has("/usr/bin/rustc", "src/rust/library/core");
    let missing = match (qemu, rustup || debian) {
        (Ok(_), true) => None,
        (Err(_), _) => Some(emulator.to_owned()),
        (Ok(_), false) => Some(format!("a compiler for {target}")),
    };
    if let Some(missing) = missing {
        let mut error = std::io::stderr();
        writeln!(error, "SKIPPED: {missing} is not installed (tests/firmware/run does that)").unwrap();
        return None;
    }
    // A folder for each kind of flags: they would rebuild each other's work.
    let folder = root.join("target/firmware").join(if flags.is_empty() { "" } else { "compact" });
    let mut command = Command::new(root.join(".ci/cross"));
    command
        .args([
            target,
            "build",
            "--quiet",
            "--release",
            "--manifest-path",
            &format!("tests/{package}/Cargo.toml"),
        ])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &folder)
        .env_remove("RUSTFLAGS");
    if !flags.is_empty() {
        command.env("RUSTFLAGS", flags);
    }
    assert!(command.status().unwrap().success());
    Some(folder.join(if rustup { "" } else { "cross" }).join(target).join("release"))
}

/// Starts the Cortex-M0's image, its serial line a connection to `port` of this machine. It ends when all that it recorded is acknowledged.
///
/// # Panics
///
/// Where QEMU can't be started.
#[must_use]
pub fn start_microbit(image: &Path, port: u16) -> Child {
    Command::new(ARM)
        .args(["-M", "microbit", "-display", "none", "-monitor", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-serial", &format!("tcp:127.0.0.1:{port}")])
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Starts the RISC-V core's image, its serial line a connection to `port` of this machine. It ends when all that it recorded is acknowledged.
///
/// # Panics
///
/// Where QEMU can't be started.
#[must_use]
pub fn start_riscv(image: &Path, port: u16) -> Child {
    Command::new(RISCV)
        .args(["-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none"])
        .args(["-serial", &format!("tcp:127.0.0.1:{port}")])
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the image that falls, and says whether it ended well. What it tells of it is written to the file at `path`.
///
/// # Panics
///
/// Where QEMU can't be started.
#[must_use]
pub fn fall(image: &Path, way: &str, path: &Path, consent: &str) -> bool {
    let mut child = Command::new(ARM)
        .args(["-M", "mps2-an385", "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-append"])
        .arg(format!("{way} {} {consent}", path.display()))
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while std::time::Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Starts the image with `words` on its command line.
///
/// # Panics
///
/// Where QEMU can't be started.
#[must_use]
pub fn start(image: &Path, words: &str) -> Child {
    Command::new(ARM)
        .args(["-M", "lm3s6965evb", "-nographic", "-nic", "user,model=stellaris", "-monitor", "none"])
        .args(["-serial", "none", "-semihosting-config", "enable=on,target=native"])
        .arg("-append")
        .arg(words)
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the image, and returns what it reports in the end.
///
/// # Panics
///
/// Where it fails, or does not end within two minutes.
#[must_use]
pub fn run(image: &Path, words: &str) -> String {
    let mut child = start(image, words);
    let (mut out, mut error) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let mut report = String::new();
        let _ = out.read_to_string(&mut report);
        let _ = error.read_to_string(&mut report);
        let _ = sender.send(report);
    });
    match ended.recv_timeout(Duration::from_secs(120)) {
        Ok(report) => {
            assert!(child.wait().unwrap().success(), "{report}");
            report
        }
        Err(_) => {
            child.kill().unwrap();
            panic!("it does not end");
        }
    }
}
