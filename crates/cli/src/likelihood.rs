//! `fokker likelihood`: the log-density of data under a run's model.

mod print;
mod rows;

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use fokker::SAMPLERS;
use fokker::core::{
    Divergence, Likelihood, LikelihoodSettings, Ode, OdeError, Probe, Sampler, chunk_rows,
};
use fokker::math::tableau::{DORMAND_PRINCE, RK4, TABLEAUS, Tableau, tableau};

use crate::args::DeviceArg;
use crate::progress::Progress;
use crate::sample::Source;
use crate::target::{Format, check_place};
use crate::{End, output, stop};
use rows::Rows;

/// Find the log-density of data under a run's model
///
/// The model's ordinary equation is solved from the data back to noise together with the integral of its divergence,
/// which gives log p(x) exactly up to the solver's tolerance (or, for pictures, with a random estimate of the
/// divergence that is right on average). Points: nats, beside the exact density where the data has a known one. Images:
/// bits per dimension of the 8-bit picture, with uniform dequantisation. The guidance weight is 1.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct LikelihoodArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// "data" for the run's own data (fresh points where it has no end), "test" for its held-back images, or a .npy or
    /// .csv file
    #[arg(value_name = "DATA")]
    data: String,

    /// Number of rows, from the first [default: 1000 points or 64 images, or all where there are fewer]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: Option<u64>,

    /// How the divergence is found [default: exact up to 64 dimensions, hutchinson beyond]
    #[arg(long, value_enum, value_name = "HOW")]
    divergence: Option<How>,

    /// Random vectors for each row's divergence, with hutchinson [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    probes: Option<u16>,

    /// The law of their numbers, with hutchinson [default: rademacher]
    #[arg(long, value_enum, value_name = "LAW")]
    probe: Option<Law>,

    /// Give every random vector a partner with each second sign changed, at twice the cost
    #[arg(long)]
    antithetic: bool,

    /// Relative and absolute tolerance of a step; less than 2e-6 counts as that much, the precision of f32
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1e-5,
        conflicts_with = "steps"
    )]
    tolerance: f64,

    /// A fixed number of steps in place of a tolerance
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    steps: Option<u64>,

    /// The solver: dopri5 or tsit5 (with --steps any Runge–Kutta method of `fokker samplers`)
    /// [default: dopri5, with --steps rk4]
    #[arg(long, value_name = "NAME")]
    sampler: Option<String>,

    /// The class that all rows are given, by name or number; "none" for no class [default: their own]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,

    /// Seed of the random vectors and of the dequantisation
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Also write a table with a line for each row: .csv
    #[arg(long, short, value_name = "CSV")]
    out: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceArg,
}

const AFTER: &str = "\
Examples:
  fokker likelihood runs/8-gaussians data
  fokker likelihood runs/8-gaussians points.csv --tolerance 1e-6 -o density.csv
  fokker likelihood runs/fashion test --count 16 --probes 2
  fokker likelihood runs/fashion test --count 16 --steps 20 --class sneaker";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    /// One pullback for each dimension.
    Exact,
    /// Hutchinson's estimate by random vectors.
    Hutchinson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Law {
    /// ±1.
    Rademacher,
    /// Standard normal.
    Gaussian,
}

/// What was found.
struct Found {
    likelihood: Likelihood,
    settings: LikelihoodSettings,
    /// The data after noise and back.
    back: Vec<f32>,
    /// Network calls of a chunk: with pullback, and of the way from noise to data.
    calls: [usize; 2],
}

pub(crate) fn run(args: LikelihoodArgs) -> Result<End> {
    stop::listen()?;
    let device = args.device.open()?;
    let ode = ode(&args)?;
    if let Some(out) = &args.out {
        if out.extension().is_none_or(|e| e != "csv") {
            bail!("--out {}: expected a name ending in .csv", out.display());
        }
        check_place("--out", out, Format::Table)?;
    }
    let source = Source::open(&args.run, &device)?;
    if source.flow.start.is_some() || !source.flow.path.is_gaussian() {
        bail!(OdeError::OtherData);
    }
    if source.latent.is_some() {
        bail!(
            "{}: this run's density is one of latents; the images that an autoencoder decodes have none",
            source.run.path().display()
        );
    }
    let settings = LikelihoodSettings {
        ode,
        divergence: divergence(&args, source.flow.dim)?,
        seed: args.seed,
    };
    let rows = Rows::read(&source, &args)?;
    let Some(found) = find(&source, &rows, settings)? else {
        output::note("stopped; nothing was written");
        return Ok(End::Stopped);
    };
    print::print(&source, &rows, &found)?;
    if let Some(out) = &args.out {
        print::write(&source, &rows, &found, out)?;
        output::result(&out.display().to_string());
    }
    Ok(End::Done)
}

