//! The oracle against 60-digit arithmetic, near the ends of time and far from the data.

use super::{close_to, mixture, vector};
use crate::scheduler::scheduler;

struct Known {
    scheduler: &'static str,
    t: f64,
    x: [f64; 2],
    log_density: f64,
    score: [f64; 2],
    denoiser: [f64; 2],
    velocity: [f64; 2],
    /// Of z given x: rows 00, 01, 11.
    covariance: [f64; 3],
}

#[test]
fn agrees_with_sixty_digits() {
    let mixture = mixture();
    for known in KNOWN {
        let here = mixture.at(&*scheduler(known.scheduler).unwrap(), known.t);
        let place = format!("{} {} {:?}", known.scheduler, known.t, known.x);
        let log = here.log_density(&known.x);
        assert!(
            (log - known.log_density).abs() <= 1e-13 * known.log_density.abs().max(1.0),
            "{place}: {log}"
        );
        let score = vector(|x, out| here.score(x, out), &known.x);
        let denoiser = vector(|x, out| here.denoiser(x, out), &known.x);
        let velocity = vector(|x, out| here.velocity(x, out), &known.x);
        // Relative to the length of the vector; 1 − t = 1e-6 itself is only known to 1e-10.
        let tolerance = if known.t > 0.9 { 1e-9 } else { 1e-11 };
        close_to(score, known.score, tolerance, &place);
        close_to(denoiser, known.denoiser, tolerance, &place);
        close_to(velocity, known.velocity, tolerance, &place);
        let c = here.posterior_covariance(&known.x);
        assert_eq!(c[1], c[2]);
        let size = known.covariance[0].max(known.covariance[2]);
        for (found, expected) in [c[0], c[1], c[3]].into_iter().zip(known.covariance) {
            let error = (found - expected).abs() / size;
            assert!(error < 1e-9, "{place}: {found:e} is not {expected:e}");
        }
    }
}

