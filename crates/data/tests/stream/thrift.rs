//! A reader of Thrift's compact protocol, written from its description.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) enum Item {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Item>),
    Struct(BTreeMap<i64, Item>),
}

impl Item {
    pub(crate) fn get(&self, field: i64) -> &Item {
        match self {
            Item::Struct(fields) => &fields[&field],
            other => panic!("{other:?} has no fields"),
        }
    }

    pub(crate) fn int(&self, field: i64) -> i64 {
        match self.get(field) {
            Item::Int(value) => *value,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn bytes(&self, field: i64) -> &[u8] {
        match self.get(field) {
            Item::Bytes(value) => value,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn list(&self, field: i64) -> &[Item] {
        match self.get(field) {
            Item::List(items) => items,
            other => panic!("{other:?}"),
        }
    }
}

fn take(bytes: &mut &[u8]) -> u8 {
    let (first, rest) = bytes.split_first().unwrap();
    *bytes = rest;
    *first
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let byte = take(bytes);
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a varint without an end");
}

fn zigzag(bytes: &mut &[u8]) -> i64 {
    let value = varint(bytes);
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Takes a structure off the front.
pub(crate) fn structure(bytes: &mut &[u8]) -> Item {
    item(bytes, 12)
}

fn item(bytes: &mut &[u8], kind: u8) -> Item {
    match kind {
        4..=6 => Item::Int(zigzag(bytes)),
        8 => {
            let len = varint(bytes) as usize;
            let (value, rest) = bytes.split_at(len);
            let value = value.to_vec();
            *bytes = rest;
            Item::Bytes(value)
        }
        9 => {
            let head = take(bytes);
            let len = match head >> 4 {
                15 => varint(bytes),
                len => len.into(),
            };
            Item::List((0..len).map(|_| item(bytes, head & 15)).collect())
        }
        12 => {
            let mut fields = BTreeMap::new();
            let mut last = 0;
            loop {
                let head = take(bytes);
                if head == 0 {
                    return Item::Struct(fields);
                }
                last = match head >> 4 {
                    0 => zigzag(bytes),
                    step => last + i64::from(step),
                };
                fields.insert(last, item(bytes, head & 15));
            }
        }
        other => panic!("type {other}"),
    }
}
