//! Everything that one outcome rests on, computed once, and the numbers and verdicts read off it.

use super::closure::Split;
use super::critical::Critical;
use super::descent::{Closed, closed_sets};
use super::effective_loss::{centred, effective_loss};
use super::guided::{MOST_TOKENS, guided_thirds, random_thirds};
use super::pairs::{Pair, all_pairs, parallelograms};
use super::prediction::Prediction;
use super::quality::quality;
use super::settings::Representation;
use super::structure::Structure;
use super::training::{LEARNED, Trace, train};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::{MetricRow, UserError};
use crate::theory::outcome::percent;
use crate::theory::{Assumption, Number};
use nalgebra::DMatrix;

/// RQI that counts as structure formed (Liu et al.).
pub(super) const FORMED: f64 = 0.95;
/// Random orders over which λ₃ is averaged.
const THIRD_ORDERS: u32 = 16;
/// Indices of the streams; 0 draws the split.
const CRITICAL: u64 = 1;
const THIRDS: u64 = 2;
const SETS: u64 = 1000;
/// Root mean square of RQI up to which the fitted curve counts as that of the toy.
const CLOSE: f64 = 0.1;

/// What was computed.
pub(super) struct Findings {
    pub split: Split,
    pub structure: Structure,
    pub trace: Trace,
    /// The toy's first embedding, centred.
    pub start: DMatrix<f64>,
    /// All parallelograms of all pairs.
    pub all: Vec<(Pair, Pair)>,
    /// RQI of the toy: (update, RQI).
    pub measured: Vec<(f64, f64)>,
    /// η per update.
    pub rate: f64,
    /// Root mean square difference of the fitted curve.
    pub distance: f64,
    pub critical: Critical,
    pub sets: Vec<Closed>,
    /// λ₃ by n, guided; none for many numbers.
    pub guided: Option<Vec<(usize, f64)>>,
    /// λ₃ by n, mean over random orders.
    pub random: Vec<(usize, f64)>,
}

impl Findings {
    pub fn of(settings: &Representation) -> Result<Self, UserError> {
        settings.check()?;
        let tokens = settings.tokens as usize;
        let split = settings.split();
        let structure = Structure::of(tokens, &split.train);
        if structure.parallelograms == 0 {
            return Err(UserError::new(
                format!("No two of the {} training pairs have the same sum, so the theory has no parallelogram", settings.pairs),
                format!("Use pairs = {}, which is certain to have one", 2 * tokens),
            ));
        }
        let trace = train(settings.network(), &split, &settings.schedule(), |_| false);
        let all = parallelograms(&all_pairs(tokens));
        let steps = trace.rows.iter().map(|row| f64::from(row.step));
        let measured: Vec<(f64, f64)> = steps.zip(trace.embeddings.iter().map(|embedding| quality(&all, embedding))).collect();
        let start = trace.embeddings.first().map(centred).unwrap_or_else(|| DMatrix::zeros(tokens, 1));
        let fitted = Prediction::fitted(&structure, &all, &start, &measured);
        let (rate, distance) = (fitted.rate, fitted.distance(&measured));
        let stream = |index| Stream::new(settings.seed, Purpose::Theory, index);
        Ok(Self {
            critical: Critical::drawn(tokens, settings.orders, &mut stream(CRITICAL)),
            sets: closed_sets(tokens, settings.data_sets, settings.seed, SETS),
            guided: if tokens <= MOST_TOKENS { Some(guided_thirds(tokens)?) } else { None },
            random: random_thirds(tokens, THIRD_ORDERS, &mut stream(THIRDS)),
            split,
            structure,
            trace,
            start,
            all,
            measured,
            rate,
            distance,
        })
    }

