//! `reproduce`: published and independently measured numbers against runs made here, over several seeds.
//!
//! A number that nobody repeats is an anecdote. Each row names its source, what was published, the band that counts as a
//! repetition and what came out here, misses included. Seeds train together as replicas where the split allows it.

use super::{progress, say};
use burn::tensor::Device;
use grokscope::experiment::{Experiment, counts, preset, with_value};
use grokscope::measure::delay::delay;
use grokscope::record::{MetricRow, UserError};
use grokscope::train::{Stage, Trainer};
use std::time::Instant;

/// What is compared.
#[derive(Clone, Copy)]
enum Quantity {
    /// Median over seeds of the step at which training accuracy first reaches .99.
    Memorised,
    /// Median of the step at which test accuracy reaches .95 and holds.
    Generalised,
    /// The same with .99.
    Generalised99,
    /// Median of the first step with training accuracy of at least .9.
    Trained90,
    /// Median of the updates between the two.
    Wait,
    /// Median of the first step with test accuracy of at least .9, held or not.
    FirstTest90,
    /// The same with .95.
    FirstTest95,
    /// The same with .99.
    FirstTest99,
    /// Median of the first step with test accuracy of at least .5.
    TestHalf,
    /// Median of the first step with test loss below this.
    TestLossBelow(f32),
    /// Median over seeds of the last test accuracy, in percent.
    FinalTestAccuracy,
    /// Median over seeds of the last training accuracy, in percent.
    FinalTrainAccuracy,
}

/// A row of the table.
struct Row {
    name: &'static str,
    preset: &'static str,
    changes: &'static [(&'static str, &'static str)],
    seeds: u64,
    quantity: Quantity,
    published: &'static str,
    /// Both ends included.
    band: [f64; 2],
    source: &'static str,
}

const OWN: &str = "independent C program";
const HALF: (&str, &str) = ("task.train_fraction", "0.5");

/// Marks a quantity that must not be reached within the budget.
const NEVER: f64 = f64::INFINITY;

const fn row(
    name: &'static str,
    preset: &'static str,
    changes: &'static [(&'static str, &'static str)],
    quantity: Quantity,
    published: &'static str,
    band: [f64; 2],
    source: &'static str,
) -> Row {
    Row { name, preset, changes, seeds: 5, quantity, published, band, source }
}

