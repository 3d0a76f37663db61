//! What there is, in one slice.

use fokker_math::density::Density;

use super::super::diffusion::{AnyKernel, Forward, ProbabilityFlow, Reverse, SubVp, Ve, Vp};
use super::super::{
    Brownian, DoubleWell, GeometricBrownian, Heston, Langevin, Linear, Lorenz, OrnsteinUhlenbeck,
    ProcessError, Range, Spiral, UnderdampedLangevin, VanDerPol,
};
use super::{Built, ParameterSpec, ProcessSpec, StartSpec, law};
use crate::density::{DensityArg, Diffused};

const fn parameter(
    name: &'static str,
    default: f64,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec {
        name,
        default,
        meaning,
        range,
    }
}

/// An ordinary differential equation without parameters: what the others differ from.
const ODE: ProcessSpec = ProcessSpec {
    name: "",
    title: "",
    equations: &[],
    parameters: &[],
    density: None,
    start: StartSpec::Point(&[1.0]),
    end: 10.0,
    latest: None,
    solver: "tsit5",
    noise: false,
    build: |_, _| Linear::new(0.0).map(Built::Linear),
    law: |_, _, _| None,
};

const SDE: ProcessSpec = ProcessSpec {
    start: StartSpec::Point(&[0.0]),
    solver: "euler-maruyama",
    noise: true,
    ..ODE
};

/// A noising diffusion.
const FORWARD: ProcessSpec = ProcessSpec {
    density: Some(DATA),
    start: StartSpec::Data,
    end: 1.0,
    latest: Some(1.0),
    law: law::forward,
    ..SDE
};

/// Its reversal.
const REVERSE: ProcessSpec = ProcessSpec {
    start: StartSpec::Noise(None),
    law: law::reverse,
    ..FORWARD
};

/// Its probability flow.
const FLOW: ProcessSpec = ProcessSpec {
    solver: "tsit5",
    noise: false,
    ..REVERSE
};

const DATA: &str = "ring:k=5,radius=4,std=0.5";

const VP: &[ParameterSpec] = &[
    parameter(
        "beta_min",
        0.1,
        Range::NonNegative,
        "the rate beta at the data",
    ),
    parameter(
        "beta_max",
        20.0,
        Range::Positive,
        "the rate beta at the noise",
    ),
];

const VE: &[ParameterSpec] = &[
    parameter(
        "sigma_min",
        0.01,
        Range::Positive,
        "the deviation sigma at the data",
    ),
    parameter(
        "sigma_max",
        50.0,
        Range::Positive,
        "the deviation sigma at the noise",
    ),
];

const BETA: &str = "beta(s) = beta_min + s (beta_max - beta_min), B(s) = its integral from 0 to s";
const SIGMA: &str = "sigma(s) = sigma_min (sigma_max/sigma_min)^s";
const FORWARD_CLOCK: &str = "data at s = 0, noise at s = 1; p is the data's density";
const REVERSE_CLOCK: &str = "s = 1 - t: noise at t = 0, data at t = 1; p_s is the diffused density";

/// A kernel from its two parameters.
type Make = fn(f64, f64) -> Result<AnyKernel, ProcessError>;
const MAKE_VP: Make = |low, high| Vp::new(low, high).map(AnyKernel::Vp);
const MAKE_SUB_VP: Make = |low, high| SubVp::new(low, high).map(AnyKernel::SubVp);
const MAKE_VE: Make = |low, high| Ve::new(low, high).map(AnyKernel::Ve);

fn forward(make: Make, v: &[f64], density: Option<&DensityArg>) -> Result<Built, ProcessError> {
    let dim = density.map_or(1, Density::dim);
    Forward::new(make(v[0], v[1])?, dim).map(Built::Forward)
}

fn data(process: &'static str, density: Option<&DensityArg>) -> Result<Diffused, ProcessError> {
    let density = density.cloned().unwrap_or_default();
    density
        .diffused()
        .ok_or(ProcessError::NotDiffusable { process })
}

