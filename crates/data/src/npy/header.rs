//! The header of a `.npy` file.
//!
//! After 6 bytes of magic, 2 of version and the header's length stands a Python dictionary such as
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (60, 28), }`. Source: NumPy Enhancement Proposal 1, "A simple
//! file format for NumPy arrays". Only what such a header needs is understood here, without recursion, so that no header
//! can exhaust stack or memory.

use std::io::{self, Read};

/// NumPy itself refuses longer headers, for the sake of Python's parser.
const MAX_HEADER: usize = 10_000;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) descr: String,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<u64>,
    /// Bytes from the beginning of the file to the first value.
    pub(crate) length: u64,
}

/// Reads the header. The error says what is wrong.
pub(crate) fn read(reader: &mut dyn Read) -> Result<Header, String> {
    let mut start = [0; 8];
    read_exact(reader, &mut start)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err("does not begin as a NumPy array does".into());
    }
    let (size, before) = match start[6..] {
        [1, 0] => {
            let mut field = [0; 2];
            read_exact(reader, &mut field)?;
            (usize::from(u16::from_le_bytes(field)), 10)
        }
        [2 | 3, 0] => {
            let mut field = [0; 4];
            read_exact(reader, &mut field)?;
            (
                usize::try_from(u32::from_le_bytes(field)).unwrap_or(usize::MAX),
                12,
            )
        }
        _ => {
            return Err(format!(
                "has the unknown format version {}.{}",
                start[6], start[7]
            ));
        }
    };
    if size > MAX_HEADER {
        return Err(format!(
            "declares a header of {size} bytes; plain arrays need no more than {MAX_HEADER}"
        ));
    }
    let mut text = vec![0; size];
    read_exact(reader, &mut text)?;
    let (descr, fortran_order, shape) = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| Parser(text).dictionary())
        .ok_or("has a header that cannot be understood")?;
    Ok(Header {
        descr,
        fortran_order,
        shape,
        length: before + size as u64,
    })
}

fn read_exact(reader: &mut dyn Read, out: &mut [u8]) -> Result<(), String> {
    reader.read_exact(out).map_err(|fault| match fault.kind() {
        io::ErrorKind::UnexpectedEof => "ends within the header".to_owned(),
        _ => fault.to_string(),
    })
}

/// The text that is left to read. Every method answers `None` where the text is another.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    fn dictionary(mut self) -> Option<(String, bool, Vec<u64>)> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.token('{')?;
        while !self.has('}') {
            let key = self.string()?;
            self.token(':')?;
            match key {
                "descr" if descr.is_none() => descr = Some(self.descr()?),
                "fortran_order" if fortran_order.is_none() => fortran_order = Some(self.boolean()?),
                "shape" if shape.is_none() => shape = Some(self.tuple()?),
                _ => return None,
            }
            if !self.has(',') && !self.0.trim_start().starts_with('}') {
                return None;
            }
        }
        self.0.trim().is_empty().then_some(())?;
        Some((descr?, fortran_order?, shape?))
    }

    fn has(&mut self, token: char) -> bool {
        match self.0.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self, token: char) -> Option<()> {
        self.has(token).then_some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = if self.has('\'') {
            '\''
        } else {
            self.token('"').map(|()| '"')?
        };
        let (string, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        (!string.contains('\\')).then_some(string)
    }

    /// A type in quotes. A list stands for the fields of a record: its text is kept as it is, to be shown.
    fn descr(&mut self) -> Option<String> {
        if !self.0.trim_start().starts_with('[') {
            return self.string().map(str::to_owned);
        }
        let end = self.0.rfind(']')? + 1;
        let (record, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(record.trim().to_owned())
    }

    fn boolean(&mut self) -> Option<bool> {
        self.0 = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Some(value);
            }
        }
        None
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        self.token('(')?;
        let mut axes = Vec::new();
        while !self.has(')') {
            axes.push(self.number()?);
            // One axis needs its comma, as in Python.
            if !self.has(',') && (axes.len() < 2 || !self.0.trim_start().starts_with(')')) {
                return None;
            }
        }
        Some(axes)
    }

    fn number(&mut self) -> Option<u64> {
        self.0 = self.0.trim_start();
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        // Python 2 wrote an L after long numbers.
        self.0 = rest.strip_prefix('L').unwrap_or(rest);
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(String, bool, Vec<u64>)> {
        Parser(text).dictionary()
    }

    #[test]
    fn dictionaries_in_any_order() {
        let plain = Some(("<f4".to_owned(), false, vec![3, 4]));
        assert_eq!(
            parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n"),
            plain
        );
        assert_eq!(
            parse("{\"shape\":(3,4,),\"fortran_order\":False,\"descr\":\"<f4\"}"),
            plain
        );
        assert_eq!(
            parse("{'descr':'<f4','fortran_order':False,'shape':(3L, 4L)}"),
            plain
        );
        let scalar = parse("{'descr': '|u1', 'fortran_order': True, 'shape': ()}");
        assert_eq!(scalar, Some(("|u1".to_owned(), true, vec![])));
        let record =
            parse("{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (2,)}");
        assert_eq!(
            record.map(|(descr, ..)| descr).as_deref(),
            Some("[('a', '<f4'), ('b', '<i8')]")
        );
    }

    #[test]
    fn all_else_is_refused() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,) 'x': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} more",
            "{'descr': '<f4\\'', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4, 'fortran_order': False, 'shape': (3,)}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
