//! From the toy's run, its sweep and the condition of rest to figures and numbers.

use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::CircuitEfficiency;
use super::curve::{area, crossing};
use super::split::{alone, delay, relative_cost, rest, share};
use super::sweep::{LONGER, Sweep, sizes, sweep};
use super::toy::{Both, Course, Moment, State, Toy};
use crate::record::UserError;

/// The panel's answer.
///
/// # Errors
/// If the steps are so large that the logits stop being numbers.
pub(super) fn outcome(settings: &CircuitEfficiency) -> Result<Outcome, UserError> {
    let toy = settings.toy(settings.size);
    let course = toy.course(settings.updates, State::start(settings.second()));
    let sweep = sweep(|size| settings.toy(size), settings.updates, settings.second());
    let mut ends = sweep.up_late.iter().chain(&sweep.down_late).map(|(_, share)| *share).chain([course.end.logits().share()]);
    // Around a logit of 0 a steep price makes the other one's steps swing by some ten-thousandths.
    if !ends.all(|share| (-0.01..=1.01).contains(&share)) {
        return Err(UserError::new(
            format!("learning_rate: steps of {} are too long where memory is dearest", settings.learning_rate),
            format!("Use {}, or a smaller growth", settings.learning_rate / 4.0),
        ));
    }
    let rest = rest(&toy);
    Ok(Outcome {
        headline: headline(settings, &course, &sweep),
        figures: vec![
            shares(settings, &sweep),
            logits(&course, rest),
            losses(&toy, &course, rest),
            norms(&toy, &course, rest),
            splits(settings.kappa),
        ],
        numbers: numbers(settings, &toy, &course, &sweep, rest),
        assumptions: assumptions(settings, &toy, &course, &sweep),
    })
}

fn headline(settings: &CircuitEfficiency, course: &Course, sweep: &Sweep) -> String {
    let at_rest = share(settings.toy(settings.size).norms, settings.kappa);
    let now = match (course.t_mem, course.t_gen) {
        (Some(mem), Some(found)) => format!("memory is there after {mem} updates, the rule takes over after {found}"),
        _ => "the rule has not taken over".into(),
    };
    format!(
        "With {} times the critical number of rows {now}; the rule ends with {:.1}% of the logit ({:.1}% at rest). The loop between fewer and \
         more rows has an area of {:.2} (share × decades) after {} updates and {:.3} after {}: with κ < 2 that is lateness, not bistability",
        settings.size,
        100.0 * course.end.logits().share(),
        100.0 * at_rest,
        area(&sweep.up, &sweep.down).unwrap_or(f64::NAN),
        settings.updates,
        area(&sweep.up_late, &sweep.down_late).unwrap_or(f64::NAN),
        LONGER * settings.updates,
    )
}

/// The crossing of ½ with another weight decay, run over the three sizes about the critical one, as long in units of 1/α.
fn other_crossing(settings: &CircuitEfficiency, factor: f64) -> Option<f64> {
    let other = CircuitEfficiency { decay: settings.decay * factor, ..settings.clone() };
    let updates = (f64::from(LONGER * settings.updates) / factor) as u32;
    let at = |size: f64| (size, other.toy(size).after(updates, State::start(other.second())).logits().share());
    crossing(&[0.7, 1.0, 1.4].map(at), 0.5)
}

