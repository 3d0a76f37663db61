//! Round numbers along an axis and their labels.

/// Values closer than this, relative to their size, are drawn as one: below it f64 labels say nothing.
const RESOLUTION: f64 = 1e-9;
/// Larger magnitudes are treated as not drawable, so that differences never overflow.
pub(crate) const HUGE: f64 = 1e290;

/// A round step m·10^e with m ∈ {1, 2, 5}.
#[derive(Debug, Clone, Copy)]
struct Step {
    mantissa: f64,
    exponent: i32,
}

impl Step {
    /// The smallest round step with at most `count` steps in `span`.
    fn at_least(span: f64, count: usize) -> Self {
        let raw = span / count.max(1) as f64;
        let exponent = raw.log10().floor() as i32;
        let ratio = raw / pow10(exponent);
        let (mantissa, exponent) = match ratio {
            r if r <= 1.0 + 1e-9 => (1.0, exponent),
            r if r <= 2.0 + 1e-9 => (2.0, exponent),
            r if r <= 5.0 + 1e-9 => (5.0, exponent),
            _ => (1.0, exponent + 1),
        };
        Self { mantissa, exponent }
    }

    /// k steps; dividing by a power of ten gives the f64 nearest to the decimal number.
    fn times(self, k: f64) -> f64 {
        if (-300..0).contains(&self.exponent) {
            k * self.mantissa / pow10(-self.exponent)
        } else {
            k * self.mantissa * pow10(self.exponent)
        }
    }
}

fn pow10(e: i32) -> f64 {
    10f64.powi(e)
}

/// A range that is finite, increasing and wide enough to be labelled.
fn widened(lo: f64, hi: f64) -> (f64, f64) {
    let (lo, hi) = (lo.min(hi).clamp(-HUGE, HUGE), hi.max(lo).clamp(-HUGE, HUGE));
    let size = lo.abs().max(hi.abs());
    if size < 1e-290 {
        (-1.0, 1.0)
    } else if hi - lo < size * RESOLUTION {
        (lo - size * 0.1, hi + size * 0.1)
    } else {
        (lo, hi)
    }
}

/// Round numbers, evenly spaced by {1, 2, 5}·10^e, the first at most `lo` and the last at least `hi`.
///
/// About `count` of them, never more than `count` + 3. A range without width is widened first.
pub fn linear_ticks(lo: f64, hi: f64, count: usize) -> Vec<f64> {
    linear(lo, hi, count).0
}

fn linear(lo: f64, hi: f64, count: usize) -> (Vec<f64>, Step) {
    let (lo, hi) = widened(lo, hi);
    let step = Step::at_least(hi - lo, count);
    let unit = step.times(1.0);
    // A bound that is a round number up to rounding shall not cost another step.
    let first = (lo / unit + 1e-9).floor();
    let last = (hi / unit - 1e-9).ceil();
    let n = (last - first) as usize;
    (
        (0..=n).map(|i| step.times(first + i as f64)).collect(),
        step,
    )
}

