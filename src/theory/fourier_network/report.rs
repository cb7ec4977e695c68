//! From drawn networks and the statistics of their phases to figures and numbers.

use super::super::spread::{band, mean};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::FourierNetwork;
use super::network::{Network, Shape, accuracy};
use super::noise::Noise;
use super::precision::{self, LOSS_STEP, NECESSARY, Row, SILENT};
use crate::task::is_prime;

/// Most rows whose softmax is read per scale.
const PRECISION_ROWS: usize = 1500;

/// Networks of one width.
struct AtWidth {
    width: usize,
    noise: Noise,
    accuracies: Vec<f64>,
}

/// Accuracies measured once elsewhere, single draws: (p, N, accuracy).
const PUBLISHED: &[(u32, usize, f64)] = &[(31, 30, 0.832), (31, 60, 0.979), (31, 120, 1.0), (97, 96, 0.9957), (97, 192, 1.0)];

/// The panel's answer; settings have been checked.
pub(super) fn outcome(settings: &FourierNetwork) -> Outcome {
    let chosen = settings.shape();
    let mut margins = Vec::new();
    let at_widths: Vec<AtWidth> = settings
        .widths()
        .into_iter()
        .map(|width| {
            let shape = Shape { width, ..chosen };
            let one = |index: u32| {
                let found = Network::new(shape, settings.seed, u64::from(index)).margins();
                let share = accuracy(&found, width);
                if width == chosen.width {
                    margins.extend(found);
                }
                share
            };
            let accuracies = (0..settings.seeds).map(one).collect();
            AtWidth { width, noise: Noise::new(shape), accuracies }
        })
        .collect();
    let noise = Noise::new(chosen);
    let softmax = Softmax::new(settings, &noise);
    let (ratio, worst) = (signal_to_noise(settings), residual(&at_widths));
    let figures = vec![
        accuracies(settings, &at_widths),
        margin_distribution(settings, &noise, &margins),
        softmax.collapse(&noise),
        softmax.losses(),
    ];
    Outcome {
        headline: headline(settings, &at_widths, &noise),
        figures,
        numbers: numbers(settings, &at_widths, &noise, &softmax, ratio),
        assumptions: assumptions(settings, &noise, worst, softmax.disagreement()),
    }
}

/// Where measured and predicted accuracy lie furthest apart.
struct Residual {
    width: usize,
    difference: f64,
    /// From 10% to 90% of the networks.
    scatter: f64,
}

fn residual(at_widths: &[AtWidth]) -> Residual {
    let of = |at: &AtWidth| {
        let (low, high) = band(&at.accuracies);
        Residual { width: at.width, difference: mean(&at.accuracies) - at.noise.survival(0.0), scatter: high - low }
    };
    let nothing = Residual { width: 0, difference: f64::NAN, scatter: f64::NAN };
    at_widths.iter().map(of).max_by(|a, b| a.difference.abs().total_cmp(&b.difference.abs())).unwrap_or(nothing)
}

fn figure(name: &str, caption: String, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption, drawing: Drawing::Lines { x, y, lines, marks } }
}

fn accuracies(settings: &FourierNetwork, at_widths: &[AtWidth]) -> Figure {
    let line = |of: &dyn Fn(&AtWidth) -> f64| at_widths.iter().map(|at| (at.width as f64, of(at))).collect::<Vec<_>>();
    // Between the measured widths too, or the prediction is a polygon.
    let chosen = settings.shape();
    let (least, most) = (at_widths[0].width as f64, at_widths[at_widths.len() - 1].width as f64);
    let mut widths: Vec<usize> =
        (0..=16).map(|i| libm::round(least * libm::pow(most / least, f64::from(i) / 16.0)) as usize).collect();
    widths.extend(at_widths.iter().map(|at| at.width));
    widths.sort_unstable();
    widths.dedup();
    let noises: Vec<(f64, Noise)> =
        widths.into_iter().map(|width| (width as f64, Noise::new(Shape { width, ..chosen }))).collect();
    let predicted = |of: &dyn Fn(&Noise) -> f64| noises.iter().map(|(width, noise)| (*width, of(noise))).collect::<Vec<_>>();
    let name = "accuracy";
    let lines = vec![
        Line::new(name, Role::Low, line(&|at| band(&at.accuracies).0)),
        Line::new(name, Role::High, line(&|at| band(&at.accuracies).1)),
        Line::new("if all noise were normal", Role::Baseline, predicted(&|noise| noise.normal_survival(0.0))),
        Line::new(name, Role::Predicted, predicted(&|noise| noise.survival(0.0))),
        Line::new(name, Role::Measured, line(&|at| mean(&at.accuracies))),
    ];
    let caption = format!(
        "Accuracy over all {0}² pairs by number of neurons: mean and band of {1} networks with random phases, over what the \
         statistics of the phases predict",
        settings.modulus, settings.seeds
    );
    let marks = vec![(f64::from(settings.width), "chosen".to_owned())];
    figure("accuracy", caption, Scaled::log("neurons N"), Scaled::linear("accuracy"), lines, marks)
}

