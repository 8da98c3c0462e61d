//! A small disk.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// A disk of its own in memory, unmounted when dropped.
#[derive(Debug)]
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts one with `options` of tmpfs. Where this user may not, it says that the test is skipped.
    #[must_use]
    pub fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let mut error = std::io::stderr();
        let _ = writeln!(error, "SKIPPED: mounting a tmpfs ({options}) needs root");
        None
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}
