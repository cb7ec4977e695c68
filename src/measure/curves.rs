//! What a run's curves say by themselves: times, labels of published rules, and accidents.
//!
//! Papers name the same curve differently (a jump is "comprehension" to one and "grokking" to another), so each rule stands here
//! once with its thresholds. Dates of memorising and generalising are those of [`super::delay`]; nothing here dates them anew.

use super::delay::{Delay, HOLDS, MEMORISED, delay};
use crate::record::MetricRow;

/// When the test accuracy rose, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timing {
    /// The dates of memorising and generalising.
    pub delay: Delay,
    /// First evaluated steps with test accuracy ≥ .1, ≥ .5 and ≥ .9: single crossings of the raw accuracy, chance not taken off.
    pub reached: [Option<u32>; 3],
    /// t90 − t10, in updates. A plateau above .1, as mirrored pairs make, counts into it.
    pub width: Option<u32>,
    /// t_gen / t_mem; `None` if either is missing or t_mem is 0.
    pub ratio: Option<f64>,
    /// t_gen − t_mem, in updates; negative if the test came first.
    pub difference: Option<i64>,
}

/// Reads the times off evaluations in ascending step; `finished` as in [`delay`].
pub fn timing(rows: &[MetricRow], finished: bool) -> Timing {
    let delay = delay(rows, finished);
    let reached = [0.1, 0.5, 0.9].map(|level| rows.iter().find(|row| row.test_accuracy >= level).map(|row| row.step));
    let both = delay.t_mem.zip(delay.t_gen);
    Timing {
        delay,
        reached,
        // A later level is never crossed before an earlier one.
        width: reached[0].zip(reached[2]).map(|(t10, t90)| t90 - t10),
        ratio: both.filter(|(t_mem, _)| *t_mem > 0).map(|(t_mem, t_gen)| f64::from(t_gen) / f64::from(t_mem)),
        difference: both.map(|(t_mem, t_gen)| i64::from(t_gen) - i64::from(t_mem)),
    }
}

/// Labels of published rules for a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunLabel {
    /// Neither side is learned (Liu: confusion; PAIR: no learning).
    Confusion,
    /// Training rows only.
    Memorisation,
    /// Both, with a delay.
    Grokking,
    /// Both, without one.
    Comprehension,
}

impl RunLabel {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confusion => "confusion",
            Self::Memorisation => "memorisation",
            Self::Grokking => "grokking",
            Self::Comprehension => "comprehension",
        }
    }
}

/// Accuracy that counts as learned in [`liu_label`].
const LIU_ACCURACY: f32 = 0.9;
/// Share of the budget by which the test has to lag behind for [`RunLabel::Grokking`]: 1e3 of 1e5 updates in the paper.
const LIU_LAG: f64 = 0.01;

/// The four phases of Liu et al. (2205.10343, table 1): accuracy ≥ .9 within the `budget` on both sides is comprehension, or
/// grokking if the test comes at least 1% of the budget after training; on training rows alone it is memorisation; else
/// confusion.
pub fn liu_label(rows: &[MetricRow], budget: u32) -> RunLabel {
    let within = || rows.iter().filter(|row| row.step <= budget);
    let train = within().find(|row| row.train_accuracy >= LIU_ACCURACY).map(|row| row.step);
    let test = within().find(|row| row.test_accuracy >= LIU_ACCURACY).map(|row| row.step);
    match (train, test) {
        (None, _) => RunLabel::Confusion,
        (Some(_), None) => RunLabel::Memorisation,
        (Some(train), Some(test)) if f64::from(test) - f64::from(train) >= LIU_LAG * f64::from(budget) => RunLabel::Grokking,
        (Some(_), Some(_)) => RunLabel::Comprehension,
    }
}

/// Loss that counts as learned in [`pair_label`].
const PAIR_LOSS: f32 = 1e-5;
/// Ratio of test to training loss from which on [`pair_label`] says grokking.
const PAIR_RATIO: f64 = 5e4;