fn numbers(settings: &CircuitEfficiency, toy: &Toy, course: &Course, sweep: &Sweep, rest: Both<f64>) -> Vec<Number> {
    let end = course.end.logits();
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let step = |update: Option<u32>| update.map_or(f64::NAN, f64::from);
    let critical =
        |name: &str, label: &str, found: Option<f64>| Number::found(name, label, or_nan(found)).expected(1.0).unit("D_crit");
    let waited = Number::found(
        "t_gen",
        "Updates until a fresh row gets the right answer, beside its bound from below",
        step(course.t_gen),
    );
    let waited = if rest.generalising > rest.memory { waited.expected(delay(toy, settings.second())) } else { waited };
    vec![
        Number::found("share", "Share of the generalising circuit in the end", end.share()).expected(rest.share()),
        Number::found("logit", "Logit of a training row in the end", end.total()).expected(rest.total()),
        Number::found("t_mem", "Updates until training rows are learned", step(course.t_mem)).unit("updates"),
        waited.unit("updates"),
        critical("critical_late", "Critical size, from scratch and long after", crossing(&sweep.up_late, 0.5)),
        critical("critical_up", "Critical size, from scratch", crossing(&sweep.up, 0.5)),
        critical("critical_down", "Critical size, after grokking", crossing(&sweep.down, 0.5)),
        critical("critical_half_decay", "Critical size at half the decay", other_crossing(settings, 0.5)),
        critical("critical_twice_decay", "Critical size at twice the decay", other_crossing(settings, 2.0)),
        Number::found("loop_area", "Area of the loop", or_nan(area(&sweep.up, &sweep.down))).unit("share × decades"),
        Number::found("loop_area_late", "Area of the loop, long after", or_nan(area(&sweep.up_late, &sweep.down_late)))
            .expected(0.0)
            .unit("share × decades"),
        Number::found("steepness", "Change of log w_G/w_M per log D at rest", steepness(settings)),
        Number::found(
            "norm_memory_alone",
            "Norm of memory alone at rest",
            toy.norm(toy.norms.memory, alone(toy, toy.norms.memory)),
        ),
        Number::found("norm_at_rest", "Norm of both at rest", both_norms(toy, rest)),
        Number::found("barrier_of_three", "Dearest split at D_crit over one circuit alone, κ = 3", middle(3.0)),
    ]
}

/// β·2κ/(2 − κ).
fn steepness(settings: &CircuitEfficiency) -> f64 {
    settings.growth * 2.0 * settings.kappa / (2.0 - settings.kappa)
}

/// Norm of both circuits together: they use different weights.
fn both_norms(toy: &Toy, logits: Both<f64>) -> f64 {
    libm::hypot(toy.norm(toy.norms.generalising, logits.generalising), toy.norm(toy.norms.memory, logits.memory))
}

/// Squared norm of halves over that of one alone where both cost the same.
fn middle(kappa: f64) -> f64 {
    relative_cost(Both { generalising: 1.0, memory: 1.0 }, kappa, 0.5)
}

fn figure(name: &str, caption: impl Into<String>, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}

fn shares(settings: &CircuitEfficiency, sweep: &Sweep) -> Figure {
    let at_rest = sizes().map(|size| (size, share(settings.toy(size).norms, settings.kappa))).collect();
    let lines = vec![
        Line::new("at rest", Role::Predicted, at_rest),
        Line::new("at rest", Role::Measured, sweep.down_late.clone()),
        Line::new("after grokking", Role::Kind(2), sweep.down.clone()),
        Line::new("from scratch", Role::Kind(3), sweep.up.clone()),
    ];
    let caption = format!(
        "Share of the training logit that generalises, over the number of rows: from scratch and from a grokked state, each after {} updates, \
         and {LONGER} times as long after grokking, where it lies on the prediction (dashed). Between the two is the loop; below ½ a \
         fresh row is wrong",
        settings.updates
    );
    let marks = vec![(1.0, "D_crit".into()), (settings.size, "the run shown".into())];
    figure(
        "loop",
        caption,
        Scaled::log("training rows over the critical number, D/D_crit"),
        Scaled::linear("share of the logit"),
        lines,
        marks,
    )
}

fn dates(course: &Course) -> Vec<(f64, String)> {
    let dates = [(course.t_mem, "memorised"), (course.t_gen, "generalised")];
    dates.into_iter().filter_map(|(update, name)| Some((f64::from(update?), name.to_owned()))).collect()
}

