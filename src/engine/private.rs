//! Files of the console's own, which nobody else on the host reads. Each is written beside its place and then put there:
//! there is never half of one.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A folder for them, with those that it is in.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Puts one there, or in place of the one that is there.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (beside, _) = beside(path, bytes)?;
    fs::rename(beside, path)
}

/// The same, and waits until the disk has it: it outlives the host's end, too.
pub(super) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (beside, file) = beside(path, bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// The JSON files of a folder: not what was being written when the console ended.
pub(super) fn records(folder: &Path) -> io::Result<impl Iterator<Item = PathBuf> + use<>> {
    let paths = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|it| it == "json")))
}

fn beside(path: &Path, bytes: &[u8]) -> io::Result<(PathBuf, fs::File)> {
    // Two may be at the same.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let beside = path.with_extension(format!("{}.new", NEXT.fetch_add(1, Ordering::Relaxed)));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    Ok((beside, file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_reads_them_and_nothing_is_left_beside() {
        let home = tempfile::tempdir().expect("a folder");
        let (inside, file) = (home.path().join("a/b"), home.path().join("a/b/it.json"));
        folder(&inside).expect("made");
        folder(&inside).expect("it is there");
        write(&file, b"one").expect("written");
        write_through(&file, b"two").expect("written over");
        assert_eq!(fs::read(&file).expect("read"), b"two");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&inside), mode(&file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&inside).expect("a folder").count(), 1);
        fs::write(inside.join("it.7.new"), b"half").expect("written");
        assert_eq!(records(&inside).expect("a folder").collect::<Vec<_>>(), [file]);
        assert!(write(&home.path().join("nowhere/it.json"), b"").is_err());
    }
}
