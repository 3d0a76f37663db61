//! Apache Parquet, streamed: the few parts of the format that a table of numbers needs.
//!
//! All columns are required, so pages hold values and no levels. Components are PLAIN and uncompressed: the mantissas of
//! simulated numbers are noise, which no codec makes much smaller. `trajectory` and `time` repeat themselves; they are
//! PLAIN and GZIP, which leaves about a hundredth of them (a tenth where each trajectory was saved only once). (*Apache Parquet format*, its `README.md` and `parquet.thrift`.)

mod meta;
mod thrift;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;

use super::{Dtype, Real, TableSpec};
use crate::atomic::AtomicFile;
use meta::{Chunk, Codec, Group};

/// The most rows of a row group, and of a page.
const GROUP_ROWS: usize = 1 << 20;
const PAGE_ROWS: usize = 1 << 17;
/// The most bytes of the components in a row group: it is kept in memory until it is full.
const GROUP_BYTES: usize = 64 << 20;
const MAGIC: &[u8] = b"PAR1";

#[derive(Debug)]
pub(super) struct Parquet {
    spec: TableSpec,
    /// The components of the rows of the group being filled.
    columns: Vec<Vec<u8>>,
    /// Rows in that group, and the most it takes.
    rows: usize,
    group_rows: usize,
    /// Rows of the groups before.
    rows_before: u64,
    groups: Vec<Group>,
}

impl Parquet {
    pub(super) fn begin(out: &mut impl Write, spec: &TableSpec) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let row_bytes = spec.names.len() * spec.dtype.bytes() as usize;
        Ok(Self {
            columns: vec![Vec::new(); spec.names.len()],
            rows: 0,
            group_rows: (GROUP_BYTES / row_bytes).clamp(1, GROUP_ROWS),
            rows_before: 0,
            groups: Vec::new(),
            spec: spec.clone(),
        })
    }

    pub(super) fn write<T: Real>(&mut self, out: &mut AtomicFile, values: &[T]) -> io::Result<()> {
        let dim = self.spec.names.len();
        let mut left = values;
        while !left.is_empty() {
            let rows = (left.len() / dim).min(self.group_rows - self.rows);
            let (now, rest) = left.split_at(rows * dim);
            self.columns
                .par_iter_mut()
                .enumerate()
                .for_each(|(j, column)| {
                    now.iter().skip(j).step_by(dim).for_each(|x| x.put(column));
                });
            self.rows += rows;
            if self.rows == self.group_rows {
                self.flush_group(out)?;
            }
            left = rest;
        }
        Ok(())
    }

    /// Writes what is left and the metadata that ends the file.
    pub(super) fn end(mut self, out: &mut AtomicFile) -> io::Result<()> {
        if self.rows > 0 {
            self.flush_group(out)?;
        }
        let footer = meta::footer(&self.spec, &self.groups);
        let length = u32::try_from(footer.len())
            .map_err(|_| io::Error::other("too many columns and row groups for one file"))?;
        out.write_all(&footer)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(MAGIC)
    }

    fn flush_group(&mut self, out: &mut AtomicFile) -> io::Result<()> {
        let times = &self.spec.times;
        let (first, per_trajectory) = (self.rows_before, times.len() as u64);
        let trajectory = |row: u64| (row / per_trajectory) as i64;
        let time = |row: u64| times[(row % per_trajectory) as usize];
        let last = first + self.rows as u64 - 1;
        let mut group = Group {
            rows: self.rows as u64,
            chunks: Vec::with_capacity(2 + self.columns.len()),
        };

        let pages = self.repeated(|row| trajectory(row).to_le_bytes())?;
        let mut chunk = chunk(out, Codec::Gzip, pages)?;
        chunk.range = Some([trajectory(first), trajectory(last)].map(i64::to_le_bytes));
        group.chunks.push(chunk);

        let pages = self.repeated(|row| time(row).to_le_bytes())?;
        let mut chunk = self::chunk(out, Codec::Gzip, pages)?;
        let saved = (first..=last).take(times.len()).map(time);
        let range = saved.fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], t| {
            [lo.min(t), hi.max(t)]
        });
        // As the format asks: a zero stands for both zeros.
        let signed = |zero: f64, t: f64| if t == 0.0 { zero } else { t };
        chunk.range = Some([signed(-0.0, range[0]), signed(0.0, range[1])].map(f64::to_le_bytes));
        group.chunks.push(chunk);

        let page_bytes = PAGE_ROWS * self.spec.dtype.bytes() as usize;
        for column in &mut self.columns {
            let pages = column.chunks(page_bytes).map(|bytes| Page {
                rows: bytes.len() / (page_bytes / PAGE_ROWS),
                uncompressed: bytes.len(),
                bytes,
            });
            group
                .chunks
                .push(self::chunk(out, Codec::Uncompressed, pages)?);
            column.clear();
        }
        self.groups.push(group);
        self.rows_before += self.rows as u64;
        self.rows = 0;
        Ok(())
    }

    /// The compressed pages of a column that is known from the row's number.
    fn repeated(&self, value: impl Fn(u64) -> [u8; 8] + Sync) -> io::Result<Vec<Page<Vec<u8>>>> {
        let pages = self.rows.div_ceil(PAGE_ROWS);
        (0..pages)
            .into_par_iter()
            .map(|page| {
                let first = page * PAGE_ROWS;
                let rows = PAGE_ROWS.min(self.rows - first);
                let start = self.rows_before + first as u64;
                let values = start..start + rows as u64;
                let bytes: Vec<u8> = values.flat_map(&value).collect();
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(&bytes)?;
                Ok(Page {
                    rows,
                    uncompressed: bytes.len(),
                    bytes: gzip.finish()?,
                })
            })
            .collect()
    }
}

/// The values of some rows of a column, as they stand in the file.
struct Page<B> {
    rows: usize,
    uncompressed: usize,
    bytes: B,
}

/// Writes the pages of a column of a row group.
fn chunk<B: AsRef<[u8]>>(
    out: &mut AtomicFile,
    codec: Codec,
    pages: impl IntoIterator<Item = Page<B>>,
) -> io::Result<Chunk> {
    let mut chunk = Chunk {
        codec,
        offset: out.bytes(),
        compressed: 0,
        uncompressed: 0,
        range: None,
    };
    for page in pages {
        let bytes = page.bytes.as_ref();
        let header = meta::page_header(page.rows, page.uncompressed, bytes.len());
        out.write_all(&header)?;
        out.write_all(bytes)?;
        chunk.compressed += (header.len() + bytes.len()) as u64;
        chunk.uncompressed += (header.len() + page.uncompressed) as u64;
    }
    Ok(chunk)
}

/// The components exactly, and a share for everything else.
pub(super) fn estimated_bytes(spec: &TableSpec) -> u128 {
    let values = spec.values() * u128::from(spec.dtype.bytes());
    // Metadata: some 150 bytes for each column of each row group, of which the smallest file has one.
    let columns = spec.names.len() as u128 + 2;
    let groups = 1 + (values / GROUP_BYTES as u128).max(spec.rows() / GROUP_ROWS as u128);
    // GZIP at its fastest leaves at most a byte or two of the 16 that trajectory and time take.
    values + columns * groups * 150 + spec.rows() * 2 + 200
}
