//! A disk that can be full.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

/// A disk of one megabyte, which goes with it.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.expect("mount").success());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no room on it.
    pub fn fill(&self) {
        let _ = fs::write(self.path().join("full"), vec![0_u8; 2 << 20]);
    }

    /// Leaves room again.
    pub fn free(&self) {
        fs::remove_file(self.path().join("full")).expect("it was there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
