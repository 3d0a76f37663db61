//! From arguments to the settings of a simulation.

use anyhow::{Context, Result, bail};
use fokker_lab::simulation::{Precision, ProcessChoice, Settings, StartChoice, Stepping};
use fokker_sim::expr::{ExprError, Program};
use fokker_sim::lane::One;
use fokker_sim::process::Calculus;

use super::args::SimulateArgs;

/// What the arguments ask for.
pub(super) fn settings(args: &SimulateArgs) -> Result<Settings> {
    let params = args
        .param
        .iter()
        .map(|text| parameter(text))
        .collect::<Result<Vec<_>>>()?;
    let process = match (&args.process, &args.drift) {
        (Some(name), _) => ProcessChoice::Named {
            name: name.clone(),
            params,
            density: args
                .density
                .as_deref()
                .map(str::parse)
                .transpose()
                .context("--density")?,
            event: args.event.clone(),
        },
        (None, Some(drift)) => ProcessChoice::Written {
            drift: drift.clone(),
            diffusion: args.diffusion.clone(),
            names: args
                .names
                .iter()
                .map(|name| name.trim().to_owned())
                .collect(),
            params,
            event: args.event.clone(),
            calculus: match args.calculus.as_str() {
                "stratonovich" => Calculus::Stratonovich,
                _ => Calculus::Ito,
            },
        },
        (None, None) => bail!("give a process (see --list) or --drift"),
    };
    let stepping = match (args.steps, args.step, args.tol, args.tree) {
        (Some(n), ..) => Some(Stepping::Steps(n)),
        (_, Some(h), ..) => Some(Stepping::Size(h)),
        (_, _, Some(t), _) => Some(Stepping::Tolerance(t)),
        (.., Some(depth)) => Some(Stepping::Tree(depth)),
        _ => None,
    };
    Ok(Settings {
        solver: args.solver.clone(),
        stepping,
        from: args.from,
        to: args.to,
        count: args.count,
        save: args.save.as_deref().map(str::parse).transpose()?,
        start: match &args.start {
            Some(text) => text.parse()?,
            None => StartChoice::Default,
        },
        seed: args.seed,
        precision: match args.precision.as_str() {
            "f32" => Precision::F32,
            _ => Precision::F64,
        },
        convert: args.convert,
        keep_going: args.keep_going,
        ..Settings::new(process)
    })
}

/// NAME=VALUE.
fn parameter(text: &str) -> Result<(String, f64)> {
    let right = "expected NAME=VALUE, for example --param theta=0.25 or --param theta=1/4";
    let Some((name, value)) = text.split_once('=') else {
        bail!("--param {text}: {right}");
    };
    let (name, value) = (name.trim(), value.trim());
    let number = match value.parse::<f64>().map_or_else(|_| constant(value), Ok) {
        Ok(number) => number,
        Err(error) => {
            let why = &error.message;
            bail!("--param {text}: `{value}` is no number ({why}); {right}");
        }
    };
    if !number.is_finite() {
        bail!("--param {text}: a parameter must be a finite number");
    }
    Ok((name.to_owned(), number))
}

/// The value of an expression without names, such as 1/3; NaN where it depends on the time.
fn constant(text: &str) -> Result<f64, ExprError> {
    let program = Program::compile(&[text], &[], &[])?;
    let mut value = [One(0.0)];
    program.eval(One(f64::NAN), &[], &[], &mut value);
    Ok(value[0].0)
}

/// 500MB, 2GB, 1.5e9.
pub(super) fn size(text: &str) -> Result<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| c.is_alphabetic() && c != 'e')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_uppercase().as_str() {
        "" | "B" => 1.0,
        "K" | "KB" => 1e3,
        "M" | "MB" => 1e6,
        "G" | "GB" => 1e9,
        "T" | "TB" => 1e12,
        _ => bail!("--max-bytes {text}: unknown unit; use B, KB, MB, GB or TB"),
    };
    match number.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok((n * factor) as u64),
        _ => bail!("--max-bytes {text}: expected a size such as 500MB"),
    }
}
