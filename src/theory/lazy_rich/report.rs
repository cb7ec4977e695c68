//! From trained networks and the closed forms to numbers, assumptions and a headline.

use super::super::spread::{band, mean, median, quantile};
use super::super::{Assumption, Number, Outcome};
use super::figures;
use super::kernel::{ANSWERS, Moments};
use super::settings::LazyRich;
use super::spectrum::spectrum;
use super::trial::Trial;
use crate::record::UserError;
use nalgebra::DVector;

/// Networks from which on something is claimed of all of them.
pub(super) const ENOUGH: usize = 3;

/// Least time to learn training rows, over that of the twin, at which a network starts lazily; its inverse is the most.
pub(super) const LAZY_PACE: f64 = 2.0 / 3.0;

/// Share from which on something is called so of networks or cells.
pub(super) const MOST: f64 = 0.8;

/// Everything that was found.
pub(super) struct Findings<'a> {
    pub settings: &'a LazyRich,
    pub trials: Vec<Trial>,
    /// The twin's test loss in the end over rows, one value per network.
    pub ends: Vec<(f64, Vec<f64>)>,
    /// Eigenvalues of the first network's kernel at its start, descending.
    pub spectrum: Vec<f64>,
    /// Moments of an infinitely wide network that has understood, and its teacher.
    pub understood: (Moments, DVector<f64>),
}

/// The panel's answer.
///
/// # Errors
/// If the settings cannot be computed, see [`LazyRich::trials`].
pub(super) fn outcome(settings: &LazyRich) -> Result<Outcome, UserError> {
    let trials = settings.trials()?;
    let spectrum = trials.first().map_or_else(Vec::new, |trial| spectrum(&trial.start, settings.epsilon));
    let teacher = DVector::from_element(settings.dimension as usize, 1.0);
    let understood = (Moments::understood(&teacher, settings.alpha, settings.epsilon), teacher);
    let findings = Findings { settings, ends: settings.lazy_ends(), trials, spectrum, understood };
    Ok(Outcome {
        headline: findings.headline(),
        figures: figures::all(&findings),
        numbers: findings.numbers(),
        assumptions: findings.assumptions(),
    })
}

/// A number over networks, with its band if there are enough of them.
fn over(name: &str, label: &str, values: &[f64]) -> Number {
    let number = Number::found(name, label, median(values));
    let (low, high) = band(values);
    if values.len() >= ENOUGH && low.is_finite() && high.is_finite() { number.band(low, high) } else { number }
}

/// A time over networks. No end of a band is drawn at a time that never comes.
fn timed(name: &str, label: &str, values: &[f64]) -> Number {
    let number = Number::found(name, label, median(values)).unit("steps");
    let (low, high) = (quantile(values, 0.1), quantile(values, 0.9));
    if values.len() >= ENOUGH && high.is_finite() { number.band(low, high) } else { number }
}