/// An axis: a range, its scale and its labelled ticks.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    log: bool,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from `lo` to `hi`. With `round`, it grows to the next round numbers outside; else only if they are near.
    pub(crate) fn linear(lo: f64, hi: f64, count: usize, round: bool) -> Self {
        let (lo, hi) = widened(lo, hi);
        let (mut values, mut step) = linear(lo, hi, count);
        if !round {
            // Of the ticks inside the range at least three are wanted, and five always bring that.
            let inside = values.iter().filter(|v| **v >= lo && **v <= hi).count();
            if inside < 3 {
                (values, step) = linear(lo, hi, count.max(5));
            }
        }
        let labels = labels(&values, step.exponent);
        let (lo, hi) = if round {
            (values[0].min(lo), values[values.len() - 1].max(hi))
        } else {
            // 1 … 4999 is meant to be 0 … 5000.
            let near = (hi - lo) * 0.02;
            let snap = |v: f64, to: f64| if (v - to).abs() <= near { to } else { v };
            (snap(lo, values[0]), snap(hi, values[values.len() - 1]))
        };
        let slack = (hi - lo) * 1e-9;
        let ticks = values
            .into_iter()
            .zip(labels)
            .filter(|(v, _)| *v >= lo - slack && *v <= hi + slack)
            .collect();
        Self {
            lo,
            hi,
            log: false,
            ticks,
        }
    }

    /// An axis from exactly `lo` to exactly `hi`, so that two axes can have one scale.
    pub(crate) fn exact(lo: f64, hi: f64, count: usize) -> Self {
        let mut axis = Self::linear(lo, hi, count, false);
        (axis.lo, axis.hi) = widened(lo, hi);
        let slack = (axis.hi - axis.lo) * 1e-9;
        axis.ticks
            .retain(|(v, _)| *v >= axis.lo - slack && *v <= axis.hi + slack);
        axis
    }

    /// A logarithmic axis over positive `lo` … `hi`, grown to the next {1, 2, 5}·10^e outside.
    pub(crate) fn log(lo: f64, hi: f64, count: usize) -> Self {
        let clean = |v: f64| {
            if v.is_finite() {
                v.clamp(1e-290, HUGE)
            } else {
                1.0
            }
        };
        let (lo, hi) = (clean(lo.min(hi)), clean(hi.max(lo)));
        let round = |k: i32| [1.0, 2.0, 5.0][k.rem_euclid(3) as usize] * pow10(k.div_euclid(3));
        // k counts 1, 2, 5, 10, 20, …; start one below and walk to the bounds.
        let mut first = 3 * lo.log10().floor() as i32 - 1;
        while round(first + 1) <= lo * (1.0 + 1e-9) {
            first += 1;
        }
        let mut last = first + 1;
        while round(last) < hi * (1.0 - 1e-9) {
            last += 1;
        }
        let decades = (last - first) as usize / 3;
        let ks: Vec<i32> = if (last - first) as usize <= count.max(2) {
            (first..=last).collect()
        } else {
            let stride = decades.div_ceil(count.max(2)).max(1) as i32;
            (first..=last)
                .filter(|k| k.rem_euclid(3) == 0 && k.div_euclid(3).rem_euclid(stride) == 0)
                .collect()
        };
        let plain = round(first) >= 9e-4 && round(last) <= 1.1e5;
        let ticks = ks
            .into_iter()
            .map(|k| {
                let e = k.div_euclid(3);
                let label = if plain {
                    grouped(round(k), (-e).max(0) as usize)
                } else if k.rem_euclid(3) == 0 {
                    format!("10{}", superscript(e))
                } else {
                    format!(
                        "{}×10{}",
                        [1, 2, 5][k.rem_euclid(3) as usize],
                        superscript(e)
                    )
                };
                (round(k), label)
            })
            .collect();
        Self {
            lo: round(first),
            hi: round(last),
            log: true,
            ticks,
        }
    }

    /// A logarithmic axis that ends a little outside `lo` and `hi`, if two labelled ticks lie between them.
    pub(crate) fn log_within(lo: f64, hi: f64, count: usize) -> Self {
        let mut axis = Self::log(lo, hi, count);
        let pad = (hi / lo).powf(0.02);
        let (lo, hi) = (lo / pad, hi * pad);
        let inside = |t: &(f64, String)| lo <= t.0 && t.0 <= hi;
        if pad > 1.0 && axis.ticks.iter().filter(|t| inside(t)).count() >= 2 {
            axis.ticks.retain(inside);
            (axis.lo, axis.hi) = (lo, hi);
        }
        axis
    }

    /// Where `v` lies: 0 at the low end, 1 at the high end; None where it cannot be drawn.
    pub(crate) fn at(&self, v: f64) -> Option<f64> {
        if !drawable(v, self.log) {
            return None;
        }
        let t = if self.log {
            (v.log10() - self.lo.log10()) / (self.hi.log10() - self.lo.log10())
        } else {
            (v - self.lo) / (self.hi - self.lo)
        };
        // Far outside is as invisible as just outside, and SVG numbers are f32.
        Some(t.clamp(-20.0, 21.0))
    }

    /// Drops labels, evenly, until the `size` of each along the axis and `gap` fit into `length`.
    pub(crate) fn fit(&mut self, length: f64, gap: f64, size: impl Fn(&str) -> f64) {
        for keep_every in 1..=self.ticks.len().max(1) {
            let kept: Vec<(f64, String)> = self.ticks.iter().step_by(keep_every).cloned().collect();
            let free = kept.windows(2).all(|pair| {
                let [a, b] = [&pair[0], &pair[1]].map(|(v, _)| self.at(*v).unwrap_or(0.0) * length);
                b - a >= (size(&pair[0].1) + size(&pair[1].1)) / 2.0 + gap
            });
            if free {
                self.ticks = kept;
                return;
            }
        }
    }
}

