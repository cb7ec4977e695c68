//! From predictions and solved systems to figures and numbers.

use super::super::spread::{band, median};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::Linear;
use super::losses::{CROSSING_ACCURACY, Descent, Prediction, accuracy, asymptotic_delay};
use super::system::{Size, State, System};

/// Measured moments per curve.
const MOMENTS: usize = 48;

/// Points of a predicted curve.
const PREDICTED: usize = 120;

/// The panel's answer; settings have been checked.
pub(super) fn outcome(settings: &Linear) -> Outcome {
    let descent = settings.descent();
    let flow = Prediction::new(settings.ratio(), settings.label_noise, Descent { is_flow: true, ..descent });
    let level = settings.tolerance / 4.0;
    let (train, test) = (flow.train_crossing(level), flow.test_crossing(level));
    let end = end_of_axis(settings, train, test);
    let systems: Vec<System> =
        (0..settings.seeds).map(|index| System::new(settings.size(), settings.seed, u64::from(index))).collect();
    let grid = whole_steps(end, MOMENTS);
    let states: Vec<Vec<State>> =
        grid.iter().map(|step| systems.iter().map(|system| system.at(&descent, *step, settings.tolerance)).collect()).collect();
    let long = whole_steps(8.0 * end, 2 * MOMENTS);
    let times: Vec<(f64, f64)> = systems.iter().map(|system| system.crossings(&descent, settings.tolerance, &long)).collect();

    let marks: Vec<(f64, String)> =
        [(train, "training"), (test, "fresh rows")].into_iter().filter_map(|(at, name)| Some((at?, name.to_owned()))).collect();
    let curves = Curves { settings, flow: &flow, grid: &grid, states: &states, end, marks };
    let mut figures = vec![curves.accuracies(), curves.losses()];
    figures.extend(delays(settings));
    let (sizes, scatter) = finite_size(settings, &flow, end);
    figures.push(sizes);

    let train_times: Vec<f64> = times.iter().map(|t| t.0).collect();
    let test_times: Vec<f64> = times.iter().map(|t| t.1).collect();
    let delays = times.iter().map(|(train, test)| if test.is_finite() { test - train } else { f64::INFINITY }).collect();
    let measured = Measured { train_times, test_times, delays };
    let stepped = Prediction::new(settings.ratio(), settings.label_noise, descent);
    Outcome {
        headline: headline(settings, &measured, train, test),
        figures,
        numbers: numbers(settings, &measured, &flow, &systems, train, test),
        assumptions: assumptions(settings, &flow, &stepped, test, scatter, &curves),
    }
}

/// Steps of each system; ∞ for never.
struct Measured {
    train_times: Vec<f64>,
    test_times: Vec<f64>,
    delays: Vec<f64>,
}

struct Curves<'a> {
    settings: &'a Linear,
    flow: &'a Prediction,
    grid: &'a [f64],
    states: &'a [Vec<State>],
    end: f64,
    marks: Vec<(f64, String)>,
}

