use std::fs;
use std::path::{Path, PathBuf};

use fokker_data::{Dataset, Fit, FolderOptions, MAX_SIDE, Shape, read_folder};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

use crate::{refused, strings};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn place(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn save(&self, name: &str, picture: impl Into<DynamicImage>) {
        picture.into().save(self.place(name)).unwrap();
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.place(name), bytes).unwrap();
    }
}

/// A picture whose pixels all differ.
fn pattern(width: u32, height: u32, salt: u8) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 16) as u8, (y * 16) as u8, salt])
    })
}

fn options(channels: usize, size: Option<(usize, usize)>, fit: Fit) -> FolderOptions {
    FolderOptions {
        channels,
        size,
        fit,
    }
}

const GREY: FolderOptions = FolderOptions {
    channels: 1,
    size: None,
    fit: Fit::Crop,
};

#[test]
fn pictures_come_back_bit_by_bit_in_the_order_of_names() {
    let folder = Folder::new();
    for (name, salt) in [("b.png", 2), ("a.PNG", 1), ("c.webp", 3)] {
        folder.save(name, pattern(5, 3, salt));
    }
    folder.write("notes.txt", b"not a picture");
    folder.write(".hidden.png", b"not a picture");
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    assert_eq!(
        set.shape(),
        Shape::Image {
            channels: 3,
            height: 3,
            width: 5
        }
    );
    assert_eq!((set.count(), set.skipped(), set.labels()), (3, 1, None));
    let bytes = set.bytes().unwrap();
    for (picture, salt) in bytes.chunks(45).zip([1, 2, 3]) {
        let expected = pattern(5, 3, salt);
        for (x, y, pixel) in expected.enumerate_pixels() {
            let at = (y * 5 + x) as usize;
            assert_eq!([picture[at], picture[15 + at], picture[30 + at]], pixel.0);
        }
    }
    let mut item = [0.0; 45];
    assert_eq!(set.item(0, &mut item), None);
    assert_eq!((item[0], item[4]), (-1.0, 64.0 / 127.5 - 1.0));
}

#[test]
fn sub_folders_are_classes() {
    let folder = Folder::new();
    for name in [
        "dog/1.png",
        "cat/x.png",
        "cat/y.webp",
        "bird/z.png",
        ".cache/thumb.png",
    ] {
        folder.save(name, pattern(4, 4, 0));
    }
    folder.write("README.md", b"");
    folder.write("cat/data.csv", b"");
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    assert_eq!(set.classes(), strings(&["bird", "cat", "dog"]));
    assert_eq!((set.labels(), set.skipped()), (Some(&[0, 1, 1, 2][..]), 2));
}

#[test]
fn jpeg_is_near_its_original() {
    let folder = Folder::new();
    let smooth = RgbImage::from_fn(32, 32, |x, y| Rgb([(4 * x) as u8, (4 * y) as u8, 128]));
    folder.save("a.jpg", smooth.clone());
    fs::rename(folder.place("a.jpg"), folder.place("a.JPEG")).unwrap();
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    let bytes = set.bytes().unwrap();
    for (x, y, pixel) in smooth.enumerate_pixels() {
        let at = (32 * y + x) as usize;
        for (channel, &value) in pixel.0.iter().enumerate() {
            assert!(bytes[1024 * channel + at].abs_diff(value) < 16);
        }
    }
}

#[test]
fn transparency_lies_on_white() {
    let folder = Folder::new();
    let colour = RgbaImage::from_raw(
        2,
        2,
        vec![
            10, 20, 30, 0, 10, 20, 30, 255, 100, 0, 200, 51, 0, 0, 0, 128,
        ],
    );
    folder.save("a.png", colour.unwrap());
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    // 100·0.2 + 255·0.8 = 224, 0 + 204, 200·0.2 + 204 = 244; 255·127/255 = 127.
    assert_eq!(
        set.bytes().unwrap(),
        [255, 10, 224, 127, 255, 20, 204, 127, 255, 30, 244, 127]
    );
    let grey = ImageBuffer::<LumaA<u8>, _>::from_raw(2, 1, vec![100, 51, 7, 255]).unwrap();
    let folder = Folder::new();
    folder.save("a.png", grey);
    assert_eq!(
        read_folder(folder.path(), GREY).unwrap().bytes().unwrap(),
        [224, 7]
    );
}

