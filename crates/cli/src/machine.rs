//! Threads and devices.

use anyhow::{Result, bail};
use fokker::Device;

use crate::args::{DeviceArg, KernelsArg};

/// Fixes the number of worker threads for the whole process.
pub(crate) fn set_threads(threads: Option<u16>) -> Result<()> {
    if let Some(n) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n.into())
            .build_global()?;
    }
    Ok(())
}

impl KernelsArg {
    /// Chooses the kernels for the whole process.
    pub(crate) fn choose(&self) {
        fokker::kernels::use_reference(self.reference);
    }
}

/// The devices that this build computes on.
const DEVICES: &[&str] = &[
    "cpu",
    #[cfg(feature = "vulkan")]
    "vulkan",
];

impl DeviceArg {
    /// The device of that name.
    pub(crate) fn open(&self) -> Result<Device> {
        match self.name.as_str() {
            "cpu" => Ok(Device::flex()),
            #[cfg(feature = "vulkan")]
            "vulkan" => vulkan(),
            #[cfg(not(feature = "vulkan"))]
            "vulkan" => bail!(
                "--device vulkan: this program was built without it; build it with --features vulkan"
            ),
            other => bail!(
                "--device {other}: unknown device; this build computes on {}",
                DEVICES.join(", ")
            ),
        }
    }
}

/// The card that Vulkan prefers.
#[cfg(feature = "vulkan")]
fn vulkan() -> Result<Device> {
    use fokker::burn::tensor::wgpu::WgpuBackend;
    Device::wgpu_options()
        .graphics_api(WgpuBackend::Vulkan)
        .init()
        .map_err(|e| {
            anyhow::anyhow!("--device vulkan: no card answers ({e}); is its driver installed?")
        })
}
