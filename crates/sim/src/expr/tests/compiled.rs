use proptest::prelude::*;

use super::trees::{Point, SIGMA, THETA, trees, value};
use crate::expr::Program;
use crate::lane::{Dual, Lane, One};

fn compile(text: &str) -> Program {
    Program::compile(&[text], &["x", "y"], &[("theta", THETA), ("σ₁", SIGMA)])
        .unwrap_or_else(|error| panic!("{error}"))
}

fn eval(program: &Program, t: f64, x: f64, y: f64) -> f64 {
    let mut out = [One(0.0)];
    program.eval(One(t), &[One(x), One(y)], &[], &mut out);
    out[0].0
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn programs_give_the_bits_of_recursive_evaluation(
        tree in trees(64),
        points in prop::collection::vec((-3.0..3.0, -3.0..3.0, 0.0..2.0), 4),
    ) {
        let text = tree.to_string();
        let names = [("theta", THETA), ("σ₁", SIGMA)];
        let program = match Program::compile(&[&text], &["x", "y"], &names) {
            Ok(program) => program,
            Err(error) => {
                // A part may be 1/0 or the like.
                prop_assert!(error.message.contains("not a finite number"), "{}", error);
                return Ok(());
            }
        };
        for (x, y, t) in points.into_iter().chain([(0.0, -0.0, 0.0), (f64::NAN, 1.0, 0.5)]) {
            let expected = value(&tree, tree.nodes.len() - 1, &Point { x, y, t }).0.0;
            let got = eval(&program, t, x, y);
            prop_assert!(same(got, expected), "{} at {:?}: {} {}", text, (x, y, t), got, expected);
        }
    }
}

#[test]
fn constants_are_folded_and_common_parts_shared() {
    for (text, instructions) in [
        // One instruction writes a constant or an input to the output.
        ("2*pi*theta^2/3 + exp(σ₁)", 1),
        ("x", 1),
        ("1*x/1 - 0", 1),
        ("x^0", 1),
        ("--x", 1),
        ("if(theta < 1, x, exp(y))", 1),
        ("theta*σ₁*x", 1),
        ("-theta*x", 1),
        ("-x*theta", 1),
        ("-(x/theta)", 1),
        ("-x + y", 1),
        ("x - -y", 1),
        ("3 + -x", 1),
        // x + y once, then its square with the sum of the two.
        ("(x + y)*(y + x) + (x + y)", 2),
        ("sin(x*y) + cos(x*y)", 4),
        // x², x² + x²·x, that + x²·x².
        ("x^2 + x^3 + x^4", 3),
        ("x^0.5", 1),
        ("e^x", 1),
        ("x/2", 1),
    ] {
        assert_eq!(compile(text).instructions(), instructions, "{text}");
    }
    let shared = Program::compile(&["exp(x) + 1", "exp(x) - 1", "exp(x)"], &["x"], &[]).unwrap();
    assert_eq!(shared.instructions(), 3);
    let twice = Program::compile(&["x + t", "t + x"], &["x"], &[]).unwrap();
    assert_eq!(twice.instructions(), 2);
}

#[test]
fn few_registers_are_live() {
    // A polynomial in the form of Horner: every value is used at once.
    let horner = compile("1 + x*(2 + x*(3 + x*(4 + x*(5 + x*6))))");
    assert!(horner.registers() <= 1, "{}", horner.registers());
    let sum = (0..50).map(|i| format!("sin({i} + x)")).collect::<Vec<_>>();
    assert!(compile(&sum.join(" + ")).registers() <= 2);
    // More registers than lie on the stack: all sines must be kept for the second sum.
    let reverse = sum.iter().rev().cloned().collect::<Vec<_>>();
    let many = format!("({})*({})", sum.join(" + "), reverse.join(" + "));
    let program = compile(&many);
    assert!(program.registers() > 32, "{}", program.registers());
    let mut expected = [One(0.0), One(0.0)];
    for i in 0..50 {
        for (sum, i) in expected.iter_mut().zip([i, 49 - i]) {
            let term = (One(0.5_f64) + f64::from(i)).sin();
            *sum = if sum.0 == 0.0 { term } else { *sum + term };
        }
    }
    let product = expected[0] * expected[1];
    assert_eq!(eval(&program, 0.0, 0.5, 0.0), product.0);
}

