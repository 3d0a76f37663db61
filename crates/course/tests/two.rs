//! The second lab: its exact sections and its main training for another seed than usual, its page, its interruption.

use std::ops::ControlFlow;

use fokker_course::two::{LabError, LabTwo, Step};

/// The conditional path, the marginal path and flow matching: every check, with a seed that no number was tuned on.
#[test]
fn the_learned_field_is_near_the_exact_one() {
    let mut seen: Vec<f64> = Vec::new();
    let report = LabTwo { seed: 77 }
        .run_sections(&[1, 2, 3], &mut |step| {
            seen.push(step.whole);
            ControlFlow::Continue(())
        })
        .unwrap();
    for check in report.checks() {
        assert!(check.passed, "{check}");
    }
    assert!(report.checks().count() >= 16);
    assert!(seen.windows(2).all(|w| w[0] <= w[1]), "progress goes on");
    let html = report.to_html();
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    for outside in ["<script", "<link", "src=\"http", "url(http", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn a_break_stops_it_in_the_middle_of_a_training() {
    let mut last: Option<Step> = None;
    let result = LabTwo::default().run_sections(&[3], &mut |step| {
        if step.share > 0.01 {
            last = Some(step);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    let Err(LabError::Stopped { section, title }) = result else {
        panic!("it went on");
    };
    assert_eq!((section, title), (3, last.unwrap().title));
}
