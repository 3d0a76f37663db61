//! Which toys there are and what they can be asked.

use std::f64::consts::SQRT_2;

use super::mixture::Modes;
use crate::DataError;

/// The most modes a mixture may have.
pub const MAX_MODES: usize = 4096;

/// One toy distribution: what help texts and menus need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToySpec {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it looks like, in a few words.
    pub description: &'static str,
    /// How many classes it has, 0 where it is unlabelled; for a mixture, how many unless `modes` says otherwise.
    pub classes: usize,
    /// The optional fields of [`ToyConfig`] that it takes.
    pub parameters: &'static [&'static str],
}

/// All toy distributions.
pub const TOYS: &[ToySpec] = &[
    ToySpec {
        name: "moons",
        description: "two interleaved half circles",
        classes: 2,
        parameters: &[],
    },
    ToySpec {
        name: "circles",
        description: "two circles, one in the other",
        classes: 2,
        parameters: &[],
    },
    ToySpec {
        name: "swiss-roll",
        description: "a spiral of one and a half turns",
        classes: 0,
        parameters: &[],
    },
    ToySpec {
        name: "checkerboard",
        description: "the eight dark squares of a board of 4×4",
        classes: 0,
        parameters: &[],
    },
    ToySpec {
        name: "8-gaussians",
        description: "eight equal Gaussians on a circle",
        classes: 8,
        parameters: &[],
    },
    ToySpec {
        name: "ring",
        description: "equal Gaussians on a circle, as many and as narrow as asked",
        classes: 8,
        parameters: &["modes", "radius", "std"],
    },
    ToySpec {
        name: "random-mixture",
        description: "Gaussians of random place, width and weight",
        classes: 6,
        parameters: &["modes", "layout_seed"],
    },
];

/// What to ask of [`crate::toy`]. Fields left `None` take the toy's own values.
#[derive(Debug, Clone, PartialEq)]
pub struct ToyConfig {
    /// One of the names in [`TOYS`].
    pub name: String,
    /// Seeds the points: two seeds give two independent samples of the same distribution.
    pub seed: u64,
    /// `ring`, `random-mixture`: the number of Gaussians, 1 to [`MAX_MODES`]. Default: 8 and 6.
    pub modes: Option<usize>,
    /// `ring`: the distance of the means from the origin, at least 0. Default: 2.
    pub radius: Option<f64>,
    /// `ring`: the standard deviation of each Gaussian, above 0. Default: 0.02.
    pub std: Option<f64>,
    /// `random-mixture`: seeds the places, widths and weights of the Gaussians. Default: 0.
    pub layout_seed: Option<u64>,
}

impl ToyConfig {
    /// The toy of this name with seed 0 and its own values.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            name,
            seed: 0,
            modes: None,
            radius: None,
            std: None,
            layout_seed: None,
        }
    }

    /// The same with another seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A toy with its parameters, checked.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Moons,
    Circles,
    SwissRoll,
    Checkerboard,
    Mixture(Modes),
}

/// The toy asked for, and its definition in words that hold every parameter it takes.
pub(crate) fn check(config: &ToyConfig) -> Result<(&'static ToySpec, Kind, String), DataError> {
    let Some(spec) = TOYS.iter().find(|spec| spec.name == config.name) else {
        let names: Vec<&str> = TOYS.iter().map(|spec| spec.name).collect();
        let what = format!("no toy distribution has the name {:?}", config.name);
        return Err(DataError::option(
            "name",
            what,
            format!("the names are {}", names.join(", ")),
        ));
    };
    let given = [
        ("modes", config.modes.is_some()),
        ("radius", config.radius.is_some()),
        ("std", config.std.is_some()),
        ("layout_seed", config.layout_seed.is_some()),
    ];
    for (parameter, given) in given {
        if given && !spec.parameters.contains(&parameter) {
            let right = match spec.parameters {
                [] => "it takes none but the seed".to_owned(),
                parameters => format!("it takes {}", parameters.join(", ")),
            };
            return Err(DataError::option(
                parameter,
                format!("not a parameter of {}", spec.name),
                right,
            ));
        }
    }
    let modes = config.modes.unwrap_or(spec.classes);
    if spec.parameters.contains(&"modes") && !(1..=MAX_MODES).contains(&modes) {
        let right = format!("a mixture has 1 to {MAX_MODES} modes");
        return Err(DataError::option("modes", modes.to_string(), right));
    }
    let radius = config.radius.unwrap_or(2.0);
    // Beyond 1e30 squares of distances leave the range of f32.
    if !(0.0..=1e30).contains(&radius) {
        return Err(DataError::option(
            "radius",
            radius.to_string(),
            "give a number from 0 to 1e30",
        ));
    }
    let std = config.std.unwrap_or(0.02);
    if !(1e-30..=1e30).contains(&std) {
        return Err(DataError::option(
            "std",
            std.to_string(),
            "give a number from 1e-30 to 1e30",
        ));
    }
    let layout_seed = config.layout_seed.unwrap_or(0);
    let definition = match spec.name {
        "ring" => format!("ring modes={modes} radius={radius:?} std={std:?}"),
        "random-mixture" => format!("random-mixture modes={modes} layout_seed={layout_seed}"),
        name => name.to_owned(),
    };
    let kind = match spec.name {
        "moons" => Kind::Moons,
        "circles" => Kind::Circles,
        "swiss-roll" => Kind::SwissRoll,
        "checkerboard" => Kind::Checkerboard,
        "8-gaussians" => Kind::Mixture(Modes::ring(8, 2.0 * SQRT_2, 0.25 * SQRT_2)),
        "ring" => Kind::Mixture(Modes::ring(modes, radius, std)),
        "random-mixture" => Kind::Mixture(Modes::random(modes, layout_seed)),
        name => unreachable!("{name} is in TOYS"),
    };
    Ok((spec, kind, definition))
}
