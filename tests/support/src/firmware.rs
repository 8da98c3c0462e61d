//! A firmware on a Cortex-M3: QEMU's lm3s6965evb, 64 KiB of RAM. `tests/firmware/run` installs what it needs.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::Duration;

const TARGET: &str = "thumbv7m-none-eabi";

/// The folder of the images: that of the tests, and `examples/firmware.rs`. Built once; `None` where this machine can't, which is said.
///
/// # Panics
///
/// Where they can't be built.
#[must_use]
pub fn images() -> Option<&'static Path> {
    static IMAGES: OnceLock<Option<PathBuf>> = OnceLock::new();
    IMAGES.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let qemu = Command::new("qemu-system-arm").arg("--version").output();
    // The same that .ci/cross looks for.
    let has = |rustc: &str, part: &str| {
        Command::new(rustc).args(["--print", "sysroot"]).output().is_ok_and(|output| {
            let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Path::new(&sysroot).join("lib/rustlib").join(part).is_dir()
        })
    };
    let rustup = has("rustc", &format!("{TARGET}/lib"));
    let debian = has("/usr/bin/rustc", "src/rust/library/core");
    let missing = match (qemu, rustup || debian) {
        (Ok(_), true) => None,
        (Err(_), _) => Some("qemu-system-arm"),
        (Ok(_), false) => Some("a compiler for thumbv7m-none-eabi"),
    };
    if let Some(missing) = missing {
        let mut error = std::io::stderr();
        writeln!(error, "SKIPPED: {missing} is not installed (tests/firmware/run does that)").unwrap();
        return None;
    }
    let built = Command::new(root.join(".ci/cross"))
        .args([TARGET, "build", "--quiet", "--release", "--manifest-path", "tests/firmware/Cargo.toml"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.join("target/firmware"))
        .env_remove("RUSTFLAGS")
        .status();
    assert!(built.unwrap().success());
    let folder = root.join("target/firmware").join(if rustup { "" } else { "cross" });
    Some(folder.join(TARGET).join("release"))
}

/// Starts the image with `words` on its command line.
///
/// # Panics
///
/// Where QEMU can't be started.
#[must_use]
pub fn start(image: &Path, words: &str) -> Child {
    Command::new("qemu-system-arm")
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