impl Curves<'_> {
    /// Middle of the systems, and their 10% and 90% as its ground.
    fn measured(&self, name: &str, role: Role, of: impl Fn(&State) -> f64) -> [Line; 3] {
        let per_step = |pick: &dyn Fn(&[f64]) -> f64| -> Vec<(f64, f64)> {
            let values = |states: &Vec<State>| states.iter().map(&of).collect::<Vec<f64>>();
            self.grid.iter().zip(self.states).map(|(step, states)| (*step, pick(&values(states)))).collect()
        };
        [
            Line::new(name, Role::Low, per_step(&|values| band(values).0)),
            Line::new(name, Role::High, per_step(&|values| band(values).1)),
            Line::new(name, role, per_step(&median)),
        ]
    }

    fn predicted(&self, name: &str, of: impl Fn(f64) -> f64) -> Line {
        Line::new(name, Role::Predicted, geometric(1.0, self.end, PREDICTED).into_iter().map(|t| (t, of(t))).collect())
    }

    fn accuracies(&self) -> Figure {
        let tolerance = self.settings.tolerance;
        let (train, test) = ("accuracy on training rows", "accuracy on fresh rows");
        let mut lines: Vec<Line> = self.measured(train, Role::Train, |state| state.train_accuracy).into();
        lines.extend(self.measured(test, Role::Test, |state| state.test_accuracy));
        lines.push(self.predicted(train, |t| accuracy(self.flow.train_loss(t), tolerance)));
        lines.push(self.predicted(test, |t| accuracy(self.flow.test_loss(t), tolerance)));
        let caption = format!(
            "Share of rows within the tolerance: middle and 10% to 90% of {} systems over the integrals. Marked is where {:.1}% are \
             predicted to be reached",
            self.settings.seeds,
            100.0 * CROSSING_ACCURACY
        );
        figure("accuracy", caption, Scaled::log("step"), Scaled::linear("share of rows"), lines, self.marks.clone())
    }

    fn losses(&self) -> Figure {
        let (train, test) = ("loss on training rows", "loss on fresh rows");
        let mut lines: Vec<Line> = self.measured(train, Role::Train, |state| state.train_loss).into();
        lines.extend(self.measured(test, Role::Test, |state| state.test_loss));
        lines.push(self.predicted(train, |t| self.flow.train_loss(t)));
        lines.push(self.predicted(test, |t| self.flow.test_loss(t)));
        let level = self.settings.tolerance / 4.0;
        lines.push(Line::new("a quarter of the tolerance", Role::Baseline, vec![(1.0, level), (self.end, level)]));
        let caption =
            "Mean squared error over its start: middle and 10% to 90% of the systems over the integrals. Accuracy passes \
                       95.4% where a loss passes the level line"
                .to_owned();
        figure("loss", caption, Scaled::log("step"), Scaled::log("loss"), lines, self.marks.clone())
    }

    /// Largest distance of a measured accuracy from what its own measured loss makes of normal errors.
    fn distance_from_normal(&self) -> f64 {
        let tolerance = self.settings.tolerance;
        let gap = |states: &Vec<State>, loss: fn(&State) -> f64, share: fn(&State) -> f64| {
            let sum: f64 = states.iter().map(|state| share(state) - accuracy(loss(state), tolerance)).sum();
            (sum / states.len() as f64).abs()
        };
        let of = |states: &Vec<State>| gap(states, |s| s.train_loss, |s| s.train_accuracy);
        self.states.iter().map(of).fold(0.0, f64::max)
    }
}

fn figure(name: &str, caption: String, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption, drawing: Drawing::Lines { x, y, lines, marks } }
}

/// Two and a half times the last crossing, or where little moves any more.
fn end_of_axis(settings: &Linear, train: Option<f64>, test: Option<f64>) -> f64 {
    let last = test.or(train.map(|t| 10.0 * t)).unwrap_or(20.0 / settings.learning_rate);
    (2.5 * last).max(100.0)
}

/// `count` times from `from` to `to`, each the same factor after the one before.
fn geometric(from: f64, to: f64, count: usize) -> Vec<f64> {
    let factor = libm::log(to / from) / (count - 1) as f64;
    (0..count).map(|i| from * libm::exp(factor * i as f64)).collect()
}

fn whole_steps(end: f64, count: usize) -> Vec<f64> {
    let mut steps: Vec<f64> = geometric(1.0, end, count).into_iter().map(libm::round).collect();
    steps.dedup();
    steps
}

/// The delay over λ: integral, asymptote and a few small systems.
fn delays(settings: &Linear) -> Option<Figure> {
    let descent = settings.descent();
    let level = settings.tolerance / 4.0;
    let prediction = |ratio: f64| Prediction::new(ratio, settings.label_noise, Descent { is_flow: true, ..descent });
    let delay = |prediction: &Prediction| Some((prediction.train_crossing(level)?, prediction.test_crossing(level)?));
    let ratios: Vec<f64> = (1..20).map(|i| 0.05 * f64::from(i)).collect();
    let integral: Vec<(f64, f64)> =
        ratios.iter().filter_map(|ratio| delay(&prediction(*ratio)).map(|(train, test)| (*ratio, test - train))).collect();
    if integral.len() < 2 {
        return None;
    }
    let dimension = settings.dimension.min(48) as usize;
    let systems = settings.seeds.min(4);
    let mut middle = Vec::new();
    for share in [0.25, 0.5, 0.75] {
        let samples = libm::round(dimension as f64 / share) as usize;
        let ratio = dimension as f64 / samples as f64;
        let Some((_, test)) = delay(&prediction(ratio)) else { continue };
        let size = Size { dimension, samples, test_rows: 200, label_noise: settings.label_noise };
        let grid = whole_steps((20.0 * test).max(100.0), MOMENTS);
        let found: Vec<f64> = (0..u64::from(systems))
            .map(|index| System::new(size, settings.seed, (1 << 32) + index).crossings(&descent, settings.tolerance, &grid))
            // A system that does not arrive is a late one, not one to leave out.
            .map(|(train, test)| if test.is_finite() { test - train } else { f64::INFINITY })
            .collect();
        if median(&found).is_finite() {
            middle.push((ratio, median(&found)));
        }
    }
    let name = "delay";
    let mut lines = vec![Line::new(name, Role::Predicted, integral), Line::new(name, Role::Measured, middle)];
    let is_plain = settings.weight_decay <= 0.0 && settings.label_noise <= 0.0;
    if is_plain {
        let asymptote = ratios.iter().map(|ratio| (*ratio, asymptotic_delay(*ratio, settings.learning_rate))).collect();
        lines.push(Line::new("limit of a vanishing tolerance", Role::Baseline, asymptote));
    }
    let caption = format!(
        "Steps between the two crossings over dimensions per row: the integral, and the middle of {systems} systems in {dimension} \
         dimensions{}",
        if is_plain { "; the thin line is the formula that holds only as the tolerance goes to 0" } else { "" }
    );
    Some(figure("delay", caption, Scaled::linear("λ = d/N"), Scaled::log("steps"), lines, Vec::new()))
}

