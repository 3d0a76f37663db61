//! The part of Python's pickle language that state dicts are written in, read without running anything.
//!
//! A pickle is a program for a stack machine. Objects live in an arena and are named by their place in it, so that what is
//! remembered (the "memo") is the object itself. Calls are looked up by name: tensors, parameters and ordered dictionaries are
//! understood, every other object is opaque.

use std::collections::HashMap;

use super::state_dict::Kind;

/// A tensor as a pickle describes it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) kind: Kind,
    /// The name of its storage.
    pub(super) storage: String,
    /// Its first number in the storage.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

type Id = usize;

#[derive(Clone, Debug)]
enum Node {
    Mark,
    Opaque,
    Int(i64),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function, "module name".
    Global(String),
    Storage(Kind, String),
    Tensor(Described),
}

/// Where a state dict lies in what a training saved, best first: moving averages before weights.
const KEYS: [&str; 8] = [
    "ema",
    "model_ema",
    "ema_model",
    "model",
    "state_dict",
    "model_state_dict",
    "network",
    "net",
];

/// The tensors of the state dict that a pickle describes, by name.
pub(super) fn tensors(bytes: &[u8]) -> Result<Vec<(String, Described)>, String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        memo: HashMap::new(),
    };
    let top = machine.run()?;
    let mut found = machine.named(top);
    for key in KEYS {
        if found.is_empty()
            && let Some(inner) = machine.entry(top, key)
        {
            found = machine.named(inner);
        }
    }
    Ok(found)
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    memo: HashMap<usize, Id>,
}

const SHORT: &str = "the pickle inside ends too early; the file may be truncated";
const BAD: &str = "the pickle inside is not one of a state dict";

