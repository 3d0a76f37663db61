use crate::expr::System;
use crate::lane::{Job, Lane, One, Pair, Real, Simd};
use crate::process::{Calculus, Converted, NoiseKind, Process};

struct Lorenz;

impl Process for Lorenz {
    type State<L: Lane> = [L; 3];
    type Noise<L: Lane> = [L; 0];

    #[inline(always)]
    fn drift<L: Lane>(&self, _t: L, &[x, y, z]: &[L; 3], f: &mut [L; 3]) {
        *f = [
            (y - x) * 10.0,
            x * (L::splat(28.0) - z) - y,
            x * y - z * (8.0 / 3.0),
        ];
    }
}

fn lorenz() -> System {
    System::builder()
        .drift("x' = sigma*(y - x); y' = x*(rho - z) - y; z' = x*y - beta*z")
        .param("sigma", 10.0)
        .param("rho", 28.0)
        .param("beta", 8.0 / 3.0)
        .build()
        .unwrap()
}

struct Compare<'a>(&'a System);

impl<R: Real> Job<R> for Compare<'_> {
    type Out = usize;
    #[inline(always)]
    fn run<S: Simd<Real = R>>(self) -> usize {
        fn compare<L: Simd>(system: &System) -> usize {
            let numbers = |shift: f64| -> Vec<L::Real> {
                let at = |i| L::Real::from_f64((i as f64 * 0.7 + shift).sin() * 20.0);
                (0..L::LANES).map(at).collect()
            };
            let state = [0.0, 1.0, 2.0].map(|shift| L::load(&numbers(shift)));
            let (mut plain, mut compiled) = (state, state.to_vec());
            for _ in 0..100 {
                let zero = L::splat(0.0);
                let mut f = [zero; 3];
                Lorenz.drift(zero, &plain, &mut f);
                let mut g = vec![zero; 3];
                system.drift(zero, &compiled, &mut g);
                for i in 0..3 {
                    plain[i] = plain[i] + f[i] * 0.01;
                    compiled[i] = compiled[i] + g[i] * 0.01;
                }
            }
            let mut lanes = 0;
            for (plain, compiled) in plain.iter().zip(&compiled) {
                let (mut a, mut b) = (numbers(0.0), numbers(0.0));
                plain.store(&mut a);
                compiled.store(&mut b);
                assert_eq!(a, b);
                assert!(a.iter().all(|x| x.is_finite()));
                lanes += a.len();
            }
            lanes
        }
        compare::<S>(self.0) + compare::<Pair<Pair<S>>>(self.0)
    }
}

#[test]
fn lorenz_has_the_bits_of_plain_rust() {
    let system = lorenz();
    assert!(f32::dispatch(Compare(&system)) >= 15);
    assert!(f64::dispatch(Compare(&system)) >= 15);
    // Eight operations, of which six are pairs.
    assert_eq!(system.drift_program().instructions(), 5);
    assert_eq!(system.names(), ["x", "y", "z"]);
    assert_eq!((system.dim(), system.noise_dim()), (3, 0));
    assert_eq!(system.noise_kind(), NoiseKind::None);

    // The same as a list with names, and component by component.
    let list = System::builder()
        .drift("10*(y - x), x*(28 - z) - y, x*y - 8/3*z")
        .names(["x", "y", "z"])
        .build()
        .unwrap();
    f64::dispatch(Compare(&list));
    let each = System::builder()
        .component("x", "10*(y - x)")
        .component("y", "x*(28 - z) - y")
        .component("z", "x*y - 8/3*z")
        .build()
        .unwrap();
    f64::dispatch(Compare(&each));
}

fn drift(system: &System, t: f64, x: &[f64]) -> Vec<f64> {
    let x: Vec<_> = x.iter().map(|x| One(*x)).collect();
    let mut out = vec![One(f64::NAN); x.len()];
    system.drift(One(t), &x, &mut out);
    out.iter().map(|x| x.0).collect()
}

fn diffusion(system: &System, t: f64, x: &[f64], dw: &[f64]) -> Vec<f64> {
    let [x, dw] = [x, dw].map(|v| v.iter().map(|x| One(*x)).collect::<Vec<_>>());
    let mut out = vec![One(f64::NAN); x.len()];
    system.diffusion(One(t), &x, &dw, &mut out);
    out.iter().map(|x| x.0).collect()
}

#[test]
fn names_of_components() {
    let names = |drift: &str| System::builder().drift(drift).build().unwrap().names();
    assert_eq!(names("-x"), ["x"]);
    assert_eq!(names("-x0"), ["x"]);
    assert_eq!(names("x1, -x0"), ["x0", "x1"]);
    assert_eq!(names("θ' = ω; dω/dt = −sin(θ)"), ["θ", "ω"]);
    let named = System::builder()
        .drift("-v + x")
        .names(["v"])
        .param("x", 3.0);
    assert_eq!(drift(&named.build().unwrap(), 0.0, &[1.0]), [2.0]);
    // x0 is another name of x, which a parameter may take.
    let start = System::builder().drift("x0 - x").param("x0", 5.0).build();
    assert_eq!(drift(&start.unwrap(), 0.0, &[1.0]), [4.0]);
}

