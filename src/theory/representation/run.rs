//! The theory held against a run of the laboratory: what its own training pairs force, and what its embedding allows as it goes.
//!
//! Which sums follow is decided by the pairs alone, before the first update, so it is a prediction with nothing fitted. How fast is not:
//! the theory's rate is that of descent on ℓ_eff, which no network does, and it is therefore left to the panel's own toy.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::closure::Split;
use super::pairs::Pair;
use super::structure::Structure;
use crate::measure::delay::delay as dates;
use crate::record::UserError;
use crate::task::Dataset;

/// RQI from which the structure counts as formed, as in the published figure.
const FORMED: f64 = 0.95;

/// What the theory says of a run.
///
/// # Errors
/// If it is no sum of tokens, or nothing is evaluated yet.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let task = &run.experiment.task;
    if task.operation != "addition" {
        return Err(UserError::new(
            "The theory is of sums without a modulus",
            "Choose the task addition, e.g. by the preset liu-toy",
        ));
    }
    let last = run.rows.last().ok_or_else(|| UserError::new("Nothing is evaluated yet", "Start the run, or wait"))?;
    let data = Dataset::new(task, run.experiment.seed)?;
    let pairs = |which: &[u32]| -> Vec<Pair> {
        let unordered = |row: &u32| {
            let row = &data.rows[*row as usize];
            (usize::from(row.a.min(row.b)), usize::from(row.a.max(row.b)))
        };
        let mut all: Vec<Pair> = which.iter().map(unordered).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let split = Split { train: pairs(&data.train), test: pairs(&data.test) };
    let structure = Structure::of(data.sizes.tokens as usize, &split.train);
    let follows = split.closed(&structure);
    let column = |name: &str| -> Vec<(f64, f64)> {
        run.measures.curve(name).into_iter().map(|(step, value)| (f64::from(step), value)).collect()
    };
    let (quality, allowed) = (column("rqi"), column("representation_accuracy"));
    let measured: Vec<(f64, f64)> = run.rows.iter().map(|row| (f64::from(row.step), f64::from(row.test_accuracy))).collect();
    let formed = quality.iter().find(|point| point.1 >= FORMED).map(|point| point.0);
    let dates = dates(run.rows, true);
    let test = f64::from(last.test_accuracy);
    let mut lines = vec![Line::new("test accuracy", Role::Measured, measured.clone())];
    if !allowed.is_empty() {
        lines.push(Line::new("test accuracy", Role::Predicted, allowed.clone()));
        lines.push(Line::new("RQI", Role::Kind(1), quality));
    }
    lines.push(Line::new("follows from the pairs", Role::Baseline, measured.iter().map(|(step, _)| (*step, follows)).collect()));
    let end = allowed.last().map(|point| point.1);
    Ok(Outcome {
        headline: format!(
            "{:.0}% of the {} unseen sums follow from the {} known ones; at the end {:.0}% are right",
            100.0 * follows,
            split.test.len(),
            split.train.len(),
            100.0 * test
        ),
        figures: vec![Figure {
            name: "run".into(),
            caption: "Test accuracy, and dashed what the embedding of each measured checkpoint allows, if the decoder answers whatever \
                      completes a parallelogram; level, what follows from the training pairs alone"
                .into(),
            drawing: Drawing::Lines { x: Scaled::linear("step"), y: Scaled::linear("share of test sums"), lines, marks: Vec::new() },
        }],
        numbers: vec![
            Number::found("test_accuracy", "Test accuracy at the end, beside what follows from the pairs", test).expected(follows),
            Number::found("allowed", "What the last measured embedding allows, beside the same", end.unwrap_or(f64::NAN))
                .expected(follows),
            Number::found("nullity", "n₀, directions of the embedding that cost nothing", structure.nullity() as f64).expected(2.0),
            Number::found("parallelograms", "|P₀(D)|, parallelograms of the training pairs", structure.parallelograms as f64),
            Number::found("third_eigenvalue", "λ₃ at Z₀ = 1, the rate of what dies out last", structure.third()),
            Number::found("formed", "RQI of .95 at a measured checkpoint", formed.unwrap_or(f64::NAN)).unit("steps"),
            Number::found("t_gen", "Test rows understood", dates.t_gen.map_or(f64::NAN, f64::from)).unit("steps"),
        ],
        assumptions: vec![
            Assumption {
                statement: "The known sums leave only a line".into(),
                holds: Some(structure.nullity() == 2),
                evidence: format!("n₀ = {}", structure.nullity()),
            },
            Assumption {
                statement: "The decoder answers what the embedding allows".into(),
                holds: end.map(|end| (test - end).abs() <= 0.1),
                evidence: end.map_or("the measure rqi was not taken".into(), |end| {
                    format!("at the end {:.0}% are right and the embedding allows {:.0}% (.1 apart holds)", 100.0 * test, 100.0 * end)
                }),
            },
            Assumption {
                statement: "Structure comes before understanding".into(),
                holds: formed.zip(dates.t_gen).map(|(formed, t_gen)| formed <= f64::from(t_gen)),
                evidence: match (formed, dates.t_gen) {
                    (Some(formed), Some(t_gen)) => format!("RQI of .95 at step {formed}, test rows understood at {t_gen}"),
                    _ => "one of the two was not reached, or not measured".into(),
                },
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, preset, with_value};
    use crate::record::{MeasureTable, MetricRow, Value};

    fn row(step: u32, test_accuracy: f32) -> MetricRow {
        MetricRow {
            step,
            train_loss: 0.1,
            test_loss: 0.1,
            train_accuracy: 1.0,
            test_accuracy,
            weight_norm: 1.0,
            probe_accuracy: None,
        }
    }

    fn told(experiment: &Experiment, measures: &MeasureTable) -> Outcome {
        let rows: Vec<MetricRow> = (0..20).map(|at| row(10 * at, if at < 12 { 0.2 } else { 1.0 })).collect();
        of_run(&RunView { experiment, rows: &rows, measures }).unwrap()
    }

    #[test]
    fn what_follows_is_what_stands_in_every_free_direction() {
        for seed in ["58", "0", "3"] {
            let experiment = with_value(&preset("liu-toy").unwrap().experiment, "seed", seed).unwrap();
            let data = Dataset::new(&experiment.task, experiment.seed).unwrap();
            let pair = |row: &u32| (usize::from(data.rows[*row as usize].a), usize::from(data.rows[*row as usize].b));
            let train: Vec<Pair> = data.train.iter().map(pair).collect();
            // Another way than the span of the equations: the parallelogram is 0 in every eigenvector of H that costs nothing.
            let structure = Structure::of(10, &train);
            let free = nalgebra::SymmetricEigen::new(structure.matrix.clone());
            let is_free = |i: usize| free.eigenvalues[i].abs() < 1e-9;
            let right = data.test.iter().map(pair).filter(|(a, b)| {
                train.iter().filter(|(m, n)| m + n == a + b).any(|(m, n)| {
                    (0..10).filter(|&i| is_free(i)).all(|i| {
                        let v = free.eigenvectors.column(i);
                        (v[*a] + v[*b] - v[*m] - v[*n]).abs() < 1e-8
                    })
                })
            });
            let share = right.count() as f64 / data.test.len() as f64;
            let outcome = told(&experiment, &MeasureTable::default());
            assert!((outcome.numbers[0].expected.unwrap() - share).abs() < 1e-12, "{seed}: {share} {:?}", outcome.numbers[0]);
        }
    }

    #[test]
    fn measured_embeddings_are_laid_beside_the_accuracy() {
        let experiment = preset("liu-toy").unwrap().experiment.clone();
        let mut measures = MeasureTable::default();
        for (step, rqi, allowed) in [(0, 0.1, 0.1), (100, 0.97, 1.0), (190, 1.0, 1.0)] {
            let values = [("rqi", rqi), ("representation_accuracy", allowed)];
            measures.add(step, values.map(|(name, value)| (name.to_owned(), Value::Number(value))).into());
        }
        let outcome = told(&experiment, &measures);
        assert_eq!(outcome.figures[0].residuals()[0].1.len(), 20);
        assert_eq!(outcome.assumptions.iter().map(|a| a.holds).skip(1).collect::<Vec<_>>(), [Some(true), Some(true)]);
        let other = preset("transformer-59-mirror").unwrap().experiment.clone();
        assert!(of_run(&RunView { experiment: &other, rows: &[], measures: &measures }).unwrap_err().cause.contains("modulus"));
    }
}