impl Findings<'_> {
    fn all(&self, of: impl Fn(&Trial) -> f64) -> Vec<f64> {
        self.trials.iter().map(of).collect()
    }

    fn at_end(&self, of: impl Fn(&super::trial::Moment) -> f64) -> Vec<f64> {
        self.trials.iter().filter_map(|trial| trial.end().map(&of)).collect()
    }

    /// t_test/t_train of each network; ∞ if fresh rows are never learned, NaN left out: not even training rows.
    fn ratios(&self) -> Vec<f64> {
        let ratio = |trial: &Trial| trial.times.test / trial.times.train.max(1.0);
        self.all(ratio).into_iter().filter(|ratio| !ratio.is_nan()).collect()
    }

    /// What the twin ends at by the learning curve.
    pub fn lazy_end(&self) -> f64 {
        self.settings.start().lazy_end(f64::from(self.settings.rows)) / ANSWERS
    }

    /// The fewest rows with which a lazy network learns.
    pub fn lazy_rows(&self) -> f64 {
        self.settings.start().lazy_rows(self.settings.level())
    }

    fn headline(&self) -> String {
        let (train, test) = (median(&self.all(|t| t.times.train)), median(&self.all(|t| t.times.test)));
        let twin = mean(&self.all(|trial| trial.twin_end));
        let stays =
            format!("its lazy twin ends at {twin:.2} of the answers' mean square, {:.2} by the closed form", self.lazy_end());
        match (train.is_finite(), test.is_finite()) {
            (true, true) => format!(
                "Training rows are learned at step {train:.0}, fresh rows at {test:.0}, {:.1} times as late; {stays}",
                test / train.max(1.0)
            ),
            (true, false) => {
                format!("Training rows are learned at step {train:.0} and fresh rows not within {}; {stays}", self.settings.steps)
            }
            _ => format!("Training rows are not learned within {} updates; {stays}", self.settings.steps),
        }
    }

    fn numbers(&self) -> Vec<Number> {
        let LazyRich { alpha, epsilon, dimension, .. } = *self.settings;
        let (d, wide) = (f64::from(dimension), Moments::infinite(dimension as usize));
        let (understood, teacher) = &self.understood;
        let twin_train = median(&self.all(|trial| trial.twin_train));
        let trained = timed("t_train", "Training rows learned, and by the twin", &self.all(|trial| trial.times.train));
        let ratio = Number { unit: String::new(), ..timed("delay_ratio", "Fresh over training rows, in time", &self.ratios()) };
        let mut numbers = vec![
            ratio,
            if twin_train.is_finite() { trained.expected(twin_train) } else { trained },
            timed("t_test", "Fresh rows learned", &self.all(|trial| trial.times.test)),
            // The learning curve is a mean.
            Number {
                value: mean(&self.all(|trial| trial.twin_end)),
                ..over("twin_end", "Twin's test loss in the end (mean)", &self.all(|trial| trial.twin_end))
            }
            .expected(self.lazy_end()),
            over("test_end", "Network's test loss at the end", &self.at_end(|moment| moment.test.total())),
            Number::found("lazy_rows", "Rows that a lazy network needs", self.lazy_rows()),
            over("along", "Second moment of the weights along β at the end", &self.all(|trial| trial.along))
                .expected(1.0 + d / (alpha * epsilon)),
            over("distance", "Kernel's distance from its start at the end", &self.at_end(|moment| moment.distance))
                .expected(understood.distance(epsilon, &wide)),
            over("distance_mem", "The same when training rows are learned", &self.all(|trial| trial.distance_mem)),
            over("similarity", "Kernel's alignment with its start at the end", &self.at_end(|moment| moment.similarity))
                .expected(understood.similarity(epsilon, &wide)),
            over(
                "alignment_start",
                "Kernel's alignment with the answers at the start",
                &self.trials.iter().filter_map(|trial| Some(trial.moments.first()?.alignment)).collect::<Vec<f64>>(),
            )
            .expected(wide.alignment(epsilon, teacher)),
            over("alignment", "Kernel's alignment with the answers at the end", &self.at_end(|moment| moment.alignment))
                .expected(understood.alignment(epsilon, teacher)),
        ];
        let names = [
            ("lambda_linear", "λ of linear functions"),
            ("lambda_length", "λ of |x|²"),
            ("lambda_quadratic", "λ of the other quadratic functions"),
        ];
        for ((name, label), (level, found)) in names.into_iter().zip(self.groups()) {
            let (low, high) = band(&found);
            let number = Number::found(name, format!("{label}, first network"), median(&found)).expected(level);
            numbers.push(if found.len() >= ENOUGH { number.band(low, high) } else { number });
        }
        numbers
    }

    /// The first network's eigenvalues by the level of infinite width to which their rank belongs: `(level, eigenvalues)`, linear
    /// functions, |x|², other quadratic ones.
    pub fn groups(&self) -> Vec<(f64, Vec<f64>)> {
        let levels = self.settings.start().levels();
        let group = |own: &super::kernel::Level| {
            let above: f64 = levels.iter().filter(|level| level.eigenvalue > own.eigenvalue).map(|level| level.count).sum();
            let found = self.spectrum.iter().skip(above as usize).take(own.count as usize).copied().collect();
            (own.eigenvalue, found)
        };
        levels.iter().map(group).collect()
    }

    fn assumptions(&self) -> Vec<Assumption> {
        let LazyRich { rows, dimension, threshold, steps, .. } = *self.settings;
        let (few, count) = (self.trials.len() < ENOUGH, self.trials.len());
        let claim = |holds: bool| if few { None } else { Some(holds) };
        let asked = if few { format!("; {ENOUGH} networks are needed to claim it") } else { String::new() };
        let paces: Vec<f64> =
            self.all(|trial| trial.times.train / trial.twin_train).into_iter().filter(|p| p.is_finite()).collect();
        let (pace, moved) = (median(&paces), median(&self.all(|trial| trial.distance_mem)));
        let learned = self.trials.iter().filter(|trial| trial.times.test.is_finite()).count();
        let is_alone = |trial: &&Trial| trial.has_twin_learned(threshold);
        let (alone, ever) =
            (self.trials.iter().filter(is_alone).count(), self.trials.iter().filter(|t| t.twin_end <= threshold).count());
        let by_features = self.trials.iter().filter(|trial| trial.times.test.is_finite() && !is_alone(trial)).count();
        let quadratic = self.groups().pop().unwrap_or((f64::NAN, Vec::new()));
        let (low, high) = band(&quadratic.1);
        let lazy_rows = self.lazy_rows();
        vec![
            Assumption {
                statement: "There are enough rows for a rich network and too few for a lazy one: D ≪ P ≪ D²".into(),
                holds: Some(rows > dimension && f64::from(rows) < lazy_rows),
                evidence: format!(
                    "D = {dimension}, P = {rows}; a lazy network needs {lazy_rows:.0} rows by the closed form for a loss of {threshold} (between D and that holds)"
                ),
            },
            Assumption {
                statement: "Training starts lazily".into(),
                holds: if pace.is_nan() { None } else { claim((LAZY_PACE..=1.0 / LAZY_PACE).contains(&pace)) },
                evidence: format!(
                    "Network over twin in the time until training rows are learned: {pace:.2} (⅔ to 1½ holds), the kernel by then \
                     {moved:.3} from its start{asked}"
                ),
            },
            Assumption {
                statement: "Features, not patience, bring the test loss down".into(),
                holds: claim(by_features as f64 >= MOST * count as f64),
                evidence: format!(
                    "Within {steps} updates {learned} of {count} networks learn fresh rows and {alone} of their twins; {ever} of the twins \
                     ever would (80% by features alone holds){asked}"
                ),
            },
            Assumption {
                statement: "The network is so wide that its kernel is that of infinite width".into(),
                holds: Some(low > 0.5 * quadratic.0 && high < 2.0 * quadratic.0),
                evidence: format!(
                    "Eigenvalues of quadratic functions in the first network: 10% to 90% are {:.2} to {:.2} times 2ε²/D² (½ to 2 holds)",
                    low / quadratic.0,
                    high / quadratic.0
                ),
            },
        ]
    }
}