fn margin_distribution(settings: &FourierNetwork, noise: &Noise, margins: &[f64]) -> Figure {
    let gap = noise.gap();
    let mut sorted: Vec<f64> = margins.iter().map(|margin| margin / gap).collect();
    sorted.sort_by(f64::total_cmp);
    let ends = (sorted.first().copied().unwrap_or(-1.0), sorted.last().copied().unwrap_or(1.0));
    let places: Vec<f64> = (0..=60).map(|i| ends.0 + (ends.1 - ends.0) * f64::from(i) / 60.0).collect();
    let below = |x: f64| sorted.partition_point(|margin| *margin <= x) as f64 / sorted.len().max(1) as f64;
    let name = "share of rows";
    let lines = vec![
        Line::new(name, Role::Predicted, places.iter().map(|x| (*x, 1.0 - noise.survival(x * gap))).collect()),
        Line::new(name, Role::Measured, places.iter().map(|x| (*x, below(*x))).collect()),
    ];
    let caption = format!(
        "Share of rows whose margin is at most that far, all {} networks of {} neurons together; 1 is the gap without noise, and \
         what lies left of 0 is answered wrongly",
        settings.seeds, settings.width
    );
    let marks = vec![(0.0, "wrong".to_owned())];
    figure("margins", caption, Scaled::linear("margin / expected gap"), Scaled::linear("share of rows"), lines, marks)
}

/// Mean over classes of mean(difference)/deviation(difference), measured over networks.
fn signal_to_noise(settings: &FourierNetwork) -> f64 {
    let shape = settings.shape();
    let p = shape.modulus;
    // Rows have one distribution, so the first of many networks says more than all of one.
    let networks = (40_000 / shape.width as u64).clamp(60, 600);
    let (mut sums, mut squares) = (vec![0.0; p], vec![0.0; p]);
    let mut logits = vec![0.0; p];
    for index in 0..networks {
        Network::new(shape, settings.seed, (1 << 32) + index).logits(0, 0, &mut logits);
        for delta in 1..p {
            let difference = logits[0] - logits[delta];
            sums[delta] += difference;
            squares[delta] += difference * difference;
        }
    }
    let count = networks as f64;
    let ratio = |delta: usize| {
        let mean = sums[delta] / count;
        mean / libm::sqrt(squares[delta] / count - mean * mean)
    };
    (1..p).map(ratio).sum::<f64>() / (p - 1) as f64
}

/// The softmax of one network's rows, made larger and larger.
struct Softmax {
    gap: f64,
    classes: usize,
    /// Gap of the scaled logits, and each row's reading.
    scales: Vec<(f64, Vec<Row>)>,
}

impl Softmax {
    fn new(settings: &FourierNetwork, noise: &Noise) -> Self {
        let shape = settings.shape();
        let p = shape.modulus;
        let network = Network::new(shape, settings.seed, 0);
        let every = (p * p).div_ceil(PRECISION_ROWS);
        let rows: Vec<(usize, Vec<f64>)> = (0..p * p)
            .step_by(every)
            .map(|row| {
                let mut logits = vec![0.0; p];
                network.logits(row / p, row % p, &mut logits);
                ((row / p + row % p) % p, logits)
            })
            .collect();
        let gap = noise.gap();
        // From margins of a few nats to those at which nothing is left.
        let scales = (0..=30)
            .map(|i| {
                let size = 4.0 * libm::pow(200.0, f64::from(i) / 30.0);
                (size, rows.iter().map(|(label, logits)| precision::row(logits, *label, size / gap)).collect())
            })
            .collect();
        Self { gap, classes: p, scales }
    }

