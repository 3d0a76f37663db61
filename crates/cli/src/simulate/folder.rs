//! The folder of results, which is not left behind by what went wrong.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::train::free_folder;

/// The folder of results.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// What did not exist before, the innermost first.
    made: Vec<PathBuf>,
}

impl Folder {
    /// The folder asked for, which must be free, or the next free name.
    pub(crate) fn new(out: Option<PathBuf>, name: &str) -> Result<Self> {
        let path = out.unwrap_or_else(|| free_folder(name));
        let shown = path.display();
        if path.is_file() {
            bail!("--out {shown}: this is a file; give a folder");
        }
        if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("--out {shown}: this folder is not empty; give another name");
        }
        Ok(Self {
            path,
            made: Vec::new(),
        })
    }

    /// A folder that is there, to go on in.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            made: Vec::new(),
        }
    }

    /// Makes it.
    pub(crate) fn make(&mut self) -> Result<()> {
        let missing = self.path.ancestors().filter(|p| !p.as_os_str().is_empty());
        self.made = missing
            .take_while(|p| !p.exists())
            .map(PathBuf::from)
            .collect();
        let made = fs::create_dir_all(&self.path);
        if made.is_err() {
            self.clear(&[]);
        }
        made.with_context(|| format!("cannot create {}", self.path.display()))
    }

    /// Removes these files and what [`make`](Self::make) made, where nothing else is in it.
    pub(crate) fn clear(&self, files: &[String]) {
        for name in files {
            drop(fs::remove_file(self.path.join(name)));
        }
        for path in &self.made {
            drop(fs::remove_dir(path));
        }
    }
}
