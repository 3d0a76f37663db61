//! What a drawing would do, without doing it.

use anyhow::Result;
use fokker::Draw;

use crate::output;
use crate::recipe::Recipe;
use crate::sample::Source;

/// Prints the recipe, the times of the steps with what the path is there, and the network calls.
pub(crate) fn print(source: &Source, recipe: &Recipe, draw: &Draw) -> Result<()> {
    output::result(&serde_json::to_string_pretty(recipe)?);
    let times = source.flow.times(draw)?;
    let scheduler = source.flow.scheduler(draw);
    output::result(&format!(
        "{:>6}  {:>10}  {:>10}  {:>10}",
        "step", "t", "alpha", "beta"
    ));
    for (step, &t) in times.iter().enumerate() {
        let c = scheduler.at(t);
        output::result(&format!(
            "{step:>6}  {t:>10.6}  {:>10.6}  {:>10.6}",
            c.alpha, c.beta
        ));
    }
    let forward = times.windows(2).filter(|w| w[0] < w[1]).count();
    let calls = forward * draw.sampler.spec.calls;
    let pilot = if draw.sampler.is_adaptive() {
        ", beside those of the pilot that chose the steps"
    } else {
        ""
    };
    output::result(&format!(
        "{forward} steps of {}: at most {calls} network calls for each sample{pilot}",
        draw.sampler
    ));
    Ok(())
}
