//! Thrift's compact protocol, as far as Parquet's metadata needs it.
//!
//! An integer is a zigzag varint; a field is a byte of (distance of its number to the last field's) × 16 + type, then its
//! value; a structure ends with a zero. (*Thrift compact protocol encoding*, Apache Thrift's documentation.)

/// The types of fields and list elements.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    I32 = 5,
    Binary = 8,
    Struct = 12,
}

const I64: u8 = 6;
const LIST: u8 = 9;

/// A structure being written: fields in the order of their numbers.
pub(super) struct Struct<'a> {
    out: &'a mut Vec<u8>,
    last: u8,
}

/// Appends a structure, its fields written by `fields`.
pub(super) fn structure(out: &mut Vec<u8>, fields: impl FnOnce(&mut Struct<'_>)) {
    fields(&mut Struct { out, last: 0 });
    out.push(0);
}

impl Struct<'_> {
    /// The head of the field `number`; Parquet's numbers are never more than 15 apart.
    fn field(&mut self, number: u8, kind: u8) {
        debug_assert!(number > self.last && number - self.last < 16);
        self.out.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    pub(super) fn i32(&mut self, number: u8, value: i32) -> &mut Self {
        self.field(number, Kind::I32 as u8);
        integer(self.out, value.into());
        self
    }

    pub(super) fn i64(&mut self, number: u8, value: i64) -> &mut Self {
        self.field(number, I64);
        integer(self.out, value);
        self
    }

    pub(super) fn binary(&mut self, number: u8, value: &[u8]) -> &mut Self {
        self.field(number, Kind::Binary as u8);
        binary(self.out, value);
        self
    }

    pub(super) fn structure(
        &mut self,
        number: u8,
        fields: impl FnOnce(&mut Struct<'_>),
    ) -> &mut Self {
        self.field(number, Kind::Struct as u8);
        structure(self.out, fields);
        self
    }

    /// A list of `len` elements, which `elements` appends.
    pub(super) fn list(
        &mut self,
        number: u8,
        kind: Kind,
        len: usize,
        elements: impl FnOnce(&mut Vec<u8>),
    ) -> &mut Self {
        self.field(number, LIST);
        if len < 15 {
            self.out.push((len as u8) << 4 | kind as u8);
        } else {
            self.out.push(0xf0 | kind as u8);
            varint(self.out, len as u64);
        }
        elements(self.out);
        self
    }
}

pub(super) fn integer(out: &mut Vec<u8>, value: i64) {
    varint(out, (value << 1 ^ value >> 63) as u64);
}

pub(super) fn binary(out: &mut Vec<u8>, value: &[u8]) {
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_of_the_protocol() {
        // The protocol's own examples: 50399 as a varint, and the zigzag order 0, −1, 1, −2, 2.
        let bytes = |fill: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            fill(&mut out);
            out
        };
        assert_eq!(bytes(&|out| varint(out, 50399)), [0xdf, 0x89, 0x03]);
        for (coded, value) in [0, -1, 1, -2, 2].into_iter().enumerate() {
            assert_eq!(bytes(&|out| integer(out, value)), [coded as u8]);
        }
        assert_eq!(bytes(&|out| integer(out, i64::MIN)).len(), 10);
    }
}
