//! The perceptron and fokker's U-Net, of candle's own layers.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::{Conv2d, Conv2dConfig, GroupNorm, Linear};

use crate::formula::Maker;

pub trait Network {
    fn forward(&self, x: &Tensor, t: &Tensor, y: &Tensor) -> Result<Tensor>;
}

fn linear(input: usize, output: usize, maker: &mut Maker) -> Result<Linear> {
    let weight = maker.make(&[input, output], true)?;
    Ok(Linear::new(weight, Some(maker.make(&[output], false)?)))
}

fn conv(input: usize, output: usize, stride: usize, maker: &mut Maker) -> Result<Conv2d> {
    let config = Conv2dConfig {
        padding: 1,
        stride,
        ..Conv2dConfig::default()
    };
    let weight = maker.make(&[output, input, 3, 3], false)?;
    Ok(Conv2d::new(
        weight,
        Some(maker.make(&[output], false)?),
        config,
    ))
}

fn norm(channels: usize, maker: &mut Maker) -> Result<GroupNorm> {
    let (gamma, beta) = (
        maker.make(&[channels], false)?,
        maker.make(&[channels], false)?,
    );
    GroupNorm::new(gamma, beta, channels, 8.min(channels / 4), 1e-5)
}

pub struct Mlp(Vec<Linear>);

impl Mlp {
    pub fn new(hidden: usize, maker: &mut Maker) -> Result<Self> {
        let widths = [3, hidden, hidden, hidden, hidden, 2];
        let layers = widths.windows(2).map(|w| linear(w[0], w[1], maker));
        Ok(Self(layers.collect::<Result<_>>()?))
    }
}

impl Network for Mlp {
    fn forward(&self, x: &Tensor, t: &Tensor, _: &Tensor) -> Result<Tensor> {
        let mut h = Tensor::cat(&[x, &t.unsqueeze(1)?], 1)?;
        for (k, layer) in self.0.iter().enumerate() {
            h = layer.forward(&h)?;
            if k + 1 < self.0.len() {
                h = h.silu()?;
            }
        }
        Ok(h)
    }
}

struct ResBlock {
    norm_in: GroupNorm,
    conv_in: Conv2d,
    modulation: Linear,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl ResBlock {
    fn new(channels: usize, maker: &mut Maker) -> Result<Self> {
        Ok(Self {
            norm_in: norm(channels, maker)?,
            conv_in: conv(channels, channels, 1, maker)?,
            modulation: linear(EMBEDDING, 2 * channels, maker)?,
            norm_out: norm(channels, maker)?,
            conv_out: conv(channels, channels, 1, maker)?,
        })
    }

    fn forward(&self, x: &Tensor, e: &Tensor) -> Result<Tensor> {
        let h = self.conv_in.forward(&self.norm_in.forward(x)?.silu()?)?;
        let parts = self
            .modulation
            .forward(e)?
            .unsqueeze(2)?
            .unsqueeze(3)?
            .chunk(2, 1)?;
        let h = self.norm_out.forward(&h)?;
        let h = h
            .broadcast_mul(&(&parts[0] + 1.0)?)?
            .broadcast_add(&parts[1])?;
        x + self.conv_out.forward(&h.silu()?)?
    }
}

struct Level {
    blocks: Vec<ResBlock>,
    resample: Option<Conv2d>,
}

impl Level {
    fn new(channels: usize, next: Option<usize>, stride: usize, maker: &mut Maker) -> Result<Self> {
        let blocks = (0..2).map(|_| ResBlock::new(channels, maker));
        Ok(Self {
            blocks: blocks.collect::<Result<_>>()?,
            resample: next.map(|n| conv(channels, n, stride, maker)).transpose()?,
        })
    }
}

const EMBEDDING: usize = 128;
const CLASSES: usize = 10;

/// 32 × 32 × 3 images.
pub struct UNet {
    time_in: Linear,
    time_out: Linear,
    class: Tensor,
    stem: Conv2d,
    down: Vec<Level>,
    middle: ResBlock,
    up: Vec<Level>,
    norm: GroupNorm,
    head: Conv2d,
}

impl UNet {
    pub fn new(channels: [usize; 3], maker: &mut Maker) -> Result<Self> {
        let [fine, middle, coarse] = channels;
        let mut down = Vec::new();
        let time_in = linear(EMBEDDING, EMBEDDING, maker)?;
        let time_out = linear(EMBEDDING, EMBEDDING, maker)?;
        let class = maker.make(&[CLASSES + 1, EMBEDDING], false)?;
        let stem = conv(3, fine, 1, maker)?;
        for (c, next) in [(fine, Some(middle)), (middle, Some(coarse)), (coarse, None)] {
            down.push(Level::new(c, next, 2, maker)?);
        }
        let block = ResBlock::new(coarse, maker)?;
        let mut up = Vec::new();
        for (c, next) in [(coarse, Some(middle)), (middle, Some(fine)), (fine, None)] {
            up.push(Level::new(c, next, 1, maker)?);
        }
        Ok(Self {
            time_in,
            time_out,
            class,
            stem,
            down,
            middle: block,
            up,
            norm: norm(fine, maker)?,
            head: conv(fine, 3, 1, maker)?,
        })
    }
}

/// cos and sin of ω t with ω spaced geometrically from 1 to 1,000.
fn time_features(t: &Tensor) -> Result<Tensor> {
    let half = EMBEDDING / 2;
    let omega = (0..half).map(|k| 1000_f64.powf(k as f64 / (half - 1) as f64) as f32);
    let omega = Tensor::from_iter(omega, t.device())?.unsqueeze(0)?;
    let angle = t.unsqueeze(1)?.broadcast_mul(&omega)?;
    Tensor::cat(&[angle.cos()?, angle.sin()?], D::Minus1)
}

impl Network for UNet {
    fn forward(&self, x: &Tensor, t: &Tensor, y: &Tensor) -> Result<Tensor> {
        let e = self.time_in.forward(&time_features(t)?)?.silu()?;
        let e = (self.time_out.forward(&e)? + self.class.index_select(y, 0)?)?.silu()?;
        let mut h = self.stem.forward(&x.reshape(((), 3, 32, 32))?)?;
        let mut skips = Vec::new();
        for level in &self.down {
            for block in &level.blocks {
                h = block.forward(&h, &e)?;
            }
            skips.push(h.clone());
            if let Some(down) = &level.resample {
                h = down.forward(&h)?;
            }
        }
        h = self.middle.forward(&h, &e)?;
        for (level, skip) in self.up.iter().zip(skips.iter().rev()) {
            h = (h + skip)?;
            for block in &level.blocks {
                h = block.forward(&h, &e)?;
            }
            if let Some(up) = &level.resample {
                let (_, _, height, width) = h.dims4()?;
                h = up.forward(&h.upsample_nearest2d(2 * height, 2 * width)?)?;
            }
        }
        self.head
            .forward(&self.norm.forward(&h)?.silu()?)?
            .flatten_from(1)
    }
}
