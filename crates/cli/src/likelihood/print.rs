//! What was found, as lines and as a table.

use std::path::Path;

use anyhow::Result;
use fokker::Shape;
use fokker::core::{Divergence, Probe, chunk_rows};
use fokker::data::write_atomic;

use super::Found;
use super::rows::{LEVELS, Rows};
use crate::output;
use crate::sample::Source;

/// Mean and its standard error.
fn mean(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let square: f64 = values.map(|v| (v - mean).powi(2)).sum();
    (mean, (square / (n - 1.0).max(1.0) / n).sqrt())
}

/// Bits per dimension of an 8-bit picture from the log-density of its dequantised values: those are levels/127.5.
fn bits_per_dim(log_p: f64, dim: usize) -> f64 {
    -log_p / (dim as f64 * std::f64::consts::LN_2) + LEVELS.log2()
}

fn how(found: &Found) -> String {
    let ode = found.settings.ode;
    let way = match ode.steps {
        Some(n) => format!("{n} steps of {}", ode.tableau.name),
        None => format!("{} to a tolerance of {}", ode.tableau.name, ode.tolerance),
    };
    let divergence = match found.settings.divergence {
        Divergence::Exact => "exact divergence".to_owned(),
        Divergence::Hutchinson {
            law,
            probes,
            antithetic,
        } => {
            let law = match law {
                Probe::Rademacher => "±1",
                Probe::Gaussian => "normal",
            };
            let partners = if antithetic { " and partners" } else { "" };
            format!("divergence by {probes} random vectors ({law}){partners}")
        }
    };
    format!("{way}, {divergence}")
}

pub(super) fn print(source: &Source, rows: &Rows, found: &Found) -> Result<()> {
    let (count, dim) = (rows.count(), source.flow.dim);
    let log_p = found.likelihood.log_p.iter().copied();
    let (one, many) = match source.shape {
        Shape::Image { .. } => ("image", "images"),
        Shape::Vector(_) => ("point", "points"),
    };
    let what = if count == 1 { one } else { many };
    output::result(&format!("{count} {what} of {}, {}", rows.name, how(found)));
    let (nats, error) = mean(log_p.clone());
    output::result(&format!("mean log p          {nats:.4} ± {error:.4} nats"));
    if let Some(exact) = &rows.exact {
        let (truth, error) = mean(exact.iter().copied());
        output::result(&format!("exact log p         {truth:.4} ± {error:.4} nats"));
        let (off, error) = mean(log_p.clone().zip(exact).map(|(p, e)| p - e));
        output::result(&format!("mean difference     {off:+.4} ± {error:.4} nats"));
    }
    if matches!(source.shape, Shape::Image { .. }) {
        let (bits, error) = mean(log_p.map(|p| bits_per_dim(p, dim)));
        output::result(&format!(
            "bits per dimension  {bits:.4} ± {error:.4}  (8-bit pixels, dequantised uniformly)"
        ));
    }
    let errors = rows.values.iter().zip(&found.back);
    let errors = errors.map(|(a, b)| f64::from(a - b));
    let largest = errors.clone().fold(0.0, |m: f64, e| m.max(e.abs()));
    let mean_square = errors.map(|e| e * e).sum::<f64>() / rows.values.len() as f64;
    output::result(&format!(
        "x → noise → x       off by {:.1e} (root mean square), at most {largest:.1e}",
        mean_square.sqrt()
    ));
    let [calls, back] = found.calls;
    output::result(&format!(
        "network calls       {calls} with derivatives, and {back} back, for each {} rows",
        chunk_rows(dim)
    ));
    Ok(())
}

/// Writes a line for each row.
pub(super) fn write(source: &Source, rows: &Rows, found: &Found, out: &Path) -> Result<()> {
    let images = matches!(source.shape, Shape::Image { .. });
    let mut text = String::from("row,log_p");
    if rows.exact.is_some() {
        text += ",exact";
    }
    if images {
        text += ",bits_per_dim";
    }
    text += "\n";
    for (i, log_p) in found.likelihood.log_p.iter().enumerate() {
        text += &format!("{i},{log_p}");
        if let Some(exact) = &rows.exact {
            text += &format!(",{}", exact[i]);
        }
        if images {
            text += &format!(",{}", bits_per_dim(*log_p, source.flow.dim));
        }
        text += "\n";
    }
    Ok(write_atomic(out, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::{bits_per_dim, mean};

    /// A uniform law over all 256 levels of every pixel takes 8 bits each: its density is 1/(256/127.5) per value.
    #[test]
    fn noise_takes_eight_bits() {
        let log_p = -10.0 * (256.0_f64 / 127.5).ln();
        assert!((bits_per_dim(log_p, 10) - 8.0).abs() < 1e-12);
    }

    #[test]
    fn a_mean_and_its_error() {
        let (mean, error) = mean([1.0, 2.0, 3.0].into_iter());
        assert_eq!(mean, 2.0);
        assert!((error - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(super::mean([5.0].into_iter()), (5.0, 0.0));
    }
}
