//! The bound laid beside the margin of a run of the laboratory.
//!
//! The run's measure divides by ‖θ‖₂³, the theorem by Σ‖neuron‖³. The second is never larger, and by the inequality of power means
//! never smaller than the first over √N. So the theorem bounds the measured number too, and the measured number tells the theorem's
//! up to a factor √N and no better: what lies between is said instead of a target that does not exist. Rejected: comparing the two
//! as if they were one, which makes any network look √N times worse than it is.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::few::best_sets;
use super::network::{PER_FREQUENCY, frequencies, margins_of, widest};
use crate::experiment::Experiment;
use crate::record::UserError;

/// The column of the measure `margin` that is held against the bound.
const COLUMN: &str = "normalised_margin";

/// What the theorem says of a run.
///
/// # Errors
/// If it is another network or task, or its margin has not been measured.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let RunView { experiment, measures, .. } = *run;
    refuse(experiment)?;
    let curve: Vec<(f64, f64)> = measures.curve(COLUMN).into_iter().map(|(step, value)| (f64::from(step), value)).collect();
    let Some(&(step, last)) = curve.last() else {
        return Err(UserError::new("The margin of this run has not been measured", "Measure `margin` of its checkpoints"));
    };
    let settings = &experiment.model.settings;
    let (p, width) = (experiment.task.modulus() as usize, f64::from(settings.integer("width")));
    let bound = widest(p);
    let (design, used) = best_design(p);
    let spread = libm::sqrt(width);
    let most = curve.iter().copied().fold((step, last), |best, point| if point.1 > best.1 { point } else { best });
    let share = last / bound;
    let headline = format!(
        "At step {step:.0} the smallest margin over ‖θ‖₂³ is {last:.3e}: {:.1}% of the bound {bound:.3e}, and {:.2} of the best \
         design's {design:.3e}; in the theorem's own norm it has between {:.1} and {:.1}% of the widest",
        100.0 * share,
        last / design,
        100.0 * share,
        100.0 * (share * spread).min(1.0),
    );
    let level =
        |name: &str, role: Role, value: f64| Line::new(name, role, curve.iter().map(|(step, _)| (*step, value)).collect());
    let measured: Vec<(f64, f64)> = curve.iter().copied().filter(|(_, value)| *value > 0.0).collect();
    let lines = vec![
        level("bound of any network", Role::Predicted, bound),
        level("best design", Role::Baseline, design),
        Line::new("run", Role::Measured, measured),
    ];
    Ok(Outcome {
        headline,
        figures: vec![Figure {
            name: "run".into(),
            caption: "Smallest margin over ‖θ‖₂³ of the run's checkpoints, where all training rows are right; the bound, which holds for \
                      all pairs, and the widest that is known, a design of six neurons per frequency"
                .into(),
            drawing: Drawing::Lines { x: Scaled::linear("updates"), y: Scaled::log("margin over ‖θ‖₂³"), lines, marks: Vec::new() },
        }],
        numbers: vec![
            Number::found("share_of_bound", "Measured over the bound, at the last checkpoint", share),
            Number::found("share_of_design", "Measured over the best design in the same norm", last / design),
            Number::found("design_frequencies", "Frequencies of the best design", used.len() as f64),
            Number::found("largest_share", "Largest measured over the bound", most.1 / bound),
            Number::found("largest_step", "Its checkpoint", most.0).unit("updates"),
            Number::found("spread", "√N: how far the two norms can lie apart", spread),
        ],
        assumptions: assumptions(experiment, share),
    })
}

/// The widest margin over ‖θ‖₂³ that is known: of the design with all frequencies or with the best few.
fn best_design(p: usize) -> (f64, Vec<usize>) {
    let sets = best_sets(p).into_iter().chain([frequencies(p)]);
    let margins = sets.map(|set| (margins_of(p, &set).1, set));
    margins.fold((0.0, Vec::new()), |best, found| if found.0 > best.0 { found } else { best })
}

fn refuse(experiment: &Experiment) -> Result<(), UserError> {
    let (model, rule) = (&experiment.model, experiment.task.operation.as_str());
    let settings = &model.settings;
    let is_quadratic =
        model.architecture == "mlp" && settings.text("activation") == "quadratic" && settings.integer("depth") <= 1;
    if !is_quadratic || settings.is_on("bias") || !matches!(rule, "add" | "sub") {
        return Err(UserError::new(
            "The theorem is about one hidden layer of squares without biases on addition or subtraction",
            "Look at the preset quadratic-31",
        ));
    }
    if !matches!(settings.text("encoding"), "" | "two_hot") {
        return Err(UserError::new(
            "The theorem takes one weight per residue and neuron, and so a two-hot input",
            "Use model.encoding=two_hot",
        ));
    }
    let multiplier = settings.number("output_multiplier");
    if settings.is_on("centered") || (multiplier > 0.0 && multiplier != 1.0) {
        return Err(UserError::new(
            "Scaled or centred outputs have margins that no power of the norm measures",
            "Use model.output_multiplier=1 and model.centered=false",
        ));
    }
    if experiment.task.modulus() < 3 {
        return Err(UserError::new("Modulo 2 there are no two wrong classes to weigh", "Use a modulus of at least 3"));
    }
    Ok(())
}

