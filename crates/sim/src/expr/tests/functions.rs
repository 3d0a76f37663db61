use crate::expr::Program;
use crate::lane::One;

fn at(text: &str, x: f64) -> f64 {
    let program = Program::compile(&[text], &["x"], &[]).unwrap();
    let mut out = [One(0.0)];
    program.eval(One(0.0), &[One(x)], &[], &mut out);
    out[0].0
}

#[test]
fn functions_are_what_they_are_called() {
    type Reference = fn(f64) -> f64;
    let table: [(&str, Reference, f64, f64); 30] = [
        ("exp(x)", f64::exp, -30.0, 30.0),
        ("ln(x)", f64::ln, 1e-3, 50.0),
        ("log2(x)", f64::log2, 1e-3, 50.0),
        ("log10(x)", f64::log10, 1e-3, 50.0),
        ("sqrt(x)", f64::sqrt, 0.0, 50.0),
        ("cbrt(x)", f64::cbrt, -50.0, 50.0),
        ("square(x)", |x| x * x, -5.0, 5.0),
        ("sin(x)", f64::sin, -9.0, 9.0),
        ("cos(x)", f64::cos, -9.0, 9.0),
        ("tan(x)", f64::tan, -1.5, 1.5),
        ("asin(x)", f64::asin, -1.0, 1.0),
        ("acos(x)", f64::acos, -1.0, 1.0),
        ("atan(x)", f64::atan, -9.0, 9.0),
        ("sinh(x)", f64::sinh, -30.0, 30.0),
        ("sinh(x)", f64::sinh, -1e-6, 1e-6),
        ("cosh(x)", f64::cosh, -30.0, 30.0),
        ("tanh(x)", f64::tanh, -30.0, 30.0),
        ("abs(x)", f64::abs, -3.0, 3.0),
        (
            "sign(x)",
            |x| if x == 0.0 { 0.0 } else { x.signum() },
            -3.0,
            3.0,
        ),
        ("floor(x)", f64::floor, -3.0, 3.0),
        ("ceil(x)", f64::ceil, -3.0, 3.0),
        ("step(x)", |x| f64::from(x >= 0.0), -3.0, 3.0),
        ("sigmoid(x)", |x| x.exp() / (1.0 + x.exp()), -40.0, 40.0),
        ("softplus(x)", |x| x.exp().ln_1p(), -20.0, 40.0),
        ("min(x, 1)", |x| x.min(1.0), -3.0, 3.0),
        ("max(1, x)", |x| x.max(1.0), -3.0, 3.0),
        ("clamp(x, -1, 2)", |x| x.clamp(-1.0, 2.0), -3.0, 3.0),
        ("pow(x, 3) + x^-2", |x| x.powi(3) + 1.0 / (x * x), 0.5, 3.0),
        ("x^1.7", |x| x.powf(1.7), 0.01, 9.0),
        (
            "pi^x + e^x",
            |x| std::f64::consts::PI.powf(x) + x.exp(),
            -3.0,
            3.0,
        ),
    ];
    for (text, reference, from, to) in table {
        for i in 0..=200 {
            let x = from + (to - from) * f64::from(i) / 200.0;
            let (got, expected) = (at(text, x), reference(x));
            // Near their zeros sin, cos and ln(1 + u) are as precise as they are near 1.
            let near = (got - expected).abs() <= 1e-14 * expected.abs() + 3e-16;
            let relative = (got - expected).abs() <= 4e-15 * expected.abs() || text != "sinh(x)";
            assert!(near && relative, "{text} at {x}: {got}, not {expected}");
        }
    }
}

#[test]
fn nan_is_not_hidden() {
    for text in [
        "min(x, 1)",
        "max(x, 0)",
        "max(0, x)",
        "clamp(x, 0, 1)",
        "sign(x)",
        "step(x)",
        "sigmoid(x)",
        "softplus(x)",
        "abs(x)",
        "floor(x)",
        "ceil(x)",
        "cbrt(x)",
    ] {
        assert!(at(text, f64::NAN).is_nan(), "{text}");
    }
}

#[test]
fn limits_are_reached() {
    for (text, x, expected) in [
        ("sigmoid(x)", -1e9, 0.0),
        ("sigmoid(x)", 1e9, 1.0),
        ("softplus(x)", 1e9, 1e9),
        ("softplus(x)", -1e9, 0.0),
        ("sign(x)", f64::INFINITY, 1.0),
        ("step(x)", f64::INFINITY, 1.0),
        ("cbrt(x)", 0.0, 0.0),
        ("tanh(x)", 1e9, 1.0),
        ("asin(x)", 1.0, std::f64::consts::FRAC_PI_2),
    ] {
        assert_eq!(at(text, x), expected, "{text} at {x}");
    }
}
