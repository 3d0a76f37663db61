//! Bytes from files, taken with care: nothing is allocated on the word of a header alone.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::DataError;

/// Deflate cannot make more than 1032 bytes of one.
const DEFLATE_RATIO: u64 = 1032;

/// An opened file and the most bytes that it can possibly give.
pub(crate) struct Source {
    pub(crate) reader: Box<dyn Read>,
    pub(crate) at_most: u64,
}

impl Source {
    /// Opens a file that is plain or compressed by gzip, whatever its name says.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let (mut file, length) = open_file(path)?;
        let start = file
            .fill_buf()
            .map_err(|source| DataError::io(path, "read", source))?;
        if !start.starts_with(&[0x1f, 0x8b]) {
            return Ok(Self {
                reader: Box::new(file),
                at_most: length,
            });
        }
        let at_most = length.saturating_mul(DEFLATE_RATIO);
        Ok(Self {
            reader: Box::new(MultiGzDecoder::new(file)),
            at_most,
        })
    }

    /// Opens a file as it is.
    pub(crate) fn open_plain(path: &Path) -> Result<Self, DataError> {
        let (file, length) = open_file(path)?;
        Ok(Self {
            reader: Box::new(file),
            at_most: length,
        })
    }
}

/// A file and its length.
pub(crate) fn open_file(path: &Path) -> Result<(BufReader<File>, u64), DataError> {
    let error = |source| DataError::io(path, "read", source);
    let file = File::open(path).map_err(error)?;
    let meta = file.metadata().map_err(error)?;
    if !meta.is_file() {
        return Err(DataError::file(
            path,
            "not a file",
            "give the path of a file",
        ));
    }
    Ok((BufReader::with_capacity(1 << 16, file), meta.len()))
}

/// Reads exactly `size` bytes. The buffer grows with what really arrives.
pub(crate) fn read_exactly(reader: &mut dyn Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(size).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// `true` where nothing follows. Reading on to the end also lets gzip and zip check their sums.
pub(crate) fn at_end(reader: &mut dyn Read) -> io::Result<bool> {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Ok(count) => return Ok(count == 0),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// A name for a file's data set: its name without folder and endings.
pub(crate) fn set_name(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    match name.split_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => name.into_owned(),
    }
}