impl Machine<'_> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let op = self.byte()?;
            match op {
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'.' => return self.pop(),
                b'(' => self.push(Node::Mark),
                b'N' | 0x88 | 0x89 | 0x8f => self.push(Node::Opaque),
                b'}' => self.push(Node::Dict(Vec::new())),
                b']' => self.push(Node::List(Vec::new())),
                b')' => self.push(Node::Tuple(Vec::new())),
                b'J' => {
                    let b = self.take(4)?;
                    let value = i32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                    self.push(Node::Int(value.into()));
                }
                b'K' => {
                    let value = self.byte()?;
                    self.push(Node::Int(value.into()));
                }
                b'M' => {
                    let b = self.take(2)?;
                    let value = u16::from_le_bytes([b[0], b[1]]);
                    self.push(Node::Int(value.into()));
                }
                0x8a => self.long()?,
                b'G' => {
                    self.take(8)?;
                    self.push(Node::Opaque);
                }
                b'X' | b'T' | b'B' => {
                    let n = self.size(4)?;
                    self.text(n)?;
                }
                0x8c | b'U' | b'C' => {
                    let n = self.size(1)?;
                    self.text(n)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Node::Global(format!("{module} {name}")));
                }
                0x93 => {
                    let (name, module) = (self.pop_text()?, self.pop_text()?);
                    self.push(Node::Global(format!("{module} {name}")));
                }
                b'q' | b'r' => {
                    let n = self.size(if op == b'q' { 1 } else { 4 })?;
                    let top = self.top()?;
                    self.memo.insert(n, top);
                }
                0x94 => {
                    let top = self.top()?;
                    self.memo.insert(self.memo.len(), top);
                }
                b'h' | b'j' => {
                    let n = self.size(if op == b'h' { 1 } else { 4 })?;
                    let id = *self.memo.get(&n).ok_or(BAD)?;
                    self.stack.push(id);
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Node::Tuple(items));
                }
                0x85..=0x87 => {
                    let n = usize::from(op - 0x84);
                    let first = self.stack.len().checked_sub(n).ok_or(BAD)?;
                    let items = self.stack.split_off(first);
                    self.push(Node::Tuple(items));
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' | 0x90 => {
                    let items = self.since_mark()?;
                    self.append(items)?;
                }
                b'R' | 0x81 => {
                    let (arguments, callable) = (self.pop()?, self.pop()?);
                    let made = self.call(callable, arguments)?;
                    self.stack.push(made);
                }
                // The state of an object: of ours only an ordered dictionary's metadata.
                b'b' | b'0' => drop(self.pop()?),
                b'1' => drop(self.since_mark()?),
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'Q' => {
                    let id = self.pop()?;
                    let node = self.storage(id).unwrap_or(Node::Opaque);
                    self.push(node);
                }
                other => return Err(format!("{BAD} (operation {other:#04x})")),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        let byte = *self.bytes.get(self.at).ok_or(SHORT)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, n: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(n).ok_or(SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    /// A size of `n` bytes.
    fn size(&mut self, n: usize) -> Result<usize, String> {
        let bytes = self.take(n)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |sum, b| sum << 8 | usize::from(*b)))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at..];
        let n = rest.iter().position(|b| *b == b'\n').ok_or(SHORT)?;
        let line = String::from_utf8_lossy(&rest[..n]).into_owned();
        self.at += n + 1;
        Ok(line)
    }

    fn text(&mut self, n: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.take(n)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    /// A whole number of any length; one that does not fit is opaque.
    fn long(&mut self) -> Result<(), String> {
        let n = self.size(1)?;
        let bytes = self.take(n)?;
        let node = if n <= 8 {
            let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
            let start = if negative { -1_i64 } else { 0 };
            let value = bytes
                .iter()
                .rev()
                .fold(start, |sum, b| sum << 8 | i64::from(*b));
            Node::Int(value)
        } else {
            Node::Opaque
        };
        self.push(node);
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| BAD.into())
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(|| BAD.into())
    }

    fn pop_text(&mut self) -> Result<String, String> {
        let id = self.pop()?;
        self.text_of(id)
            .map(str::to_owned)
            .ok_or_else(|| BAD.into())
    }

    /// What was pushed since the newest mark.
    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let is_mark = |id: &Id| matches!(self.nodes[*id], Node::Mark);
        let mark = self.stack.iter().rposition(is_mark).ok_or(BAD)?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn set(&mut self, items: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        if let Node::Dict(dict) = &mut self.nodes[top] {
            dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Ok(())
    }

    fn append(&mut self, mut items: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        if let Node::List(list) = &mut self.nodes[top] {
            list.append(&mut items);
        }
        Ok(())
    }

    fn call(&mut self, callable: Id, arguments: Id) -> Result<Id, String> {
        let Node::Global(name) = &self.nodes[callable] else {
            return Ok(self.add(Node::Opaque));
        };
        let arguments = self.items(arguments).to_vec();
        let node = match name.as_str() {
            "collections OrderedDict" => Node::Dict(Vec::new()),
            "torch._utils _rebuild_parameter" => {
                return arguments.first().copied().ok_or_else(|| BAD.into());
            }
            "torch._utils _rebuild_tensor_v2" => {
                self.tensor(&arguments).map_or(Node::Opaque, Node::Tensor)
            }
            _ => Node::Opaque,
        };
        Ok(self.add(node))
    }

    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// ("storage", class, name, device, count).
    fn storage(&self, id: Id) -> Option<Node> {
        let [_, class, name, ..] = self.items(id) else {
            return None;
        };
        let Node::Global(class) = &self.nodes[*class] else {
            return None;
        };
        let kind = match class.rsplit_once([' ', '.'])?.1 {
            "FloatStorage" => Kind::F32,
            "DoubleStorage" => Kind::F64,
            "HalfStorage" => Kind::F16,
            "BFloat16Storage" => Kind::Bf16,
            "LongStorage" => Kind::Whole(8),
            "IntStorage" => Kind::Whole(4),
            "ShortStorage" => Kind::Whole(2),
            "CharStorage" | "ByteStorage" | "BoolStorage" => Kind::Whole(1),
            _ => return None,
        };
        Some(Node::Storage(kind, self.text_of(*name)?.to_owned()))
    }

    /// (storage, offset, shape, strides, …).
    fn tensor(&self, arguments: &[Id]) -> Option<Described> {
        let [storage, offset, shape, strides, ..] = arguments else {
            return None;
        };
        let Node::Storage(kind, storage) = &self.nodes[*storage] else {
            return None;
        };
        let all = |id: &Id| -> Option<Vec<usize>> {
            self.items(*id).iter().map(|i| self.number(*i)).collect()
        };
        Some(Described {
            kind: *kind,
            storage: storage.clone(),
            offset: self.number(*offset)?,
            shape: all(shape)?,
            strides: all(strides)?,
        })
    }

    fn number(&self, id: Id) -> Option<usize> {
        match self.nodes[id] {
            Node::Int(n) => n.try_into().ok(),
            _ => None,
        }
    }

    fn text_of(&self, id: Id) -> Option<&str> {
        match &self.nodes[id] {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    fn items(&self, id: Id) -> &[Id] {
        match &self.nodes[id] {
            Node::Tuple(items) | Node::List(items) => items,
            _ => &[],
        }
    }

    fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let Node::Dict(items) = &self.nodes[dict] else {
            return None;
        };
        let found = items.iter().find(|(k, _)| self.text_of(*k) == Some(key));
        found.map(|(_, value)| *value)
    }

    /// The tensors that a dictionary holds by name.
    fn named(&self, dict: Id) -> Vec<(String, Described)> {
        let Node::Dict(items) = &self.nodes[dict] else {
            return Vec::new();
        };
        let tensor = |(key, value): &(Id, Id)| match (self.text_of(*key), &self.nodes[*value]) {
            (Some(key), Node::Tensor(tensor)) => Some((key.to_owned(), tensor.clone())),
            _ => None,
        };
        items.iter().filter_map(tensor).collect()
    }
}
