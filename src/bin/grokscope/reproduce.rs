//! `reproduce`: published and independently measured numbers against runs made here, over several seeds.
//!
//! A number that nobody repeats is an anecdote. Each row names its source, what was published, the band that counts as a
//! repetition and what came out here, misses included. Seeds train together as replicas where the split allows it.

mod published;

use super::{progress, say};
use burn::tensor::Device;
use grokscope::experiment::{Experiment, counts, preset, with_value};
use grokscope::measure::delay::delay;
use grokscope::record::{MetricRow, UserError};
use grokscope::train::{Stage, Trainer};
use published::{NEVER, Quantity, ROWS, Row};
use std::time::Instant;

/// Runs the rows whose name contains `only` and prints a Markdown table.
pub fn run(only: Option<&str>, seeds: Option<u64>) -> Result<(), UserError> {
    say("| What | Source | Published | Band | Here (median) | Seeds | Inside | Time |");
    say("|---|---|---|---|---|---|---|---|");
    let (mut inside, mut total) = (0, 0);
    for row in ROWS.iter().filter(|row| only.is_none_or(|part| row.name.contains(part) || row.preset.contains(part))) {
        let begun = Instant::now();
        let found = measured(row, seeds.unwrap_or(row.seeds))?;
        let middle = median(&found);
        let passes = (row.band[0]..=row.band[1]).contains(&middle);
        inside += u32::from(passes);
        total += 1;
        let band = if row.band[0] == NEVER { "never".to_owned() } else { format!("{}–{}", row.band[0], row.band[1]) };
        let all: Vec<String> = found.iter().map(|value| shown(*value)).collect();
        say(&format!(
            "| {} | {} | {} | {band} | {} | {} | {} | {:.0} s |",
            row.name,
            row.source,
            row.published,
            shown(middle),
            all.join(", "),
            if passes { "yes" } else { "**no**" },
            begun.elapsed().as_secs_f64()
        ));
    }
    say(&format!("\n{inside} of {total} inside their band."));
    Ok(())
}

fn shown(value: f64) -> String {
    if value.is_infinite() { "never".to_owned() } else { format!("{}", (value * 10.0).round() / 10.0) }
}

/// The middle value; "never" counts as later than everything.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The quantity for each seed.
fn measured(row: &Row, seeds: u64) -> Result<Vec<f64>, UserError> {
    let mut base = preset(row.preset)?.experiment.clone();
    for (path, text) in row.changes {
        base = with_value(&base, path, text)?;
    }
    base.validate()?;
    let experiments: Vec<Experiment> = (0..seeds).map(|seed| Experiment { seed, ..base.clone() }).collect();
    let rows: Vec<u32> = experiments.iter().map(|e| counts(e).train).collect();
    let together = rows.windows(2).all(|pair| pair[0] == pair[1]);
    let runs: Vec<Vec<MetricRow>> = if together {
        trained(row.name, &experiments, row.quantity)?
    } else {
        let mut runs = Vec::new();
        for experiment in &experiments {
            runs.extend(trained(row.name, std::slice::from_ref(experiment), row.quantity)?);
        }
        runs
    };
    Ok(runs.iter().map(|rows| read(row.quantity, rows)).collect())
}

/// To a tenth.
fn percent(share: f32) -> f64 {
    (1000.0 * f64::from(share)).round() / 10.0
}

fn read(quantity: Quantity, rows: &[MetricRow]) -> f64 {
    let dates = delay(rows, true);
    let step = |step: Option<u32>| step.map_or(NEVER, f64::from);
    let reaches = |share: f32| step(rows.iter().find(|row| row.test_accuracy >= share).map(|row| row.step));
    match quantity {
        Quantity::Memorised => step(dates.t_mem),
        Quantity::Generalised => step(dates.t_gen),
        Quantity::Generalised99 => step(dates.t_gen_99),
        Quantity::Wait => match (dates.t_mem, dates.t_gen) {
            (Some(memorised), Some(generalised)) => f64::from(generalised) - f64::from(memorised),
            _ => NEVER,
        },
        Quantity::FirstTest90 => reaches(0.9),
        Quantity::FirstTest95 => reaches(0.95),
        Quantity::FirstTest99 => reaches(0.99),
        Quantity::TestHalf => step(dates.t_half),
        Quantity::Trained90 => step(rows.iter().find(|row| row.train_accuracy >= 0.9).map(|row| row.step)),
        Quantity::TestLossBelow(bound) => step(rows.iter().find(|row| row.test_loss < bound).map(|row| row.step)),
        Quantity::FinalTestAccuracy => rows.last().map_or(f64::NAN, |row| percent(row.test_accuracy)),
        Quantity::FinalTrainAccuracy => rows.last().map_or(f64::NAN, |row| percent(row.train_accuracy)),
    }
}

/// Trains replicas; ends early once a date that is asked for is settled for all of them.
fn trained(name: &str, experiments: &[Experiment], quantity: Quantity) -> Result<Vec<Vec<MetricRow>>, UserError> {
    let device = Device::flex();
    let last = experiments[0].steps;
    let bar = progress(u64::from(last), name);
    let mut trainer = Trainer::new(experiments, true, &device)?;
    let mut rows: Vec<Vec<MetricRow>> = vec![Vec::new(); experiments.len()];
    pollster::block_on(async {
        if let Some(mut stage) = Stage::new(experiments, true, &device)? {
            while !stage.is_done() {
                stage.advance().await?;
            }
            trainer.take_over(stage).await?;
        }
        while trainer.step() < last {
            trainer.advance().await?;
            if experiments[0].logging.evaluates_at(trainer.step(), last) {
                trainer.evaluate();
                for evaluation in trainer.read().await?.rows {
                    for (rows, row) in rows.iter_mut().zip(evaluation) {
                        rows.push(row);
                    }
                }
                bar.set_position(u64::from(trainer.step()));
                let dated = !matches!(quantity, Quantity::FinalTestAccuracy | Quantity::FinalTrainAccuracy);
                if dated && rows.iter().all(|rows| settled(quantity, rows)) {
                    break;
                }
            }
        }
        Ok::<(), UserError>(())
    })?;
    bar.finish_and_clear();
    Ok(rows)
}

fn settled(quantity: Quantity, rows: &[MetricRow]) -> bool {
    let dates = delay(rows, false);
    match quantity {
        Quantity::Memorised => dates.t_mem.is_some(),
        Quantity::Generalised => dates.t_gen.is_some(),
        Quantity::Generalised99 => dates.t_gen_99.is_some(),
        Quantity::Wait => dates.t_mem.is_some() && dates.t_gen.is_some(),
        _ => read(quantity, rows).is_finite(),
    }
}
