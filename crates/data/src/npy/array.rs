//! One array: its header, checked, and its values one after another.

use std::io::{self, Read};

use super::header::{self, Header};
use crate::DataError;
use crate::source::at_end;

/// The type of the values of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// An array whose header was read and whose values come next.
pub(crate) struct Array<R> {
    reader: R,
    pub(crate) kind: Kind,
    /// NumPy's name of the type, such as `<f4`.
    pub(crate) descr: String,
    /// Bytes in one value: 1, 2, 4 or 8.
    width: usize,
    big_endian: bool,
    pub(crate) shape: Vec<u64>,
    /// How many values: the product of the shape, known to lie in the file.
    pub(crate) count: usize,
}

impl<R: Read> Array<R> {
    /// Reads and checks the header of an array that takes at most `at_most` bytes; `place` is what errors name.
    pub(crate) fn open(place: &str, mut reader: R, at_most: u64) -> Result<Self, DataError> {
        let Header {
            descr,
            fortran_order,
            shape,
            length,
        } = header::read(&mut reader).map_err(|what| {
            DataError::contents(place, what, "write it by numpy.save or numpy.savez")
        })?;
        let (kind, width, big_endian) = value_type(place, &descr)?;
        if fortran_order {
            let right = "save numpy.ascontiguousarray(x)";
            return Err(DataError::contents(
                place,
                "is in Fortran order (columns first)",
                right,
            ));
        }
        let room = at_most.saturating_sub(length) / width as u64;
        let count = shape
            .iter()
            .try_fold(1u64, |count, &axis| count.checked_mul(axis));
        let Some(count) = count
            .filter(|&count| count <= room)
            .and_then(|n| usize::try_from(n).ok())
        else {
            let what = format!("declares shape {shape:?}, more than the file can hold");
            return Err(DataError::contents(place, what, DAMAGED));
        };
        Ok(Self {
            reader,
            kind,
            descr,
            width,
            big_endian,
            shape,
            count,
        })
    }

    /// `true` for uint8.
    pub(crate) fn is_bytes(&self) -> bool {
        self.kind == Kind::Unsigned && self.width == 1
    }

    /// All values of an array of uint8.
    pub(crate) fn bytes(&mut self, place: &str) -> Result<Vec<u8>, DataError> {
        let mut values = Vec::new();
        self.each_chunk(place, |chunk| {
            values.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(values)
    }

    /// Gives every value, as f64 (integers beyond 2⁵³ rounded), to `visit`, with its place in the array.
    pub(crate) fn each_float(
        &mut self,
        place: &str,
        mut visit: impl FnMut(usize, f64) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (kind, width, big_endian) = (self.kind, self.width, self.big_endian);
        let mut index = 0;
        self.each_chunk(place, |chunk| {
            for value in chunk.chunks_exact(width) {
                let bits = bits(value, big_endian);
                let value = match (kind, width) {
                    (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
                    (Kind::Float, _) => f64::from_bits(bits),
                    (Kind::Unsigned, _) => bits as f64,
                    (Kind::Signed, _) => signed(bits, width) as f64,
                };
                visit(index, value)?;
                index += 1;
            }
            Ok(())
        })
    }

    /// Gives every value of an array of integers to `visit`, with its place in the array.
    pub(crate) fn each_integer(
        &mut self,
        place: &str,
        mut visit: impl FnMut(usize, i128) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (kind, width, big_endian) = (self.kind, self.width, self.big_endian);
        debug_assert_ne!(kind, Kind::Float);
        let mut index = 0;
        self.each_chunk(place, |chunk| {
            for value in chunk.chunks_exact(width) {
                let bits = bits(value, big_endian);
                let is_signed = kind == Kind::Signed;
                let wide = if is_signed {
                    i128::from(signed(bits, width))
                } else {
                    i128::from(bits)
                };
                visit(index, wide)?;
                index += 1;
            }
            Ok(())
        })
    }

    /// Reads the values in pieces of whole values, so that memory grows only with what really arrives.
    fn each_chunk(
        &mut self,
        place: &str,
        mut visit: impl FnMut(&[u8]) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let damaged = |fault: io::Error| match fault.kind() {
            io::ErrorKind::UnexpectedEof => {
                DataError::contents(place, "ends before all of its values", DAMAGED)
            }
            _ => DataError::contents(place, format!("cannot be read: {fault}"), DAMAGED),
        };
        let mut buffer = vec![0; 1 << 16];
        let mut left = self.count * self.width;
        while left > 0 {
            let size = left.min(buffer.len());
            let chunk = &mut buffer[..size];
            self.reader.read_exact(chunk).map_err(damaged)?;
            visit(chunk)?;
            left -= size;
        }
        if !at_end(&mut self.reader).map_err(damaged)? {
            let what = format!("goes on after the values of its shape {:?}", self.shape);
            return Err(DataError::contents(place, what, DAMAGED));
        }
        Ok(())
    }
}

const DAMAGED: &str = "the file is damaged or incomplete: write it again";

/// What NumPy's type string says: kind, bytes in one value, and whether the first byte is the greatest.
fn value_type(place: &str, descr: &str) -> Result<(Kind, usize, bool), DataError> {
    let right = "save float32, float64 or integers, as in x.astype(numpy.float32)";
    if descr.contains('O') {
        let what = format!("holds Python objects (type {descr}), which only Python can load");
        return Err(DataError::contents(place, what, right));
    }
    let known = || {
        let big_endian = match descr.get(..1)? {
            "<" | "|" => false,
            ">" => true,
            _ => return None,
        };
        let (kind, width) = match descr.get(1..)? {
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            _ => return None,
        };
        Some((kind, width, big_endian))
    };
    known()
        .ok_or_else(|| DataError::contents(place, format!("holds values of type {descr}"), right))
}

/// The bytes of one value as the low bits of a word.
fn bits(value: &[u8], big_endian: bool) -> u64 {
    let join = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
    if big_endian {
        value.iter().fold(0, join)
    } else {
        value.iter().rev().fold(0, join)
    }
}

/// The low `width` bytes as a number in two's complement.
fn signed(bits: u64, width: usize) -> i64 {
    let unused = 64 - 8 * width as u32;
    (bits << unused) as i64 >> unused
}
