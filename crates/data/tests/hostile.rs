//! Damaged and random files: never a panic, never a great allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use fokker_data::{FolderOptions, Memory, read_folder, read_idx, read_npy, read_npz};
use image::{ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

/// The system's allocator, which remembers the greatest request.
struct Watched;

static GREATEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        GREATEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        GREATEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        GREATEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// What one picture may take at most; all other files here are a few kilobytes.
const ALLOWED: usize = 300 << 20;

/// What is done to a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    Flip(Vec<(Index, u8)>),
    Insert(Index, Vec<u8>),
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        prop::collection::vec((any::<Index>(), any::<u8>()), 1..6).prop_map(Damage::Flip),
        (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        bytes().prop_map(Damage::Replace),
    ]
}

impl Damage {
    /// The first bytes, which headers are made of, are struck more often than the others.
    fn apply(&self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        match self {
            Self::Cut(at) => bytes.truncate(at.index(whole.len())),
            Self::Flip(flips) => {
                for (at, bits) in flips {
                    let at = if bits % 2 == 0 {
                        at.index(whole.len())
                    } else {
                        at.index(whole.len().min(128))
                    };
                    bytes[at] ^= bits;
                }
            }
            Self::Insert(at, more) => {
                let at = at.index(whole.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Replace(other) => bytes.clone_from(other),
        }
        bytes
    }
}

/// Writes the damaged file and reads it.
fn strike(
    whole: &[u8],
    name: &str,
    damage: &Damage,
    read: impl Fn(&Path) -> Result<Memory, fokker_data::DataError>,
) {
    thread_local!(static FOLDER: TempDir = tempfile::tempdir().unwrap());
    FOLDER.with(|folder| {
        let path = folder.path().join(name);
        fs::write(&path, damage.apply(whole)).unwrap();
        if let Err(fault) = read(&path) {
            assert!(!fault.to_string().is_empty());
        }
        fs::remove_file(&path).unwrap();
    });
    let greatest = GREATEST.load(Ordering::Relaxed);
    assert!(
        greatest < ALLOWED,
        "{greatest} bytes were asked for at once"
    );
}

fn idx() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 4];
    bytes.extend(0..180);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

fn npy() -> Vec<u8> {
    let mut bytes = Vec::new();
    let values: Vec<f32> = (0..60).map(|k| k as f32 / 60.0).collect();
    fokker_data::write_npy_to(&mut bytes, &values, &[5, 3, 2, 2]).unwrap();
    bytes
}

fn npz(method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    archive.start_file("x.npy", options).unwrap();
    archive.write_all(&npy()).unwrap();
    archive.finish().unwrap().into_inner()
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(24, 17, |x, y| {
        Rgb([(x * 10) as u8, (y * 14) as u8, (x * y) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

static IDX: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [idx(), gzip(&idx())]);
static NPY: LazyLock<Vec<u8>> = LazyLock::new(npy);
static NPZ: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    [
        zip::CompressionMethod::Stored,
        zip::CompressionMethod::Deflated,
    ]
    .map(npz)
});
static PICTURES: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].map(picture));

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn idx_files(damage in damage(), which in 0..2usize) {
        strike(&IDX[which], "a.idx", &damage, |path| read_idx(path, Some(path), None));
        strike(&IDX[which], "a.idx", &damage, |path| read_idx(path, None, None));
    }

    #[test]
    fn npy_files(damage in damage()) {
        strike(&NPY, "a.npy", &damage, |path| read_npy(path, None));
    }

    #[test]
    fn npz_files(damage in damage(), which in 0..2usize) {
        strike(&NPZ[which], "a.npz", &damage, |path| read_npz(path, None, None));
        strike(&NPZ[which], "a.npz", &damage, |path| read_npz(path, Some("x"), Some("x")));
    }

    #[test]
    fn pictures(damage in damage(), which in 0..3usize) {
        let name = ["a.png", "a.jpg", "a.webp"][which];
        strike(&PICTURES[which], name, &damage, |path| {
            read_folder(path.parent().unwrap(), FolderOptions::default())
        });
    }
}

/// The files before the damage are good.
#[test]
fn the_undamaged_are_read() {
    let none = Damage::Flip(vec![]);
    let good = |bytes: &[u8],
                name: &str,
                read: &dyn Fn(&Path) -> Result<Memory, fokker_data::DataError>| {
        strike(bytes, name, &none, |path| Ok(read(path).unwrap()));
    };
    IDX.iter()
        .for_each(|bytes| good(bytes, "a", &|path| read_idx(path, None, None)));
    good(&NPY, "a", &|path| read_npy(path, None));
    NPZ.iter()
        .for_each(|bytes| good(bytes, "a", &|path| read_npz(path, None, None)));
    for (bytes, name) in PICTURES.iter().zip(["a.png", "a.jpg", "a.webp"]) {
        good(bytes, name, &|path| {
            read_folder(path.parent().unwrap(), FolderOptions::default())
        });
    }
}

/// A zip64 directory that claims a billion files of which none exist.
#[test]
fn a_directory_of_a_billion_files() {
    for (start, entries) in [
        (1u64 << 40, 1u64 << 30),
        (0, 1 << 30),
        (1 << 62, u64::MAX / 46),
    ] {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(200, 0);
        let end = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44u64.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for field in [entries, entries, entries.wrapping_mul(46), start] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend(end.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
        let read = |path: &Path| Err(read_npz(path, None, None).unwrap_err());
        strike(&bytes, "a.npz", &Damage::Flip(vec![]), read);
    }
}
