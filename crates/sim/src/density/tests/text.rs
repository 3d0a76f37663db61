//! Densities from text.

use fokker_math::density::Density;
use proptest::prelude::*;

use crate::density::{DENSITIES, DensityArg, ParseError};

fn parse(text: &str) -> DensityArg {
    text.parse().unwrap_or_else(|e: ParseError| panic!("{e}"))
}

/// The error, as the text from the place it points to, and the message.
fn error(text: &str) -> (String, String) {
    let e = text.parse::<DensityArg>().expect_err(text);
    (text.chars().skip(e.at).collect(), e.message)
}

#[test]
fn every_form_has_its_defaults_and_an_example() {
    for form in DENSITIES {
        let example = parse(form.example);
        assert!(form.example.starts_with(form.name));
        assert!(example.log_density(&vec![0.1; example.dim()]).is_finite());
        // What is needed, and has no default, says so.
        let needed = form
            .keys
            .iter()
            .any(|(_, meaning)| meaning.contains("needed"));
        assert_eq!(
            form.name.parse::<DensityArg>().is_err(),
            needed,
            "{}",
            form.name
        );
        let mut sample = vec![0.0; example.dim()];
        example.sample(0.3, &vec![0.5; example.normals()], &mut sample);
        assert!(sample.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn values_arrive() {
    let DensityArg::Gaussian(g) = parse(" gaussian : mean = [1, -2.5e0] , cov=[[1,.5],[.5,2]] ")
    else {
        panic!("a Gaussian");
    };
    assert_eq!(g.mean(), [1.0, -2.5]);
    assert_eq!(g.covariance(), [1.0, 0.5, 0.5, 2.0]);
    assert_eq!(parse("gaussian:mean=3,std=2").covariance(), [4.0]);
    assert_eq!(parse("gaussian:mean=3,cov=2").covariance(), [2.0]);
    assert_eq!(parse("gaussian:dim=3,mean=1").mean(), [1.0; 3]);

    let DensityArg::Mixture(m) = parse("mixture:means=[-1,[1]],weights=[1,3],stds=[.5,2]") else {
        panic!("a mixture");
    };
    assert_eq!(m.weights(), [0.25, 0.75]);
    assert_eq!(m.components()[1].covariance(), [4.0]);
    let m = parse("mixture:means=[[0,0],[1,1]],covs=[[[1,0],[0,1]],[[2,1],[1,2]]]");
    assert_eq!(
        m.covariance(),
        [1.5 + 0.25, 0.5 + 0.25, 0.5 + 0.25, 1.5 + 0.25]
    );

    let DensityArg::Mixture(ring) = parse("ring:k=4,radius=2,std=.5") else {
        panic!("a mixture");
    };
    assert_eq!(ring.components().len(), 4);
    assert_eq!(ring.components()[0].mean(), [2.0, 0.0]);

    let place = |text| match parse(text) {
        DensityArg::Mixture(m) => m.components()[2].mean().to_vec(),
        _ => panic!("a mixture"),
    };
    assert_eq!(place("random:seed=4"), place("random:seed=4"));
    assert_ne!(place("random:seed=4"), place("random:seed=5"));
    let (near, far) = (place("random"), place("random:offset=50"));
    assert!((far[0] - near[0] - 50.0).abs() < 1e-12 && far[1] == near[1]);
    assert!(near.iter().all(|x| x.abs() <= 10.0));
}

#[test]
fn errors_point_at_the_character() {
    for (text, place, words) in [
        ("", "", "begins with its name"),
        ("gausian", "gausian", "did you mean `gaussian`?"),
        ("ring:k=5,raduis=1", "raduis=1", "did you mean `radius`?"),
        ("ring:k=5,k=6", "k=6", "twice"),
        ("ring k=5", "k=5", "expected `:`"),
        ("ring:", "", "expected a parameter"),
        ("ring:k", "", "expected a parameter"),
        ("ring:k=", "", "expected a number"),
        (
            "ring:k=5;std=1",
            ";std=1",
            "expected `,` or the end, found `;`",
        ),
        ("ring:k=five", "five", "is not a number"),
        ("ring:k=0", "0", "a whole number between 1 and 10000, got 0"),
        ("ring:k=2.5", "2.5", "whole number"),
        ("ring:k=[2]", "[2]", "takes a number"),
        ("ring:std=0", "0", "std must be positive, got 0"),
        ("ring:radius=1e999", "1e999", "must be finite"),
        ("ring:radius=nan", "nan", "must be finite"),
        (
            "gaussian:mean=[1,2",
            "",
            "expected `,` or `]`, the text ends",
        ),
        ("gaussian:mean=[]", "]", "expected a number"),
        ("gaussian:mean=[1,[2]]", "[2]]", "takes a number"),
        ("gaussian:mean=[[[[1]]]]", "[1]]]]", "3 deep"),
        ("gaussian:std=1,cov=2", "2", "either `std` or `cov`"),
        ("gaussian:mean=[0,0],dim=3", "3", "2 coordinates"),
        (
            "gaussian:mean=[0,0],cov=[[1,0]]",
            "[[1,0]]",
            "needs 2 rows, got 1",
        ),
        (
            "gaussian:mean=[0,0],cov=[[1,0],[1]]",
            "[1]]",
            "needs 2 numbers, got 1",
        ),
        (
            "gaussian:mean=[0,0],cov=[[1,2],[2,4]]",
            "[[1,2],[2,4]]",
            "positive definite",
        ),
        (
            "gaussian:mean=[0,0],cov=[[1,2],[3,9]]",
            "[[1,2],[3,9]]",
            "not symmetric",
        ),
        ("mixture", "mixture", "needs its means"),
        ("mixture:means=[0,[1,2]]", "[0,[1,2]]", "dimension"),
        ("mixture:means=[0,1],weights=[1]", "[1]", "2 means"),
        ("mixture:means=[0,1],weights=[1,-1]", "[1,-1]", "weight"),
        (
            "mixture:means=[0,1],stds=[1,0]",
            "[1,0]",
            "standard deviation",
        ),
        (
            "random:k=10000,dim=1000",
            "random:k=10000,dim=1000",
            "at most",
        ),
        ("double-well:height=0", "0", "between 0.001 and 1000"),
        ("gaussian:μ=1", "μ=1", "has no `μ`"),
        ("gaussian:mean=λ", "λ", "is not a number"),
    ] {
        let (at, message) = error(text);
        assert_eq!(at, place, "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
    let shown = "ring:k=x".parse::<DensityArg>().unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1].find('x'), lines[2].find('^'), "{shown}");
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".*") {
        if let Err(e) = text.parse::<DensityArg>() {
            prop_assert!(e.at <= text.chars().count());
            prop_assert!(e.to_string().lines().count() >= 3);
        }
    }

    /// Text of the right pieces in any order.
    #[test]
    fn any_pieces_are_answered(
        name in prop::sample::select(vec!["gaussian", "mixture", "ring", "random", "double-well"]),
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "mean=", "std=", "cov=", "means=", "weights=", "stds=", "covs=", "k=", "dim=",
                "[", "]", "[[", "]]", ",", "1", "0", "-2", "1e9", "1e300", "1e-300", ".5", " ", "x",
            ]),
            0..12,
        ),
    ) {
        let text = format!("{name}:{}", pieces.concat());
        if let Ok(density) = text.parse::<DensityArg>() {
            density.log_density(&vec![0.5; density.dim()]);
            density.diffused();
            density.lanes();
        }
    }
}
