//! `forewarn`: which measure says beforehand that a run will generalise, over seeds and against runs that never do.
//!
//! A measure that rises before the test accuracy in one run proves little: it may rise in runs that never grok as well. So each
//! threshold is set on the controls, where at most a tenth may raise a false alarm, and read as it would have been read live.

use super::{race, say};
use grokscope::engine::capability::EngineWish;
use grokscope::experiment::Experiment;
use grokscope::measure::{Cost, FALSE_ALARMS, column, measures_for};
use grokscope::race::{Arm, Criterion, Forewarning, Predictor, RACE_SCHEMA, RaceConfig};
use grokscope::record::UserError;

/// Races `seeds` runs of `experiment` against as many with `never` changed, and prints a table.
pub fn run(experiment: &Experiment, never: &[String], seeds: u64) -> Result<(), UserError> {
    let names = measures_for(experiment, Cost::Training)
        .into_iter()
        .filter(|measure| !matches!(measure.cost, Cost::Layer | Cost::Sampling));
    let config = RaceConfig {
        schema: RACE_SCHEMA,
        name: "forewarn".into(),
        experiment: experiment.clone(),
        arms: vec![Arm { name: "never".into(), edits: never.to_vec(), matched_rate: false }],
        seeds: (0..seeds).collect(),
        steps: experiment.steps,
        count_source: false,
        criterion: Criterion::TGen,
        measures: names.map(|measure| measure.name.to_owned()).collect(),
    };
    print(&race::hold(config, EngineWish::Cpu)?.forewarning()?);
    Ok(())
}

/// Prints who was warned of what, how early.
pub fn print(found: &Forewarning) {
    say(&format!(
        "{} runs that generalised, {} controls that did not; {} left out. At most {:.0}% of the controls may raise an alarm.",
        found.grokking.len(),
        found.never.len(),
        found.left_out,
        100.0 * FALSE_ALARMS
    ));
    say("| measure | alarm | median lead (t_gen − t_alarm)/t_gen | warned before t_gen | false alarms | |");
    say("|---|---|---|---|---|---|");
    found.predictors.iter().for_each(|predictor| say(&line(predictor)));
}

fn line(predictor: &Predictor) -> String {
    let found = &predictor.warning;
    let label = column(&predictor.column).map_or(predictor.column.as_str(), |(_, column)| column.label);
    let side = if found.is_above { "above" } else { "below" };
    let warned = found.leads.iter().filter(|lead| lead.is_some_and(|lead| lead > 0.0)).count();
    let note = predictor.note();
    format!(
        "| {label} | {side} {:.4} | {:.2} | {warned} of {} | {:.0}% | {note} |",
        found.threshold,
        found.median_lead,
        found.leads.len(),
        100.0 * found.false_alarms
    )
}