#[test]
fn derivatives_are_exact() {
    for text in [
        "x^3 - 2*x*y + theta",
        "sin(x)*exp(-y) + x/y",
        "ln(1 + x^2) + sqrt(x + 5) + tanh(x*y)",
        "sigmoid(x)*softplus(y) + atan(x)",
        "x^2.5 + 2^x + cbrt(x)",
        "sinh(x) - cosh(y*x) + asin(x/4) + acos(x/5)",
        "if(x < 1, x^2, x^3)*abs(x) + clamp(x, -1, 3)",
        "log2(x)*log10(x) + tan(x)",
    ] {
        let program = compile(text);
        for x in [0.3, 0.9, 1.2] {
            let y = 0.7;
            let h = 1e-6;
            let difference =
                (eval(&program, 0.0, x + h, y) - eval(&program, 0.0, x - h, y)) / (2.0 * h);
            let mut out = [Dual::constant(One(0.0))];
            let state = [Dual::new(One(x), One(1.0)), Dual::constant(One(y))];
            program.eval(Dual::constant(One(0.0)), &state, &[], &mut out);
            let d = out[0].d.0;
            assert!(
                (d - difference).abs() < 1e-7 * d.abs().max(1.0),
                "{text}: {d} {difference}"
            );
            assert_eq!(out[0].v.0, eval(&program, 0.0, x, y));
        }
    }
    // At the kinks the functions keep the derivative of one side or of the smooth whole.
    for (text, at, expected) in [
        ("softplus(x)", 0.0_f64, 0.5_f64),
        ("sigmoid(x)", 0.0, 0.25),
        ("sigmoid(x)", -800.0, 0.0),
        ("softplus(x)", 800.0, 1.0),
        ("sign(x)", 0.0, 0.0),
        ("step(x)", 0.0, 0.0),
    ] {
        let mut out = [Dual::constant(One(0.0))];
        let state = [Dual::new(One(at), One(1.0)), Dual::constant(One(0.0))];
        compile(text).eval(Dual::constant(One(0.0)), &state, &[], &mut out);
        assert!(
            (out[0].d.0 - expected).abs() < 1e-15,
            "{text}: {}",
            out[0].d.0
        );
    }
}

#[test]
fn a_lane_type_of_any_width_gives_the_same_bits() {
    use crate::lane::{Job, Pair, Real, Simd};
    struct Wide<'a, R>(&'a Program, &'a [R]);
    impl<R: Real> Job<R> for Wide<'_, R> {
        type Out = Vec<f64>;
        #[inline(always)]
        fn run<S: Simd<Real = R>>(self) -> Vec<f64> {
            fn all<P: Simd>(program: &Program, numbers: &[P::Real]) -> Vec<f64> {
                let mut results = Vec::new();
                let mut lane = vec![P::Real::default(); P::LANES];
                for chunk in numbers.chunks_exact(P::LANES) {
                    let x = P::load(chunk);
                    let mut out = [x];
                    program.eval(P::splat(0.5), &[x, x * 0.5], &[], &mut out);
                    out[0].store(&mut lane);
                    results.extend(lane.iter().map(|x| x.to_f64()));
                }
                results
            }
            let mut results = all::<S>(self.0, self.1);
            results.extend(all::<Pair<Pair<Pair<S>>>>(self.0, self.1));
            results
        }
    }
    fn check<R: Real>(program: &Program) {
        let numbers: Vec<R> = (0..256)
            .map(|i| R::from_f64(f64::from(i) * 0.03 - 3.0))
            .collect();
        let expected: Vec<f64> = numbers
            .iter()
            .map(|x| {
                let x = <R::Portable as Simd>::splat_real(*x);
                let mut out = [x];
                program.eval(Lane::splat(0.5), &[x, x * 0.5], &[], &mut out);
                let mut lane = [R::default()];
                out[0].store(&mut lane);
                lane[0].to_f64()
            })
            .collect();
        let wide = R::dispatch(Wide(program, &numbers));
        assert_eq!(wide.len(), 512);
        for (i, got) in wide.iter().enumerate() {
            assert!(
                same(*got, expected[i % 256]),
                "{i}: {got} {}",
                expected[i % 256]
            );
        }
    }
    let program =
        compile("sin(x)*exp(-y^2) + if(x < t, x^2.5, tanh(y))/(1 + theta*x*y) - max(x, 1)");
    check::<f32>(&program);
    check::<f64>(&program);
}
