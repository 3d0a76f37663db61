use fokker_math::tableau;

use super::langevin::PredictorCorrector;
use super::multistep::{Multistep, Rule};
use super::runge_kutta::RungeKutta;
use super::sde::{EulerMaruyama, StochasticHeun};
use super::sigma::{Churn, Method, SdeTwoStage, TwoStage};
use super::{Needs, Order, Parameter, Plan, Randomness, SamplerSpec};

/// A solver of the ODE in t, from its tableau.
macro_rules! runge_kutta {
    ($name:literal, $title:literal, $tableau:ident, $reference:literal) => {
        SamplerSpec {
            name: $name,
            title: $title,
            order: Order::Is(tableau::$tableau.order),
            calls: tableau::$tableau.evaluations(),
            needs: Needs::Velocity,
            reference: $reference,
            make: |_, _| RungeKutta::boxed(&tableau::$tableau),
            ..PLAIN
        }
    };
}

/// What most rows share.
const PLAIN: SamplerSpec = SamplerSpec {
    name: "",
    title: "",
    order: Order::Is(1),
    calls: 1,
    randomness: Randomness::No,
    needs: Needs::Ends,
    plan: Plan::Grid,
    parameter: None,
    reference: "",
    make: |_, _| RungeKutta::boxed(&tableau::EULER),
};

const ETA: Parameter = Parameter {
    symbol: "η",
    default: 1.0,
    range: [0.0, 1.0],
    integer: false,
};

const TOLERANCE: Parameter = Parameter {
    symbol: "tolerance",
    default: 1e-4,
    range: [1e-12, 1.0],
    integer: false,
};

const fn order(default: f64, most: f64) -> Option<Parameter> {
    Some(Parameter {
        symbol: "n",
        default,
        range: [1.0, most],
        integer: true,
    })
}