#[test]
fn depths_and_greys() {
    let folder = Folder::new();
    let deep = ImageBuffer::<Luma<u16>, _>::from_raw(3, 1, vec![0u16, 257 * 100, 65535]).unwrap();
    folder.save("a.png", deep);
    assert_eq!(
        read_folder(folder.path(), GREY).unwrap().bytes().unwrap(),
        [0, 100, 255]
    );
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    assert_eq!(
        set.bytes().unwrap(),
        [0, 100, 255, 0, 100, 255, 0, 100, 255]
    );

    let folder = Folder::new();
    let deep =
        ImageBuffer::<Rgba<u16>, _>::from_raw(1, 1, vec![257u16 * 9, 65535, 0, 65535]).unwrap();
    folder.save("a.png", deep);
    let set = read_folder(folder.path(), FolderOptions::default()).unwrap();
    assert_eq!(set.bytes().unwrap(), [9, 255, 0]);

    // Rec. 709: 0.2126 R + 0.7152 G + 0.0722 B.
    let folder = Folder::new();
    folder.save(
        "a.png",
        RgbImage::from_raw(3, 1, vec![255, 0, 0, 0, 255, 0, 77, 77, 77]).unwrap(),
    );
    let bytes = read_folder(folder.path(), GREY)
        .unwrap()
        .bytes()
        .unwrap()
        .to_vec();
    assert!(
        bytes[0].abs_diff(54) <= 1 && bytes[1].abs_diff(182) <= 1,
        "{bytes:?}"
    );
    assert_eq!(bytes[2], 77);
}

/// The EXIF orientation 6 of a camera held upright: to be seen, the picture is turned by 90° clockwise.
#[test]
fn pictures_are_turned_as_exif_says() {
    let folder = Folder::new();
    let left_dark = GrayImage::from_fn(32, 16, |x, _| Luma([if x < 16 { 0 } else { 255 }]));
    folder.save("a.jpg", left_dark);
    let jpeg = fs::read(folder.place("a.jpg")).unwrap();
    let mut turned = jpeg[..2].to_vec();
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    turned.extend([0xFF, 0xE1]);
    turned.extend((tiff.len() as u16 + 8).to_be_bytes());
    turned.extend(b"Exif\0\0");
    turned.extend(tiff);
    turned.extend(&jpeg[2..]);
    folder.write("a.jpg", &turned);
    let set = read_folder(folder.path(), GREY).unwrap();
    assert_eq!(
        set.shape(),
        Shape::Image {
            channels: 1,
            height: 32,
            width: 16
        }
    );
    let bytes = set.bytes().unwrap();
    assert!(bytes[..16 * 14].iter().all(|&b| b < 20) && bytes[16 * 18..].iter().all(|&b| b > 235));
}

#[test]
fn crop_keeps_the_middle_and_stretch_keeps_all() {
    let folder = Folder::new();
    // Three bands of 40 columns: black, grey, white.
    folder.save(
        "a.png",
        GrayImage::from_fn(120, 40, |x, _| Luma([(x / 40 * 127) as u8])),
    );
    let read = |size, fit| {
        let set = read_folder(folder.path(), options(1, Some(size), fit)).unwrap();
        assert_eq!(
            set.shape(),
            Shape::Image {
                channels: 1,
                height: size.0,
                width: size.1
            }
        );
        set.bytes().unwrap().to_vec()
    };
    assert!(read((10, 10), Fit::Crop).iter().all(|&b| b == 127));
    assert!(read((80, 80), Fit::Crop).iter().all(|&b| b == 127));
    let stretched = read((12, 12), Fit::Stretch);
    for row in stretched.chunks(12) {
        // The filter swings over a little beside the edges of the bands.
        for (at, band) in [(0, 0u8), (5, 127), (11, 254)] {
            assert!(row[at].abs_diff(band) < 6, "{row:?}");
        }
    }
    // The same when it stands upright: the middle band of the rows.
    let folder = Folder::new();
    folder.save(
        "a.png",
        GrayImage::from_fn(40, 120, |_, y| Luma([(y / 40 * 127) as u8])),
    );
    let set = read_folder(folder.path(), options(1, Some((10, 10)), Fit::Crop)).unwrap();
    assert!(set.bytes().unwrap().iter().all(|&b| b == 127));
    // Scaling down averages: a fine chessboard becomes grey, not black or white.
    let folder = Folder::new();
    folder.save(
        "a.png",
        GrayImage::from_fn(64, 64, |x, y| {
            Luma([if (x + y) % 2 == 0 { 0 } else { 255 }])
        }),
    );
    let set = read_folder(folder.path(), options(1, Some((8, 8)), Fit::Crop)).unwrap();
    assert!(
        set.bytes().unwrap().iter().all(|&b| b.abs_diff(127) < 8),
        "{:?}",
        set.bytes()
    );
}

