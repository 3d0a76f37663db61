//! Adaptive integration against closed forms.

use std::ops::ControlFlow;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Adaptive, AdaptiveError, State, Walk};
use fokker_math::tableau::{BOGACKI_SHAMPINE, DORMAND_PRINCE, RK4, TSIT5, Tableau};

const METHODS: [&Tableau; 3] = [&DORMAND_PRINCE, &TSIT5, &BOGACKI_SHAMPINE];

fn state<const N: usize>(rows: [[f64; N]; 2]) -> State {
    let values: Vec<f64> = rows.into_iter().flatten().collect();
    Tensor::from_data(
        TensorData::new(values, [2, N]),
        (&Device::flex(), DType::F64),
    )
}

fn f64s(x: &State) -> Vec<f64> {
    let values = x.clone().into_data().convert::<f64>();
    values.try_to_vec().unwrap()
}

fn go_on(_: f64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn with(tableau: &'static Tableau, tolerance: f64) -> Adaptive {
    Adaptive {
        tableau,
        rtol: tolerance,
        atol: tolerance,
    }
}

/// A turning and shrinking pair: x(t) = e^{−t} R(5t) x(0).
fn spiral(_: f64, x: State) -> State {
    let turned = Tensor::cat(
        vec![
            x.clone().narrow(1, 1, 1) * -5.0,
            x.clone().narrow(1, 0, 1) * 5.0,
        ],
        1,
    );
    turned - x
}

fn spiral_at(t: f64, [x, y]: [f64; 2]) -> [f64; 2] {
    let (sin, cos) = (5.0 * t).sin_cos();
    [x * cos - y * sin, x * sin + y * cos].map(|v| v * (-t).exp())
}

fn walk(solver: Adaptive, from: f64, to: f64, x: State) -> Walk {
    solver
        .integrate(&mut spiral, x, from, to, &mut go_on)
        .unwrap()
}

#[test]
fn a_linear_equation_is_solved_to_the_tolerance_forwards_and_backwards() {
    let start = [[1.0, 0.5], [-2.0, 3.0]];
    for tableau in METHODS {
        for tolerance in [1e-3, 1e-5, 1e-7] {
            let there = walk(with(tableau, tolerance), 0.0, 2.0, state(start));
            let exact = start.map(|x| spiral_at(2.0, x)).concat();
            let error = |a: &[f64], b: &[f64]| {
                let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs());
                worst.fold(0.0, f64::max)
            };
            let e = error(&f64s(&there.state), &exact);
            assert!(
                e < 20.0 * tolerance,
                "{}: {e:e} at {tolerance:e}",
                tableau.name
            );
            assert_eq!(
                (there.times[0], there.times[there.times.len() - 1]),
                (0.0, 2.0)
            );
            assert!(there.times.windows(2).all(|t| t[0] < t[1]));
            let back = walk(with(tableau, tolerance), 2.0, 0.0, there.state);
            let e = error(&f64s(&back.state), &start.concat());
            assert!(e < 200.0 * tolerance, "{}: back {e:e}", tableau.name);
            assert!(back.times.windows(2).all(|t| t[0] > t[1]));
        }
    }
}

/// A step's error is O(h^{q+1}), so that 10⁴ times less tolerance takes 10^{4/(q+1)} times the steps; and the calls are
/// those of the steps: the first one, one for the guess of the first step, and s − 1 a step.
#[test]
fn steps_grow_as_the_order_says() {
    for tableau in METHODS {
        let [coarse, fine] = [1e-4, 1e-8].map(|tolerance| {
            let walk = walk(
                with(tableau, tolerance),
                0.0,
                10.0,
                state([[1.0, 0.0], [0.0, 2.0]]),
            );
            let steps = walk.times.len() - 1;
            let calls = 2 + (tableau.stages() - 1) * (steps + walk.rejected);
            assert_eq!(walk.calls, calls, "{}", tableau.name);
            assert!(
                walk.rejected < steps / 4,
                "{}: {} of {steps}",
                tableau.name,
                walk.rejected
            );
            steps as f64
        });
        let expected = 1e4_f64.powf(1.0 / f64::from(tableau.error_order + 1));
        let ratio = fine / coarse / expected;
        assert!(
            (0.6..1.6).contains(&ratio),
            "{}: {coarse} to {fine} steps",
            tableau.name
        );
    }
}