/// The rule of the PAIR essay's code, in its order: least training loss above 1e-5, confusion; least test loss above 1e-5,
/// memorisation; largest ratio of test to training loss below 5e4, comprehension; else grokking. Made for the loss of that essay:
/// a weight decay that keeps losses above 1e-5 makes everything confusion.
pub fn pair_label(rows: &[MetricRow]) -> RunLabel {
    let least = |loss: fn(&MetricRow) -> f32| rows.iter().map(loss).filter(|loss| !loss.is_nan()).fold(f32::INFINITY, f32::min);
    if least(|row| row.train_loss) > PAIR_LOSS {
        return RunLabel::Confusion;
    }
    if least(|row| row.test_loss) > PAIR_LOSS {
        return RunLabel::Memorisation;
    }
    // 0/0 is no ratio; a positive loss over 0 is as large as a ratio gets.
    let ratios = rows.iter().map(|row| f64::from(row.test_loss) / f64::from(row.train_loss)).filter(|ratio| !ratio.is_nan());
    if ratios.fold(0.0, f64::max) < PAIR_RATIO { RunLabel::Comprehension } else { RunLabel::Grokking }
}

/// Factor by which the training loss jumps in a slingshot.
const SPIKE: f32 = 10.0;
/// Losses below this are rounding: a jump from there is measured from here.
const LEAST_LOSS: f32 = 1e-8;
/// Evaluations on each side that are compared.
const WINDOW: usize = 5;
/// Relative growth of the weight norm that has to come with the spike.
const NORM_JUMP: f32 = 0.01;

/// Steps of slingshots (Thilak et al. 2206.04817), as far as curves show them: evaluations at which the training loss is at least
/// 10 times its least value of the 5 evaluations before and the largest of the 5 on either side, while the norm of all weights
/// grows by at least 1% from the evaluation before the spike to its largest value in the 5 after. The thresholds are ours (the
/// paper describes, it does not define); the paper looks at the last layer's norm and at every update, so a slingshot between two
/// evaluations is not seen.
pub fn slingshots(rows: &[MetricRow]) -> Vec<u32> {
    let is_slingshot = |at: usize| {
        let (before, after) = (&rows[at.saturating_sub(WINDOW)..at], &rows[at + 1..rows.len().min(at + 1 + WINDOW)]);
        let loss = rows[at].train_loss;
        let least = before.iter().map(|row| row.train_loss).fold(f32::INFINITY, f32::min).max(LEAST_LOSS);
        // Of equal neighbours the first counts.
        let is_top = before.iter().all(|row| row.train_loss < loss) && after.iter().all(|row| row.train_loss <= loss);
        let most = after.iter().chain([&rows[at]]).map(|row| row.weight_norm).fold(0.0, f32::max);
        loss >= SPIKE * least && is_top && most >= (1.0 + NORM_JUMP) * rows[at - 1].weight_norm
    };
    (1..rows.len()).filter(|at| is_slingshot(*at)).map(|at| rows[at].step).collect()
}

/// Fall of the test accuracy that counts as forgetting.
const FALL: f32 = 0.05;

/// Test accuracy that was held and lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AntiGrok {
    /// First step of the fall.
    pub step: u32,
    /// The highest level that test accuracy had held over 6 evaluations in a row.
    pub held: f32,
    /// Its least value from that step on, at evaluations with training accuracy ≥ .99.
    pub least: f32,
}

