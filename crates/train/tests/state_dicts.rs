//! Files of weights from strangers: what is read, and that nothing breaks.

use std::fs;
use std::path::Path;

use fokker_train::StateDict;
use proptest::prelude::*;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign");
    fs::read(folder.join(name)).unwrap()
}

fn parse(bytes: Vec<u8>) -> Result<StateDict, String> {
    StateDict::parse(bytes, Path::new("weights")).map_err(|e| e.to_string())
}

/// The moving average inside what a training saved, and not the weights beside it.
#[test]
fn a_training_s_checkpoint_gives_its_average() {
    let dict = parse(fixture("dit.pt")).unwrap();
    assert_eq!(dict.shape("blocks.1.attn.qkv.weight"), Some(&[48, 16][..]));
    assert!(
        dict.names()
            .all(|n| !n.starts_with("ema") && !n.starts_with("opt"))
    );
    // The fixed positions are sines and cosines: the other weights in this file are larger by one.
    let positions = dict.values("pos_embed").unwrap();
    assert!(positions.iter().all(|v| v.abs() <= 1.0) && positions[0] == 0.0);
}

#[test]
fn numbers_of_every_width() {
    use safetensors::Dtype::{BF16, F16, F32, F64, I64};
    use safetensors::tensor::TensorView;
    let bytes = |list: &[&[u8]]| list.concat();
    let f64s = bytes(&[&1.5_f64.to_le_bytes(), &(-0.25_f64).to_le_bytes()]);
    let f32s = bytes(&[&1.5_f32.to_le_bytes(), &(-0.25_f32).to_le_bytes()]);
    // 1.5, −0.25, the largest, the least subnormal, infinity, −0.
    let f16s: Vec<u8> = [0x3e00_u16, 0xb400, 0x7bff, 0x0001, 0x7c00, 0x8000]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let bf16s: Vec<u8> = [0x3fc0_u16, 0xbe80]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let whole = 7_i64.to_le_bytes();
    let views = [
        ("a", TensorView::new(F64, vec![2], &f64s).unwrap()),
        ("b", TensorView::new(F32, vec![2], &f32s).unwrap()),
        ("c", TensorView::new(F16, vec![6], &f16s).unwrap()),
        ("d", TensorView::new(BF16, vec![2], &bf16s).unwrap()),
        ("e", TensorView::new(I64, vec![], &whole).unwrap()),
    ];
    let dict = parse(safetensors::serialize(views, None).unwrap()).unwrap();
    for name in ["a", "b", "d"] {
        assert_eq!(dict.values(name).unwrap(), [1.5, -0.25], "{name}");
    }
    let half = dict.values("c").unwrap();
    assert_eq!(
        half,
        [1.5, -0.25, 65504.0, 2_f32.powi(-24), f32::INFINITY, 0.0]
    );
    assert!(half[5].is_sign_negative());
    assert_eq!((dict.values("e"), dict.shape("e")), (None, Some(&[][..])));
}

#[test]
fn what_is_no_file_of_weights_is_refused_in_words() {
    for (bytes, part) in [
        (b"".to_vec(), "neither a safetensors file"),
        (b"hello, world".to_vec(), "neither a safetensors file"),
        (b"PK\x03\x04".to_vec(), "PyTorch file"),
        (b"\x80\x02}q\x00.".to_vec(), "torch.save(torch.load("),
        (fixture("dit.pt")[..70_000].to_vec(), "PyTorch file"),
        (
            fixture("autoencoder-kl/diffusion_pytorch_model.safetensors")[..50_000].to_vec(),
            "safetensors",
        ),
    ] {
        let what = parse(bytes).map(drop).unwrap_err();
        assert!(what.contains(part), "expected {part:?} in {what:?}");
    }
}

/// The check sum of zip archives.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

/// The file with its pickle changed by `change` and all check sums right.
fn with_pickle(mut bytes: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let number =
        |b: &[u8], at: usize| u32::from_le_bytes(b[at..at + 4].try_into().unwrap()) as usize;
    let entry = (0..bytes.len() - 46)
        .find(|&i| {
            let name = |n: usize| &bytes[i + 46..(i + 46 + n).min(bytes.len())];
            bytes[i..].starts_with(b"PK\x01\x02")
                && name(bytes[i + 28] as usize).ends_with(b"data.pkl")
        })
        .unwrap();
    let (size, local) = (number(&bytes, entry + 20), number(&bytes, entry + 42));
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize;
    let start = local + 30 + short(local + 26) + short(local + 28);
    let pickle = &mut bytes[start..start + size];
    change(pickle);
    let sum = crc(pickle).to_le_bytes();
    bytes[entry + 16..entry + 20].copy_from_slice(&sum);
    bytes
}

/// The changes of [`with_pickle`] reach the reader.
#[test]
fn a_changed_name_is_read() {
    let bytes = with_pickle(fixture("course-unet.pt"), |pickle| {
        let at = pickle.windows(17).position(|w| w == b"final_conv.weight");
        pickle[at.unwrap()] = b'F';
    });
    assert!(parse(bytes).unwrap().shape("Final_conv.weight").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..400), zip in any::<bool>()) {
        let mut bytes = bytes;
        if zip {
            bytes.splice(0..0, *b"PK\x03\x04");
        }
        let _ = parse(bytes);
    }

    #[test]
    fn changed_files_break_nothing(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), inside in any::<bool>()) {
        let change = |bytes: &mut [u8]| {
            for (index, byte) in &changes {
                bytes[index.index(bytes.len())] = *byte;
            }
        };
        let mut bytes = fixture("course-unet.pt");
        if inside {
            bytes = with_pickle(bytes, change);
        } else {
            change(&mut bytes);
        }
        if let Ok(dict) = parse(bytes) {
            for name in dict.names().map(str::to_owned).collect::<Vec<_>>() {
                let count = dict.shape(&name).unwrap().iter().product::<usize>();
                prop_assert!(dict.values(&name).is_none_or(|v| v.len() == count));
            }
        }
    }
}
