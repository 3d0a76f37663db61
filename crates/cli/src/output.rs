//! What is printed: results on standard output, everything else on standard error.

#![allow(clippy::print_stdout, clippy::print_stderr)] // this is the place for it

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use fokker::SAMPLERS;
use fokker::core::{Order, RULES, Randomness};
use fokker::math::diffusion::DIFFUSIONS;
use fokker::math::grid::GRIDS;
use fokker::math::interpolant::INTERPOLANTS;
use fokker::math::scheduler::SCHEDULERS;
use fokker::math::time::TIME_LAWS;
use fokker::math::weight::LOSS_WEIGHTS;

/// Why a line of the result could not be written.
static LOST: OnceLock<String> = OnceLock::new();

/// A line of the result. A closed pipe (`| head`) is not our failure; what else goes wrong is told
/// by [`lost`].
pub(crate) fn result(line: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{line}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why a part of the results is lost, if it is.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// A line for the person who watches.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and its causes, in one paragraph.
pub(crate) fn error(error: &anyhow::Error) {
    let bold = std::io::stderr().is_terminal();
    let (on, off) = if bold {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Typed errors already carry their source's words.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    note(&format!("{on}error:{off} {text}"));
}

/// The table of samplers.
pub(crate) fn samplers() {
    result(&format!(
        "{:<18}{:>5}  {:>10}  {:<9}{}",
        "name", "order", "calls/step", "kind", "method"
    ));
    for s in SAMPLERS {
        let kind = match s.randomness {
            Randomness::No => "ODE",
            Randomness::Yes | Randomness::AnySigma => "SDE",
            Randomness::Parameter => "ODE/SDE",
        };
        let order = match s.order {
            Order::Is(order) => order.to_string(),
            Order::Parameter => "n".into(),
            Order::ParameterPlusOne => "n + 1".into(),
        };
        let parameter = s.parameter.map_or_else(String::new, |p| {
            let [least, most] = p.range;
            let least = if least < 1e-3 && least > 0.0 {
                format!("{least:e}")
            } else {
                least.to_string()
            };
            format!(
                "; {}:{} from {least} to {most}, {} if left out",
                s.name, p.symbol, p.default
            )
        });
        result(&format!(
            "{:<18}{order:>5}  {:>10}  {kind:<9}{}{parameter} ({})",
            s.name, s.calls, s.title, s.reference
        ));
    }
    result("--grid-times: where the steps are, σ = β/α (also a list of times from 0 to 1)");
    for g in GRIDS {
        let number = g
            .number
            .map_or_else(String::new, |n| format!("; {}:{n}", g.name));
        result(&format!(
            "  {:<16}{}{number}{}",
            g.name,
            g.formula,
            source(g.reference)
        ));
    }
    result("--guidance-rule: how the prediction c for the class and n without it become one");
    for r in RULES {
        result(&format!(
            "  {:<20}{}{}",
            r.name,
            r.title,
            source(r.reference)
        ));
    }
    result("--sigma: σ_t of euler-maruyama and sde-heun; every choice keeps the law");
    for s in DIFFUSIONS {
        result(&format!("  {:<16}{}", s.name, s.formula));
    }
}

fn source(reference: &str) -> String {
    if reference.is_empty() {
        return String::new();
    }
    format!("  ({reference})")
}

const PREDICTIONS: [(&str, &str); 7] = [
    ("velocity", "α̇z + β̇ε: flow matching"),
    ("data", "z: the denoiser"),
    ("noise", "ε"),
    ("v", "αε − βz"),
    (
        "score",
        "−ε/β: denoising score matching; needs objective.t_eps",
    ),
    (
        "edm",
        "the preconditioned denoiser of EDM; takes objective.sigma_data",
    ),
    (
        "velocity-and-noise",
        "both, side by side: field and score in one network",
    ),
];

const COUPLINGS: [(&str, &str); 5] = [
    ("independent", "as they come"),
    ("optimal", "optimal transport within the batch, exactly"),
    (
        "entropic",
        "entropic optimal transport (Sinkhorn); takes epsilon",
    ),
    (
        "unbalanced",
        "entropic, and outliers may be left out; takes epsilon and rho",
    ),
    (
        "rectified",
        "starts and ends of a trained model's own paths; takes run and pairs",
    ),
];

/// The tables of what a recipe and a sampling can name beside samplers.
pub(crate) fn schedulers() {
    let row = |name: &str, formula: &str, reference: &str| {
        result(&format!("  {name:<20}{formula}{}", source(reference)));
    };
    result(
        "path.scheduler: x = αz + βε, from noise to data (parameters: path.n, beta_min, beta_max, sigma_min, sigma_max; ddpm: beta_start, beta_end, betas = linear or scaled-linear, steps)",
    );
    for s in SCHEDULERS {
        row(s.name, s.formula, s.reference);
    }
    row(
        "formula",
        "path.alpha and path.beta as formulas in t, such as \"t^2\" and \"1 - alpha\"",
        "",
    );
    result(
        "path.interpolant: x = a·x₀ + b·x₁ + γε, from [source] to [data] (parameter: path.sigma)",
    );
    for s in INTERPOLANTS {
        row(s.name, s.formula, s.reference);
    }
    result("objective.prediction: what the network puts out");
    for (name, what) in PREDICTIONS {
        row(name, what, "");
    }
    result("coupling.kind: which start goes with which data point");
    for (name, what) in COUPLINGS {
        row(name, what, "");
    }
    result(
        "objective.weight: of the squared error of the data, by SNR = α²/β² (parameter: objective.weight_parameter)",
    );
    for s in LOSS_WEIGHTS {
        row(s.name, s.formula, s.reference);
    }
    result(
        "objective.time: the law of training times (parameters, in this order: objective.time_parameters = [ … ])",
    );
    for s in TIME_LAWS {
        row(s.name, s.formula, s.reference);
    }
}
