//! Networks for flow and diffusion models, made of layers whose initial weights come from the
//! counter-based generator: the same seed gives the same network on every machine.
//!
//! Each network is a configuration with `init`, documented shapes and a [`Network`](fokker_core::Network)
//! implementation that runs on the fused operations of `fokker-kernels`.

mod adm_unet;
mod autoencoder;
mod autoencoder_kl;
mod classifier;
mod course_unet;
mod dit;
pub mod layers;
mod mlp;
mod mm_dit;
mod transformer1d;
mod unet;
mod unet1d;
mod vae;

pub use adm_unet::{AdmBlock, AdmUNet, AdmUNetConfig, Modulation, Resample, Resampling};
pub use autoencoder::{Autoencoder, Posterior, VaeLoss};
pub use autoencoder_kl::{AutoencoderKl, AutoencoderKlConfig};
pub use classifier::{Classifier, ClassifierConfig};
pub use course_unet::{CourseUNet, CourseUNetConfig};
pub use dit::{DiT, DiTConfig, DiTForm};
pub use layers::Init;
pub use mlp::{Mlp, MlpConfig};
pub use mm_dit::{MmDiT, MmDiTConfig};
pub use transformer1d::{Transformer1d, Transformer1dConfig};
pub use unet::{UNet, UNetConfig};
pub use unet1d::{UNet1d, UNet1dConfig};
pub use vae::{Vae, VaeConfig};
