//! Parquet's metadata: the numbers of fields and enumerations are those of `parquet.thrift`.

use super::thrift::{Kind, Struct, binary, integer, structure};
use super::{Dtype, TableSpec};

const INT64: i32 = 2;
const FLOAT: i32 = 4;
const DOUBLE: i32 = 5;
const REQUIRED: i32 = 0;
const DATA_PAGE: i32 = 0;
const PLAIN: i32 = 0;
const RLE: i32 = 3;

#[derive(Clone, Copy, Debug)]
pub(super) enum Codec {
    Uncompressed = 0,
    Gzip = 2,
}

/// A column of a row group, as it was written.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) codec: Codec,
    /// Where its first page begins.
    pub(super) offset: u64,
    /// Bytes with the pages' headers: in the file, and before compression.
    pub(super) compressed: u64,
    pub(super) uncompressed: u64,
    /// The least and the greatest value, where readers can use them to skip the group.
    pub(super) range: Option<[[u8; 8]; 2]>,
}

/// A row group, as it was written.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rows: u64,
    pub(super) chunks: Vec<Chunk>,
}

/// `PageHeader` of a data page of the first version.
pub(super) fn page_header(rows: usize, uncompressed: usize, compressed: usize) -> Vec<u8> {
    let mut out = Vec::new();
    structure(&mut out, |page| {
        page.i32(1, DATA_PAGE)
            .i32(2, uncompressed as i32)
            .i32(3, compressed as i32)
            .structure(5, |data| {
                data.i32(1, rows as i32)
                    .i32(2, PLAIN)
                    .i32(3, RLE)
                    .i32(4, RLE);
            });
    });
    out
}

/// `FileMetaData`.
pub(super) fn footer(spec: &TableSpec, groups: &[Group]) -> Vec<u8> {
    let component = match spec.dtype {
        Dtype::F32 => FLOAT,
        Dtype::F64 => DOUBLE,
    };
    let mut columns = vec![("trajectory", INT64), ("time", DOUBLE)];
    columns.extend(spec.names.iter().map(|name| (name.as_str(), component)));
    let rows: u64 = groups.iter().map(|group| group.rows).sum();
    let mut out = Vec::new();
    structure(&mut out, |file| {
        file.i32(1, 1)
            .list(2, Kind::Struct, 1 + columns.len(), |out| {
                structure(out, |root| {
                    root.binary(4, b"schema").i32(5, columns.len() as i32);
                });
                for &(name, kind) in &columns {
                    structure(out, |column| {
                        column
                            .i32(1, kind)
                            .i32(3, REQUIRED)
                            .binary(4, name.as_bytes());
                    });
                }
            })
            .i64(3, rows as i64)
            .list(4, Kind::Struct, groups.len(), |out| {
                for group in groups {
                    structure(out, |out| row_group(out, group, &columns));
                }
            })
            .binary(
                6,
                concat!("fokker version ", env!("CARGO_PKG_VERSION")).as_bytes(),
            )
            // The ranges are in the order of the columns' types.
            .list(7, Kind::Struct, columns.len(), |out| {
                for _ in &columns {
                    structure(out, |order| {
                        order.structure(1, |_| ());
                    });
                }
            });
    });
    out
}

/// `RowGroup`.
fn row_group(out: &mut Struct<'_>, group: &Group, columns: &[(&str, i32)]) {
    let uncompressed: u64 = group.chunks.iter().map(|chunk| chunk.uncompressed).sum();
    let compressed: u64 = group.chunks.iter().map(|chunk| chunk.compressed).sum();
    out.list(1, Kind::Struct, columns.len(), |out| {
        for (chunk, &(name, kind)) in group.chunks.iter().zip(columns) {
            structure(out, |column| {
                column
                    .i64(2, 0)
                    .structure(3, |out| column_meta(out, group.rows, chunk, name, kind));
            });
        }
    })
    .i64(2, uncompressed as i64)
    .i64(3, group.rows as i64)
    .i64(6, compressed as i64);
}

/// `ColumnMetaData`.
fn column_meta(out: &mut Struct<'_>, rows: u64, chunk: &Chunk, name: &str, kind: i32) {
    out.i32(1, kind)
        .list(2, Kind::I32, 1, |out| integer(out, PLAIN.into()))
        .list(3, Kind::Binary, 1, |out| binary(out, name.as_bytes()))
        .i32(4, chunk.codec as i32)
        .i64(5, rows as i64)
        .i64(6, chunk.uncompressed as i64)
        .i64(7, chunk.compressed as i64)
        .i64(9, chunk.offset as i64);
    if let Some([least, greatest]) = &chunk.range {
        out.structure(12, |statistics| {
            statistics.i64(3, 0).binary(5, greatest).binary(6, least);
        });
    }
}
