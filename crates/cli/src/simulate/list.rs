//! What there is to simulate, and with what.

use fokker_sim::density::DENSITIES;
use fokker_sim::process::{PROCESSES, SHORT_NAMES};
use fokker_sim::solver::{Family, SOLVERS};

use crate::output::result;

/// Prints processes, solvers and densities.
pub(super) fn list() {
    result("PROCESSES");
    for spec in PROCESSES {
        let short = SHORT_NAMES.iter().filter(|(_, full)| *full == spec.name);
        let short: String = short.map(|(short, _)| format!(", also {short}")).collect();
        result(&format!("\n  {:<24}{}{short}", spec.name, spec.title));
        for equation in spec.equations {
            result(&format!("      {equation}"));
        }
        for p in spec.parameters {
            let default = fokker_lab::simulation::digits(p.default);
            result(&format!(
                "    --param {:<16}{}",
                format!("{}={default}", p.name),
                p.meaning
            ));
        }
        if let Some(density) = spec.density {
            result(&format!("    --density {density}"));
        }
        result(&format!("    --solver {} --to {}", spec.solver, spec.end));
    }
    result("\nSOLVERS\n");
    result(&format!(
        "  {:<18}{:<16}{:<8}{:<10}{}",
        "name", "for", "order", "steps", "method"
    ));
    for spec in SOLVERS {
        let family = match spec.family {
            Family::Explicit => "ODE".to_owned(),
            Family::Implicit => "stiff ODE".to_owned(),
            Family::Stochastic(calculus) => format!(
                "SDE, {}",
                match calculus {
                    fokker_sim::process::Calculus::Ito => "Itô",
                    fokker_sim::process::Calculus::Stratonovich => "Strat.",
                }
            ),
        };
        let order = |order: f64| {
            if order == 0.5 {
                "½".to_owned()
            } else {
                order.to_string()
            }
        };
        let orders = match spec.order == spec.additive_order {
            true => order(spec.order),
            false => format!("{} ({})", order(spec.order), order(spec.additive_order)),
        };
        let steps = if spec.adaptive { "any" } else { "equal" };
        result(&format!(
            "  {:<18}{family:<16}{orders:<8}{steps:<10}{}: {}",
            spec.name, spec.title, spec.remark
        ));
    }
    result("\n  Orders of SDE solvers are strong orders, in parentheses for additive noise.");
    result(
        "  Steps: --steps N or --step H; --tol T where any; --tree DEPTH for SDEs. With noise --tol needs\n  \
         strong order 1 for the noise at hand: milstein, stochastic-heun or sra1 where they fit.",
    );
    result("\nDENSITIES (--density, --start)");
    for form in DENSITIES {
        result(&format!("\n  {:<14}{}", form.name, form.title));
        for (key, meaning) in form.keys {
            result(&format!("      {key:<10}{meaning}"));
        }
        result(&format!("      such as {}", form.example));
    }
}