fn reverse(
    (name, make): (&'static str, Make),
    v: &[f64],
    density: Option<&DensityArg>,
) -> Result<Built, ProcessError> {
    Reverse::new(make(v[0], v[1])?, data(name, density)?).map(Built::Reverse)
}

fn flow(
    (name, make): (&'static str, Make),
    v: &[f64],
    density: Option<&DensityArg>,
) -> Result<Built, ProcessError> {
    ProbabilityFlow::new(make(v[0], v[1])?, data(name, density)?).map(Built::Flow)
}

/// Every process: help texts, menus and tests iterate this slice.
pub const PROCESSES: &[ProcessSpec] = &[
    ProcessSpec {
        name: "linear",
        title: "linear equation",
        equations: &["dx = -theta x dt"],
        parameters: &[parameter("theta", 1.0, Range::Any, "the rate of decay")],
        build: |v, _| Linear::new(v[0]).map(Built::Linear),
        law: law::linear,
        ..ODE
    },
    ProcessSpec {
        name: "rotation",
        title: "rotation of the plane",
        equations: &["dx = -omega y dt", "dy = omega x dt"],
        parameters: &[parameter("omega", 1.0, Range::Any, "the angular velocity")],
        start: StartSpec::Point(&[1.0, 0.0]),
        build: |v, _| Spiral::rotation(v[0]).map(Built::Spiral),
        law: law::spiral,
        ..ODE
    },
    ProcessSpec {
        name: "spiral",
        title: "spiral in the plane",
        equations: &[
            "dx = (-decay x - omega y) dt",
            "dy = (omega x - decay y) dt",
        ],
        parameters: &[
            parameter("omega", 1.0, Range::Any, "the angular velocity"),
            parameter(
                "decay",
                0.1,
                Range::Any,
                "the rate at which the radius decays",
            ),
        ],
        start: StartSpec::Point(&[1.0, 0.0]),
        build: |v, _| Spiral::new(v[0], v[1]).map(Built::Spiral),
        law: law::spiral,
        ..ODE
    },
    ProcessSpec {
        name: "lorenz",
        title: "Lorenz system",
        equations: &[
            "dx = sigma (y - x) dt",
            "dy = (x (rho - z) - y) dt",
            "dz = (x y - beta z) dt",
        ],
        parameters: &[
            parameter("sigma", 10.0, Range::Any, "the Prandtl number"),
            parameter("rho", 28.0, Range::Any, "the relative Rayleigh number"),
            parameter(
                "beta",
                8.0 / 3.0,
                Range::Any,
                "the geometry of the convection cells",
            ),
        ],
        start: StartSpec::Point(&[1.0, 1.0, 1.0]),
        end: 20.0,
        build: |v, _| Lorenz::new(v[0], v[1], v[2]).map(Built::Lorenz),
        ..ODE
    },
    ProcessSpec {
        name: "van-der-pol",
        title: "van der Pol oscillator",
        equations: &["dx = v dt", "dv = (mu (1 - x^2) v - x) dt"],
        parameters: &[parameter(
            "mu",
            1.0,
            Range::Any,
            "the damping; stiff when large",
        )],
        start: StartSpec::Point(&[2.0, 0.0]),
        end: 20.0,
        build: |v, _| VanDerPol::new(v[0]).map(Built::VanDerPol),
        ..ODE
    },
    ProcessSpec {
        name: "brownian",
        title: "Brownian motion",
        equations: &["dx = sigma dW"],
        parameters: &[parameter(
            "sigma",
            1.0,
            Range::NonNegative,
            "the diffusion coefficient",
        )],
        build: |v, _| Brownian::new(v[0]).map(Built::Brownian),
        law: law::brownian,
        ..SDE
    },
    ProcessSpec {
        name: "ornstein-uhlenbeck",
        title: "Ornstein-Uhlenbeck process",
        equations: &["dx = theta (mean - x) dt + sigma dW"],
        parameters: &[
            parameter("theta", 0.25, Range::Any, "the rate of return to the mean"),
            parameter("mean", 0.0, Range::Any, "the mean"),
            parameter(
                "sigma",
                0.5,
                Range::NonNegative,
                "the diffusion coefficient",
            ),
        ],
        end: 20.0,
        build: |v, _| OrnsteinUhlenbeck::new(v[0], v[1], v[2]).map(Built::OrnsteinUhlenbeck),
        law: law::ornstein_uhlenbeck,
        ..SDE
    },
    ProcessSpec {
        name: "geometric-brownian",
        title: "geometric Brownian motion",
        equations: &["dx = mu x dt + sigma x dW (Ito)"],
        parameters: &[
            parameter("mu", 0.05, Range::Any, "the rate of growth"),
            parameter("sigma", 0.2, Range::NonNegative, "the volatility"),
        ],
        start: StartSpec::Point(&[1.0]),
        end: 1.0,
        build: |v, _| GeometricBrownian::new(v[0], v[1]).map(Built::GeometricBrownian),
        law: law::geometric_brownian,
        ..SDE
    },
    ProcessSpec {
        name: "double-well",
        title: "particle in a double well",
        equations: &[
            "dx = -U'(x) dt + sigma dW",
            "U(x) = height ((x/width)^2 - 1)^2",
        ],
        parameters: &[
            parameter("height", 1.0, Range::Positive, "the height of the barrier"),
            parameter("width", 1.0, Range::Positive, "the wells are at +-width"),
            parameter(
                "sigma",
                1.0,
                Range::NonNegative,
                "the diffusion coefficient",
            ),
        ],
        end: 50.0,
        build: |v, _| DoubleWell::new(v[0], v[1], v[2]).map(Built::DoubleWell),
        law: law::double_well,
        ..SDE
    },
    ProcessSpec {
        name: "langevin",
        title: "overdamped Langevin dynamics",
        equations: &["dx = sigma^2/2 grad ln p(x) dt + sigma dW"],
        parameters: &[parameter(
            "sigma",
            1.0,
            Range::NonNegative,
            "the diffusion coefficient",
        )],
        density: Some("mixture:means=[-1.5,1.5],stds=0.5"),
        start: StartSpec::Noise(None),
        end: 50.0,
        build: |v, density| {
            let density = density.cloned().unwrap_or_default();
            let (dim, lanes, sigma) = (density.dim(), density.lanes(), v[0]);
            match dim {
                1 => Langevin::new(lanes, sigma).map(Built::Langevin1),
                2 => Langevin::new(lanes, sigma).map(Built::Langevin2),
                _ => Langevin::new(lanes, sigma).map(Built::Langevin),
            }
        },
        law: law::langevin,
        ..SDE
    },
    ProcessSpec {
        name: "underdamped-langevin",
        title: "underdamped Langevin dynamics",
        equations: &[
            "dx = v dt",
            "dv = (temperature/mass grad ln p(x) - gamma v) dt + sqrt(2 gamma temperature/mass) dW",
        ],
        parameters: &[
            parameter("gamma", 1.0, Range::NonNegative, "the friction"),
            parameter("temperature", 1.0, Range::Positive, "the temperature"),
            parameter("mass", 1.0, Range::Positive, "the mass"),
        ],
        density: Some("mixture:means=[-1.5,1.5],stds=0.5"),
        start: StartSpec::Noise(None),
        end: 50.0,
        // At the usual 1,000 steps Euler–Maruyama's velocities are 5 % too fast.
        solver: "sra1",
        build: |v, density| {
            let density = density.cloned().unwrap_or_default().lanes();
            UnderdampedLangevin::new(density, v[0], v[1], v[2]).map(Built::Underdamped)
        },
        law: law::underdamped,
        ..SDE
    },
    ProcessSpec {
        name: "vp",
        title: "variance-preserving diffusion",
        equations: &[
            "dx = -beta(s)/2 x ds + sqrt(beta(s)) dW",
            BETA,
            FORWARD_CLOCK,
        ],
        parameters: VP,
        build: |v, density| forward(MAKE_VP, v, density),
        ..FORWARD
    },
    ProcessSpec {
        name: "sub-vp",
        title: "sub-VP diffusion",
        equations: &[
            "dx = -beta(s)/2 x ds + sqrt(beta(s) (1 - exp(-2 B(s)))) dW",
            BETA,
            FORWARD_CLOCK,
        ],
        parameters: VP,
        build: |v, density| forward(MAKE_SUB_VP, v, density),
        ..FORWARD
    },
    ProcessSpec {
        name: "ve",
        title: "variance-exploding diffusion",
        equations: &["dx = sqrt(d sigma(s)^2/ds) dW", SIGMA, FORWARD_CLOCK],
        parameters: VE,
        build: |v, density| forward(MAKE_VE, v, density),
        ..FORWARD
    },
    ProcessSpec {
        name: "vp-reverse",
        title: "variance-preserving diffusion in reverse",
        equations: &[
            "dx = (beta(s)/2 x + beta(s) grad ln p_s(x)) dt + sqrt(beta(s)) dW",
            BETA,
            REVERSE_CLOCK,
        ],
        parameters: VP,
        build: |v, density| reverse(("vp-reverse", MAKE_VP), v, density),
        ..REVERSE
    },
    ProcessSpec {
        name: "sub-vp-reverse",
        title: "sub-VP diffusion in reverse",
        equations: &[
            "dx = (beta(s)/2 x + g^2 grad ln p_s(x)) dt + g dW, g^2 = beta(s) (1 - exp(-2 B(s)))",
            BETA,
            REVERSE_CLOCK,
        ],
        parameters: VP,
        build: |v, density| reverse(("sub-vp-reverse", MAKE_SUB_VP), v, density),
        ..REVERSE
    },
    ProcessSpec {
        name: "ve-reverse",
        title: "variance-exploding diffusion in reverse",
        equations: &[
            "dx = g^2 grad ln p_s(x) dt + g dW, g^2 = d sigma(s)^2/ds",
            SIGMA,
            REVERSE_CLOCK,
        ],
        parameters: VE,
        start: StartSpec::Noise(Some(1)),
        build: |v, density| reverse(("ve-reverse", MAKE_VE), v, density),
        ..REVERSE
    },
    ProcessSpec {
        name: "vp-flow",
        title: "probability flow of the variance-preserving diffusion",
        equations: &[
            "dx = (beta(s)/2 x + beta(s)/2 grad ln p_s(x)) dt",
            BETA,
            REVERSE_CLOCK,
        ],
        parameters: VP,
        build: |v, density| flow(("vp-flow", MAKE_VP), v, density),
        ..FLOW
    },
    ProcessSpec {
        name: "sub-vp-flow",
        title: "probability flow of the sub-VP diffusion",
        equations: &[
            "dx = (beta(s)/2 x + g^2/2 grad ln p_s(x)) dt, g^2 = beta(s) (1 - exp(-2 B(s)))",
            BETA,
            REVERSE_CLOCK,
        ],
        parameters: VP,
        build: |v, density| flow(("sub-vp-flow", MAKE_SUB_VP), v, density),
        ..FLOW
    },
    ProcessSpec {
        name: "ve-flow",
        title: "probability flow of the variance-exploding diffusion",
        equations: &[
            "dx = g^2/2 grad ln p_s(x) dt, g^2 = d sigma(s)^2/ds",
            SIGMA,
            REVERSE_CLOCK,
        ],
        parameters: VE,
        start: StartSpec::Noise(Some(1)),
        build: |v, density| flow(("ve-flow", MAKE_VE), v, density),
        ..FLOW
    },
    ProcessSpec {
        name: "heston",
        title: "Heston model",
        equations: &[
            "dS = mu S dt + sqrt(v) S dW1 (Ito)",
            "dv = kappa (theta - v) dt + xi sqrt(v) (rho dW1 + sqrt(1 - rho^2) dW2)",
            "with max(v, 0) in place of v (full truncation)",
        ],
        parameters: &[
            parameter("mu", 0.05, Range::Any, "the price's rate of growth"),
            parameter(
                "kappa",
                2.0,
                Range::NonNegative,
                "the variance's rate of return",
            ),
            parameter("theta", 0.04, Range::NonNegative, "the long-run variance"),
            parameter(
                "xi",
                0.3,
                Range::NonNegative,
                "the volatility of the variance",
            ),
            parameter(
                "rho",
                -0.7,
                Range::Between(-1.0, 1.0),
                "the correlation of the noises",
            ),
        ],
        start: StartSpec::Point(&[1.0, 0.04]),
        end: 1.0,
        build: |v, _| Heston::new(v[0], v[1], v[2], v[3], v[4]).map(Built::Heston),
        law: law::heston,
        ..SDE
    },
];
