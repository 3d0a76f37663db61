//! The course's second lab as one page:
//!
//! `cargo run --release -p fokker-course --example lab_two -- [FILE] [SEED] [SECTION…]`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use fokker_course::two::LabTwo;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "two.html".into());
    let mut lab = LabTwo::default();
    if let Some(seed) = arguments.next() {
        lab.seed = seed.parse()?;
    }
    let sections: Result<Vec<usize>, _> = arguments.map(|s| s.parse()).collect();
    let sections = match sections? {
        none if none.is_empty() => (1..=8).collect(),
        some => some,
    };
    let begun = Instant::now();
    let mut section = 0;
    let report = lab.run_sections(&sections, &mut |step| {
        if step.section != section {
            section = step.section;
            let at = begun.elapsed().as_secs_f64();
            eprintln!("{at:5.1} s  {section}/{} {}", step.sections, step.title);
        }
        ControlFlow::Continue(())
    })?;
    for section in &report.sections {
        println!("\n{}", section.title);
        let items = section.items.iter();
        for check in items.flat_map(|item| item.checks()) {
            println!("  {check}");
        }
    }
    report.report().write(&file)?;
    let count = report.checks().count();
    let passed = report.checks().filter(|check| check.passed).count();
    eprintln!(
        "{:5.1} s  {file}: {passed} of {count} checks passed",
        begun.elapsed().as_secs_f64()
    );
    if passed < count {
        return Err("a check failed".into());
    }
    Ok(())
}
