//! Times of runs of which some never arrived: curves, medians and tests that count both.
//!
//! A run that has not grokked when the budget is spent is censored: its time is unknown but longer. Leaving it out makes a bad
//! arm look fast and putting the budget in its place makes it look certain, so everything here is made for censored times. The
//! paired sign test is the main one, because arms share their seeds and nothing is assumed about the times. Rejected: a t test
//! (times are skewed and censored) and a proportional-hazards model (its assumption fails whenever the curves cross).

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// When one run of an arm met the criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The run's seed; runs of two arms with the same seed are a pair.
    pub seed: u64,
    /// Updates until the criterion was met; `None` if it was not within the budget.
    pub steps: Option<u32>,
    /// Seconds of the engine's time until then, if it was measured for this run; `None` leaves it to the arm's time per update.
    pub seconds: Option<f64>,
}

/// A time of which it is known whether it is the event itself or only a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation<T> {
    /// Time of the event, or how long it was waited for in vain.
    pub time: T,
    /// Whether the event happened at `time`.
    pub happened: bool,
}

impl Outcome {
    /// The outcome in updates, of a run of at most `budget`.
    pub fn observed(&self, budget: u32) -> Observation<u32> {
        Observation { time: self.steps.unwrap_or(budget), happened: self.steps.is_some() }
    }
}

/// A step of a Kaplan–Meier curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// When at least one event happened.
    pub time: u32,
    /// Runs still waited for just before `time`.
    pub at_risk: usize,
    /// Events at `time`.
    pub events: usize,
    /// Estimated share of runs that take longer than `time`.
    pub share: f64,
    /// Greenwood's variance of `share`.
    pub variance: f64,
}

/// The product-limit estimate of the share still waiting after t (Kaplan and Meier 1958), S(t) = Π (1 − d/n) over event times up
/// to t with d events among n at risk, and its variance S² Σ d / (n (n − d)) (Greenwood 1926). It is 1 before the first fall.
/// Where an event and a censoring share a time, the event came first.
pub fn kaplan_meier(observations: &[Observation<u32>]) -> Vec<Fall> {
    let mut sorted = observations.to_vec();
    sorted.sort_by_key(|o| o.time);
    let (mut share, mut sum) = (1.0, 0.0);
    let mut curve = Vec::new();
    let mut passed = 0;
    for group in sorted.chunk_by(|a, b| a.time == b.time) {
        let at_risk = sorted.len() - passed;
        passed += group.len();
        let events = group.iter().filter(|o| o.happened).count();
        if events == 0 {
            continue;
        }
        let (n, d) = (at_risk as f64, events as f64);
        share *= (n - d) / n;
        sum += d / (n * (n - d));
        // At share 0 the sum is infinite; the limit of the product is 0.
        let variance = if events == at_risk { 0.0 } else { share * share * sum };
        curve.push(Fall { time: group[0].time, at_risk, events, share, variance });
    }
    curve
}

/// Rounding of a product of up to 64 ratios.
const SLACK: f64 = 1e-9;

/// The time by which `part` of the runs have arrived: the smallest t with S(t) ≤ 1 − `part`. `None` if so many never did.
///
/// At ½ it is the censored median. With an even number of runs it is the lower of the two in the middle, so that it is always
/// a time that some run had.
pub fn quantile(curve: &[Fall], part: f64) -> Option<u32> {
    curve.iter().find(|fall| fall.share <= 1.0 - part + SLACK).map(|fall| fall.time)
}

/// The mean time of which no more than `horizon` is counted: the area under S from 0 to `horizon`.
pub fn restricted_mean(curve: &[Fall], horizon: u32) -> f64 {
    let (mut area, mut share, mut since) = (0.0, 1.0, 0);
    for fall in curve.iter().take_while(|fall| fall.time < horizon) {
        area += share * f64::from(fall.time - since);
        (share, since) = (fall.share, fall.time);
    }
    area + share * f64::from(horizon - since)
}

/// A confidence interval of a median; an end that the data do not bound is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MedianInterval {
    /// Lower end.
    pub low: Option<u32>,
    /// Upper end.
    pub high: Option<u32>,
}

/// A 95% confidence interval of the median that assumes nothing about the distribution (Brookmeyer and Crowley 1982): all t at
/// which a test of S(t) = ½ does not reject.
///
/// Where every censoring lies behind the last event, as in a race with one budget, that test is the sign test and is made
/// exactly: the interval runs from the k-th to the (n+1−k)-th time for the largest k with P(Bin(n, ½) < k) ≤ 2.5%, and fewer
/// than six runs bound nothing. Otherwise the test is (S(t) − ½)² ≤ 1.96² · Greenwood's variance. The exact form is not
/// replaced by the second because that covers the median in only 93% of races with eight seeds.
pub fn median_interval(observations: &[Observation<u32>]) -> MedianInterval {
    let curve = kaplan_meier(observations);
    let last = curve.last().map_or(0, |fall| fall.time);
    if observations.iter().all(|o| o.happened || o.time >= last) {
        return exact_interval(observations);
    }
    let first = |side: f64| curve.iter().find(|d| d.share + side * 1.96 * d.variance.sqrt() <= 0.5 + SLACK).map(|d| d.time);
    MedianInterval { low: first(-1.0), high: first(1.0) }
}

