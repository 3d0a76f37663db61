//! The classifier that judges samples.

use fokker_lab::report::LabSection;

use super::LabError;
use super::bench::Bench;
use super::generator::at_least;

pub(super) const TITLE: &str = "The judge";

const THEORY: &str = "\
Does a sample show the class that was asked for? A classifier that never meets the generators decides: six convolutions, trained on \
images and tested on others that it never saw. Its errors bound what can be said: where it is right on a share p of real images, a \
perfect generator would be found right on about p of its samples, not on all.";

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let training = bench.plan.judge;
    let recipe = bench.lab.recipe(
        "judge",
        &format!(
            "kind = \"classifier\"\nchannels = [16, 32, 64]\n[optimizer]\nlr = 2e-3\nweight_decay = 0.01\n[train]\nsteps = {}\nbatch = {}\n\
             checkpoint_every = 200\nkeep = 1\n[ema]\ndecay = 0.99",
            training.steps, training.batch
        ),
    );
    let (judge, _) = bench.train_judge("judge", &recipe, (0.0, 0.95))?;
    let accuracy = judge.accuracy(&*bench.test);
    let n = bench.test.len().unwrap_or(0) as f64;
    let error = (accuracy * (1.0 - accuracy) / n).sqrt();
    let chance = 1.0 / bench.data.classes().len() as f64;
    let section = LabSection::new(
        TITLE,
        &format!(
            "{THEORY}\n\nHere it is right on {:.1} ± {:.1} % of {n:.0} images that it never saw, after {} batches of {}.",
            100.0 * accuracy,
            100.0 * error,
            training.steps,
            training.batch
        ),
    )
    .checks([at_least(
        "the judge's accuracy on images that it never saw, against chance by 5 standard errors",
        accuracy,
        chance + 5.0 * (chance * (1.0 - chance) / n).sqrt(),
    )]);
    bench.judge = Some((judge, accuracy));
    Ok(section)
}
