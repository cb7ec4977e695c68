//! The law held against a run of the laboratory: what it would have said of t_gen at each evaluation, and how that came out.
//!
//! On its own system the law is nearly exact; on a network nobody has derived its factor, and its plateau is extrapolated from a norm
//! that the loss still moves. So the forecast is shown as it would have been told at the time, from the rows up to then alone, and
//! scored afterwards; a forecast made with the whole curve in hand would prove nothing.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, RunView, Scaled};
use super::law::{Band, Decay, NormPoint, norm_history, predicted_band, score};
use crate::measure::delay::delay as dates;
use crate::record::UserError;

/// The forecasts `(step at which it is told, band)` after `t_mem`, up to `until`, each from the part of `history` up to then.
pub fn forecasts(history: &[NormPoint], t_mem: f64, until: f64, decay: &Decay) -> Vec<(f64, Band)> {
    let moments = history.iter().enumerate().filter(|(_, point)| point.step > t_mem && point.step <= until);
    let told = |(index, now): (usize, &NormPoint)| Some((now.step, predicted_band(&history[..=index], t_mem, decay).ok()?));
    moments.filter_map(told).collect()
}

/// What the law says of a run.
///
/// # Errors
/// If its weights do not decay, it has not memorised, or its norm does not fall.
pub(super) fn of_run(run: &RunView<'_>) -> Result<Outcome, UserError> {
    let RunView { experiment, rows, .. } = *run;
    let decay = Decay::new(experiment.optimizer.learning_rate, experiment.optimizer.weight_decay);
    let dates = dates(rows, true);
    let t_mem = dates.t_mem.ok_or_else(|| {
        UserError::new("The run has not memorised its training rows", "Wait until its training accuracy is .99")
    })?;
    let last = rows.last().map_or(0, |row| row.step);
    let until = dates.t_gen.unwrap_or(last);
    let told = forecasts(&norm_history(rows), f64::from(t_mem), f64::from(until), &decay);
    let Some(&(now, band)) = told.last() else {
        // The law's own refusal of all that is known says best what is missing.
        if let Err(error) = predicted_band(&norm_history(rows), f64::from(t_mem), &decay) {
            let is_over = last >= experiment.steps;
            let remedy = if is_over { "The run is over, so the law says nothing of it".to_owned() } else { error.remedy };
            return Err(UserError::new(error.cause, remedy));
        }
        return Err(UserError::new("Nothing could be told before the run generalised", "Evaluate more often"));
    };
    let halfway = told[told.len() / 2].1;
    let t_gen = dates.t_gen.map(f64::from);
    let inside = t_gen.map(|t_gen| told.iter().filter(|(_, band)| score(band, t_gen).is_inside).count());
    let share = inside.map(|inside| inside as f64 / told.len() as f64);
    let words = match (t_gen, share) {
        (Some(t_gen), Some(share)) => format!(
            "It generalised at {t_gen:.0}; the bands told before held that in {:.0}% of {} evaluations, halfway {:.0} to {:.0}",
            100.0 * share,
            told.len(),
            halfway.early,
            halfway.late
        ),
        _ => format!("It has not generalised by step {last}; told at {now:.0}: {:.0} to {:.0}", band.early, band.late),
    };
    let mut numbers = vec![Number::found("t_mem", "Training rows memorised", f64::from(t_mem)).unit("steps")];
    if let Some(t_gen) = t_gen {
        let found = Number::found("t_gen", "Test rows understood, beside the middle told halfway", t_gen);
        let banded = if halfway.late.is_finite() { found.band(halfway.early, halfway.late) } else { found };
        let expected = if halfway.middle.is_finite() { banded.expected(halfway.middle) } else { banded };
        numbers.push(expected.unit("steps"));
        numbers
            .push(Number::found("ratio", "Measured over predicted delay, halfway", score(&halfway, t_gen).ratio).expected(1.0));
        numbers.push(Number::found("inside", "Share of forecasts that held t_gen", share.unwrap_or(f64::NAN)).expected(1.0));
    }
    numbers.push(Number::found("plateau", "Norm of the weights that the decay is heading for, last told", band.plateau));
    let optimizer = experiment.optimizer.name.as_str();
    let line = |of: fn(&Band) -> f64| told.iter().map(|(now, band)| (*now, of(band))).collect::<Vec<_>>();
    let mut lines = vec![
        Line::new("earliest", Role::Baseline, line(|band| band.early)),
        Line::new("latest", Role::Baseline, line(|band| band.late)),
        Line::new("t_gen", Role::Predicted, line(|band| band.middle)),
    ];
    if let Some(t_gen) = t_gen {
        lines.push(Line::new("t_gen", Role::Measured, told.iter().map(|(now, _)| (*now, t_gen)).collect()));
    }
    Ok(Outcome {
        headline: words,
        figures: vec![Figure {
            name: "run".into(),
            caption: "When the test rows will be understood, told from the norm while the run is going, and when they were; the band is \
                      that of the factor, 1 to 2, and of the extrapolated norm"
                .into(),
            drawing: Drawing::Lines { x: Scaled::linear("step at which it is told"), y: Scaled::linear("step"), lines, marks: vec![] },
        }],
        numbers,
        assumptions: vec![
            Assumption {
                statement: "Weight decay is decoupled from the gradient".into(),
                holds: Some(matches!(optimizer, "adam_w" | "lion" | "muon")),
                evidence: format!("the optimiser is {optimizer}"),
            },
            Assumption {
                statement: "Learning rate and weight decay stay as they are".into(),
                holds: Some(experiment.timeline.is_empty()),
                evidence: format!("{} changes on the way", experiment.timeline.len()),
            },
            Assumption {
                statement: "The law's factor holds for this network".into(),
                holds: share.map(|share| share >= 0.5),
                evidence: share.map_or("not known before it generalises".into(), |s| format!("{:.0}% of the bands held it", 100.0 * s)),
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, preset, with_value};
    use crate::record::MetricRow;

    fn row(step: u32, norm: f64, train: f32, test: f32) -> MetricRow {
        MetricRow {
            step,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: train,
            test_accuracy: test,
            weight_norm: norm as f32,
            probe_accuracy: None,
        }
    }

    /// ‖θ‖² = 16 + 384·e^{−2·.009·t}, memorised at 100, understood at 100 + log(‖θ_100‖²/16)/(1.5·.009).
    fn exact() -> Vec<MetricRow> {
        let square = |t: f64| 16.0 + 384.0 * libm::exp(-0.018 * t);
        let t_gen = 100.0 + libm::log(square(100.0) / 16.0) / (1.5 * 0.009);
        let accuracy = |t: f64| if t >= t_gen { 1.0 } else { 0.0 };
        (0..60)
            .map(|i| 10 * i)
            .map(|t| row(t, square(t.into()).sqrt(), f32::from(u8::from(t >= 100)), accuracy(t.into())))
            .collect()
    }

    fn experiment() -> Experiment {
        preset("transformer-59-mirror").unwrap().experiment.clone()
    }

    fn told(experiment: &Experiment, rows: &[MetricRow]) -> Result<Outcome, UserError> {
        of_run(&RunView { experiment, rows, measures: &Default::default() })
    }

    #[test]
    fn a_run_that_obeys_the_law_is_foretold_at_every_evaluation() {
        let outcome = told(&experiment(), &exact()).unwrap();
        let of = |name: &str| outcome.numbers.iter().find(|number| number.name == name).unwrap();
        assert_eq!(of("inside").value, 1.0);
        assert!((of("ratio").value - 1.0).abs() < 0.1, "{:?}", of("ratio"));
        assert!((of("plateau").value - 4.0).abs() < 0.05, "{:?}", of("plateau"));
        assert!(outcome.assumptions.iter().all(|assumption| assumption.holds == Some(true)));
    }

    #[test]
    fn forecasts_know_nothing_of_what_comes_later() {
        let decay = Decay::new(0.003, 3.0);
        let (whole, cut) = (exact(), exact()[..25].to_vec());
        let at = |rows: &[MetricRow]| forecasts(&norm_history(rows), 100.0, 240.0, &decay);
        assert_eq!(at(&whole), at(&cut));
    }

    #[test]
    fn runs_of_which_the_law_does_not_speak_are_refused_with_a_reason() {
        let free = with_value(&experiment(), "optimizer.weight_decay", "0").unwrap();
        assert!(told(&free, &exact()).unwrap_err().cause.contains("Without weight decay"));
        assert!(told(&experiment(), &exact()[..8]).unwrap_err().cause.contains("not memorised"));
        let rising: Vec<MetricRow> = exact().into_iter().map(|r| MetricRow { weight_norm: 1.0 + r.step as f32, ..r }).collect();
        assert!(told(&experiment(), &rising).unwrap_err().cause.contains("does not fall"));
    }
}
