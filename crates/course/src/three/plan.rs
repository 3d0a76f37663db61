//! What each scale trains.

/// How long, and in what batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Training {
    pub(super) steps: u64,
    pub(super) batch: usize,
}

impl Training {
    /// A training of `steps` batches of `batch` items, made `scale` times as long: by √scale both.
    fn new(steps: u64, batch: usize, scale: f64) -> Training {
        let root = scale.sqrt();
        Training {
            steps: ((steps as f64 * root).round() as u64).max(20),
            batch: ((batch as f64 * root).round() as usize).max(8),
        }
    }

    pub(super) fn items(self) -> u64 {
        self.steps * self.batch as u64
    }
}

/// The sizes of a lab at one scale. 1 is the course's own; less has fewer and smaller batches, and below 0.1 the transformers
/// are narrower too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) scale: f64,
    /// The course's U-Net: Adam, 5,000 batches of 250.
    pub(super) unet: Training,
    /// The DiT on pixels: 20,000 batches of 256.
    pub(super) dit: Training,
    /// The autoencoder: 5,000 batches of 128. The course tells no length.
    pub(super) vae: Training,
    /// The DiT on latents: 20,000 batches of 256.
    pub(super) latent: Training,
    /// The classifier that judges: 2,000 batches of 64 from scale 0.1 on.
    pub(super) judge: Training,
    /// Samples that are judged for each weight of guidance.
    pub(super) judged: usize,
}

/// Below, the transformers are narrower.
const NARROW: f64 = 0.1;

impl Plan {
    pub(super) fn new(scale: f64) -> Plan {
        Plan {
            scale,
            unet: Training::new(5000, 250, scale),
            dit: Training::new(20_000, 256, scale),
            vae: Training::new(5000, 128, scale),
            latent: Training::new(20_000, 256, scale),
            judge: Training {
                steps: (2000.0 * (scale / NARROW).sqrt().min(1.0))
                    .round()
                    .max(40.0) as u64,
                batch: 64,
            },
            judged: (100.0 * (scale / 0.01).sqrt()).round().clamp(40.0, 1000.0) as usize / 10 * 10,
        }
    }

    /// Is the transformer the course's own?
    pub(super) fn full_width(&self) -> bool {
        self.scale >= NARROW
    }

    /// Width, depth and heads of the transformers: the course's from scale 0.1 on.
    pub(super) fn transformer(&self) -> [usize; 3] {
        match self.full_width() {
            true => [256, 8, 8],
            false => [128, 6, 4],
        }
    }

    /// Is the training long enough that its network should be better than every linear one?
    pub(super) fn is_long(&self, training: Training) -> bool {
        training.items() >= 30_000
    }
}
