//! Threads and devices.

use anyhow::{Result, bail};
use fokker::Device;

use crate::args::DeviceArg;

/// Fixes the number of worker threads for the whole process.
pub(crate) fn set_threads(threads: Option<u16>) -> Result<()> {
    if let Some(n) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n.into())
            .build_global()?;
    }
    Ok(())
}

impl DeviceArg {
    /// The device of that name.
    pub(crate) fn open(&self) -> Result<Device> {
        match self.name.as_str() {
            "cpu" => Ok(Device::flex()),
            other => bail!("--device {other}: unknown device; this build computes on \"cpu\""),
        }
    }
}
