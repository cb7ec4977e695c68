//! Times of the jump over seeds: who has not jumped yet, at which rate the others do, and of which law.
//!
//! A phase that waits for a lucky fluctuation (nucleation) leaves at a constant rate: times are exponential. A climb of many small
//! steps that multiply has log-normal times, and a rate that rises from nothing. Networks that did not jump within the budget are
//! censored, not left out: without them every rate is too high and every median too early.

use super::super::{Drawing, Figure, Line, Role, Scaled};
use core::f64::consts::{PI, SQRT_2};

/// The time of one network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Time {
    /// Steps to the jump, or to the end of the budget.
    pub steps: f64,
    /// Whether it jumped.
    pub jumped: bool,
}

/// (time, share not jumped after it, cumulative hazard after it) at each time of a jump, ascending; by Kaplan and Meier, and by
/// Nelson and Aalen.
fn courses(times: &[Time]) -> Vec<(f64, f64, f64)> {
    let mut sorted = times.to_vec();
    sorted.sort_by(|a, b| a.steps.total_cmp(&b.steps));
    let (mut survival, mut hazard) = (1.0, 0.0);
    let mut found: Vec<(f64, f64, f64)> = Vec::new();
    let mut at = 0;
    while let Some(first) = sorted.get(at) {
        let same = sorted[at..].iter().take_while(|time| time.steps == first.steps);
        let (ties, jumps) = same.fold((0, 0), |(ties, jumps), time| (ties + 1, jumps + usize::from(time.jumped)));
        if jumps > 0 {
            let share = jumps as f64 / (sorted.len() - at) as f64;
            (survival, hazard) = (survival * (1.0 - share), hazard + share);
            found.push((first.steps, survival, hazard));
        }
        at += ties;
    }
    found
}

/// Laws of the time, fitted by maximum likelihood with censored times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Laws {
    /// Jumps.
    pub jumps: usize,
    /// Jumps per step of the law with a constant rate.
    pub rate: f64,
    /// Mean and standard deviation of log t of the log-normal law.
    pub log_normal: (f64, f64),
    /// AIC of the constant rate (one parameter) less that of the log-normal (two): above 0 the rate is not constant.
    pub delta_aic: f64,
}

/// Fits both laws; `None` for fewer than 3 jumps, or if all were at one step.
pub(super) fn laws(times: &[Time]) -> Option<Laws> {
    let jumped: Vec<f64> = times.iter().filter(|time| time.jumped).map(|time| time.steps).collect();
    if jumped.len() < 3 || jumped.iter().all(|time| *time == jumped[0]) || times.iter().any(|time| time.steps <= 0.0) {
        return None;
    }
    let jumps = jumped.len() as f64;
    let rate = jumps / times.iter().map(|time| time.steps).sum::<f64>();
    let constant = jumps * libm::log(rate) - jumps;
    let (mean, deviation) = log_normal(times);
    let density = |log: f64| {
        let z = (log - mean) / deviation;
        -0.5 * z * z - libm::log(deviation * libm::sqrt(2.0 * PI)) - log
    };
    let log_normal: f64 = times
        .iter()
        .map(|time| {
            let log = libm::log(time.steps);
            if time.jumped { density(log) } else { libm::log(beyond((log - mean) / deviation)) }
        })
        .sum();
    let delta_aic = 2.0 - 2.0 * constant - (4.0 - 2.0 * log_normal);
    Some(Laws { jumps: jumped.len(), rate, log_normal: (mean, deviation), delta_aic })
}

impl Laws {
    /// Share that has not jumped after `steps` > 0: log-normal law.
    pub fn log_normal_survival(&self, steps: f64) -> f64 {
        beyond((libm::log(steps) - self.log_normal.0) / self.log_normal.1)
    }
}

/// By expectation and maximisation: each censored log t counts with its mean and variance above its bound.
fn log_normal(times: &[Time]) -> (f64, f64) {
    let count = times.len() as f64;
    let logs: Vec<(f64, bool)> = times.iter().map(|time| (libm::log(time.steps), time.jumped)).collect();
    let mut mean = logs.iter().map(|log| log.0).sum::<f64>() / count;
    let mut deviation = libm::sqrt(logs.iter().map(|log| (log.0 - mean) * (log.0 - mean)).sum::<f64>() / count).max(1e-3);
    for _ in 0..2000 {
        let (mut first, mut second) = (0.0, 0.0);
        for (log, jumped) in &logs {
            if *jumped {
                first += log;
                second += log * log;
            } else {
                let z = (log - mean) / deviation;
                // Mean of a normal number above z.
                let above = libm::exp(-0.5 * z * z) / (libm::sqrt(2.0 * PI) * beyond(z));
                let expected = mean + deviation * above;
                first += expected;
                second += mean * mean + deviation * deviation + deviation * above * (log + mean);
            }
        }
        let next = (first / count, libm::sqrt((second / count - first * first / (count * count)).max(1e-12)));
        let moved = (next.0 - mean).abs() + (next.1 - deviation).abs();
        (mean, deviation) = next;
        if moved < 1e-9 {
            break;
        }
    }
    (mean, deviation)
}