/// Every sampler. A new one is a line here and, where it is no tableau and no rule, a file.
pub const SAMPLERS: &[SamplerSpec] = &[
    runge_kutta!(
        "euler",
        "Euler in t",
        EULER,
        "Euler 1768; flow matching's usual"
    ),
    runge_kutta!("midpoint", "explicit midpoint in t", MIDPOINT, "Runge 1895"),
    runge_kutta!("heun", "Heun (trapezoidal) in t", HEUN, "Heun 1900"),
    runge_kutta!(
        "ralston",
        "Ralston in t, second order with the least error bound",
        RALSTON,
        "Ralston 1962"
    ),
    runge_kutta!("rk3", "Kutta in t, third order", RK3, "Kutta 1901"),
    runge_kutta!(
        "rk4",
        "the classical Runge–Kutta method in t",
        RK4,
        "Kutta 1901"
    ),
    SamplerSpec {
        plan: Plan::Adaptive(&tableau::DORMAND_PRINCE),
        parameter: Some(TOLERANCE),
        ..runge_kutta!(
            "dopri5",
            "Dormand–Prince in t, steps by tolerance",
            DORMAND_PRINCE,
            "Dormand & Prince 1980"
        )
    },
    SamplerSpec {
        plan: Plan::Adaptive(&tableau::TSIT5),
        parameter: Some(TOLERANCE),
        ..runge_kutta!(
            "tsit5",
            "Tsitouras in t, steps by tolerance",
            TSIT5,
            "Tsitouras 2011"
        )
    },
    SamplerSpec {
        name: "ddim",
        title: "DDIM(η): Euler in σ; η = 1 is the ancestral step",
        randomness: Randomness::Parameter,
        parameter: Some(Parameter {
            default: 0.0,
            ..ETA
        }),
        reference: "Song et al. 2021",
        make: |eta, _| Multistep::boxed(Rule::Ddim(eta), 1),
        ..PLAIN
    },
    SamplerSpec {
        name: "ddpm",
        title: "ancestral sampling from DDPM's posterior",
        randomness: Randomness::Yes,
        reference: "Ho et al. 2020",
        make: |_, _| Multistep::boxed(Rule::Ddim(1.0), 1),
        ..PLAIN
    },
    SamplerSpec {
        name: "euler-ancestral",
        title: "Euler in σ with ancestral noise: ddim:η under its other name",
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "k-diffusion",
        make: |eta, _| Multistep::boxed(Rule::Ddim(eta), 1),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm2",
        title: "midpoint in σ, its middle in ln σ",
        order: Order::Is(2),
        calls: 2,
        reference: "Karras et al. 2022; k-diffusion",
        make: |_, _| {
            Box::new(TwoStage {
                method: Method::Midpoint,
                eta: 0.0,
            })
        },
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm2-ancestral",
        title: "the same with ancestral noise",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "k-diffusion",
        make: |eta, _| {
            Box::new(TwoStage {
                method: Method::Midpoint,
                eta,
            })
        },
        ..PLAIN
    },
    SamplerSpec {
        name: "edm",
        title: "EDM: Heun in σ, with churn",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::Parameter,
        parameter: Some(Parameter {
            symbol: "S_churn",
            default: 0.0,
            range: [0.0, 1e4],
            integer: false,
        }),
        reference: "Karras et al. 2022",
        make: |churn, _| Box::new(Churn { churn }),
        ..PLAIN
    },
    SamplerSpec {
        name: "restart",
        title: "Heun in σ, the interval σ = 1 … 0.1 walked K times more",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::Parameter,
        plan: Plan::Restart,
        parameter: Some(Parameter {
            symbol: "K",
            default: 2.0,
            range: [0.0, 100.0],
            integer: true,
        }),
        reference: "Xu et al. 2023",
        make: |_, _| {
            Box::new(TwoStage {
                method: Method::Heun,
                eta: 0.0,
            })
        },
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++1s",
        title: "DPM-Solver++ of first order: ddim",
        reference: "Lu et al. 2022",
        make: |_, _| Multistep::boxed(Rule::Ddim(0.0), 1),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++2s",
        title: "DPM-Solver++(2S), single-step",
        order: Order::Is(2),
        calls: 2,
        reference: "Lu et al. 2022",
        make: |_, _| {
            Box::new(TwoStage {
                method: Method::Dpm,
                eta: 0.0,
            })
        },
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++2m",
        title: "DPM-Solver++(2M), multistep",
        order: Order::Is(2),
        reference: "Lu et al. 2022",
        make: |_, _| Multistep::boxed(Rule::DpmSecond(0.0), 2),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++3m",
        title: "DPM-Solver++(3M), with the exact third-order weights",
        order: Order::Is(3),
        reference: "Lu et al. 2022",
        make: |_, _| Multistep::boxed(Rule::Exponential(0.0), 3),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++1-sde",
        title: "SDE-DPM-Solver++ of first order",
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "Lu et al. 2022",
        make: |eta, _| Multistep::boxed(Rule::Exponential(eta), 1),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++2s-ancestral",
        title: "DPM-Solver++(2S) with ancestral noise",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "k-diffusion",
        make: |eta, _| {
            Box::new(TwoStage {
                method: Method::Dpm,
                eta,
            })
        },
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++2s-sde",
        title: "SDE-DPM-Solver++(2S)",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "Lu et al. 2022; k-diffusion",
        make: |eta, _| Box::new(SdeTwoStage { eta }),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++2m-sde",
        title: "SDE-DPM-Solver++(2M)",
        order: Order::Is(2),
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "Lu et al. 2022",
        make: |eta, _| Multistep::boxed(Rule::DpmSecond(eta), 2),
        ..PLAIN
    },
    SamplerSpec {
        name: "dpm++3m-sde",
        title: "SDE-DPM-Solver++(3M), with the exact third-order weights",
        order: Order::Is(2),
        randomness: Randomness::Parameter,
        parameter: Some(ETA),
        reference: "Lu et al. 2022; k-diffusion",
        make: |eta, _| Multistep::boxed(Rule::Exponential(eta), 3),
        ..PLAIN
    },
    SamplerSpec {
        name: "unipc",
        title: "UniPC, predictor and corrector, B(h) = e^h − 1",
        order: Order::ParameterPlusOne,
        parameter: order(2.0, 3.0),
        reference: "Zhao et al. 2023",
        make: |order, _| Multistep::boxed(Rule::UniPc, order as usize),
        ..PLAIN
    },
    SamplerSpec {
        name: "deis",
        title: "DEIS, polynomials in ln σ",
        order: Order::Parameter,
        parameter: order(3.0, 4.0),
        reference: "Zhang & Chen 2023",
        make: |order, _| Multistep::boxed(Rule::Deis, order as usize),
        ..PLAIN
    },
    SamplerSpec {
        name: "exp-ab",
        title: "exponential Adams–Bashforth in λ",
        order: Order::Parameter,
        parameter: order(2.0, 4.0),
        reference: "Hochbruck & Ostermann 2010",
        make: |order, _| Multistep::boxed(Rule::Exponential(0.0), order as usize),
        ..PLAIN
    },
    SamplerSpec {
        name: "lms",
        title: "linear multistep in σ",
        order: Order::Parameter,
        parameter: order(4.0, 4.0),
        reference: "Karras et al. 2022; k-diffusion",
        make: |order, _| Multistep::boxed(Rule::Lms, order as usize),
        ..PLAIN
    },
    SamplerSpec {
        name: "euler-maruyama",
        title: "Euler–Maruyama on the SDE extension, any σ_t",
        randomness: Randomness::AnySigma,
        needs: Needs::Score,
        reference: "Maruyama 1955; Song et al. 2021",
        make: |_, diffusion| Box::new(EulerMaruyama { diffusion }),
        ..PLAIN
    },
    SamplerSpec {
        name: "sde-heun",
        title: "stochastic Heun on the SDE extension, any σ_t",
        order: Order::Is(2),
        calls: 2,
        randomness: Randomness::AnySigma,
        needs: Needs::Score,
        reference: "Kloeden & Platen 1992; Song et al. 2021",
        make: |_, diffusion| Box::new(StochasticHeun { diffusion }),
        ..PLAIN
    },
    SamplerSpec {
        name: "pc",
        title: "predictor–corrector: ancestral step and a step of Langevin",
        calls: 2,
        randomness: Randomness::Yes,
        parameter: Some(Parameter {
            symbol: "r",
            default: 0.16,
            range: [0.0, 1.0],
            integer: false,
        }),
        reference: "Song et al. 2021",
        make: |ratio, _| Box::new(PredictorCorrector { ratio }),
        ..PLAIN
    },
];