    fn shares(&self, is: impl Fn(&Row) -> bool) -> Vec<(f64, f64)> {
        let share = |rows: &[Row]| rows.iter().filter(|row| is(row)).count() as f64 / rows.len() as f64;
        self.scales.iter().map(|(size, rows)| (*size, share(rows))).collect()
    }

    /// Share of readings in which rule and arithmetic differ.
    fn disagreement(&self) -> f64 {
        let rows = || self.scales.iter().flat_map(|(_, rows)| rows);
        rows().filter(|row| row.is_collapsed != row.is_predicted).count() as f64 / rows().count() as f64
    }

    /// Least loss above 0 in 32 bits.
    fn least_loss(&self) -> f64 {
        let losses = self.scales.iter().flat_map(|(_, rows)| rows).map(|row| f64::from(row.loss)).filter(|loss| *loss > 0.0);
        let least = losses.fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { f64::NAN }
    }

    /// The size at which half of the rows are collapsed: `(measured, by the rule)`.
    fn half(&self) -> (f64, f64) {
        let reach = |shares: &[(f64, f64)]| {
            let Some(after) = shares.iter().position(|(_, share)| *share >= 0.5) else { return f64::NAN };
            let Some(before) = after.checked_sub(1) else { return shares[after].0 };
            let ((left, low), (right, high)) = (shares[before], shares[after]);
            left + (right - left) * (0.5 - low) / (high - low)
        };
        (reach(&self.shares(|row| row.is_collapsed)), reach(&self.shares(|row| row.is_predicted)))
    }

    fn collapse(&self, noise: &Noise) -> Figure {
        let beyond = |margin: f64| {
            let share = |(size, _): &(f64, Vec<Row>)| (*size, noise.survival(margin * self.gap / size));
            self.scales.iter().map(share).collect::<Vec<_>>()
        };
        let sure = NECESSARY + libm::log((self.classes - 1) as f64);
        let name = "collapsed rows";
        let lines = vec![
            Line::new("at most, by predicted margins", Role::Baseline, beyond(NECESSARY)),
            Line::new("at least, by predicted margins", Role::Baseline, beyond(sure)),
            Line::new(name, Role::Predicted, self.shares(|row| row.is_predicted)),
            Line::new(name, Role::Measured, self.shares(|row| row.is_collapsed)),
            Line::new("no gradient at all", Role::Predicted, beyond(SILENT)),
            Line::new("no gradient at all", Role::Measured, self.shares(|row| row.is_silent)),
            Line::new("collapsed in 64 bits", Role::Kind(0), self.shares(|row| row.is_collapsed_in_64)),
        ];
        let caption = format!(
            "Share of rows whose softmax sum is exactly 1, over the size of the logits: 32-bit arithmetic over the rule of rounding \
             applied to the rows, between the two ends that the predicted margins leave ({NECESSARY:.2} and {sure:.2} nats)"
        );
        let x = Scaled::log("expected gap of the logits (nats)");
        figure("collapse", caption, x, Scaled::linear("share of rows"), lines, Vec::new())
    }

    fn losses(&self) -> Figure {
        let average = |of: &dyn Fn(&Row) -> f64| -> Vec<(f64, f64)> {
            let one = |rows: &[Row]| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
            self.scales.iter().map(|(size, rows)| (*size, one(rows))).collect()
        };
        // The middle row, because the mean hangs on the few that are wrong.
        let middle = |of: &dyn Fn(&Row) -> f64| -> Vec<(f64, f64)> {
            let one = |rows: &[Row]| super::super::spread::median(&rows.iter().map(of).collect::<Vec<_>>());
            self.scales.iter().map(|(size, rows)| (*size, one(rows))).collect()
        };
        let ends = [self.scales.first(), self.scales.last()].into_iter().flatten().map(|(size, _)| (*size, LOSS_STEP));
        let lines = vec![
            Line::new("middle row", Role::Predicted, middle(&|row| row.loss_in_64)),
            Line::new("middle row", Role::Measured, middle(&|row| f64::from(row.loss))),
            Line::new("mean", Role::Kind(0), average(&|row| f64::from(row.loss))),
            Line::new("least loss above 0", Role::Baseline, ends.collect()),
        ];
        let caption =
            "Loss of the middle row in 32 bits (measured) and in 64 bits (predicted), and the mean in 32 bits: the loss of a \
                       collapsed row is 0, and above that nothing lies below 1.19·10⁻⁷"
                .to_owned();
        let x = Scaled::log("expected gap of the logits (nats)");
        figure("loss", caption, x, Scaled::log("loss (nats)"), lines, Vec::new())
    }
}