/// Σ wₖ N(αmₖ, (α²sₖ² + β²)I) with the weights, means and deviations of `mixture()` (their f64
/// values), and the posterior averages of Gaussians: rₖ ∝ wₖN(x; αmₖ, vₖI),
/// E\[z|x,k\] = mₖ + αsₖ²(x − αmₖ)/vₖ, E\[ε|x,k\] = β(x − αmₖ)/vₖ, Cov\[z|x,k\] = sₖ²β²/vₖ I, in 60
/// decimal digits with mpmath, rounded to f64 at the end.
const KNOWN: &[Known] = &[
    Known {
        scheduler: "condot",
        t: 1e-12,
        x: [0.3, -0.7],
        log_density: -2.127877066408108,
        score: [-0.30000000000114285, 0.7000000000014285],
        denoiser: [-0.5428571428565465, 0.02857142857065736],
        velocity: [-0.8428571428573894, 0.7285714285713859],
        covariance: [1.6238775510201857, -0.15591836734704803, 1.0348979591845342],
    },
    Known {
        scheduler: "condot",
        t: 1e-12,
        x: [1000.0, -20.0],
        log_density: -500201.83787806734,
        score: [-1000.0000000020005, 20.00000000004003],
        denoiser: [-0.542857141230147, 0.028571428394812238],
        velocity: [-1000.5428571422307, 20.02857142841484],
        covariance: [1.623877551015473, -0.15591836703431813, 1.0348979594983396],
    },
    Known {
        scheduler: "condot",
        t: 1e-06,
        x: [0.3, -0.7],
        log_density: -2.127875829267842,
        score: [-0.30000114285853224, 0.7000014285728144],
        denoiser: [-0.542856546549084, 0.028570657365765525],
        velocity: [-0.8428573894064734, 0.7285713859371514],
        covariance: [1.6238773285185029, -0.15591847661306535, 1.0348988198698381],
    },
    Known {
        scheduler: "condot",
        t: 1e-06,
        x: [1000.0, -20.0],
        log_density: -500202.83881918143,
        score: [-1000.0020005442312, 20.00004002845502],
        denoiser: [-0.541230149834531, 0.0283949651742064],
        velocity: [-1000.5422306920652, 20.0284149935892],
        covariance: [1.6238709526820294, -0.15560539746451854, 1.0352123619147944],
    },
    Known {
        scheduler: "condot",
        t: 0.5,
        x: [0.3, -0.7],
        log_density: -2.2093503706750557,
        score: [-0.6877948395589355, 0.8614706120090759],
        denoiser: [0.2561025802205322, -0.9692646939954619],
        velocity: [-0.08779483955893554, -0.538529387990924],
        covariance: [0.5476254852128413, 0.09458811095849029, 1.2009009501806907],
    },
    Known {
        scheduler: "condot",
        t: 0.5,
        x: [1000.0, -20.0],
        log_density: -1344842.4636658884,
        score: [-2686.577181208054, 54.09395973154363],
        denoiser: [656.7114093959731, -12.953020134228186],
        velocity: [-686.5771812080538, 14.093959731543626],
        covariance: [0.32885906040268453, -0.0, 0.32885906040268453],
    },
    Known {
        scheduler: "condot",
        t: 0.999999,
        x: [0.3, -0.7],
        log_density: -5.203235125880944,
        score: [-1.8433979877248448, -1.9330554975639955],
        denoiser: [0.3000002999984566, -0.700000700002633],
        velocity: [0.2999984566004688, -0.7000026330581307],
        covariance: [
            1.0000020000602022e-12,
            -5.5487904810935014e-24,
            1.0000020000707774e-12,
        ],
    },
    Known {
        scheduler: "condot",
        t: 0.999999,
        x: [1000.0, -20.0],
        log_density: -1023895.9125215345,
        score: [-2043.8816357162405, 41.42865367350791],
        denoiser: [1000.0009999989561, -20.000019999978573],
        velocity: [999.9989561173204, -19.999978571324895],
        covariance: [1.0000020000584706e-12, -0.0, 1.0000020000584706e-12],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 1e-12,
        x: [0.3, -0.7],
        log_density: -2.1278770664088182,
        score: [-0.30000000000084287, 0.7000000000007285],
        denoiser: [-0.5428571428565465, 0.02857142857065736],
        velocity: [-0.692857142856968, 0.3785714285710216],
        covariance: [1.6238775510201857, -0.15591836734704803, 1.0348979591845342],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 1e-12,
        x: [1000.0, -20.0],
        log_density: -500201.83787756716,
        score: [-1000.0000000010006, 20.00000000002003],
        denoiser: [-0.542857141230147, 0.028571428394812238],
        velocity: [-500.5428571417304, 10.028571428404826],
        covariance: [1.623877551015473, -0.15591836703431813, 1.0348979594983396],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 1e-06,
        x: [0.3, -0.7],
        log_density: -2.127876539267579,
        score: [-0.30000084285738937, 0.7000007285713858],
        denoiser: [-0.5428565465496803, 0.02857065736653673],
        velocity: [-0.6928569679783749, 0.37857102165222967],
        covariance: [1.6238773285187253, -0.15591847661295608, 1.0348988198689775],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 1e-06,
        x: [1000.0, -20.0],
        log_density: -500202.3386191805,
        score: [-1000.0010005422307, 20.000020028414994],
        denoiser: [-0.5412301514615173, 0.0283949653505164],
        velocity: [-500.54173042257685, 10.028404979558013],
        covariance: [1.6238709526902912, -0.15560539777783675, 1.0352123616006559],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 0.5,
        x: [0.3, -0.7],
        log_density: -2.253262723472272,
        score: [-0.534768233764779, 0.8668124637061453],
        denoiser: [0.06523176623522092, -0.5331875362938546],
        velocity: [-0.2021523506471686, -0.09978130444078197],
        covariance: [0.9515905876275199, 0.02300035900450166, 1.2875409370559479],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 0.5,
        x: [1000.0, -20.0],
        log_density: -804746.1684611234,
        score: [-1607.6305220883535, 32.369477911646584],
        denoiser: [392.3694779116465, -7.630522088353413],
        velocity: [-411.44578313253015, 8.554216867469881],
        covariance: [0.393574297188755, -0.0, 0.393574297188755],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 0.999999,
        x: [0.3, -0.7],
        log_density: -5.203226580267403,
        score: [-1.843389722978323, -1.9330481120988332],
        denoiser: [0.2999984566087336, -0.7000026330507452],
        velocity: [-0.6216964048804279, -1.6665266891001618],
        covariance: [
            1.0000016906756563e-06,
            -5.548733110732228e-12,
            1.0000122658427561e-06,
        ],
    },
    Known {
        scheduler: "linear-sqrt",
        t: 0.999999,
        x: [1000.0, -20.0],
        log_density: -1023893.8229456921,
        score: [-2043.87746453357, 41.4285691253231],
        denoiser: [999.9989561214916, -19.999978571409446],
        velocity: [-21.93977614529348, 0.7143059912521056],
        covariance: [9.999999592114308e-07, -0.0, 9.999999592114308e-07],
    },
    Known {
        scheduler: "edm",
        t: 1e-12,
        x: [0.3, -0.7],
        log_density: -10.602234998514337,
        score: [-0.00013166383288160577, 0.00011382726168273438],
        denoiser: [-0.5426485304405917, 0.02849447476804311],
        velocity: [-0.8426485304414344, 0.7284944747687716],
        covariance: [1.62372681009941, -0.15584384944693974, 1.0348791140597322],
    },
    Known {
        scheduler: "edm",
        t: 1e-12,
        x: [1000.0, -20.0],
        log_density: -88.82349588956478,
        score: [-0.15629543763262208, 0.0031258081435100193],
        denoiser: [-0.29080084678069956, 0.0051721184241118575],
        velocity: [-1000.290800847781, 20.00517211844412],
        covariance: [1.5825778563302757, -0.09980507647972027, 1.076944311617869],
    },
    Known {
        scheduler: "edm",
        t: 1e-06,
        x: [0.3, -0.7],
        log_density: -10.602232999124615,
        score: [-0.0001316640961442198, 0.00011382748931332673],
        denoiser: [-0.5426485300234186, 0.028494474614156388],
        velocity: [-0.8426493726727913, 0.7284952031093594],
        covariance: [1.623726809797916, -0.15584384929791142, 1.034879114022038],
    },
    Known {
        scheduler: "edm",
        t: 1e-06,
        x: [1000.0, -20.0],
        log_density: -88.82365029348027,
        score: [-0.15629575014625163, 0.0031258143892224878],
        denoiser: [-0.2908003514089002, 0.0051720806197439505],
        velocity: [-1000.2918006432095, 20.00519208581183],
        covariance: [1.5825776949949935, -0.099804952871586, 1.0769443809424886],
    },
    Known {
        scheduler: "edm",
        t: 0.5,
        x: [0.3, -0.7],
        log_density: -9.216854328910564,
        score: [-0.0005262643780123165, 0.00045516483693253807],
        denoiser: [-0.5420230048197063, 0.028263739092060928],
        velocity: [-1.6840460096394125, 1.4565274781841218],
        covariance: [1.6232745166412823, -0.1556203412093457, 1.0348225545676935],
    },
    Known {
        scheduler: "edm",
        t: 0.5,
        x: [1000.0, -20.0],
        log_density: -321.8827219386198,
        score: [-0.6247787788966245, 0.012495207257388735],
        denoiser: [0.3539537654008855, -0.007668388178025154],
        velocity: [-1999.2920924691982, 39.98466322364395],
        covariance: [1.1109775678765497, 0.0801108490532967, 1.1114253639335108],
    },
    Known {
        scheduler: "edm",
        t: 0.999999,
        x: [0.3, -0.7],
        log_density: -5.203237871314232,
        score: [-1.8433998827745357, -1.9330446665296772],
        denoiser: [0.2999999882022407, -0.7000000123714858],
        velocity: [-0.01179775925009628, -0.012371485866145684],
        covariance: [
            6.399999987696695e-09,
            -2.272776811990178e-16,
            6.400000420856807e-09,
        ],
    },
    Known {
        scheduler: "edm",
        t: 0.999999,
        x: [1000.0, -20.0],
        log_density: -1023893.8544431636,
        score: [-2043.8775243248651, 41.42857088746357],
        denoiser: [999.9999869191838, -19.999999734857145],
        velocity: [-13.080816156055285, 0.2651428536873912],
        covariance: [6.399999916776237e-09, -0.0, 6.399999916776237e-09],
    },
];
