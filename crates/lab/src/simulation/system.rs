//! Processes that are computed from expressions.

use fokker_sim::expr::{ExprError, System};
use fokker_sim::process::{Converted, Named};

use super::general::General;
use super::resolve::Simulation;

/// A named process as text: the components with their drift, and the diffusion.
pub(super) struct Text {
    /// The name of the process.
    pub(super) name: &'static str,
    /// Name and drift of each component.
    pub(super) components: &'static [(&'static str, &'static str)],
    /// The noise coefficients.
    pub(super) diffusion: Option<&'static str>,
}

const PLANE: &[(&str, &str)] = &[("x", "-decay*x - omega*y"), ("y", "omega*x - decay*y")];

/// The named processes that have no density, as expressions of their parameters. They then share
/// one compiled kernel for each solver.
pub(super) const TEXTS: &[Text] = &[
    Text {
        name: "linear",
        components: &[("x", "-theta*x")],
        diffusion: None,
    },
    Text {
        name: "rotation",
        components: &[("x", "-omega*y"), ("y", "omega*x")],
        diffusion: None,
    },
    Text {
        name: "spiral",
        components: PLANE,
        diffusion: None,
    },
    Text {
        name: "lorenz",
        components: &[
            ("x", "sigma*(y - x)"),
            ("y", "x*(rho - z) - y"),
            ("z", "x*y - beta*z"),
        ],
        diffusion: None,
    },
    Text {
        name: "van-der-pol",
        components: &[("x", "v"), ("v", "mu*(1 - x^2)*v - x")],
        diffusion: None,
    },
    Text {
        name: "brownian",
        components: &[("x", "0")],
        diffusion: Some("sigma"),
    },
    Text {
        name: "ornstein-uhlenbeck",
        components: &[("x", "theta*(mean - x)")],
        diffusion: Some("sigma"),
    },
    Text {
        name: "geometric-brownian",
        components: &[("x", "mu*x")],
        diffusion: Some("sigma*x"),
    },
    Text {
        name: "double-well",
        components: &[("x", "4*height/width^2*x*(1 - (x/width)^2)")],
        diffusion: Some("sigma"),
    },
    Text {
        name: "heston",
        components: &[("S", "mu*S"), ("v", "kappa*(theta - if(v <= 0, 0, v))")],
        diffusion: Some(
            "S*if(v <= 0, 0, sqrt(v)), 0; \
             xi*rho*if(v <= 0, 0, sqrt(v)), xi*sqrt(1 - rho^2)*if(v <= 0, 0, sqrt(v))",
        ),
    },
];

/// The parameters of a simulation and their values.
pub(super) fn parameters(simulation: &Simulation) -> Vec<(String, f64)> {
    match (&simulation.named, simulation.engine.general()) {
        (Some(named), _) => named
            .parameters()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        (None, General::Equation(equation)) => equation.system().params().to_vec(),
        (None, General::Dense(_)) => Vec::new(),
    }
}

/// The system of a named process, where it can be written as one.
///
/// # Errors
/// When the event cannot be read.
pub(super) fn of_named(named: &Named, event: Option<&str>) -> Result<Option<System>, ExprError> {
    let Some(text) = TEXTS.iter().find(|text| text.name == named.spec().name) else {
        return Ok(None);
    };
    let mut builder = System::builder();
    for (name, drift) in text.components {
        builder = builder.component(*name, *drift);
    }
    if let Some(diffusion) = text.diffusion {
        builder = builder.diffusion(diffusion);
    }
    for (name, value) in named.parameters() {
        builder = builder.param(name, value);
    }
    if let Some(event) = event {
        builder = builder.event(event);
    }
    builder.build().map(Some)
}

/// A system as it is written, or in the other calculus.
#[derive(Clone, Debug)]
pub(super) struct Equation {
    system: System,
    converted: Option<Converted<System>>,
}

impl Equation {
    /// The system, converted if asked for.
    pub(super) fn new(system: System, convert: bool) -> Equation {
        let converted = convert.then(|| Converted(system.clone()));
        Equation { system, converted }
    }

    /// The system as it is written.
    #[inline(always)]
    pub(super) fn system(&self) -> &System {
        &self.system
    }

    /// The system in the other calculus, if it was converted.
    #[inline(always)]
    pub(super) fn converted(&self) -> Option<&Converted<System>> {
        self.converted.as_ref()
    }
}
