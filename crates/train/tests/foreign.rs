//! Imported networks beside the PyTorch modules they came from: outputs, gradients, runs of samplers, and the way back.
//! `parity/foreign.py` makes the fixtures.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{Begin, Draw, Network, State, labels, sampler};
use fokker_nn::{Autoencoder, AutoencoderKlConfig};
use fokker_train::config::NetworkConfig;
use fokker_train::foreign::{self, FAMILIES, Hints, Source};
use fokker_train::{RunFolder, StateDict};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign")
}

fn outputs(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("outputs.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn numbers(list: &Value) -> Vec<f32> {
    let list = list.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn tensor(values: Vec<f32>, rows: usize, device: &Device) -> State {
    let width = values.len() / rows;
    State::from_data(TensorData::new(values, [rows, width]), device)
}

fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_to_vec().unwrap()
}

/// The largest difference over the largest value of `b`.
fn error(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let max = b.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs() / max);
    worst.fold(0.0, |m, e| if e.is_nan() || e > m { e } else { m })
}

/// The families, where their fixtures are, under which name their outputs are, and what sampled them.
const CASES: [(&str, &str, &str, &str); 7] = [
    ("dit", "dit.pt", "dit", "ddim"),
    ("sit", "dit.pt", "sit", "euler"),
    ("diffusers-dit", "diffusers-dit", "diffusers-dit", "ddim"),
    ("diffusers-unet", "ddpm-unet", "ddpm-unet", "ddim"),
    ("diffusers-unet", "adm-unet", "adm-unet", "ddim"),
    ("course-unet", "course-unet.pt", "course-unet", ""),
    ("course-dit", "course-dit.pt", "course-dit", ""),
];

/// Families of autoencoders, and where their fixtures are.
const AUTOENCODERS: [(&str, &str); 2] = [
    ("autoencoder-kl", "autoencoder-kl"),
    ("course-vae", "course-vae.pt"),
];

fn hints(family: &str) -> Hints {
    Hints {
        heads: matches!(family, "dit" | "sit" | "course-dit").then_some(2),
        size: matches!(family, "course-unet" | "course-vae").then_some(8),
        ..Hints::default()
    }
}

fn import(family: &str, file: &str, folder: &Path) -> RunFolder {
    let of = foreign::family(family).unwrap();
    let source = Source::open(&fixtures().join(file), of, None).unwrap();
    foreign::import(&source, of, &hints(family), folder).unwrap()
}

/// ⟨out, cotangent⟩ as in the script.
fn against(out: State) -> Tensor<1> {
    let n = out.dims().iter().product::<usize>();
    let device = out.device();
    let cotangent = (0..n).map(|j| (0.1 + j as f64).cos() as f32).collect();
    (out * tensor(cotangent, 2, &device)).sum()
}

fn agrees(out: State, x: &State, expected: &Value, what: &str) {
    let e = error(&values(out.clone()), &numbers(&expected["output"]));
    assert!(e <= 1e-5, "{what}: output off by {e:e}");
    let gradient = x.grad(&against(out).backward()).expect("x has a gradient");
    let e = error(&values(gradient), &numbers(&expected["gradient"]));
    assert!(e <= 1e-4, "{what}: gradient off by {e:e}");
}

#[test]
fn outputs_and_gradients_are_those_of_pytorch() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    for (family, file, name, _) in CASES {
        let run = import(family, file, &folder.path().join(name));
        let (flow, _) = run.flow(&device).unwrap();
        if let NetworkConfig::DiT(config) = &run.config().network {
            let image: [usize; 3] = run.info().shape[..].try_into().unwrap();
            let count = config.num_params(image, flow.output.outputs(), flow.classes);
            assert_eq!(run.info().parameters, count, "{name}");
        }
        let expected = outputs(name);
        let x = tensor(numbers(&expected["x"]), 2, &device).require_grad();
        let t = numbers(&expected["t"]);
        let t = Tensor::from_data(TensorData::new(t, [2]), &device);
        let y: Vec<u32> = numbers(&expected["y"]).iter().map(|y| *y as u32).collect();
        let y = (!y.is_empty()).then(|| labels(&y, &device));
        // In training the statistics of batch norms would be those of the batch.
        let network = flow.network.freeze();
        agrees(network.forward(x.clone(), t, y), &x, &expected, name);
    }
}

