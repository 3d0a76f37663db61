//! `fokker simulate` on the command line.

use std::path::PathBuf;

use clap::Args;

/// Simulate an ODE or an SDE: millions of trajectories, statistics, pictures
///
/// PROCESS is one of `fokker simulate --list`; or write the equation down with --drift and
/// --diffusion. Everything left out has a default that fits the process. Results are the same bits
/// on any number of threads. The folder gets report.html, statistics.json and the pictures.
#[derive(Args)]
#[command(after_help = AFTER, override_usage = USAGE)]
pub(crate) struct SimulateArgs {
    /// The process, see --list
    #[arg(value_name = "PROCESS", required_unless_present_any = ["list", "drift"], conflicts_with = "drift")]
    pub(crate) process: Option<String>,

    /// List processes, solvers and densities
    #[arg(long)]
    pub(crate) list: bool,

    /// The drift: "-theta*x", "y, -x" or "q' = p; p' = -sin(q)"
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) drift: Option<String>,

    /// The noise coefficients: one for each component ("0, sigma"; 0 where there is no noise), or
    /// the rows of a matrix ("a, b; c, d": a column for each noise)
    #[arg(
        long,
        value_name = "TEXT",
        requires = "drift",
        conflicts_with = "process",
        allow_hyphen_values = true
    )]
    pub(crate) diffusion: Option<String>,

    /// A parameter of the process or of the expressions, a number or 1/3, repeatable
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) param: Vec<String>,

    /// The names of the components of a drift that is a list [default: x, or x0, x1, …]
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        requires = "drift",
        conflicts_with = "process"
    )]
    pub(crate) names: Vec<String>,

    /// Stop a trajectory where this expression crosses zero (not for processes with a --density or
    /// diffusions). With noise, crossings between two steps are missed and hits come late, as if
    /// the threshold lay farther away by 0.58 sigma sqrt(step)
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) event: Option<String>,

    /// What the noise of --diffusion means: ito or stratonovich
    #[arg(long, value_name = "NAME", requires = "drift", conflicts_with = "process", default_value = "ito", value_parser = ["ito", "stratonovich"])]
    pub(crate) calculus: String,

    /// Rewrite the equation in the solver's calculus where they differ
    #[arg(long)]
    pub(crate) convert: bool,

    /// The density of a Langevin process or of a diffusion's data, see --list
    #[arg(long, value_name = "TEXT", conflicts_with = "drift")]
    pub(crate) density: Option<String>,

    /// The solver, see --list [default: the process's]
    #[arg(long, value_name = "NAME")]
    pub(crate) solver: Option<String>,

    /// Equal steps [default: 1000, or --tol 1e-6 for ODE solvers that can]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>, conflicts_with_all = ["step", "tol", "tree"])]
    pub(crate) steps: Option<usize>,

    /// The length of equal steps
    #[arg(long, value_name = "H", allow_negative_numbers = true, conflicts_with_all = ["tol", "tree"])]
    pub(crate) step: Option<f64>,

    /// Choose steps by their error, to this relative and absolute tolerance; with noise that depends
    /// on the state for milstein and stochastic-heun only
    #[arg(
        long,
        value_name = "T",
        allow_negative_numbers = true,
        conflicts_with = "tree"
    )]
    pub(crate) tol: Option<f64>,

    /// 2^DEPTH steps on a Brownian tree: deeper is finer on the same path of the noise
    #[arg(long, value_name = "DEPTH", allow_negative_numbers = true, value_parser = whole::<u32>)]
    pub(crate) tree: Option<u32>,

    /// The time of the start [default: 0]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) from: Option<f64>,

    /// The time of the end [default: the process's, or 10 later]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) to: Option<f64>,

    /// Trajectories [default: 1000, or 1 where all would be the same]
    #[arg(long, short = 'n', value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>)]
    pub(crate) count: Option<u64>,

    /// When to save: a count of even intervals (5), times (1,2.5 or 5.0), or end [default: about 100
    /// intervals]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(crate) save: Option<String>,

    /// Where to start: a point 1,0, a density gaussian:std=2, or components "x=1;v=gaussian:std=2"
    /// [default: the process's; 1 for an ODE written down, 0 for an SDE]
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,

    /// Seed of the noise and of random starts
    #[arg(long, value_name = "S", default_value = "0", allow_negative_numbers = true, value_parser = whole::<u64>)]
    pub(crate) seed: u64,

    /// The precision of all arithmetic
    #[arg(long, value_name = "P", default_value = "f64", value_parser = ["f32", "f64"])]
    pub(crate) precision: String,

    /// The folder to make [default: runs/PROCESS, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Also write all saved states to a new file: .npy, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) paths: Option<PathBuf>,

    /// Refuse a file of --paths larger than this: 500MB, 2GB, … [default: the free disk space]
    #[arg(
        long,
        value_name = "SIZE",
        requires = "paths",
        allow_hyphen_values = true
    )]
    pub(crate) max_bytes: Option<String>,

    /// Write numbers only
    #[arg(long, conflicts_with = "animate")]
    pub(crate) no_pictures: bool,

    /// Also write an animation
    #[arg(long)]
    pub(crate) animate: bool,

    /// Leave out trajectories that fail, and count them, instead of giving up
    #[arg(long)]
    pub(crate) keep_going: bool,
}

/// A whole number, 1000 or 1e3.
fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let text = text.trim();
    let large = || {
        let x = text.parse::<f64>().ok()?;
        // As far as every whole number is a double.
        (x.fract() == 0.0 && (0.0..=2f64.powi(53)).contains(&x)).then_some(x as u64)
    };
    let number = text.parse::<u64>().ok().or_else(large);
    number
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| "expected a whole number such as 1000 or 1e6".into())
}

const USAGE: &str = "fokker simulate PROCESS [OPTIONS]
       fokker simulate --drift TEXT [--diffusion TEXT] [OPTIONS]
       fokker simulate --list";

const AFTER: &str = "\
Examples:
  fokker simulate --list
  fokker simulate ornstein-uhlenbeck --param theta=1 --start 3
  fokker simulate lorenz --start gaussian:mean=[1,1,1],std=0.01,dim=3 --animate
  fokker simulate langevin --density random:k=5,std=1 --param sigma=2 --count 100000
  fokker simulate van-der-pol --param mu=1000 --to 2000 --solver rodas5p
  fokker simulate --drift \"q' = p; p' = -sin(q) - g*p\" --param g=0.1 --start 2,0 --event p-2
  fokker simulate --drift \"-x^3\" --diffusion sigma --param sigma=0.5 --paths paths.npy --save end";
