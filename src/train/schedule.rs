//! How the learning rate moves over a run, and where decay pulls to.
//!
//! η of update t is a function of the settings, t and the number of updates alone, so a resumed run needs no schedule state and
//! a change in the middle of a run takes effect at once. Factors on top of the warm-up were chosen over schedules that contain
//! one: every schedule then starts alike, and `constant` is to the bit what runs without a schedule were.

use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::{Experiment, FieldError, OptimizerConfig};

const FALLING: &[(&str, &[&str])] = &[("optimizer.schedule", &["cosine", "wsd", "linear"])];
const STABLE: &[(&str, &[&str])] = &[("optimizer.schedule", &["wsd"])];

static FIELDS: &[Field] = &[
    Field::new(
        "optimizer.schedule",
        "Schedule",
        "How the learning rate moves after the warm-up",
        FieldKind::Choice(&[
            ("constant", "Constant"),
            ("cosine", "Half a cosine to the last step"),
            ("wsd", "Constant, then a line (warm-up, stable, decay)"),
            ("linear", "A line to the last step"),
        ]),
    )
    .neutral("constant")
    .live(),
    Field::new(
        "optimizer.final_rate",
        "Final rate",
        "Learning rate of the last update, as a share of the highest",
        closed(0.0, 1.0),
    )
    .starts("0")
    .live()
    .when(FALLING),
    Field::new(
        "optimizer.decay_steps",
        "Decay steps",
        "Updates at the end over which the learning rate falls",
        FieldKind::Integer { min: 1, max: 10_000_000 },
    )
    .starts("100")
    .live()
    .when(STABLE),
    Field::new(
        "optimizer.decay_to",
        "Decay to",
        "What weight decay pulls the weights to",
        FieldKind::Choice(&[("zero", "Zero"), ("start", "The starting weights")]),
    )
    .neutral("zero")
    .live(),
];

/// The settings of the schedule, which all update rules share.
pub fn schedule_fields() -> &'static [Field] {
    FIELDS
}

/// η of update `t` (from 1) of a run of `steps` updates: η·min(1, t/warm-up) times the schedule's factor, which goes from 1 to
/// f = `final_rate` at t = `steps`.
///
/// With x the share done of the part that falls: `cosine` f + (1−f)·(1 + cos πx)/2 (Loshchilov & Hutter, 1608.03983, without
/// restarts), `linear` 1 − (1−f)x, both from the end of the warm-up; `wsd` the line over the last `decay_steps` only (Hu et al.,
/// 2404.06395; the line after Hägele et al., 2405.18392).
pub fn learning_rate(config: &OptimizerConfig, t: u32, steps: u32) -> f64 {
    let raised = config.learning_rate * (f64::from(t) / f64::from(config.warmup_steps.max(1))).min(1.0);
    let last = config.settings.number("final_rate");
    let line = |begin: u32| 1.0 - (1.0 - last) * done(t, begin, steps);
    match config.settings.text("schedule") {
        "cosine" => {
            let x = done(t, config.warmup_steps, steps);
            raised * (last + (1.0 - last) * 0.5 * (1.0 + libm::cos(core::f64::consts::PI * x)))
        }
        "linear" => raised * line(config.warmup_steps),
        "wsd" => raised * line(steps.saturating_sub(config.settings.integer("decay_steps"))),
        _ => raised,
    }
}

/// Share of `begin..=end` that is done at `t`.
fn done(t: u32, begin: u32, end: u32) -> f64 {
    (f64::from(t.saturating_sub(begin)) / f64::from(end.saturating_sub(begin).max(1))).min(1.0)
}

/// Reasons why a schedule does not fit its run.
pub fn check_schedule(experiment: &Experiment) -> Vec<FieldError> {
    let (config, steps) = (&experiment.optimizer, experiment.steps);
    let mut errors = Vec::new();
    let schedule = config.settings.text("schedule");
    if matches!(schedule, "cosine" | "linear") && config.warmup_steps >= steps {
        errors.push(FieldError::new(
            "optimizer.warmup_steps",
            format!("A warm-up of {} leaves none of the {steps} updates for the fall", config.warmup_steps),
            format!("Use at most {}", steps.saturating_sub(1)),
        ));
    }
    let decay = config.settings.integer("decay_steps");
    if schedule == "wsd" && decay > steps {
        errors.push(FieldError::new(
            "optimizer.decay_steps",
            format!("The fall over {decay} updates is longer than the run of {steps}"),
            format!("Use {steps}"),
        ));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::settings::Settings;

    fn config(schedule: &str) -> OptimizerConfig {
        OptimizerConfig {
            name: "adam_w".into(),
            learning_rate: 3e-3,
            weight_decay: 1.0,
            settings: Settings::default().with("schedule", schedule).with("final_rate", 0.1).with("decay_steps", 40),
            warmup_steps: 10,
        }
    }

    fn assert_near(ours: f64, expected: f64) {
        assert!((ours - expected).abs() < 1e-15, "{ours} against {expected}");
    }

    #[test]
    fn a_constant_rate_rises_over_the_warm_up_and_stays() {
        // The same expression as before there were schedules, so equality is to the bit.
        for t in 1..200u32 {
            let expected = 3e-3 * (f64::from(t) / 10.0).min(1.0);
            assert_eq!(learning_rate(&config("constant"), t, 100).to_bits(), expected.to_bits());
            assert_eq!(learning_rate(&OptimizerConfig { settings: Settings::default(), ..config("") }, t, 100), expected);
        }
        let immediate = OptimizerConfig { warmup_steps: 0, ..config("constant") };
        assert_eq!(learning_rate(&immediate, 1, 100).to_bits(), 3e-3f64.to_bits());
    }

    #[test]
    fn a_cosine_passes_the_middle_half_way_and_ends_at_the_final_rate() {
        let config = config("cosine");
        assert_near(learning_rate(&config, 5, 110), 1.5e-3);
        assert_near(learning_rate(&config, 10, 110), 3e-3);
        assert_near(learning_rate(&config, 60, 110), 3e-3 * 0.55);
        // A third of the way: cos(π/3) = 1/2 when 100/3 updates are done.
        assert_near(learning_rate(&OptimizerConfig { warmup_steps: 20, ..config.clone() }, 50, 110), 3e-3 * (0.1 + 0.9 * 0.75));
        assert_near(learning_rate(&config, 110, 110), 3e-4);
        assert_near(learning_rate(&config, 500, 110), 3e-4);
    }

    #[test]
    fn a_line_falls_evenly_from_the_warm_up_to_the_final_rate() {
        let config = config("linear");
        assert_near(learning_rate(&config, 10, 110), 3e-3);
        assert_near(learning_rate(&config, 35, 110), 3e-3 * 0.775);
        assert_near(learning_rate(&config, 110, 110), 3e-4);
    }

    #[test]
    fn warm_up_stable_decay_falls_over_the_last_updates_only() {
        let config = config("wsd");
        assert_near(learning_rate(&config, 70, 110), 3e-3);
        assert_near(learning_rate(&config, 80, 110), 3e-3 * 0.775);
        assert_near(learning_rate(&config, 110, 110), 3e-4);
    }
}