/// The whole way: the same start, ten steps of the other's sampler there and of ours here.
#[test]
fn sampling_walks_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    for (family, file, name, method) in CASES {
        if method.is_empty() {
            continue;
        }
        let run = import(family, file, &folder.path().join(name));
        let (flow, _) = run.flow(&Device::flex()).unwrap();
        let expected = outputs(name);
        let draw = Draw {
            sampler: sampler(method).unwrap(),
            steps: 10,
            count: 2,
            begin: Begin::States(numbers(&expected["x"]).into()),
            classes: numbers(&expected["y"]).iter().map(|y| *y as u32).collect(),
            ..Draw::default()
        };
        let e = error(&flow.sample(&draw).unwrap(), &numbers(&expected["end"]));
        assert!(e <= 1e-4, "{name}: ten steps of {method} are off by {e:e}");
    }
}

#[test]
fn autoencoders_are_those_of_pytorch() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    for (family, file) in AUTOENCODERS {
        let run = import(family, file, &folder.path().join(family));
        let (net, _) = run.autoencoder(&device).unwrap();
        let expected = outputs(family);
        let x = tensor(numbers(&expected["encode"]["x"]), 2, &device).require_grad();
        let found = net.encode(x.clone());
        let both = Tensor::cat(vec![found.mean, found.log_variance], 1);
        agrees(both, &x, &expected["encode"], family);
        let z = tensor(numbers(&expected["decode"]["x"]), 2, &device).require_grad();
        agrees(net.decode(z.clone()), &z, &expected["decode"], family);
        if let NetworkConfig::AutoencoderKl(config) = &run.config().network {
            assert_eq!(config.num_params([3, 8, 8]), net.num_params());
            assert_eq!((net.latent(), net.scaling()), ([4, 4, 4], 0.3));
        }
    }
}

/// A network of latents with the autoencoder that decodes them, scaled as the autoencoder says.
#[test]
fn a_network_of_latents_has_its_autoencoder() {
    let folder = tempfile::tempdir().unwrap();
    let vae = import(
        "autoencoder-kl",
        "autoencoder-kl",
        &folder.path().join("vae"),
    );
    let of = foreign::family("diffusers-dit").unwrap();
    let source = Source::open(&fixtures().join("diffusers-dit"), of, None).unwrap();
    let hints = |run: &RunFolder, size| Hints {
        autoencoder: Some(run.path().to_owned()),
        size,
        ..Hints::default()
    };
    let out = folder.path().join("run");
    let what = foreign::import(&source, of, &hints(&vae, None), &out)
        .map(drop)
        .unwrap_err();
    assert!(
        what.to_string().contains("4×8×8") && what.to_string().contains("4×4×4"),
        "{what}"
    );
    let run = foreign::import(&source, of, &hints(&vae, Some(4)), &out).unwrap();
    assert_eq!(run.info().shape, [3, 8, 8]);
    let device = Device::flex();
    let (flow, _) = run.flow(&device).unwrap();
    assert_eq!((flow.dim, flow.classes), (4 * 4 * 4, 3));
    let space = run
        .latent_space(&device)
        .unwrap()
        .expect("it works in latents");
    let latents = numbers(&outputs("autoencoder-kl")["decode"]["x"]);
    let scaled: Vec<f32> = latents.iter().map(|z| z * 0.3).collect();
    let e = error(
        &space.decode(&scaled),
        &numbers(&outputs("autoencoder-kl")["decode"]["output"]),
    );
    assert!(e < 1e-5, "decoded latents are off by {e:e}");
}

/// The size of stabilityai/sd-vae-ft-mse as PyTorch counts it.
#[test]
fn the_size_of_the_public_autoencoder() {
    let config = AutoencoderKlConfig::default();
    assert_eq!(config.num_params([3, 256, 256]), 83_653_863);
    assert_eq!(config.latent([3, 256, 256]), [4, 32, 32]);
}

