//! The panel's figures, as data.

use super::super::spread::{band, mean, median};
use super::super::{Drawing, Figure, Line, Role, Scaled};
use super::kernel::{ANSWERS, Moments};
use super::report::Findings;
use super::settings::LazyRich;
use super::trial::{Moment, Trial};

pub(super) fn all(findings: &Findings<'_>) -> Vec<Figure> {
    vec![loss(findings), kernel(findings), parts(findings), lazy_rows(findings), spectrum(findings)]
}

pub(super) fn figure(name: &str, caption: String, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption, drawing: Drawing::Lines { x, y, lines, marks } }
}

/// A value over steps: `pick` of all networks. Step 0 has no place on a logarithmic axis.
fn over_steps(trials: &[Trial], of: impl Fn(&Moment) -> f64, pick: impl Fn(&[f64]) -> f64) -> Vec<(f64, f64)> {
    let moments = trials.first().map_or(&[][..], |trial| &trial.moments);
    let values = |at: usize| trials.iter().filter_map(|trial| trial.moments.get(at).map(&of)).collect::<Vec<f64>>();
    let points = moments.iter().enumerate().map(|(at, moment)| (moment.step, pick(&values(at))));
    points.filter(|point| point.0 > 0.0).collect()
}

/// Middle of the networks, and their 10% and 90% as its ground.
fn measured(trials: &[Trial], name: &str, role: Role, of: impl Fn(&Moment) -> f64) -> [Line; 3] {
    [
        Line::new(name, Role::Low, over_steps(trials, &of, |values| band(values).0)),
        Line::new(name, Role::High, over_steps(trials, &of, |values| band(values).1)),
        Line::new(name, role, over_steps(trials, &of, median)),
    ]
}

fn loss(findings: &Findings<'_>) -> Figure {
    let (trials, LazyRich { threshold, steps, .. }) = (&findings.trials, findings.settings);
    let (train, test) = ("training rows", "fresh rows");
    let mut lines: Vec<Line> = measured(trials, train, Role::Train, |moment| moment.train).into();
    lines.extend(measured(trials, test, Role::Test, |moment| moment.test.total()));
    lines.push(Line::new(train, Role::Predicted, over_steps(trials, |moment| moment.twin_train, median)));
    lines.push(Line::new(test, Role::Predicted, over_steps(trials, |moment| moment.twin_test.total(), median)));
    lines.push(Line::new("threshold", Role::Baseline, vec![(1.0, *threshold), (f64::from(*steps), *threshold)]));
    let time = |of: fn(&Trial) -> f64| median(&trials.iter().map(of).collect::<Vec<f64>>());
    let marks =
        [(time(|trial| trial.times.train), "training rows learned"), (time(|trial| trial.times.test), "fresh rows learned")];
    figure(
        "loss",
        format!(
            "Loss over the mean square of the answers: middle and 10% to 90% of {} networks (solid), and of their linearised twins from \
             the same starts (dashed). What the network does beyond its twin is feature learning",
            trials.len()
        ),
        Scaled::log("step"),
        Scaled::log("loss / mean square of the answers"),
        lines,
        marks.into_iter().filter(|(at, _)| at.is_finite()).map(|(at, name)| (at, name.to_owned())).collect(),
    )
}

fn kernel(findings: &Findings<'_>) -> Figure {
    let LazyRich { epsilon, dimension, steps, .. } = *findings.settings;
    let (understood, teacher) = &findings.understood;
    let wide = Moments::infinite(dimension as usize);
    let level = |name: &str, value: f64| Line::new(name, Role::Baseline, vec![(1.0, value), (f64::from(steps), value)]);
    let mut lines = vec![
        level("alignment, lazy", wide.alignment(epsilon, teacher)),
        level("alignment, understood", understood.alignment(epsilon, teacher)),
        level("distance, understood", understood.distance(epsilon, &wide)),
    ];
    lines.extend(measured(&findings.trials, "alignment with the answers", Role::Kind(0), |moment| moment.alignment));
    lines.extend(measured(&findings.trials, "distance from the start", Role::Kind(1), |moment| moment.distance));
    figure(
        "kernel",
        "Alignment of the tangent kernel with the answers and its distance from its start, ‖K − K₀‖/‖K₀‖, over all inputs; thin lines \
         are what infinite width has at the start and once it has understood. Lazy is where both stand still"
            .into(),
        Scaled::log("step"),
        Scaled::linear("share"),
        lines,
        Vec::new(),
    )
}