fn assumptions(experiment: &Experiment, share: f64) -> Vec<Assumption> {
    let p = experiment.task.modulus();
    let width = experiment.model.settings.integer("width");
    let (decay, fraction) = (experiment.optimizer.weight_decay, experiment.task.train_fraction);
    vec![
        Assumption {
            statement: "Training minds the norm of the theorem".into(),
            holds: Some(false),
            evidence: format!(
                "weight decay and descent mind ‖θ‖₂; the theorem's Σ‖neuron‖³ lies between ‖θ‖₂³/√{width} and ‖θ‖₂³, so the bound holds and \
                 is not a target"
            ),
        },
        Assumption {
            statement: "The loss drives to the widest margin".into(),
            holds: Some(matches!(experiment.loss.as_str(), "cross_entropy")),
            evidence: format!(
                "the loss is {}; only losses with an exponential tail do, as weight decay (here {decay}) vanishes",
                experiment.loss
            ),
        },
        Assumption {
            statement: "The margin is that over all pairs".into(),
            holds: Some(fraction >= 1.0 && experiment.task.label_noise == 0.0),
            evidence: format!(
                "it is measured over the training rows, {:.0}% of all, with labels as training saw them; over fewer rows it may exceed the \
                 bound",
                100.0 * fraction
            ),
        },
        Assumption {
            statement: "The measured margin does not exceed the bound".into(),
            holds: Some(share <= 1.0),
            evidence: format!("it is {:.1}% of it", 100.0 * share),
        },
        Assumption {
            statement: "There are at least 4(p − 1) neurons".into(),
            holds: Some(width >= 4 * (p - 1)),
            evidence: format!("{width} of {}; {} suffice for the design", 4 * (p - 1), PER_FREQUENCY * (p as usize / 2)),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::record::{MeasureTable, Value};

    fn experiment(changes: &[(&str, &str)]) -> Experiment {
        let start = preset("quadratic-31").unwrap().experiment.clone();
        changes.iter().fold(start, |experiment, (path, text)| with_value(&experiment, path, text).unwrap())
    }

    fn told(experiment: &Experiment, curve: &[(u32, f64)]) -> Result<Outcome, UserError> {
        let mut measures = MeasureTable::default();
        for (step, value) in curve {
            measures.add(*step, [(COLUMN.to_owned(), Value::Number(*value))].into_iter().collect());
        }
        of_run(&RunView { experiment, rows: &[], measures: &measures })
    }

    #[test]
    fn a_run_is_laid_between_design_and_bound_and_the_norms_are_told_apart() {
        let bound = widest(31);
        let outcome = told(&experiment(&[]), &[(0, -1e-5), (100, 0.2 * bound), (200, 0.1 * bound)]).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap().value;
        assert!((of("share_of_bound") - 0.1).abs() < 1e-12 && (of("largest_share") - 0.2).abs() < 1e-12);
        assert_eq!((of("largest_step"), of("spread")), (100.0, 16.0));
        // By a separate program: 1.3368 times the design with all frequencies, with the four 1, 4, 11 and 13.
        assert!((of("share_of_design") - 0.1 * 90f64.sqrt() / 1.3368).abs() < 1e-4, "{}", of("share_of_design"));
        assert_eq!(of("design_frequencies"), 4.0);
        assert!(outcome.headline.contains("between 10.0 and 100.0%"), "{}", outcome.headline);
        assert_eq!(outcome.assumptions[3].holds, Some(true));
        assert_eq!(told(&experiment(&[]), &[(1, 1.2 * bound)]).unwrap().assumptions[3].holds, Some(false));
    }

    #[test]
    fn large_moduli_are_answered_too() {
        let (margin, used) = best_design(113);
        assert!(used.len() < 56 && margin > margins_of(113, &frequencies(113)).1 && margin < widest(113));
    }

    #[test]
    fn other_networks_and_runs_without_the_measure_are_refused_with_what_to_do() {
        assert!(told(&experiment(&[]), &[]).unwrap_err().remedy.contains("`margin`"));
        for change in [("model.activation", "relu"), ("model.bias", "true"), ("task.operation", "mul"), ("model.depth", "2")] {
            assert!(told(&experiment(&[change]), &[(1, 1.0)]).unwrap_err().remedy.contains("quadratic-31"), "{change:?}");
        }
        assert!(
            told(&experiment(&[("model.output_multiplier", "2")]), &[(1, 1.0)])
                .unwrap_err()
                .remedy
                .contains("output_multiplier=1")
        );
    }
}