/// Systems per size.
const PER_SIZE: u64 = 20;

/// Relative scatter of the test loss over dimensions, and measured over predicted at the largest. Late in training everything
/// hangs on the smallest eigenvalue, whose own scatter the prediction leaves out; so it is read where a quarter of what can be
/// learned is left.
fn finite_size(settings: &Linear, flow: &Prediction, end: f64) -> (Figure, f64) {
    let (ratio, descent) = (settings.ratio(), settings.descent());
    let floor = flow.law().share_at_zero();
    let step = libm::round(flow.test_crossing(floor + 0.25 * (1.0 - floor)).unwrap_or(0.1 * end).max(1.0));
    let (mut measured, mut predicted) = (Vec::new(), Vec::new());
    for dimension in [8usize, 16, 32] {
        let samples = (libm::round(dimension as f64 / ratio) as usize).max(1);
        let size = Size { dimension, samples, test_rows: 0, label_noise: settings.label_noise };
        // The exact λ of this size, which rounding of N has moved.
        let own = Prediction::new(dimension as f64 / samples as f64, settings.label_noise, descent);
        let mean = own.test_loss(step);
        let squares: f64 = (0..PER_SIZE)
            .map(|index| {
                let system = System::new(size, settings.seed, (2 << 32) + index);
                libm::pow(system.test_loss(&descent, step) - mean, 2.0)
            })
            .sum();
        measured.push((dimension as f64, libm::sqrt(squares / PER_SIZE as f64) / mean));
        predicted.push((dimension as f64, own.test_loss_deviation(step, dimension) / mean));
    }
    let agreement = measured.last().map_or(f64::NAN, |m| m.1) / predicted.last().map_or(f64::NAN, |p| p.1);
    let name = "relative scatter";
    let lines = vec![Line::new(name, Role::Predicted, predicted), Line::new(name, Role::Measured, measured)];
    let caption = format!(
        "How far single systems lie from the integral at step {step:.0}, over their dimensions: {PER_SIZE} systems each, and √(2E[v²]/d), \
         which counts chance in teacher and start but not in the spectrum"
    );
    (figure("finite_size", caption, Scaled::log("dimensions d"), Scaled::log("deviation / loss"), lines, Vec::new()), agreement)
}

fn headline(settings: &Linear, measured: &Measured, train: Option<f64>, test: Option<f64>) -> String {
    match (train, test) {
        (Some(train), Some(test)) => format!(
            "Fresh rows follow {:.0} steps after training rows; the integral says {:.0}, and nothing but a vector was learned",
            median(&measured.delays),
            test - train
        ),
        (Some(_), None) => format!(
            "At λ = {:.2} accuracy on fresh rows never reaches 95.4%: {}",
            settings.ratio(),
            if settings.ratio() > 1.0 {
                "there are directions that no training row shows"
            } else {
                "noise or weight decay stops it"
            }
        ),
        (None, _) => "Accuracy on training rows never reaches 95.4%: noise or weight decay stops it".into(),
    }
}