/// A measured line over the updates and its predicted end, which is drawn over the last half.
fn toward(course: &Course, name: &str, end: f64, of: impl Fn(&Moment) -> f64) -> [Line; 2] {
    let last = f64::from(course.moments.last().map_or(1, |moment| moment.update));
    let points = course.moments.iter().map(|moment| (f64::from(moment.update), of(moment))).collect();
    [Line::new(name, Role::Predicted, vec![(0.5 * last, end), (last, end)]), Line::new(name, Role::Measured, points)]
}

fn logits(course: &Course, rest: Both<f64>) -> Figure {
    let lines = [
        toward(course, "generalising", rest.generalising, |moment| moment.logits.generalising),
        toward(course, "memory", rest.memory, |moment| moment.logits.memory),
    ];
    let caption = "Logit that each circuit gives to a training row. Memory is there at once and gives way when the slow one has grown; dashed is \
                   where both must rest";
    figure("logits", caption, Scaled::log("update"), Scaled::linear("logit"), lines.concat(), dates(course))
}

fn losses(toy: &Toy, course: &Course, rest: Both<f64>) -> Figure {
    let line = |name: &str, role: Role, of: fn(&Moment) -> f64| {
        Line::new(name, role, course.moments.iter().map(|moment| (f64::from(moment.update), of(moment))).collect())
    };
    let last = f64::from(course.moments.last().map_or(1, |moment| moment.update));
    let end = |name: &str, loss: f64| Line::new(name, Role::Predicted, vec![(0.5 * last, loss), (last, loss)]);
    let lines = vec![
        end("training rows", toy.train_loss(rest)),
        end("fresh rows", toy.test_loss(rest)),
        line("training rows", Role::Train, |moment| moment.train_loss),
        line("fresh rows", Role::Test, |moment| moment.test_loss),
    ];
    let caption = "Cross-entropy of training rows and of fresh ones. Memory is sure of a wrong answer to fresh rows, so their loss first rises above \
                   that of guessing; dashed is where both must rest";
    figure("losses", caption, Scaled::log("update"), Scaled::log("loss (nats)"), lines, dates(course))
}

fn norms(toy: &Toy, course: &Course, rest: Both<f64>) -> Figure {
    let general = |logits: Both<f64>| toy.norm(toy.norms.generalising, logits.generalising);
    let memory = |logits: Both<f64>| toy.norm(toy.norms.memory, logits.memory);
    let lines = [
        toward(course, "generalising", general(rest), |moment| general(moment.logits)),
        toward(course, "memory", memory(rest), |moment| memory(moment.logits)),
        toward(course, "both", both_norms(toy, rest), |moment| both_norms(toy, moment.logits)),
    ];
    let caption = "Norm of each circuit, P·w^(1/κ), and of both. What the change-over saves is what drives it";
    figure("norms", caption, Scaled::log("update"), Scaled::linear("norm"), lines.concat(), dates(course))
}

fn splits(kappa: f64) -> Figure {
    let even = Both { generalising: 1.0, memory: 1.0 };
    let line = |power: f64, role: Role| {
        let points = (0..=50).map(|at| 0.02 * f64::from(at)).map(|share| (share, relative_cost(even, power, share)));
        Line::new(format!("κ = {power}"), role, points.collect())
    };
    let caption = "Squared norm of a split of one logit at the critical size, over that of one circuit alone. Below κ = 2 the mixture is cheapest and \
                   the only rest; at 2 all splits cost the same; beyond, the mixture is dearest and each circuit alone is a rest of its own";
    let lines = vec![line(kappa, Role::Kind(0)), line(2.0, Role::Baseline), line(3.0, Role::Kind(3))];
    figure(
        "split",
        caption,
        Scaled::linear("share of the generalising circuit"),
        Scaled::linear("squared norm over one alone"),
        lines,
        vec![],
    )
}