/// Import, export: the same names, shapes and bits.
#[test]
fn the_way_back_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases: Vec<(&str, &str)> = CASES.iter().map(|c| (c.0, c.1)).collect();
    cases.extend(AUTOENCODERS);
    for (i, (family, file)) in cases.into_iter().enumerate() {
        let of = foreign::family(family).unwrap();
        let original = Source::open(&fixtures().join(file), of, None).unwrap();
        let run = import(family, file, &folder.path().join(format!("run{i}")));
        let out = folder.path().join(format!("out{i}"));
        foreign::export(&run, of, &out).unwrap();
        let back = Source::open(&out, of, None).unwrap();
        let [a, b] = [original.dict(), back.dict()];
        assert_eq!(a.names().collect::<Vec<_>>(), b.names().collect::<Vec<_>>());
        for name in a.names() {
            assert_eq!(a.shape(name), b.shape(name), "{name}");
            let bits = |d: &StateDict| {
                let values = d.values(name);
                values.map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
            };
            assert!(bits(a) == bits(b), "{family}: {name} has changed");
        }
        // What was written describes the same network.
        let again = foreign::import(
            &back,
            of,
            &hints(family),
            &folder.path().join(format!("again{i}")),
        );
        let again = again.unwrap();
        assert_eq!(again.config().network, run.config().network);
        assert_eq!(again.config().objective, run.config().objective);
        assert_eq!(again.info().shape, run.info().shape);
        assert_eq!(again.info().classes, run.info().classes);
    }
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let of = foreign::family("dit").unwrap();
    let source = Source::open(&fixtures().join("dit.pt"), of, None).unwrap();
    let refused = |hints: &Hints, parts: &[&str]| {
        let out = folder.path().join("none");
        let what = foreign::import(&source, of, hints, &out)
            .map(drop)
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(what.contains(part), "expected {part:?} in {what:?}");
        }
        assert!(!out.exists() && fs::read_dir(folder.path()).unwrap().next().is_none());
    };
    // Another size has other positions.
    let larger = Hints {
        size: Some(16),
        ..hints("dit")
    };
    refused(&larger, &["pos_embed", "[1, 64, 16]", "[1, 16, 16]"]);
    refused(
        &Hints::default(),
        &["16 is none of the published widths", "--heads"],
    );
    let named = Hints {
        names: Some(vec!["a".into()]),
        ..hints("dit")
    };
    refused(&named, &["3 classes", "1 names"]);
    // A recipe of another network: the first three tensors, and how many.
    let recipe = "name = \"x\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"dit\"\nwidth = 32\ndepth = 3\nheads = 2\npatch = 2\n";
    let config = fokker_train::Config::parse(recipe, "recipe", &[]).unwrap();
    let out = folder.path().join("none");
    let what = foreign::import_as(&source, of, config, &out)
        .map(drop)
        .unwrap_err()
        .to_string();
    for part in [
        "x_embedder.proj.weight: expected [32, 1, 2, 2], found [16, 4, 2, 2]",
        "of another shape, 10 missing, 0 unexpected",
    ] {
        assert!(what.contains(part), "expected {part:?} in {what:?}");
    }
    assert_eq!(what.matches("expected [").count(), 3, "{what}");
    assert!(!out.exists());
    let what = foreign::family("bit").map(drop).unwrap_err().to_string();
    assert!(FAMILIES.iter().all(|f| what.contains(f.name)), "{what}");
    // A run is exported to its own family only, and nowhere that is taken.
    let run = import("dit", "dit.pt", &folder.path().join("run"));
    let unet = foreign::family("diffusers-unet").unwrap();
    let what = foreign::export(&run, unet, &out).unwrap_err().to_string();
    assert!(what.contains("dit, sit"), "{what}");
    let what = foreign::export(&run, of, run.path())
        .unwrap_err()
        .to_string();
    assert!(what.contains("exists already"), "{what}");
    let what = run.data().map(drop).unwrap_err().to_string();
    assert!(what.contains("imported"), "{what}");
}

/// Copies that must be the same and are not.
#[test]
fn embeddings_that_differ_from_block_to_block_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = foreign::family("diffusers-dit").unwrap();
    let from = fixtures().join("diffusers-dit");
    let file = "diffusion_pytorch_model.safetensors";
    fs::copy(from.join("config.json"), folder.path().join("config.json")).unwrap();
    let bytes = fs::read(from.join(file)).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let names: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let name = "transformer_blocks.1.norm1.emb.class_embedder.embedding_table.weight";
    let first = names[name]["data_offsets"][0].as_u64().unwrap() as usize;
    let mut bytes = bytes;
    bytes[8 + header + first] ^= 1;
    fs::write(folder.path().join(file), bytes).unwrap();
    let source = Source::open(folder.path(), of, None).unwrap();
    let out = folder.path().join("none");
    let what = foreign::import(&source, of, &Hints::default(), &out)
        .map(drop)
        .unwrap_err();
    assert!(what.to_string().contains(name), "{what}");
}
