//! Encoded captions: their file, and what is no such file.

use std::path::Path;

use fokker_nn::layers::EncodedText;
use fokker_train::Captions;
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

fn read(bytes: &[u8]) -> Result<Captions, String> {
    Captions::from_bytes(bytes, Path::new("captions.safetensors")).map_err(|e| e.to_string())
}

fn captions(lengths: &[usize], width: usize) -> Captions {
    let text = |(k, length): (usize, &usize)| EncodedText {
        tokens: (0..length * width)
            .map(|i| (k * 1000 + i) as f32 / 7.0)
            .collect(),
        pooled: (0..width).map(|i| -((k * 10 + i) as f32) / 3.0).collect(),
    };
    Captions(lengths.iter().enumerate().map(text).collect())
}

proptest! {
    #[test]
    fn what_is_written_reads_back(lengths in prop::collection::vec(1_usize..6, 1..9), width in 1_usize..5) {
        let captions = captions(&lengths, width);
        prop_assert_eq!(read(&captions.to_bytes()), Ok(captions));
    }

    #[test]
    fn damaged_files_are_refused_or_read(at in 0_usize..2000, to in any::<u8>()) {
        let mut bytes = captions(&[2, 3, 1], 4).to_bytes();
        let len = bytes.len();
        bytes[at % len] = to;
        let _ = read(&bytes);
        let _ = read(&bytes[..at % len]);
    }
}

#[test]
fn files_whose_parts_do_not_fit_are_refused() {
    let good = captions(&[2, 3], 4).to_bytes();
    let file = SafeTensors::deserialize(&good).unwrap();
    let values = |name: &str| file.tensor(name).unwrap().data().to_vec();
    let (tokens, pooled) = (values("tokens"), values("pooled"));
    let with = |lengths: [u32; 2], width: usize| {
        let lengths: Vec<u8> = lengths.iter().flat_map(|l| l.to_le_bytes()).collect();
        let view = |dtype, shape, data| TensorView::new(dtype, shape, data).unwrap();
        let views = [
            (
                "tokens",
                view(Dtype::F32, vec![tokens.len() / 4 / width, width], &tokens),
            ),
            ("pooled", view(Dtype::F32, vec![2, 4], &pooled)),
            ("lengths", view(Dtype::U32, vec![2], &lengths)),
        ];
        read(&safetensors::serialize(views, None).unwrap())
    };
    assert!(with([2, 3], 4).is_ok());
    for bad in [
        with([2, 2], 4),
        with([0, 5], 4),
        with([2, 3], 2),
        with([u32::MAX, 6], 4),
    ] {
        assert!(bad.unwrap_err().contains("do not fit together"));
    }
    assert!(
        read(b"")
            .unwrap_err()
            .contains("not a readable file of captions")
    );
}