/// The field is never asked outside of the interval, whose ends are met exactly.
#[test]
fn the_field_is_asked_inside_only() {
    for tableau in METHODS {
        for (from, to) in [(0.1, 0.7), (0.7, 0.1), (1.0, 1.0 / 3.0), (0.0, 1e-9)] {
            let mut asked = Vec::new();
            let mut f = |t: f64, x: State| {
                asked.push(t);
                x * (3.0 * t).cos()
            };
            let mut shares = Vec::new();
            let mut watch = |share| {
                shares.push(share);
                ControlFlow::Continue(())
            };
            let x = state([[1.0], [2.0]]);
            let walk = with(tableau, 1e-6).integrate(&mut f, x, from, to, &mut watch);
            assert_eq!(*walk.unwrap().times.last().unwrap(), to);
            assert_eq!(asked[0], from);
            let (low, high) = (f64::min(from, to), f64::max(from, to));
            assert!(
                asked.iter().all(|t| (low..=high).contains(t)),
                "{from} to {to}: {asked:?}"
            );
            assert_eq!((shares[0], shares[shares.len() - 1]), (0.0, 1.0));
            assert!(shares.windows(2).all(|s| s[0] < s[1]));
        }
    }
}

/// The hardest row decides the steps, whatever is beside it.
#[test]
fn the_worst_row_decides() {
    let solver = with(&DORMAND_PRINCE, 1e-6);
    let hard = walk(solver, 0.0, 2.0, state([[5.0, 5.0], [5.0, 5.0]]));
    let mixed = walk(solver, 0.0, 2.0, state([[5.0, 5.0], [0.0, 0.0]]));
    assert_eq!(hard.times, mixed.times);
}

#[test]
fn an_f32_state_below_its_rounding() {
    let device = Device::flex();
    let x = Tensor::<2>::from_data([[1.0_f32, 0.5]], &device);
    let walk = walk(with(&DORMAND_PRINCE, 1e-12), 0.0, 2.0, x);
    assert!(walk.times.len() < 400, "{} steps", walk.times.len());
    let exact = spiral_at(2.0, [1.0, 0.5]);
    for (a, b) in f64s(&walk.state).iter().zip(exact) {
        assert!((a - b).abs() < 1e-5);
    }
}

#[test]
fn refusals_say_where() {
    let x = || state([[1.0], [1.0]]);
    let run = |solver: Adaptive, f: &mut dyn FnMut(f64, State) -> State| {
        solver
            .integrate(f, x(), 0.0, 1.0, &mut go_on)
            .map(|w| w.times)
    };
    let solver = with(&TSIT5, 1e-6);
    let no = run(with(&RK4, 1e-6), &mut |_, x| x);
    assert_eq!(no, Err(AdaptiveError::NoEstimate("rk4")));
    for tolerance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let no = run(with(&TSIT5, tolerance), &mut |_, x| x);
        assert!(
            matches!(no, Err(AdaptiveError::Tolerance { .. })),
            "{tolerance}"
        );
    }
    let nan = run(solver, &mut |_, x| x * f64::NAN);
    assert_eq!(nan, Err(AdaptiveError::NotFinite { t: 0.0 }));
    // x′ = x² from 1 leaves for infinity at t = 1; from 2 at t = ½.
    let blow_up = run(solver, &mut |_, x| x.square() * 2.0);
    let at = match blow_up {
        Err(AdaptiveError::NotFinite { t } | AdaptiveError::Stuck { t }) => t,
        other => panic!("{other:?}"),
    };
    assert!((at - 0.5).abs() < 1e-6, "{at}");
    let half = run(solver, &mut |t, x| if t > 0.5 { x * f64::NAN } else { x });
    let Err(AdaptiveError::NotFinite { t }) = half else {
        panic!("{half:?}");
    };
    assert!((t - 0.5).abs() < 1e-6, "{t}");
    let mut steps = 0;
    let mut stop = |_| {
        steps += 1;
        if steps > 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let stopped = solver.integrate(&mut |_, x| x, x(), 0.0, 1.0, &mut stop);
    assert_eq!(stopped.map(|w| w.calls), Err(AdaptiveError::Stopped));
}

#[test]
fn no_way_at_all() {
    let walk = walk(
        with(&TSIT5, 1e-6),
        0.3,
        0.3,
        state([[1.0, 2.0], [3.0, 4.0]]),
    );
    assert_eq!(
        (f64s(&walk.state), walk.calls),
        (vec![1.0, 2.0, 3.0, 4.0], 0)
    );
}
