//! The first lab as a whole: its checks for several seeds, its page, its interruption.

use std::ops::ControlFlow;

use fokker_lab::check::{ALPHA, Verdict};
use fokker_lab::one::{LabError, LabOne, Step};
use fokker_lab::report::{Item, LabReport};

fn run(seed: u64) -> LabReport {
    let lab = LabOne {
        seed,
        animation: false,
    };
    lab.run(&mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn every_check_passes_for_several_seeds() {
    let mut printed = Vec::new();
    for seed in [1, 2, u64::MAX, 1] {
        let report = run(seed);
        for check in report.checks() {
            assert!(check.passed, "seed {seed}: {check}");
        }
        assert!(report.passed());
        let random = report
            .checks()
            .filter(|check| !matches!(check.verdict, Verdict::Number { .. }))
            .count();
        assert!(report.checks().count() > 90);
        assert!(random as f64 * ALPHA < 1e-3, "{random} random checks");
        // Every figure is followed by checks, the animation by a figure or by checks.
        for section in &report.sections {
            let figures = |item: &&Item| matches!(item, Item::Figure { .. });
            let checked = |item: &&Item| !item.checks().is_empty();
            let items = &section.items;
            assert!(items.iter().filter(checked).count() >= items.iter().filter(figures).count());
        }
        let words = report.checks().map(ToString::to_string);
        printed.push(words.collect::<Vec<_>>());
        if seed == 1 {
            one_page(&report.to_html());
        }
    }
    // The same seed gives the same numbers, another one others.
    assert_eq!(printed[0], printed[3]);
    assert_ne!(printed[0], printed[1]);
}

/// One file: nothing is fetched, nothing is executed.
fn one_page(html: &str) {
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.len() < 6 << 20, "{} bytes", html.len());
    for outside in [
        "<script",
        "<link",
        "src=\"http",
        "href=\"http",
        "url(http",
        "@import",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn a_break_stops_it() {
    for stop_in in [1, 3, 4] {
        let mut calls_after = 0;
        let mut seen: Option<Step> = None;
        let lab = LabOne {
            seed: 1,
            animation: false,
        };
        let result = lab.run(&mut |step| {
            if seen.is_some() {
                calls_after += 1;
            }
            // In the middle of a simulation, not between sections.
            if step.section == stop_in && step.trajectories.0 > 0 {
                seen = Some(step);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let Err(LabError::Stopped { section, title }) = result else {
            panic!("it went on: {result:?}");
        };
        assert_eq!((section, title), (stop_in, seen.unwrap().title));
        assert_eq!(calls_after, 0);
    }
}