fn numbers(
    settings: &Linear,
    measured: &Measured,
    flow: &Prediction,
    systems: &[System],
    train: Option<f64>,
    test: Option<f64>,
) -> Vec<Number> {
    let never = f64::INFINITY;
    let (train, test) = (train.unwrap_or(never), test.unwrap_or(never));
    let timed = |name: &str, label: &str, times: &[f64], expected: f64| {
        let (low, high) = band(times);
        let number = Number::found(name, label, median(times)).unit("steps");
        // A time that never comes is no expectation and no end of a band.
        let number = if expected.is_finite() { number.expected(expected) } else { number };
        if high.is_finite() { number.band(low, high) } else { number }
    };
    let predicted = if test.is_finite() { test - train } else { never };
    let mut numbers = vec![
        timed("delay", "Delay, middle of the systems", &measured.delays, predicted),
        timed("t_train", "95.4% of training rows", &measured.train_times, train),
        timed("t_test", "95.4% of fresh rows", &measured.test_times, test),
        Number::found("predicted_delay", "Delay by the integral", predicted).unit("steps"),
    ];
    let ratio = settings.ratio();
    if ratio < 1.0 && settings.weight_decay <= 0.0 && settings.label_noise <= 0.0 {
        let asymptote = asymptotic_delay(ratio, settings.learning_rate);
        numbers.push(Number::found("asymptotic_delay", "Delay as ε goes to 0", asymptote).unit("steps"));
        let error = 100.0 * (asymptote / predicted - 1.0);
        numbers.push(Number::found("asymptote_error", "Its error at this tolerance", error).unit("%"));
    }
    // Late enough for every direction that moves at all.
    let late = 1e9 / settings.learning_rate;
    let floors: Vec<f64> = systems.iter().map(|system| system.test_loss(&settings.descent(), late)).collect();
    let floor = flow.test_loss(late);
    if ratio > 1.0 || settings.weight_decay > 0.0 || settings.label_noise > 0.0 {
        let (low, high) = band(&floors);
        numbers.push(Number::found("floor", "Loss on fresh rows in the end", median(&floors)).expected(floor).band(low, high));
    }
    numbers.push(Number::found("lambda", "λ = d/N", ratio));
    numbers.push(Number::found("lower_edge", "Lower edge of the spectrum", flow.law().lower_edge()));
    numbers
}

fn assumptions(
    settings: &Linear,
    flow: &Prediction,
    stepped: &Prediction,
    test: Option<f64>,
    scatter: f64,
    curves: &Curves<'_>,
) -> Vec<Assumption> {
    let shift = test.zip(stepped.test_crossing(settings.tolerance / 4.0)).map(|(flow, stepped)| stepped / flow - 1.0);
    let product = settings.learning_rate * settings.steepest();
    let normal = curves.distance_from_normal();
    let at_zero = flow.law().share_at_zero();
    let scatter_at = flow.test_loss_deviation(test.unwrap_or(curves.end), settings.dimension as usize)
        / flow.test_loss(test.unwrap_or(curves.end));
    vec![
        Assumption {
            statement: "Steps are so small that descent is a flow".into(),
            holds: Some(shift.map_or(product, f64::abs) < 0.05),
            evidence: match shift {
                Some(shift) => format!(
                    "η·((1 + √λ)² + γ) = {product:.3}; whole steps move the crossing of fresh rows by {:+.2}%",
                    100.0 * shift
                ),
                None => format!("η·((1 + √λ)² + γ) = {product:.3}"),
            },
        },
        Assumption {
            statement: "There are many dimensions and rows".into(),
            holds: Some(scatter_at < 0.25),
            evidence: format!(
                "One system of this size is expected {:.0}% off in its loss at the crossing; in 32 dimensions the scatter is \
                 {scatter:.2} times the predicted one",
                100.0 * scatter_at
            ),
        },
        Assumption {
            statement: "Errors on training rows are normal".into(),
            holds: Some(normal < 0.05),
            evidence: format!(
                "Accuracy on training rows is at most {normal:.3} from what its own loss makes of normal errors (mean over systems)"
            ),
        },
        Assumption {
            statement: "Training rows show every direction (λ < 1)".into(),
            holds: Some(at_zero <= 0.0 && settings.ratio() < 1.0),
            evidence: format!("λ = {:.3}; a share {at_zero:.3} of all directions has no data", settings.ratio()),
        },
        Assumption {
            statement: "Inputs are independent and normal".into(),
            holds: Some(true),
            evidence: "They are drawn so here; real inputs have a spectrum of their own, and with it another integral".into(),
        },
    ]
}
