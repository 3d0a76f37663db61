use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::DataError;

/// Writes `bytes` to `path` so that the file is either the old one or the whole new one, never a part.
///
/// A temporary file in the same folder is written, synced to disk and renamed over `path`. If anything fails
/// (a full disk, a missing folder), the temporary file is removed and an existing file at `path` is left as it was.
///
/// # Errors
/// [`DataError::Io`] with the path and the reason.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), DataError> {
    write_atomic_with(path.as_ref(), |file| file.write_all(bytes))
}

/// [`write_atomic`] for what is written by one function.
pub(crate) fn write_atomic_with(
    path: &Path,
    fill: impl FnOnce(&mut AtomicFile) -> io::Result<()>,
) -> Result<(), DataError> {
    let mut file = AtomicFile::create(path)?;
    fill(&mut file).map_err(|source| DataError::io(path, "write", source))?;
    file.finish()?;
    Ok(())
}

/// [`write_atomic`] for what is written piece by piece, over hours perhaps.
///
/// The temporary file stands in the folder of `path` from the start, so a folder that cannot be written to is known
/// before any work is done. [`AtomicFile::finish`] puts the whole file in its place; without it (an error, a panic),
/// dropping the value removes the temporary file and leaves `path` as it was.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    buffer: BufWriter<NamedTempFile>,
    bytes: u64,
}

impl AtomicFile {
    /// Opens a temporary file beside `path`.
    ///
    /// # Errors
    /// [`DataError::Io`] when the folder is missing or cannot be written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let mut builder = tempfile::Builder::new();
        builder.prefix(".fokker-").suffix(".tmp");
        #[cfg(unix)]
        {
            // tempfile's default of 0600 would make results unreadable to others; the umask decides as for any new file.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let temporary = builder
            .tempfile_in(folder_of(path))
            .map_err(|source| DataError::io(path, "write", source))?;
        Ok(Self {
            path: path.into(),
            buffer: BufWriter::with_capacity(1 << 18, temporary),
            bytes: 0,
        })
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Syncs the file to disk and moves it to its place; its size in bytes.
    ///
    /// # Errors
    /// [`DataError::Io`] with the path and the reason; the temporary file is then gone.
    pub fn finish(self) -> Result<u64, DataError> {
        let Self {
            path,
            buffer,
            bytes,
        } = self;
        let fail = |source| DataError::io(&path, "write", source);
        let temporary = buffer.into_inner().map_err(|e| fail(e.into_error()))?;
        temporary.as_file().sync_all().map_err(fail)?;
        temporary.persist(&path).map_err(|e| fail(e.error))?;
        // The rename itself must survive a power cut as well; not every file system can sync a folder, hence no error.
        if cfg!(unix)
            && let Ok(handle) = File::open(folder_of(&path))
        {
            let _ = handle.sync_all();
        }
        Ok(bytes)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.buffer.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}

/// The folder in which the file `path` stands.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"old and long").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_written_piece_by_piece_appears_at_the_end_or_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.bin");
        std::fs::write(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(&[1; 1 << 20]).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new ").unwrap();
        file.write_all(b"bytes").unwrap();
        assert_eq!(file.finish().unwrap(), 9);
        assert_eq!(std::fs::read(&path).unwrap(), b"new bytes");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("a.png");
        let message = write_atomic(&path, b"x").unwrap_err().to_string();
        assert!(
            message.contains("missing") && message.contains("a.png"),
            "{message}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_rename_leaves_no_temporary_file() {
        // A folder stands where the file should go, so the last step is the one that fails.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("inside"), b"kept").unwrap();
        assert!(write_atomic(&path, b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read(path.join("inside")).unwrap(), b"kept");
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_folder_stays_empty() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let locked = folder.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        let result = write_atomic(locked.join("a"), b"x");
        // The superuser may write anywhere; then the file must be there and whole.
        match result {
            Ok(()) => assert_eq!(std::fs::read(locked.join("a")).unwrap(), b"x"),
            Err(_) => assert_eq!(std::fs::read_dir(&locked).unwrap().count(), 0),
        }
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