/// Whether a value has a place on an axis.
pub(crate) fn drawable(v: f64, log: bool) -> bool {
    v.is_finite() && v.abs() <= HUGE && (!log || v >= 1e-290)
}

/// Labels for round numbers whose step is some {1, 2, 5}·10^`exponent`.
fn labels(values: &[f64], exponent: i32) -> Vec<String> {
    let size = values.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    let power = size.log10().floor() as i32;
    let scientific = size >= 9.999_999e5 || exponent < -6;
    values
        .iter()
        .map(|&v| {
            if v == 0.0 {
                "0".to_owned()
            } else if scientific {
                let decimals = (power - exponent).clamp(0, 12) as usize;
                let mantissa = if power >= 0 {
                    v / pow10(power)
                } else {
                    v * pow10((-power).min(300))
                };
                format!("{}×10{}", grouped(mantissa, decimals), superscript(power))
            } else {
                grouped(v, (-exponent).max(0) as usize)
            }
        })
        .collect()
}

/// A number with `decimals` places, a true minus sign and, from 10 000 on, thin spaces between thousands.
pub(crate) fn grouped(v: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", v.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut out = String::new();
    if v < 0.0 && digits.bytes().any(|b| b.is_ascii_digit() && b != b'0') {
        out.push('−');
    }
    for (i, c) in whole.chars().enumerate() {
        if whole.len() > 4 && i > 0 && (whole.len() - i) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A number for people: about four significant digits, powers of ten where they are shorter.
///
/// `0.012345` → "0.01235", `123456` → "123 456", `1.5e-7` → "1.5×10⁻⁷", NaN → "–".
pub fn number(v: f64) -> String {
    if !v.is_finite() {
        return match v {
            v if v.is_nan() => "–".into(),
            v if v > 0.0 => "∞".into(),
            _ => "−∞".into(),
        };
    }
    if v == 0.0 {
        return "0".into();
    }
    let power = v.abs().log10().floor() as i32;
    let trimmed = |v: f64, decimals: usize| {
        let s = grouped(v, decimals);
        if s.contains('.') {
            s.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            s
        }
    };
    if (-4..7).contains(&power) {
        trimmed(v, (3 - power).clamp(0, 7) as usize)
    } else {
        let mantissa = if power < -300 {
            v * 1e300 / pow10(power + 300)
        } else {
            v / pow10(power)
        };
        format!("{}×10{}", trimmed(mantissa, 3), superscript(power))
    }
}

fn superscript(e: i32) -> String {
    e.to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            d => char::from_u32(0x2070 + d.to_digit(10).unwrap_or(0)).unwrap_or(d),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ticks_cover_the_range_with_round_steps(
            a in -1.0f64..1.0, b in -1.0f64..1.0, e in -200i32..200, count in 2usize..12,
        ) {
            let (lo, hi) = (a.min(b) * pow10(e), a.max(b) * pow10(e));
            prop_assume!(hi - lo > 1e-6 * hi.abs().max(lo.abs()));
            let t = linear_ticks(lo, hi, count);
            let step = (t[t.len() - 1] - t[0]) / (t.len() - 1) as f64;
            prop_assert!(t.len() >= 2 && t.len() <= count + 3, "{t:?}");
            prop_assert!(t[0] <= lo + 1e-8 * step && t[t.len() - 1] >= hi - 1e-8 * step);
            prop_assert!(t[0] > lo - 1.001 * step && t[t.len() - 1] < hi + 1.001 * step);
            prop_assert!(t.windows(2).all(|w| (w[1] - w[0] - step).abs() < 1e-6 * step));
            let mantissa = step / pow10((step * (1.0 + 1e-9)).log10().floor() as i32);
            prop_assert!([1.0, 2.0, 5.0].iter().any(|m| (mantissa - m).abs() < 1e-6), "{step}");
        }

        #[test]
        fn linear_labels_differ_and_axes_hold_their_range(
            a in -1.0f64..1.0, width in 1e-6f64..2.0, e in -100i32..100, count in 2usize..9,
        ) {
            let (lo, hi) = (a * pow10(e), (a + width) * pow10(e));
            let axis = Axis::linear(lo, hi, count, true);
            prop_assert!(axis.at(lo).unwrap() >= -1e-6 && axis.at(hi).unwrap() <= 1.0 + 1e-6);
            let mut labels: Vec<_> = axis.ticks.iter().map(|t| t.1.clone()).collect();
            let n = labels.len();
            labels.dedup();
            prop_assert_eq!(labels.len(), n, "{:?}", labels);
        }

        #[test]
        fn log_axes_hold_their_range(a in -280.0f64..280.0, width in 0.0f64..500.0, count in 2usize..9) {
            let (lo, hi) = (10f64.powf(a), 10f64.powf((a + width).min(285.0)));
            let axis = Axis::log(lo, hi, count);
            prop_assert!(axis.at(lo).unwrap() >= -1e-6 && axis.at(hi).unwrap() <= 1.0 + 1e-6);
            prop_assert!(!axis.ticks.is_empty() && axis.ticks.len() <= count + 2, "{:?}", axis.ticks);
        }

        #[test]
        fn nothing_panics(lo in any::<f64>(), hi in any::<f64>(), count in 0usize..9) {
            linear_ticks(lo, hi, count);
            let _ = (Axis::linear(lo, hi, count, false), Axis::log(lo, hi, count), number(lo));
        }
    }

    #[test]
    fn known_axes() {
        let texts = |a: Axis| a.ticks.into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(linear_ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(
            texts(Axis::linear(-0.3, 0.3, 3, true)),
            ["−0.4", "−0.2", "0", "0.2", "0.4"]
        );
        assert_eq!(
            texts(Axis::linear(0.0, 20_000.0, 4, true)),
            [
                "0",
                "5000",
                "10\u{202f}000",
                "15\u{202f}000",
                "20\u{202f}000"
            ]
        );
        assert_eq!(
            texts(Axis::linear(0.0, 2e6, 2, true)),
            ["0", "1×10⁶", "2×10⁶"]
        );
        assert_eq!(
            texts(Axis::log(0.01, 100.0, 5)),
            ["0.01", "0.1", "1", "10", "100"]
        );
        assert_eq!(texts(Axis::log(1e-8, 1e-6, 4)), ["10⁻⁸", "10⁻⁷", "10⁻⁶"]);
        assert_eq!(texts(Axis::log(2.0, 10.0, 5)), ["2", "5", "10"]);
        let within = Axis::log_within(4.0, 100.0, 8);
        assert!(within.lo < 4.0 && within.lo > 3.6 && within.hi > 100.0);
        let middle = within.at(20.0).unwrap() - within.at(5.0).unwrap();
        assert!((middle - (within.at(40.0).unwrap() - within.at(10.0).unwrap())).abs() < 1e-12);
        assert_eq!(texts(within), ["5", "10", "20", "50", "100"]);
        assert_eq!(texts(Axis::log_within(6.0, 6.0, 8)), ["5", "10"]);
    }

    #[test]
    fn numbers_for_people() {
        for (v, s) in [
            (0.0, "0"),
            (0.012345, "0.01235"),
            (18.23, "18.23"),
            (1.0, "1"),
            (-2.5, "−2.5"),
            (123_456.0, "123\u{202f}456"),
            (1.5e-7, "1.5×10⁻⁷"),
            (f64::NAN, "–"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(number(v), s);
        }
    }
}
