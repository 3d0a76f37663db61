//! Files of `torch.save`: a zip archive of a pickle and the tensors' bytes. Nothing in them is run.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use super::pickle;
use super::state_dict::Stored;

/// The storages of a file and the tensors in them, by name.
type Tensors = (Vec<Vec<u8>>, BTreeMap<String, Stored>);

/// Reads the bytes of a file.
pub(super) fn read(bytes: Vec<u8>) -> Result<Tensors, String> {
    let len = bytes.len() as u64;
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|e| format!("not a readable PyTorch file ({e}); it may be truncated"))?;
    let names = archive.file_names().filter_map(Result::ok);
    let pickles = names.filter(|n| n.ends_with("data.pkl"));
    let Some(first) = pickles.min_by_key(|n| n.len()).map(|n| n.into_owned()) else {
        return Err("a zip archive, but not one that torch.save wrote (it has no data.pkl)".into());
    };
    let root = first.trim_end_matches("data.pkl");
    let mut entry = |name: &str| -> Result<Vec<u8>, String> {
        let name = format!("{root}{name}");
        let file = archive.by_name(&name).map_err(|e| format!("{name}: {e}"))?;
        // PyTorch stores its entries as they are; one that unpacks to more than the file is not from there.
        if file.compression() != CompressionMethod::Stored || file.size() > len {
            return Err(format!(
                "{name} is compressed, which those of PyTorch are not"
            ));
        }
        let mut bytes = Vec::with_capacity(file.size() as usize);
        let read = file.take(len).read_to_end(&mut bytes);
        read.map_err(|e| format!("{name} cannot be read ({e})"))?;
        Ok(bytes)
    };
    if entry("byteorder").is_ok_and(|order| order != b"little") {
        return Err("written on a machine of the other byte order, which is not read".into());
    }
    let found = pickle::tensors(&entry("data.pkl")?)?;
    let mut storages = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut tensors = BTreeMap::new();
    for (name, tensor) in found {
        let storage = match places.get(&tensor.storage) {
            Some(place) => *place,
            None => {
                storages.push(entry(&format!("data/{}", tensor.storage))?);
                places.insert(tensor.storage.clone(), storages.len() - 1);
                storages.len() - 1
            }
        };
        let first = tensor.offset.checked_mul(tensor.kind.bytes());
        let stored = Stored {
            kind: tensor.kind,
            shape: tensor.shape,
            strides: tensor.strides,
            storage,
            first: first.ok_or_else(|| format!("{name} lies too far in its storage"))?,
        };
        tensors.insert(name, stored);
    }
    Ok((storages, tensors))
}