    /// The theory from the toy's start, at the fitted rate.
    pub fn prediction(&self) -> Prediction<'_> {
        self.prediction_at(self.rate)
    }

    /// The same at another rate.
    pub fn prediction_at(&self, rate: f64) -> Prediction<'_> {
        Prediction::at(&self.structure, &self.all, &self.start, rate)
    }

    /// First update at which the toy's RQI is above .95.
    pub fn formed(&self) -> Option<f64> {
        self.measured.iter().find(|point| point.1 > FORMED).map(|point| point.0)
    }

    /// The same of the fitted theory, at the updates of the evaluations.
    pub fn formed_in_theory(&self) -> Option<f64> {
        let prediction = self.prediction();
        self.measured.iter().map(|point| point.0).find(|update| prediction.quality(*update) > FORMED)
    }

    /// n_h = Z₀/(λ₃ η) in updates; `None` if more than a line costs nothing.
    pub fn structure_time(&self) -> Option<f64> {
        let third = self.structure.third();
        (third > 0.0).then(|| self.start.norm_squared() / (third * self.rate))
    }

    /// First update at which an accuracy is at least .9.
    pub fn learned(&self, side: fn(&MetricRow) -> f32) -> Option<f64> {
        self.trace.rows.iter().find(|row| side(row) >= LEARNED).map(|row| f64::from(row.step))
    }

    fn last_test(&self) -> f64 {
        // The row keeps an f32 of a share of so many pairs.
        let pairs = self.split.test.len().max(1) as f64;
        self.trace.rows.last().map_or(f64::NAN, |row| libm::round(f64::from(row.test_accuracy) * pairs) / pairs)
    }

    fn loss_at_end(&self) -> f64 {
        let known = parallelograms(&self.split.train);
        self.trace.embeddings.last().map_or(f64::NAN, |last| effective_loss(&known, &centred(last)))
    }

    /// Held-out accuracies of the last embedding: standing parallelograms, nearest sum.
    fn of_representation(&self) -> (f64, f64) {
        self.trace.embeddings.last().map_or((f64::NAN, f64::NAN), |last| (self.split.standing(last), self.split.nearest(last)))
    }

    pub fn headline(&self, settings: &Representation) -> String {
        let closed = percent(self.split.closed(&self.structure));
        let from = match self.structure.nullity() {
            2 => "leave only a line".to_owned(),
            n => format!("leave {n} free directions, not only a line"),
        };
        let when = match (self.formed(), self.formed_in_theory()) {
            (Some(seen), Some(said)) => {
                format!("the line stands (RQI above .95) after {seen} updates, {said} by the fitted theory")
            }
            (Some(seen), None) => format!("the line stands (RQI above .95) after {seen} updates, which the fitted theory misses"),
            (None, _) => format!("no line stands after {} updates (RQI never above .95)", settings.steps),
        };
        let seen = percent(self.last_test());
        format!("{} known sums {from}: {closed} of the unseen ones follow, the toy gets {seen}; {when}", settings.pairs)
    }

    pub fn numbers(&self, settings: &Representation) -> Vec<Number> {
        let or_missing = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let expecting = |number: Number, expected: Option<f64>| match expected {
            Some(expected) => number.expected(expected),
            None => number,
        };
        let published = |value: f64| settings.is_published().then_some(value);
        let closed = self.split.closed(&self.structure);
        let (standing, nearest) = self.of_representation();
        let (fraction, band) = self.critical.fraction().unwrap_or((f64::NAN, (f64::NAN, f64::NAN)));
        let gap = self.sets.iter().map(|set| (set.stands - set.follows).abs()).fold(0.0, f64::max);
        let mut numbers = vec![
            Number::found("test_accuracy", "Held-out accuracy of the toy at the end", self.last_test()).expected(closed),
            Number::found("theory_accuracy", "Share of held-out sums that follow, D̄(D)", closed),
            Number::found("representation_accuracy", "Share of held-out sums that stand in the toy's embedding", standing)
                .expected(closed),
            Number::found("nearest_accuracy", "Held-out sums whose nearest known sum is theirs, in the toy's embedding", nearest),
            expecting(
                Number::found("rqi_time", "RQI of the toy above .95", or_missing(self.formed())).unit("updates"),
                published(800.0).or_else(|| self.formed_in_theory()),
            ),
            expecting(
                Number::found("train_time", "Training accuracy ≥ .9", or_missing(self.learned(|row| row.train_accuracy)))
                    .unit("updates"),
                published(1130.0),
            ),
            expecting(
                Number::found("test_time", "Held-out accuracy ≥ .9", or_missing(self.learned(|row| row.test_accuracy)))
                    .unit("updates"),
                published(1530.0),
            ),
            expecting(
                Number::found("critical_fraction", "Share of pairs at which P(n₀ = 2) is ½", fraction).band(band.0, band.1),
                (settings.tokens == 10).then_some(0.4),
            ),
            Number::found("nullity", "n₀, directions that cost nothing", self.structure.nullity() as f64),
            Number::found("parallelograms", "|P₀(D)|, known parallelograms", self.structure.parallelograms as f64),
            Number::found("third_eigenvalue", "λ₃ at Z₀ = 1", self.structure.third()),
            Number::found("structure_time", "n_h = 1/(λ₃η)", or_missing(self.structure_time())).unit("updates"),
            Number::found("rate_ratio", "Fitted η over the embedding's learning rate", self.rate / settings.representation_rate),
            Number::found("effective_loss", "ℓ_eff of the toy's embedding at the end", self.loss_at_end()),
            Number::found("rqi_misfit", "RQI, toy against fitted theory (root mean square)", self.distance),
            Number::found("closure_gap", "Largest gap between algebra and gradient descent, all data sets", gap).expected(0.0),
        ];
        if let Some(guided) = &self.guided {
            let complete = |thirds: &[(usize, f64)]| thirds.iter().find(|row| row.1 > 0.0).map(|row| row.0 as f64);
            numbers.push(Number::found(
                "guided_pairs",
                "Guided pairs from which only a line is left",
                or_missing(complete(guided)),
            ));
        }
        numbers.push(Number::found(
            "random_pairs",
            "Random pairs for the same, in half of all orders",
            fraction * f64::from(settings.all()),
        ));
        numbers
    }

    pub fn assumptions(&self, settings: &Representation) -> Vec<Assumption> {
        let squares: Vec<f64> = self.trace.embeddings.iter().map(|embedding| centred(embedding).norm_squared()).collect();
        let first = squares.first().copied().unwrap_or(f64::NAN);
        let factor = squares
            .iter()
            .map(|square| square / first)
            .max_by(|x, y| libm::log(*x).abs().total_cmp(&libm::log(*y).abs()))
            .unwrap_or(f64::NAN);
        let (standing, _) = self.of_representation();
        let last = self.last_test();
        let nullity = self.structure.nullity();
        let agreeing = self.sets.iter().filter(|set| (set.stands - set.follows).abs() < 1e-9).count();
        vec![
            Assumption {
                statement: "The embedding slides down ℓ_eff at one rate, whatever the decoder does".into(),
                holds: Some(self.distance <= CLOSE),
                evidence: format!(
                    "RQI of the toy and of the theory with one fitted rate differ by {:.3} (root mean square; up to {CLOSE} holds); the \
                     rate is {:.3} times the embedding's learning rate",
                    self.distance,
                    self.rate / settings.representation_rate
                ),
            },
            Assumption {
                statement: "The size Z₀ of the embedding stays".into(),
                holds: Some((0.5..=2.0).contains(&factor)),
                evidence: format!("In the toy the centred Z₀ reaches {factor:.2} times its first value (½ to 2 holds)"),
            },
            Assumption {
                statement: "The known sums leave only a line, n₀ = 2".into(),
                holds: Some(nullity == 2),
                evidence: format!(
                    "Exact rank of the {} equations: {}, so n₀ = {nullity}",
                    self.structure.parallelograms,
                    self.structure.span.rank()
                ),
            },
            Assumption {
                statement: "The decoder answers what the embedding allows".into(),
                holds: Some((last - standing).abs() <= 0.1 + 1e-6),
                evidence: format!(
                    "At the end {} of the held-out sums stand in the embedding and the toy gets {} (.1 apart holds)",
                    percent(standing),
                    percent(last)
                ),
            },
            Assumption {
                statement: "Descent on ℓ_eff makes the parallelograms that follow and no others".into(),
                holds: Some(agreeing == self.sets.len()),
                evidence: format!(
                    "Plain gradient descent agrees with the algebra on {agreeing} of {} random data sets; where it differs, \
                     another parallelogram came within RQI's threshold, or a slow one not yet",
                    self.sets.len()
                ),
            },
        ]
    }
}
