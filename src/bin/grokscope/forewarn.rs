//! `forewarn`: which measure says beforehand that a run will generalise, over seeds and against runs that never do.
//!
//! A measure that rises before the test accuracy in one run proves little: it may rise in runs that never grok as well. So each
//! threshold is set on the controls, where at most a tenth may raise a false alarm, and read as it would have been read live.

use super::{measure, progress, say, train};
use grokscope::engine::capability::EngineWish;
use grokscope::experiment::{Experiment, with_value};
use grokscope::measure::{Cost, FALSE_ALARMS, GrokkingRun, Warning, early_warning, measures_for};
use grokscope::record::{MeasureTable, UserError};

/// Trains `seeds` runs of `experiment` and as many controls with `never` changed, and prints a table.
pub fn run(experiment: &Experiment, never: &[String], seeds: u64) -> Result<(), UserError> {
    let mut control = experiment.clone();
    for assignment in never {
        let (path, value) = grokscope::experiment::parse_assignment(assignment)?;
        control = with_value(&control, path, value)?;
    }
    if control == *experiment {
        return Err(UserError::new(
            "The controls are the runs themselves",
            "Name a change under which the network never generalises, e.g. --never optimizer.weight_decay=0",
        ));
    }
    let bar = progress(2 * seeds, "run");
    let (mut grokking, mut controls, mut spoilt) = (Vec::new(), Vec::new(), 0);
    for seed in 0..seeds {
        for (base, is_control) in [(experiment, false), (&control, true)] {
            let (table, t_gen) = measured(&Experiment { seed, ..base.clone() })?;
            match (is_control, t_gen) {
                (false, Some(t_gen)) => grokking.push((table, t_gen)),
                (true, None) => controls.push(table),
                // A run on the wrong side would spoil either rate.
                _ => spoilt += 1,
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    say(&format!(
        "{} runs that generalised, {} controls that did not; {spoilt} left out. At most {:.0}% of the controls may raise an alarm.",
        grokking.len(),
        controls.len(),
        100.0 * FALSE_ALARMS
    ));
    say("| measure | alarm | median lead (t_gen − t_alarm)/t_gen | warned before t_gen | false alarms |");
    say("|---|---|---|---|---|");
    let mut lines: Vec<(f64, String)> = Vec::new();
    for column in measures_for(experiment, Cost::Forward).iter().flat_map(|measure| measure.columns).filter(|c| c.over.is_none())
    {
        let runs: Vec<GrokkingRun> = grokking
            .iter()
            .map(|(table, t_gen)| GrokkingRun { curve: table.curve(column.name), t_gen: *t_gen })
            .filter(|run| run.curve.len() > 2)
            .collect();
        let curves: Vec<Vec<(u32, f64)>> = controls.iter().map(|table| table.curve(column.name)).collect();
        if let Ok(found) = early_warning(&runs, &curves) {
            lines.push((found.median_lead, line(column.label, &found)));
        }
    }
    lines.sort_by(|x, y| y.0.total_cmp(&x.0));
    lines.iter().for_each(|(_, line)| say(line));
    Ok(())
}

fn line(label: &str, found: &Warning) -> String {
    let side = if found.is_above { "above" } else { "below" };
    let warned = found.leads.iter().filter(|lead| lead.is_some_and(|lead| lead > 0.0)).count();
    format!(
        "| {label} | {side} {:.4} | {:.2} | {warned} of {} | {:.0}% |",
        found.threshold,
        found.median_lead,
        found.leads.len(),
        100.0 * found.false_alarms
    )
}

/// Measures of all checkpoints of a run, and when it generalised.
fn measured(experiment: &Experiment) -> Result<(MeasureTable, Option<u32>), UserError> {
    let archive = train::run(experiment, EngineWish::Cpu, None, None)?;
    let names: Vec<&str> = measures_for(experiment, Cost::Forward).into_iter().map(|measure| measure.name).collect();
    let table = measure::take(&archive, &names)?;
    Ok((table, archive.summary.and_then(|summary| summary.t_gen)))
}
