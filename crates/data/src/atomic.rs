use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

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

/// [`write_atomic`] for what is written piece by piece.
pub(crate) fn write_atomic_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<(), DataError> {
    let fail = |source| DataError::io(path, "write", source);
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fokker-").suffix(".tmp");
    #[cfg(unix)]
    {
        // tempfile's default of 0600 would make results unreadable to others; the umask decides as for any new file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder).map_err(fail)?;
    let mut buffer = BufWriter::new(temporary.as_file_mut());
    fill(&mut buffer)
        .and_then(|()| buffer.flush())
        .map_err(fail)?;
    drop(buffer);
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(path).map_err(|e| fail(e.error))?;
    // The rename itself must survive a power cut as well; not every file system can sync a folder, hence no error.
    if cfg!(unix)
        && let Ok(handle) = File::open(folder)
    {
        let _ = handle.sync_all();
    }
    Ok(())
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