/// Order statistics of observations that are censored, if at all, behind the last event.
fn exact_interval(observations: &[Observation<u32>]) -> MedianInterval {
    let n = observations.len();
    let Some(rank) = (1..=n.div_ceil(2)).take_while(|k| lower_tail(n, k - 1) <= 0.025).last() else {
        return MedianInterval::default();
    };
    let mut times: Vec<u32> = observations.iter().filter(|o| o.happened).map(|o| o.time).collect();
    times.sort_unstable();
    MedianInterval { low: times.get(rank - 1).copied(), high: times.get(n - rank).copied() }
}

/// P(Bin(n, ½) ≤ k).
fn lower_tail(n: usize, k: usize) -> f64 {
    // From C(n, 0) on; binomials of at most a few hundred fit an f64, and 2⁻ⁿ is exact.
    let mut ways = 1.0;
    let mut sum = 0.0;
    for i in 0..=k.min(n) {
        sum += ways;
        ways = ways * (n - i) as f64 / (i + 1) as f64;
    }
    sum * 0.5f64.powi(n as i32)
}

/// An exact paired sign test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignTest {
    /// Pairs that the arm won: it was earlier.
    pub wins: u32,
    /// Pairs that it lost.
    pub losses: u32,
    /// Pairs without a known order; they do not count.
    pub ties: u32,
    /// Two-sided probability of a split at least as uneven between equals; 1 if nothing was decided.
    pub p: f64,
}

impl SignTest {
    /// Of these numbers of pairs: p = 2 · P(Bin(wins + losses, ½) ≤ min(wins, losses)), at most 1.
    pub fn new(wins: u32, losses: u32, ties: u32) -> Self {
        let p = (2.0 * lower_tail((wins + losses) as usize, wins.min(losses) as usize)).min(1.0);
        Self { wins, losses, ties, p }
    }

    /// All pairs.
    pub fn pairs(&self) -> u32 {
        self.wins + self.losses + self.ties
    }
}

/// The sign test of pairs (arm, control). An event beats everything that is known to come later: a later event, or a wait in
/// vain that lasted at least as long. Two waits in vain, and an event after the other's wait was given up, decide nothing.
pub fn sign_test<T: PartialOrd + Copy>(pairs: &[(Observation<T>, Observation<T>)]) -> SignTest {
    let beats = |a: &Observation<T>, b: &Observation<T>| match a.time.partial_cmp(&b.time) {
        Some(Ordering::Less) => a.happened,
        Some(Ordering::Equal) => a.happened && !b.happened,
        _ => false,
    };
    let (mut wins, mut losses) = (0, 0);
    for (arm, control) in pairs {
        wins += u32::from(beats(arm, control));
        losses += u32::from(beats(control, arm));
    }
    SignTest::new(wins, losses, pairs.len() as u32 - wins - losses)
}

/// A log-rank test of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRank {
    /// Events in the first group.
    pub observed: f64,
    /// Events expected there if the groups were alike.
    pub expected: f64,
    /// (observed − expected)² / variance.
    pub chi_squared: f64,
    /// Probability of at least that under a χ² of one degree of freedom.
    pub p: f64,
}

/// The log-rank test (Mantel 1966; equal weights): at each event time the events of the first group are compared with a
/// hypergeometric draw, mean d·n₁/n and variance d (n₁/n)(1 − n₁/n)(n − d)/(n − 1). It uses all times but not the pairing, and
/// its p is asymptotic: a second opinion beside the sign test. `None` if there is nothing to compare.
pub fn log_rank(first: &[Observation<u32>], second: &[Observation<u32>]) -> Option<LogRank> {
    let mut times: Vec<u32> = first.iter().chain(second).filter(|o| o.happened).map(|o| o.time).collect();
    times.sort_unstable();
    times.dedup();
    let (mut observed, mut expected, mut variance) = (0.0, 0.0, 0.0);
    for time in times {
        let waiting = |group: &[Observation<u32>]| group.iter().filter(|o| o.time >= time).count() as f64;
        let events = |group: &[Observation<u32>]| group.iter().filter(|o| o.happened && o.time == time).count() as f64;
        let (ours, n) = (waiting(first), waiting(first) + waiting(second));
        let d = events(first) + events(second);
        let part = ours / n;
        observed += events(first);
        expected += d * part;
        if n > 1.0 {
            variance += d * part * (1.0 - part) * (n - d) / (n - 1.0);
        }
    }
    if variance <= 0.0 {
        return None;
    }
    let chi_squared = (observed - expected) * (observed - expected) / variance;
    // Under a χ² of one degree of freedom P(X ≥ x) = erfc(√(x/2)).
    Some(LogRank { observed, expected, chi_squared, p: libm::erfc(libm::sqrt(chi_squared / 2.0)) })
}

/// Holm's (1979) adjustment of several p values, in their order: the chance that any of so many comparisons between equals
/// looks at least so good is at most this. Without it a race of twenty useless arms has a winner.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max((p[index] * (p.len() - rank) as f64).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests;