/// How the equation is solved.
fn ode(args: &LikelihoodArgs) -> Result<Ode> {
    if !(args.tolerance > 0.0 && args.tolerance < 1.0) {
        bail!(
            "--tolerance {}: expected a number between 0 and 1",
            args.tolerance
        );
    }
    let (default, steps): (&'static Tableau, _) = match args.steps {
        None => (&DORMAND_PRINCE, None),
        Some(n) => (&RK4, Some(n as usize)),
    };
    let tableau = match args.sampler.as_deref() {
        None => default,
        Some(name) => method(name)?,
    };
    if steps.is_none() && tableau.b_err.is_empty() {
        bail!(
            "--sampler {}: this method does not choose its steps; give their number by --steps, or use dopri5 or tsit5",
            tableau.name
        );
    }
    Ok(Ode {
        tableau,
        tolerance: args.tolerance,
        steps,
    })
}

fn method(name: &str) -> Result<&'static Tableau> {
    if let Some(found) = tableau(name) {
        return Ok(found);
    }
    let known: Vec<&str> = TABLEAUS.iter().map(|t| t.name).collect();
    let known = known.join(", ");
    match SAMPLERS.iter().find(|s| s.name == name) {
        Some(s) if Sampler::from(s).is_stochastic() => bail!(
            "--sampler {name}: this is a sampler of the stochastic equation, which has no likelihood along a path: its noise \
             joins many x₀ to one x₁; the density is that of the ordinary equation with the same marginals: use dopri5 or tsit5"
        ),
        Some(_) => bail!(
            "--sampler {name}: the density is carried by a Runge–Kutta method; known are {known}"
        ),
        None => bail!("--sampler {name}: unknown sampler; known are {known}"),
    }
}

/// How the divergence of fields of `dim` numbers is found.
fn divergence(args: &LikelihoodArgs, dim: usize) -> Result<Divergence> {
    let usual = if dim > 64 {
        How::Hutchinson
    } else {
        How::Exact
    };
    let random = [
        ("--probes", args.probes.is_some()),
        ("--probe", args.probe.is_some()),
        ("--antithetic", args.antithetic),
    ];
    match args.divergence.unwrap_or(usual) {
        How::Exact => match random.iter().find(|(_, given)| *given) {
            Some((flag, _)) => bail!(
                "{flag}: the exact divergence needs no random vectors; add --divergence hutchinson"
            ),
            None => Ok(Divergence::Exact),
        },
        How::Hutchinson => Ok(Divergence::Hutchinson {
            law: match args.probe.unwrap_or(Law::Rademacher) {
                Law::Rademacher => Probe::Rademacher,
                Law::Gaussian => Probe::Gaussian,
            },
            probes: usize::from(args.probes.unwrap_or(1)),
            antithetic: args.antithetic,
        }),
    }
}

/// Density and round trip, with progress; `None` on Ctrl-C.
fn find(source: &Source, rows: &Rows, settings: LikelihoodSettings) -> Result<Option<Found>> {
    let count = rows.count();
    let classes = rows.classes.as_deref();
    let watch = |bar: &mut Progress, share: f64| {
        if stop::asked() {
            return ControlFlow::Break(());
        }
        bar.set_share(share, || format!("{count} rows"));
        ControlFlow::Continue(())
    };
    let mut bar = Progress::shares("density");
    let found = source
        .flow
        .log_likelihood(&settings, &rows.values, classes, &mut |s| {
            watch(&mut bar, s)
        });
    let likelihood = match found {
        Err(OdeError::Stopped) => return Ok(None),
        found => found?,
    };
    bar.finish(&format!("{count} rows"));
    let mut bar = Progress::shares("back");
    let back = source
        .flow
        .decode(&settings.ode, &likelihood.noise, classes, &mut |s| {
            watch(&mut bar, s)
        });
    let (back, there) = match back {
        Err(OdeError::Stopped) => return Ok(None),
        back => back?,
    };
    bar.finish(&format!("{count} rows"));
    let chunks = count.div_ceil(chunk_rows(source.flow.dim));
    Ok(Some(Found {
        calls: [likelihood.calls / chunks, there / chunks],
        likelihood,
        settings,
        back,
    }))
}