fn headline(settings: &FourierNetwork, at_widths: &[AtWidth], noise: &Noise) -> String {
    let measured = at_widths.iter().find(|at| at.width == settings.width as usize).map_or(f64::NAN, |at| mean(&at.accuracies));
    format!(
        "{} neurons with written-down weights answer {:.1}% of all pairs modulo {}; the statistics of random phases say {:.1}%",
        settings.width,
        100.0 * measured,
        settings.modulus,
        100.0 * noise.survival(0.0)
    )
}

fn numbers(settings: &FourierNetwork, at_widths: &[AtWidth], noise: &Noise, softmax: &Softmax, ratio: f64) -> Vec<Number> {
    let mut numbers = Vec::new();
    let with_band = |name: String, label: String, at: &AtWidth| {
        let (low, high) = band(&at.accuracies);
        Number::found(name, label, mean(&at.accuracies)).band(low, high)
    };
    if let Some(at) = at_widths.iter().find(|at| at.width == settings.width as usize) {
        let label = format!("Accuracy with {} neurons, and predicted", settings.width);
        numbers.push(with_band("accuracy".into(), label, at).expected(at.noise.survival(0.0)));
    }
    numbers.push(Number::found("normal_accuracy", "Predicted if all noise were normal", noise.normal_survival(0.0)));
    for (_, width, published) in PUBLISHED.iter().filter(|(p, ..)| *p == settings.modulus && settings.has_all_frequencies()) {
        if let Some(at) = at_widths.iter().find(|at| at.width == *width) {
            let label = format!("Accuracy with {width} neurons, and a single draw measured elsewhere");
            numbers.push(with_band(format!("accuracy_{width}"), label, at).expected(*published));
        }
    }
    let (measured, ruled) = softmax.half();
    numbers.push(Number::found("signal_to_noise", "Gap over noise of one class", ratio).expected(noise.signal_to_noise()));
    numbers.push(Number::found("gap", "Gap without noise", noise.gap()).unit("logits"));
    numbers.push(Number::found("half_collapse", "Gap at which half of the rows collapse", measured).expected(ruled).unit("nats"));
    numbers
        .push(Number::found("loss_step", "Least loss above 0 in 32 bits", softmax.least_loss()).expected(LOSS_STEP).unit("nats"));
    numbers
}

fn assumptions(settings: &FourierNetwork, noise: &Noise, worst: Residual, disagreement: f64) -> Vec<Assumption> {
    let normal = noise.normal_survival(0.0) - noise.survival(0.0);
    let Residual { width, difference, scatter } = worst;
    let p = settings.modulus;
    vec![
        Assumption {
            statement: "Noise is normal".into(),
            holds: Some(normal.abs() < 0.005),
            evidence: format!(
                "The answer's logit leans to the right; normal noise of the same size changes the predicted accuracy at {} neurons by \
                 {normal:+.4}. The prediction that is drawn does not assume it",
                settings.width
            ),
        },
        Assumption {
            statement: "Given the answer's logit, the others are independent and normal".into(),
            holds: Some(difference.abs() < 0.02 || difference.abs() < 0.5 * scatter),
            evidence: format!(
                "Measured less predicted accuracy is at most {difference:+.3} (at {width} neurons), where 10% and 90% of the networks lie {scatter:.3} apart"
            ),
        },
        Assumption {
            statement: "p is prime".into(),
            holds: Some(is_prime(p)),
            evidence: if is_prime(p) {
                format!("{p} is; the solution does not need it")
            } else {
                format!(
                    "{p} is not, and the solution works all the same: some frequencies confuse answers that differ by a multiple of \
                     p over a common factor, which the others tell apart"
                )
            },
        },
        Assumption {
            statement: "All frequencies are used equally often".into(),
            holds: Some(settings.has_all_frequencies() && settings.shape().width.is_multiple_of(settings.shape().frequencies)),
            evidence: format!(
                "{} of {} frequencies on {} neurons; the prediction counts each",
                settings.shape().used(),
                super::all_frequencies(p as usize),
                settings.width
            ),
        },
        Assumption {
            statement: "32-bit sums run in the order of the classes and round to nearest".into(),
            holds: Some(disagreement < 0.001),
            evidence: format!(
                "The rule and the arithmetic differ in {:.3}% of readings; a GPU may sum in another order",
                100.0 * disagreement
            ),
        },
    ]
}