fn parts(findings: &Findings<'_>) -> Figure {
    let (trials, LazyRich { learning_rate, .. }) = (&findings.trials, findings.settings);
    let [_, length, quadratic] = findings.settings.start().levels();
    let steps: Vec<f64> =
        trials.first().map_or(&[][..], |trial| &trial.moments).iter().map(|m| m.step).filter(|s| *s > 0.0).collect();
    let endless = |level: super::kernel::Level| {
        let left = |step: f64| libm::pow(1.0 - 2.0 * learning_rate * level.eigenvalue, 2.0 * step);
        let part = steps.iter().map(|step| (*step, left(*step) * level.answers / ANSWERS));
        // What is gone would take the axis with it.
        part.take_while(|point| point.1 > 1e-5).collect::<Vec<_>>()
    };
    let lines = vec![
        Line::new("|x|²", Role::Predicted, endless(length)),
        Line::new("quadratic", Role::Predicted, endless(quadratic)),
        Line::new("quadratic, twin", Role::Baseline, over_steps(trials, |moment| moment.twin_test.quadratic, median)),
        Line::new("linear", Role::Kind(2), over_steps(trials, |moment| moment.test.linear, median)),
        Line::new("|x|²", Role::Measured, over_steps(trials, |moment| moment.test.length, median)),
        Line::new("quadratic", Role::Measured, over_steps(trials, |moment| moment.test.quadratic, median)),
    ];
    figure(
        "parts",
        "Test loss by kinds of functions (middle of the networks). Dashed is what a lazy network would do with endless rows, at the rates \
         4η λ; with P rows its twin stops, and linear functions fit what is not theirs"
            .into(),
        Scaled::log("step"),
        Scaled::log("part of the test loss"),
        lines,
        Vec::new(),
    )
}

fn lazy_rows(findings: &Findings<'_>) -> Figure {
    let (start, LazyRich { threshold, rows, .. }) = (findings.settings.start(), findings.settings);
    let most: f64 = start.levels().iter().map(|level| level.count).sum();
    let whole = |count: f64| (1..count as u32).map(f64::from);
    let name = "twin's test loss in the end";
    let of = |pick: fn(&[f64]) -> f64| findings.ends.iter().map(|(rows, ends)| (*rows, pick(ends))).collect::<Vec<_>>();
    let lines = vec![
        Line::new(name, Role::Low, of(|ends| band(ends).0)),
        Line::new(name, Role::High, of(|ends| band(ends).1)),
        Line::new(name, Role::Predicted, whole(most).map(|rows| (rows, start.lazy_end(rows) / ANSWERS)).collect()),
        Line::new(name, Role::Measured, of(mean)),
        Line::new("threshold", Role::Baseline, vec![(1.0, *threshold), (most, *threshold)]),
    ];
    let marks =
        vec![(start.dimension, "D".to_owned()), (f64::from(*rows), "P".to_owned()), (findings.lazy_rows(), "enough".to_owned())];
    figure(
        "lazy-rows",
        format!(
            "Where the lazy twin ends over training rows: mean and 10% to 90% of {} networks over the learning curve of kernel \
             regression. Right of the last mark laziness is no obstacle; the peak at P = D is that of linear functions",
            findings.trials.len()
        ),
        Scaled::linear("training rows P"),
        Scaled::log("loss / mean square of the answers"),
        lines,
        marks,
    )
}

fn spectrum(findings: &Findings<'_>) -> Figure {
    let ranked = |values: &[f64]| values.iter().enumerate().map(|(at, value)| ((at + 1) as f64, *value)).collect::<Vec<_>>();
    let mut levels: Vec<f64> = findings.groups().iter().flat_map(|(level, found)| vec![*level; found.len()]).collect();
    levels.sort_by(|a, b| b.total_cmp(a));
    figure(
        "spectrum",
        format!(
            "Eigenvalues of the kernel at the start over all inputs: of the first network with {} neurons, and of infinite width (dashed): \
             1/D for linear functions, ε²(D + 2)/D² for |x|², 2ε²/D² for the others",
            findings.settings.width
        ),
        Scaled::linear("rank"),
        Scaled::log("eigenvalue"),
        vec![
            Line::new("eigenvalue", Role::Predicted, ranked(&levels)),
            Line::new("eigenvalue", Role::Measured, ranked(&findings.spectrum)),
        ],
        Vec::new(),
    )
}