#[test]
fn faults_of_folders_are_named() {
    let folder = Folder::new();
    let read = |folder: &Folder| read_folder(folder.path(), FolderOptions::default());
    refused(
        read(&folder),
        &["no pictures", "0 files of other types", "PNG, JPEG or WebP"],
    );
    folder.write("a.txt", b"");
    refused(read(&folder), &["1 files of other types"]);
    refused(
        read_folder(&folder.path().join("a.txt"), GREY),
        &["a file, not a folder"],
    );
    refused(
        read_folder(&folder.path().join("none"), GREY),
        &["cannot list", "none"],
    );
    folder.save("cat/a.png", pattern(4, 4, 0));
    fs::create_dir(folder.path().join("dog")).unwrap();
    refused(
        read(&folder),
        &[
            "dog",
            "folder of a class holds no pictures",
            "remove the folder",
        ],
    );
    folder.save("dog/a.png", pattern(4, 4, 0));
    assert_eq!(read(&folder).unwrap().count(), 2);
    folder.save("top.png", pattern(4, 4, 0));
    refused(
        read(&folder),
        &["1 pictures beside 2 sub-folders", "one for each class"],
    );
    fs::remove_file(folder.path().join("top.png")).unwrap();
    folder.save("dog/young/a.png", pattern(4, 4, 0));
    refused(
        read(&folder),
        &["young", "a folder within the folder of a class"],
    );
    refused(
        read_folder(folder.path(), options(2, None, Fit::Crop)),
        &["channels: 2", "1 (grey) or 3"],
    );
    for size in [(0, 4), (4, MAX_SIDE + 1)] {
        refused(
            read_folder(folder.path(), options(3, Some(size), Fit::Crop)),
            &["size", "1 to 16384"],
        );
    }
}

#[test]
fn faults_of_pictures_are_named() {
    let folder = Folder::new();
    folder.save("a.png", pattern(6, 4, 0));
    folder.save("b.png", pattern(4, 6, 0));
    folder.save("c.png", pattern(9, 9, 0));
    refused(
        read_folder(folder.path(), GREY),
        &["b.png", "is 6×4 (height×width), not 4×6", "Crop"],
    );
    let exact = options(3, Some((6, 4)), Fit::Exact);
    refused(read_folder(folder.path(), exact), &["a.png", "is 4×6"]);
    assert_eq!(
        read_folder(folder.path(), options(3, Some((6, 4)), Fit::Crop))
            .unwrap()
            .count(),
        3
    );

    for (name, keep) in [("z.png", 60), ("z.jpg", 300), ("z.webp", 40)] {
        let folder = Folder::new();
        folder.save(name, pattern(64, 64, 0));
        let whole = fs::read(folder.place(name)).unwrap();
        assert!(whole.len() > keep, "{name} {}", whole.len());
        folder.write(name, &whole[..keep]);
        refused(
            read_folder(folder.path(), GREY),
            &[name, "damaged: replace or remove it"],
        );
        folder.write(name, &whole[..whole.len() / 2]);
        refused(
            read_folder(folder.path(), GREY),
            &[name, "damaged: replace or remove it"],
        );
        folder.write(name, b"this is no picture");
        refused(
            read_folder(folder.path(), GREY),
            &[name, "cannot be read", "PNG, JPEG or WebP"],
        );
        folder.write(name, b"");
        refused(read_folder(folder.path(), GREY), &[name, "cannot be read"]);
    }
}

/// A PNG of nothing but a header.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    let mut sum = flate2::Crc::new();
    sum.update(&header);
    bytes.extend(&header);
    bytes.extend(sum.sum().to_be_bytes());
    bytes.extend([0, 0, 0, 1]);
    bytes.extend(b"IDAT\0");
    bytes
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    let folder = Folder::new();
    folder.save("a.png", pattern(8, 8, 0));
    for side in [100_000, 16_000] {
        folder.write("b.png", &png_claiming(side, side));
        for size in [None, Some((8, 8))] {
            let set = read_folder(folder.path(), options(3, size, Fit::Crop));
            refused(set, &["b.png", "claims", "sides of up to 16384"]);
        }
    }
    let folder = Folder::new();
    folder.write("b.png", &png_claiming(100_000, 100_000));
    refused(
        read_folder(folder.path(), GREY),
        &["b.png", "claims more pixels"],
    );
}