/// Share of a standard normal above z.
fn beyond(z: f64) -> f64 {
    (0.5 * libm::erfc(z / SQRT_2)).max(f64::MIN_POSITIVE)
}

/// Waiting for generalisation, by name: shares still waiting over log-normal laws, and cumulative hazards over constant rates.
pub(super) fn waits(cells: &[(String, &[Time])]) -> Vec<Figure> {
    let (mut shares, mut hazards) = (Vec::new(), Vec::new());
    for (name, times) in cells {
        let last = times.iter().map(|time| time.steps).fold(0.0, f64::max);
        let (mut share, mut hazard) = (vec![(0.0, 1.0)], vec![(0.0, 0.0)]);
        let (mut waiting, mut risen) = (1.0, 0.0);
        for (steps, after, to) in courses(times) {
            share.extend([(steps, waiting), (steps, after)]);
            hazard.extend([(steps, risen), (steps, to)]);
            (waiting, risen) = (after, to);
        }
        share.push((last, waiting));
        hazard.push((last, risen));
        if let Some(laws) = laws(times) {
            let at = |i: u32| last * f64::from(i) / 60.0;
            shares.push(Line::new(name, Role::Predicted, (1..=60).map(|i| (at(i), laws.log_normal_survival(at(i)))).collect()));
            hazards.push(Line::new(name, Role::Predicted, vec![(0.0, 0.0), (last, laws.rate * last)]));
        }
        shares.push(Line::new(name, Role::Measured, share));
        hazards.push(Line::new(name, Role::Measured, hazard));
    }
    let figure = |name: &str, y: &str, caption: &str, lines: Vec<Line>| Figure {
        name: name.into(),
        caption: caption.into(),
        drawing: Drawing::Lines { x: Scaled::linear("updates after memorising"), y: Scaled::linear(y), lines, marks: Vec::new() },
    };
    vec![
        figure(
            "survival",
            "share of networks that has not generalised",
            "Waiting for generalisation (Kaplan–Meier), each size at the control at which about half of its networks made it, over \
             log-normal laws (dashed)",
            shares,
        ),
        figure(
            "hazard",
            "cumulative hazard",
            "The rate at which those still waiting generalise, added up (Nelson–Aalen): a straight line from the origin is a constant rate \
             (dashed), as if a lucky fluctuation were waited for",
            hazards,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn censored(times: impl Iterator<Item = f64>, budget: f64) -> Vec<Time> {
        times.map(|t| Time { steps: t.min(budget), jumped: t <= budget }).collect()
    }

    #[test]
    fn the_estimates_are_those_of_a_table_made_by_hand() {
        let time = |steps, jumped| Time { steps, jumped };
        // 6 at risk: 1 jumps; 5: censored; 4: 2 of 4 jump; 2: censored; 1: jumps.
        let times = [time(3.0, true), time(4.0, false), time(5.0, true), time(5.0, true), time(7.0, false), time(9.0, true)];
        let found = courses(&times);
        let expected = [(3.0, 5.0 / 6.0, 1.0 / 6.0), (5.0, 5.0 / 12.0, 2.0 / 3.0), (9.0, 0.0, 5.0 / 3.0)];
        for (row, known) in found.iter().zip(expected) {
            assert!(
                (row.0, (row.1 - known.1).abs() < 1e-12, (row.2 - known.2).abs() < 1e-12) == (known.0, true, true),
                "{found:?}"
            );
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn planted_laws_are_found_and_told_apart_though_a_third_is_censored() {
        let mut stream = Stream::new(2, Purpose::Planted, 0);
        let slow: Vec<f64> = (0..4000).map(|_| libm::exp(5.0 + 0.4 * stream.normal())).collect();
        let found = laws(&censored(slow.into_iter(), libm::exp(5.2))).unwrap();
        assert!((found.log_normal.0 - 5.0).abs() < 0.02 && (found.log_normal.1 - 0.4).abs() < 0.02, "{found:?}");
        assert!(found.delta_aic > 100.0 && (found.log_normal_survival(libm::exp(5.0)) - 0.5).abs() < 0.03);
        let waiting: Vec<f64> = (0..4000).map(|_| -100.0 * libm::log(1.0 - stream.uniform())).collect();
        let found = laws(&censored(waiting.into_iter(), 110.0)).unwrap();
        assert!((found.rate * 100.0 - 1.0).abs() < 0.06 && found.delta_aic < -10.0, "{found:?}");
    }

    #[test]
    fn too_few_jumps_have_no_law() {
        assert_eq!(laws(&censored([1.0, 2.0, 9.0, 9.0].into_iter(), 5.0)), None);
        assert_eq!(laws(&censored([2.0; 9].into_iter(), 5.0)), None);
    }
}