const ROWS: &[Row] = &[
    row("quadratic p=31, f=.4: train .99", "quadratic-31", &[], Quantity::Memorised, "9–10", [7.0, 14.0], OWN),
    row("quadratic p=31, f=.4: test .95", "quadratic-31", &[], Quantity::Generalised, "115", [95.0, 140.0], OWN),
    row("quadratic p=31, f=.4: test .99", "quadratic-31", &[], Quantity::Generalised99, "130", [105.0, 165.0], OWN),
    row(
        "quadratic p=97, f=.5: train .99",
        "quadratic-97",
        &[("steps", "90")],
        Quantity::Memorised,
        "100% at 26",
        [15.0, 30.0],
        "Doshi et al. 2310.13061, notebook",
    ),
    row(
        "quadratic p=97, f=.5: test .5",
        "quadratic-97",
        &[("steps", "90")],
        Quantity::TestHalf,
        "62% at 34",
        [30.0, 38.0],
        "Doshi et al. 2310.13061, notebook",
    ),
    row(
        "quadratic p=97, f=.5: test .95",
        "quadratic-97",
        &[("steps", "90")],
        Quantity::Generalised,
        "98.7% at 40",
        [36.0, 46.0],
        "Doshi et al. 2310.13061, notebook",
    ),
    row(
        "quadratic p=97, f=.5: test .99",
        "quadratic-97",
        &[("steps", "90")],
        Quantity::Generalised99,
        "100% at 44",
        [38.0, 50.0],
        "Doshi et al. 2310.13061, notebook",
    ),
    row("quadratic p=31, rate .003: test .99", "quadratic-31-slow", &[], Quantity::Generalised99, "293–327", [240.0, 390.0], OWN),
    row(
        "quadratic p=31, rate .001: test .99",
        "quadratic-31-slowest",
        &[],
        Quantity::Generalised99,
        "781–814",
        [640.0, 980.0],
        OWN,
    ),
    row("quadratic p=23, N=64, f=.5: test .99", "quadratic-23", &[], Quantity::Generalised99, "130", [85.0, 200.0], OWN),
    row(
        "quadratic p=23, N=128, f=.6: test .99",
        "quadratic-23",
        &[("model.width", "128"), ("task.train_fraction", "0.6")],
        Quantity::Generalised99,
        "68",
        [45.0, 100.0],
        OWN,
    ),
    row("quadratic p=59, f=.3: test .99", "quadratic-59", &[], Quantity::Generalised99, "109", [80.0, 150.0], OWN),
    row(
        "quadratic p=59, f=.5: test .99",
        "quadratic-59",
        &[("task.train_fraction", "0.5")],
        Quantity::Generalised99,
        "47",
        [31.0, 71.0],
        OWN,
    ),
    row(
        "quadratic p=59, f=.25: test .99",
        "quadratic-59",
        &[("task.train_fraction", "0.25"), ("steps", "450")],
        Quantity::Generalised99,
        "205",
        [135.0, 310.0],
        OWN,
    ),
    row("decay 1: test .99", "decay-1-31", &[], Quantity::Generalised99, "661", [500.0, 820.0], OWN),
    row(
        "decay 2: test .99",
        "quadratic-31",
        &[("optimizer.weight_decay", "2"), ("steps", "700")],
        Quantity::Generalised99,
        "314",
        [240.0, 390.0],
        OWN,
    ),
    row("decay 0: never within 2,000", "decay-0-31", &[], Quantity::Generalised, "never", [NEVER, NEVER], OWN),
    row("decay 10: test .95", "decay-10-31", &[], Quantity::Generalised, "151", [100.0, 227.0], OWN),
    row("decay 20: never", "decay-20-31", &[], Quantity::Generalised, "never", [NEVER, NEVER], OWN),
    row(
        "f=.35: test .99",
        "quadratic-31",
        &[("task.train_fraction", "0.35"), ("steps", "500")],
        Quantity::Generalised99,
        "208",
        [140.0, 310.0],
        OWN,
    ),
    row(
        "f=.3: test .99",
        "quadratic-31",
        &[("task.train_fraction", "0.3"), ("steps", "1500")],
        Quantity::Generalised99,
        "657–717",
        [450.0, 950.0],
        OWN,
    ),
    row(
        "f=.25, semi-grok: test accuracy at 1,700, %",
        "semi-grok-31",
        &[],
        Quantity::FinalTestAccuracy,
        "50–95",
        [45.0, 95.0],
        OWN,
    ),
    row(
        "f=.2: test accuracy at 1,500, %",
        "quadratic-31",
        &[("task.train_fraction", "0.2"), ("steps", "1500")],
        Quantity::FinalTestAccuracy,
        "10–14",
        [2.0, 20.0],
        OWN,
    ),
    row(
        "f=.1: never within 1,500",
        "quadratic-31",
        &[("task.train_fraction", "0.1"), ("steps", "1500")],
        Quantity::Generalised,
        "never",
        [NEVER, NEVER],
        OWN,
    ),
    row(
        "hysteresis, cut .5→.2 at 200: test accuracy at 1,500, %",
        "hysteresis-31",
        &[],
        Quantity::FinalTestAccuracy,
        "61–69",
        [55.0, 75.0],
        OWN,
    ),
    row(
        "hysteresis, cut .5→.25 at 200: test accuracy at 1,500, %",
        "hysteresis-31",
        &[("timeline", "200 set task.train_fraction 0.25")],
        Quantity::FinalTestAccuracy,
        "99",
        [94.0, 100.0],
        OWN,
    ),
    row(
        "addition, f=.5: test .99",
        "multiplication-31",
        &[("task.operation", "add")],
        Quantity::Generalised99,
        "64",
        [45.0, 95.0],
        OWN,
    ),
    row("multiplication: test .99", "multiplication-31", &[], Quantity::Generalised99, "68", [50.0, 95.0], OWN),
    row("division: test .99", "division-31", &[], Quantity::Generalised99, "70", [50.0, 95.0], OWN),
    row(
        "subtraction: test .99",
        "multiplication-31",
        &[("task.operation", "sub")],
        Quantity::Generalised99,
        "65",
        [48.0, 95.0],
        OWN,
    ),
    row("a² + b²: test .99", "squares-31", &[], Quantity::Generalised99, "74", [50.0, 110.0], OWN),
    row("S4: test .99", "s4", &[], Quantity::Generalised99, "90", [55.0, 160.0], OWN),
    row("A5: test .99", "a5", &[], Quantity::Generalised99, "69", [45.0, 110.0], OWN),
    row("x³ + xy² + y: never", "never-31", &[], Quantity::Generalised, "never", [NEVER, NEVER], "Power et al. 2201.02177"),
    row("random labels: test accuracy, %", "random-labels-31", &[], Quantity::FinalTestAccuracy, "3.2", [0.0, 6.5], "chance"),
    row(
        "S3: never .95",
        "s4",
        &[("task.group", "S3"), HALF, ("steps", "1500")],
        Quantity::Generalised,
        "never",
        [NEVER, NEVER],
        OWN,
    ),
    row(
        "⊥Grad perceptron p=113: test .95",
        "perp-grad-113",
        &[("steps", "340")],
        Quantity::Generalised,
        "165",
        [82.0, 330.0],
        "Prieto et al. 2501.04697, repository",
    ),
    row(
        "linear teacher, d/N = .9: train .99",
        "linear-teacher",
        &[],
        Quantity::Memorised,
        "81",
        [54.0, 122.0],
        "Levi et al. 2310.16441, integral",
    ),
    row(
        "linear teacher, d/N = .9: test .95",
        "linear-teacher",
        &[],
        Quantity::Generalised,
        "981",
        [654.0, 1472.0],
        "Levi et al. 2310.16441, integral",
    ),
    row(
        "diagonal network, α = 8: test .95",
        "sparse-diagonal",
        &[],
        Quantity::Generalised,
        "8,318",
        [5545.0, 12477.0],
        "Lyu et al. 2311.18817, log α/(η·decay)",
    ),
    row(
        "transformer p=59, f=.4, decay 3: test .99",
        "transformer-59",
        &[],
        Quantity::FirstTest99,
        "429, 431, 471, 1,070",
        [350.0, 1100.0],
        OWN,
    ),
    row(
        "transformer p=59, f=.4, decay 5: test .99",
        "transformer-59-decay-5",
        &[],
        Quantity::FirstTest99,
        "258–308",
        [180.0, 420.0],
        OWN,
    ),
    row(
        "transformer p=59, f=.35, decay 3: test .99",
        "transformer-59",
        &[("task.train_fraction", "0.35"), ("steps", "3000")],
        Quantity::FirstTest99,
        "464, 935, 1,721",
        [400.0, 2000.0],
        OWN,
    ),
    row(
        "transformer p=31, f=.5: test .99",
        "transformer-31",
        &[],
        Quantity::FirstTest99,
        "546, 694, 2,026, never",
        [460.0, 2500.0],
        OWN,
    ),
    row(
        "transformer p=43, f=.4: test .99",
        "transformer-31",
        &[("task.modulus", "43"), ("task.train_fraction", "0.4")],
        Quantity::FirstTest99,
        "777, 1,728",
        [500.0, 2600.0],
        OWN,
    ),
    row(
        "transformer p=59, mirrored f=.64: test .99",
        "transformer-59-mirror",
        &[],
        Quantity::FirstTest99,
        "222, 393, 712",
        [180.0, 900.0],
        OWN,
    ),
    row(
        "Liu's toy: train .9",
        "liu-toy",
        &[],
        Quantity::Trained90,
        "1,130",
        [565.0, 2260.0],
        "Liu et al. 2205.10343, repository",
    ),
    row(
        "Liu's toy: test .9",
        "liu-toy",
        &[],
        Quantity::FirstTest90,
        "1,530",
        [765.0, 3060.0],
        "Liu et al. 2205.10343, repository",
    ),
    row(
        "Liu's toy: last test accuracy, %",
        "liu-toy",
        &[],
        Quantity::FinalTestAccuracy,
        "≥ 90 from 1,530",
        [90.0, 100.0],
        "Liu et al. 2205.10343, repository",
    ),
    row(
        "Liu's toy, fastest cell: train .9",
        "liu-toy-fast",
        &[],
        Quantity::Trained90,
        "128",
        [64.0, 256.0],
        "Liu et al. 2205.10343, repository",
    ),
    row(
        "Liu's toy, fastest cell: test .9",
        "liu-toy-fast",
        &[],
        Quantity::FirstTest90,
        "177",
        [88.0, 354.0],
        "Liu et al. 2205.10343, repository",
    ),
    row(
        "parity (40, 3): last test accuracy, %",
        "parity-40",
        &[],
        Quantity::FinalTestAccuracy,
        "generalises late",
        [95.0, 100.0],
        "Merrill et al. 2303.11873",
    ),
    row(
        "parity (40, 3): last training accuracy, %",
        "parity-40",
        &[],
        Quantity::FinalTrainAccuracy,
        "100",
        [99.0, 100.0],
        "Merrill et al. 2303.11873",
    ),
    row(
        "parity (40, 3): updates from training .99 to test .95",
        "parity-40",
        &[],
        Quantity::Wait,
        "generalises late",
        [1.0, 20000.0],
        "Merrill et al. 2303.11873",
    ),
    row(
        "transformer p=97, rate .01: test .95",
        "transformer-97-no-delay",
        &[],
        Quantity::Generalised,
        "370",
        [185.0, 740.0],
        "Doshi et al. 2310.13061, notebook",
    ),
    row(
        "Grokfast p=97, exponential mean: test .95",
        "grokfast-97",
        &[],
        Quantity::FirstTest95,
        "910",
        [455.0, 1820.0],
        "Lee et al. 2405.20233, repository",
    ),
    row(
        "transformer p=113, f=.5: test loss below .1",
        "transformer-113",
        &[],
        Quantity::TestLossBelow(0.1),
        "956",
        [500.0, 2000.0],
        "Nanda et al. 2301.05217, saved run",
    ),
];

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