fn assumptions(settings: &CircuitEfficiency, toy: &Toy, course: &Course, sweep: &Sweep) -> Vec<Assumption> {
    let at_once = toy.course(settings.updates, State::start(Both { generalising: 1.0, memory: 1.0 })).t_gen;
    let told = |update: Option<u32>| update.map_or("never".into(), |update| format!("after {update} updates"));
    let moved = (course.end.logits().share() - toy.after(settings.updates, course.end).logits().share()).abs();
    let late = area(&sweep.up_late, &sweep.down_late).unwrap_or(f64::NAN);
    vec![
        Assumption {
            statement: "The generalising circuit is the more efficient one".into(),
            holds: Some(toy.norms.generalising < toy.norms.memory),
            evidence: format!("norms at a logit of 1: {} against {:.3} for memory", toy.norms.generalising, toy.norms.memory),
        },
        Assumption {
            statement: "The generalising circuit is the slower one".into(),
            holds: Some(settings.slow_start < 1.0),
            evidence: format!("it takes over {}; with the start of memory it would {}", told(course.t_gen), told(at_once)),
        },
        Assumption {
            statement: "There is one rest only".into(),
            holds: Some(settings.kappa < 2.0),
            evidence: format!(
                "with κ = {} the decay's cost is convex in the logits; {LONGER} times as long the loop's area is {late:.4}",
                settings.kappa
            ),
        },
        Assumption {
            statement: "A critical number of rows divides memory from the rule sharply".into(),
            holds: Some(steepness(settings) > 10.0),
            evidence: format!(
                "w_G/w_M grows as D to the power {:.2}: from a tenth to nine tenths the share takes {:.2} decades of rows",
                steepness(settings),
                2.0 * libm::log10(9.0) / steepness(settings)
            ),
        },
        Assumption {
            statement: "The run has come to rest".into(),
            holds: Some(moved < 0.01),
            evidence: format!("in as many updates again the share moves by {moved:.4}"),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::super::Theory;
    use super::*;

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    #[test]
    fn the_default_ends_where_the_condition_of_rest_says_and_its_loop_closes() {
        let outcome = CircuitEfficiency::default().outcome().unwrap();
        for (name, within) in
            [("share", 0.005), ("logit", 0.05), ("critical_late", 0.02), ("critical_half_decay", 0.02), ("loop_area_late", 0.005)]
        {
            let found = number(&outcome, name);
            assert!((found.value - found.expected.unwrap()).abs() < within, "{found:?}");
        }
        assert!(number(&outcome, "loop_area").value > 0.1);
        assert!((number(&outcome, "t_gen").value / number(&outcome, "t_gen").expected.unwrap() - 1.0).abs() < 1.0 / 6.0);
        // β·2κ/(2 − κ) with ½ and 1.2; and 2·½^{2/3}.
        assert!((number(&outcome, "steepness").value - 1.5).abs() < 1e-12);
        assert!((number(&outcome, "barrier_of_three").value - 1.259_921_049_894_873).abs() < 1e-12);
        let pairs: usize = outcome.figures.iter().map(|figure| figure.residuals().len()).sum();
        assert_eq!(pairs, 8);
    }

    #[test]
    fn steps_that_throw_the_logits_apart_are_refused() {
        let steep =
            CircuitEfficiency { growth: 2.0, decay: 0.05, learning_rate: 0.2, updates: 300, ..CircuitEfficiency::default() };
        let error = steep.outcome().unwrap_err();
        assert!(error.cause.contains("learning_rate") && error.remedy.contains("0.05"), "{error:?}");
    }

    #[test]
    fn below_the_critical_size_memory_stays_and_no_delay_is_foretold() {
        let outcome = CircuitEfficiency { size: 0.25, ..CircuitEfficiency::default() }.outcome().unwrap();
        assert!(number(&outcome, "t_gen").value.is_nan() && number(&outcome, "t_gen").expected.is_none());
        assert!((number(&outcome, "share").expected.unwrap() - 1.0 / 9.0).abs() < 1e-12);
        assert_eq!(outcome.assumptions[0].holds, Some(false));
    }
}