/// Whether generalisation was lost while training rows stayed learned: the first evaluation at which test accuracy is .05 below
/// the highest level that it had held over 6 evaluations in a row, with training accuracy ≥ .99. One evaluation is enough, so the
/// dip of a slingshot counts if training is not hurt.
pub fn anti_grok(rows: &[MetricRow]) -> Option<AntiGrok> {
    let mut held = f32::NEG_INFINITY;
    for (at, row) in rows.iter().enumerate() {
        if row.train_accuracy >= MEMORISED && row.test_accuracy <= held - FALL {
            let later = rows[at..].iter().filter(|row| row.train_accuracy >= MEMORISED).map(|row| row.test_accuracy);
            return Some(AntiGrok { step: row.step, held, least: later.fold(f32::INFINITY, f32::min) });
        }
        if at >= HOLDS {
            let window = &rows[at - HOLDS..=at];
            if window.iter().all(|row| !row.test_accuracy.is_nan()) {
                held = held.max(window.iter().map(|row| row.test_accuracy).fold(f32::INFINITY, f32::min));
            }
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Evaluations 10 updates apart: training loss, test loss, training accuracy, test accuracy, norm.
    pub(crate) fn rows(lines: &[[f32; 5]]) -> Vec<MetricRow> {
        let row = |(i, &[train_loss, test_loss, train_accuracy, test_accuracy, weight_norm]): (usize, &[f32; 5])| MetricRow {
            step: 10 * i as u32,
            train_loss,
            test_loss,
            train_accuracy,
            test_accuracy,
            weight_norm,
            probe_accuracy: None,
        };
        lines.iter().enumerate().map(row).collect()
    }

    fn accuracies(pairs: &[(f32, f32)]) -> Vec<MetricRow> {
        rows(&pairs.iter().map(|(train, test)| [1.0, 1.0, *train, *test, 1.0]).collect::<Vec<_>>())
    }

    #[test]
    fn times_of_a_planted_rise_are_read_off() {
        let curve =
            accuracies(&[(0.1, 0.0), (1.0, 0.0), (1.0, 0.1), (1.0, 0.4), (1.0, 0.6), (1.0, 0.9), (1.0, 0.96), (1.0, 1.0)]);
        let found = timing(&curve, true);
        assert_eq!(found.reached, [Some(20), Some(40), Some(50)]);
        assert_eq!((found.width, found.difference, found.ratio), (Some(30), Some(50), Some(6.0)));
        assert_eq!(timing(&curve[..5], true).width, None);
        assert_eq!(timing(&accuracies(&[(1.0, 1.0)]), true).ratio, None, "nothing is a multiple of step 0");
    }

    #[test]
    fn the_four_labels_of_liu_follow_from_the_lag() {
        let late = accuracies(&[(0.0, 0.0), (0.9, 0.0), (1.0, 0.0), (1.0, 0.9)]);
        assert_eq!(liu_label(&late, 2000), RunLabel::Grokking, "20 updates are 1% of 2,000");
        assert_eq!(liu_label(&late, 2001), RunLabel::Comprehension);
        assert_eq!(liu_label(&late, 20), RunLabel::Memorisation, "what comes after the budget does not count");
        assert_eq!(liu_label(&late[..1], 20), RunLabel::Confusion);
        assert_eq!(liu_label(&accuracies(&[(f32::NAN, 1.0)]), 20), RunLabel::Confusion);
    }

    #[test]
    fn the_pair_rule_goes_by_losses_alone() {
        let losses =
            |pairs: &[(f32, f32)]| rows(&pairs.iter().map(|(train, test)| [*train, *test, 0.0, 0.0, 1.0]).collect::<Vec<_>>());
        assert_eq!(pair_label(&losses(&[(1.0, 1.0), (2e-5, 1e-6)])), RunLabel::Confusion);
        assert_eq!(pair_label(&losses(&[(1.0, 1.0), (1e-6, 2e-5)])), RunLabel::Memorisation);
        assert_eq!(pair_label(&losses(&[(1.0, 1.0), (1e-5, 0.4), (1e-6, 1e-6)])), RunLabel::Comprehension);
        assert_eq!(pair_label(&losses(&[(1.0, 1.0), (1e-5, 0.6), (1e-6, 1e-6)])), RunLabel::Grokking);
        assert_eq!(pair_label(&losses(&[(0.0, 0.0)])), RunLabel::Comprehension);
        assert_eq!(pair_label(&[]), RunLabel::Confusion);
    }

    #[test]
    fn a_spike_is_a_slingshot_only_with_a_jump_of_the_norm() {
        let curve = |norm_after: f32, top: f32| {
            let mut lines = vec![[1e-4, 1.0, 1.0, 0.1, 30.0]; 6];
            lines.push([top, 1.0, 0.9, 0.1, 30.1]);
            lines.extend([[1e-4, 1.0, 1.0, 0.1, norm_after]; 6]);
            rows(&lines)
        };
        assert_eq!(slingshots(&curve(31.0, 2e-3)), [60]);
        assert_eq!(slingshots(&curve(30.1, 2e-3)), [0u32; 0], "the norm stayed");
        assert_eq!(slingshots(&curve(31.0, 9e-4)), [0u32; 0], "a factor of 9");
        let rounding: Vec<[f32; 5]> = [0.0, 1e-9, 0.0].map(|loss| [loss, 1.0, 1.0, 1.0, 1.0 + 1e9 * loss]).into();
        assert_eq!(slingshots(&rows(&rounding)), [0u32; 0], "losses of rounding size do not spike");
    }

    #[test]
    fn forgetting_is_a_fall_from_what_was_held_while_training_stays() {
        let mut curve = vec![(1.0, 0.98); 6];
        curve.extend([(1.0, 0.94), (1.0, 0.92), (1.0, 0.5)]);
        let found = anti_grok(&accuracies(&curve)).unwrap();
        assert_eq!((found.step, found.held, found.least), (70, 0.98, 0.5));
        assert_eq!(anti_grok(&accuracies(&curve[1..8])), None, "five evaluations are not held");
        curve.iter_mut().for_each(|(train, _)| *train = 0.98);
        assert_eq!(anti_grok(&accuracies(&curve)), None, "a broken network forgets everything");
    }
}
