//! Laws, round trips and refusals of every kind of data set.

mod digits;
mod folder;
mod garments;
mod idx;
mod memory;
mod npy;
mod npz;
mod padded;
mod toy;

use fokker_data::{DataError, Dataset};

/// All values and labels of a finite set.
fn contents(set: &dyn Dataset) -> (Vec<f32>, Vec<Option<u32>>) {
    let size = set.shape().size();
    let count = set.len().expect("finite");
    let mut values = vec![0.0; size * count as usize];
    let labels = values
        .chunks_mut(size)
        .zip(0..)
        .map(|(out, i)| set.item(i, out))
        .collect();
    (values, labels)
}

/// The message of a refusal, checked to hold every one of `parts`.
#[track_caller]
fn refused<T>(result: Result<T, DataError>, parts: &[&str]) {
    let message = match result {
        Ok(_) => panic!("accepted, but should be refused for {parts:?}"),
        Err(fault) => fault.to_string(),
    };
    for part in parts {
        assert!(message.contains(part), "{message:?} should hold {part:?}");
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
