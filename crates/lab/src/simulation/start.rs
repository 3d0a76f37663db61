//! Starting points.

use fokker_math::density::Density;
use fokker_sim::density::DensityArg;
use fokker_sim::process::Start as Law;
use fokker_sim::rng::{Purpose, Stream};
use fokker_sim::shown;

use super::error::{SimulationError, did_you_mean, setting};
use super::settings::{ComponentStart, StartChoice};

/// Where trajectories start, resolved.
#[derive(Clone, Debug)]
pub(super) enum Starts {
    /// At a point or at samples of a density.
    Law(Law),
    /// Every component by itself.
    Product(Vec<ComponentStart>),
}

impl Starts {
    /// The start asked for, of `names` components; `default` where nothing was.
    ///
    /// # Errors
    /// When it does not fit.
    pub(super) fn new(
        choice: &StartChoice,
        default: Law,
        names: &[String],
    ) -> Result<Starts, SimulationError> {
        let dim = names.len();
        let fits = |got: usize| {
            let expected = format!("the process has {dim}: {}", names.join(", "));
            let components = if got == 1 { "component" } else { "components" };
            let problem = format!("the start has {got} {components}");
            if got == dim {
                Ok(())
            } else {
                Err(setting("--start", problem, expected))
            }
        };
        let finite = |name: &str, value: f64| {
            let problem = format!("{name} starts at {}", shown(value));
            let right = "every component must start at a finite number";
            if value.is_finite() {
                Ok(value)
            } else {
                Err(setting("--start", problem, right))
            }
        };
        match choice {
            StartChoice::Default => Ok(Starts::Law(default)),
            StartChoice::Point(point) => {
                fits(point.len())?;
                for (name, &value) in names.iter().zip(point) {
                    finite(name, value)?;
                }
                Ok(Starts::Law(Law::Point(point.clone())))
            }
            StartChoice::Density(density) => {
                fits(density.dim())?;
                Ok(Starts::Law(Law::Density(density.clone())))
            }
            StartChoice::Components(given) => {
                let mut starts: Vec<Option<ComponentStart>> = vec![None; dim];
                for (name, start) in given {
                    let Some(at) = names.iter().position(|known| known == name) else {
                        let hint = did_you_mean(name, names.iter().map(String::as_str));
                        let problem = format!("there is no component `{name}`{hint}");
                        return Err(setting(
                            "--start",
                            problem,
                            format!("there are {}", names.join(", ")),
                        ));
                    };
                    match start {
                        ComponentStart::Value(value) => _ = finite(name, *value)?,
                        ComponentStart::Density(density) if density.dim() != 1 => {
                            let problem =
                                format!("{name} starts at samples of dimension {}", density.dim());
                            return Err(setting(
                                "--start",
                                problem,
                                "a component needs a density on the line",
                            ));
                        }
                        ComponentStart::Density(_) => (),
                    }
                    if starts[at].replace(start.clone()).is_some() {
                        let right = "give each component once";
                        return Err(setting(
                            "--start",
                            format!("`{name}` is given twice"),
                            right,
                        ));
                    }
                }
                let rest = |j: usize| match &default {
                    Law::Point(point) => Ok(ComponentStart::Value(point[j])),
                    Law::Density(_) => {
                        let right = "the process starts at a random point: give every component";
                        Err(setting(
                            "--start",
                            format!("`{}` is left out", names[j]),
                            right,
                        ))
                    }
                };
                let starts = starts.into_iter().enumerate();
                let starts: Result<Vec<_>, _> =
                    starts.map(|(j, s)| s.map_or_else(|| rest(j), Ok)).collect();
                Ok(Starts::of_components(starts?))
            }
        }
    }

    fn of_components(starts: Vec<ComponentStart>) -> Starts {
        let values: Option<Vec<f64>> = starts
            .iter()
            .map(|start| match start {
                ComponentStart::Value(value) => Some(*value),
                ComponentStart::Density(_) => None,
            })
            .collect();
        values.map_or(Starts::Product(starts), |point| {
            Starts::Law(Law::Point(point))
        })
    }

    /// Whether all trajectories start at one point.
    pub(super) fn is_point(&self) -> bool {
        matches!(self, Starts::Law(Law::Point(_)))
    }

    /// The law, where processes know what becomes of it.
    pub(super) fn law(&self) -> Option<&Law> {
        match self {
            Starts::Law(law) => Some(law),
            Starts::Product(_) => None,
        }
    }

    /// Writes the start of a trajectory: draws 2j and 2j + 1 of the stream for initial noise.
    pub(super) fn sample(&self, seed: u64, trajectory: u64, x: &mut [f64]) {
        let draw = |density: &DensityArg, j: u32, out: &mut [f64]| {
            let mut u = [0.0];
            Stream::new(seed, Purpose::Init, trajectory, 2 * j).uniforms_f64(&mut u);
            let mut normals = vec![0.0; density.normals()];
            Stream::new(seed, Purpose::Init, trajectory, 2 * j + 1).normals_f64(&mut normals);
            density.sample(u[0], &normals, out);
        };
        match self {
            Starts::Law(Law::Point(point)) => x.copy_from_slice(point),
            Starts::Law(Law::Density(density)) => draw(density, 0, x),
            Starts::Product(starts) => {
                for ((j, start), x) in (0..).zip(starts).zip(x) {
                    match start {
                        ComponentStart::Value(value) => *x = *value,
                        ComponentStart::Density(density) => {
                            draw(density, j, std::slice::from_mut(x));
                        }
                    }
                }
            }
        }
    }

    /// In words.
    pub(super) fn describe(&self, names: &[String]) -> String {
        let density = |density: &DensityArg| match density {
            DensityArg::Gaussian(g) if g.dim() == 1 => {
                format!("N({}, {})", shown(g.mean()[0]), shown(g.covariance()[0]))
            }
            DensityArg::Gaussian(g) => {
                let n = g.dim();
                let c = g.covariance();
                let plain = (0..n * n).all(|k| c[k] == if k % (n + 1) == 0 { c[0] } else { 0.0 });
                match (plain, g.mean().iter().all(|m| *m == 0.0)) {
                    (true, true) => format!("N(0, {} I) in dimension {n}", c[0]),
                    (true, false) => format!("N({:?}, {} I)", g.mean(), c[0]),
                    _ => format!("a Gaussian about {:?}", g.mean()),
                }
            }
            DensityArg::Mixture(m) => format!("a mixture of {} Gaussians", m.components().len()),
            DensityArg::DoubleWell(_) => "a double well's density".into(),
        };
        let equals = |(name, value): (&String, String)| format!("{name} = {value}");
        match self {
            Starts::Law(Law::Point(point)) => {
                let values = point.iter().map(|&x| shown(x));
                names
                    .iter()
                    .zip(values)
                    .map(equals)
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            Starts::Law(Law::Density(d)) => format!("samples of {}", density(d)),
            Starts::Product(starts) => {
                let parts = names.iter().zip(starts).map(|(name, start)| match start {
                    ComponentStart::Value(value) => format!("{name} = {}", shown(*value)),
                    ComponentStart::Density(d) => format!("{name} ~ {}", density(d)),
                });
                parts.collect::<Vec<_>>().join(", ")
            }
        }
    }
}