#[test]
fn values_of_drift_diffusion_and_event() {
    let system = System::builder()
        .drift("x' = y*t; y' = -k*x")
        .diffusion("x, 2, 0; 0, y, t")
        .param("k", 3.0)
        .event("x - y + t")
        .build()
        .unwrap();
    assert_eq!(drift(&system, 2.0, &[5.0, 7.0]), [14.0, -15.0]);
    assert_eq!(system.noise_dim(), 3);
    let product = diffusion(&system, 0.5, &[5.0, 7.0], &[1.0, 10.0, 100.0]);
    assert_eq!(product, [25.0, 120.0]);
    assert!(system.has_event());
    let x = vec![One(5.0), One(7.0)];
    assert_eq!(system.event(One(0.5), &x).0, -1.5);

    let diagonal = System::builder()
        .drift("y, x")
        .names(["x", "y"])
        .diffusion("x, 2")
        .build();
    let product = diffusion(&diagonal.unwrap(), 0.0, &[5.0, 7.0], &[10.0, 100.0]);
    assert_eq!(product, [50.0, 200.0]);
    let one_noise = System::builder()
        .drift("0, 0")
        .diffusion("1; x0")
        .build()
        .unwrap();
    assert_eq!(diffusion(&one_noise, 0.0, &[5.0, 7.0], &[3.0]), [3.0, 15.0]);
}

#[test]
fn noise_is_recognised() {
    use NoiseKind::{Additive, Commutative, General, None};
    for (drift, g, kind, noises) in [
        ("-x", "0", None, 0),
        ("-x", "0*x", None, 0),
        ("-x", "nothing*x", None, 0),
        ("-x", "sigma", Additive, 1),
        ("-x", "sigma*exp(-t)", Additive, 1),
        ("-x", "x^0", Additive, 1),
        ("-x", "sigma*x", Commutative, 1),
        ("-x", "x, 1", General, 2),
        ("-x", "t, 1", Additive, 2),
        ("x1, x0", "sigma, 1", Additive, 2),
        ("x1, x0", "0, 0", None, 0),
        ("x1, x0", "x0, t*sqrt(x1)", Commutative, 2),
        ("x1, x0", "x1, x0", General, 2),
        ("x1, x0", "x1; x0", Commutative, 1),
        ("x1, x0", "x0, 0; 0, x1", Commutative, 2),
        ("x1, x0", "x0, 1; 0, x1", General, 2),
        // The first noise moves x0 alone, on which its own column depends, as no other does.
        ("x1, x0", "x0, 0; x0, x1", General, 2),
        ("x1, x0, x2", "x0, 0; x1, 0; 0, x2", Commutative, 2),
        // Heston's: both columns depend on the variance.
        (
            "x1, x0",
            "x0*sqrt(x1), 0; rho*sqrt(x1), sqrt(1 - rho^2)*sqrt(x1)",
            General,
            2,
        ),
    ] {
        let system = System::builder()
            .drift(drift)
            .diffusion(g)
            .param("sigma", 2.0)
            .param("rho", -0.7)
            .param("nothing", 0.0)
            .build()
            .unwrap();
        assert_eq!(
            (system.noise_kind(), system.noise_dim()),
            (kind, noises),
            "{g}"
        );
    }
    let ode = System::builder().drift("-x").build().unwrap();
    assert_eq!(ode.noise_kind(), None);
    assert_eq!(diffusion(&ode, 0.0, &[1.0], &[]), [0.0]);
}

#[test]
fn the_other_calculus_adds_half_of_g_times_its_derivative() {
    // dX = μX dt + σX dW (Itô) is dX = (μ − σ²/2)X dt + σX ∘ dW.
    let system = System::builder()
        .drift("mu*x")
        .diffusion("sigma*x")
        .param("mu", 0.5)
        .param("sigma", 0.25)
        .build()
        .unwrap();
    assert_eq!(system.calculus(), Calculus::Ito);
    let mut f = vec![One(0.0)];
    Converted(system).drift(One(0.0), &vec![One(8.0)], &mut f);
    assert_eq!(f[0].0, (0.5 - 0.25 * 0.25 / 2.0) * 8.0);
}

#[test]
fn equations_are_printed() {
    let ou = System::builder()
        .drift("-theta*(x-mu)**1")
        .diffusion("sigma")
        .param("theta", 0.25)
        .param("mu", 1.0)
        .param("sigma", 1e-9);
    assert_eq!(
        ou.build().unwrap().to_string(),
        "dx = -theta*(x - mu)^1 dt + sigma dW  (Itô)\nwith theta = 0.25, mu = 1, sigma = 1e-9"
    );
    let two = System::builder()
        .drift("x' = y+1; y' = -x")
        .diffusion("0, -x; 1+t, 2")
        .event("x-1")
        .calculus(Calculus::Stratonovich);
    assert_eq!(
        two.build().unwrap().to_string(),
        "dx = (y + 1) dt + (-x) ∘ dW2\ndy = -x dt + (1 + t) ∘ dW1 + 2 ∘ dW2  (Stratonovich)\n\
         until x - 1 = 0"
    );
    let ode = System::builder()
        .drift("y, -x + 1")
        .names(["x", "y"])
        .build();
    assert_eq!(ode.unwrap().to_string(), "x' = y\ny' = -x + 1");
}
