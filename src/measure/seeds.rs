//! Numbers over seeds: is grokking a phase transition?
//!
//! One run shows a jump; whether the jump is a transition shows in how an order parameter m (test accuracy, participation ratio)
//! is distributed over seeds at one size. A mean would hide two peaks, which are the whole point.

use crate::experiment::randomness::{Purpose, Stream};

/// Binder cumulant U₄ = 1 − ⟨m⁴⟩ / (3⟨m²⟩²) over seeds: 0 for a Gaussian around 0, 2/3 for a single value ≠ 0, and negative
/// where two phases of unequal weight and one of them near 0 coexist. `None` if there is no value, or all are 0 or not finite.
pub fn binder_cumulant(order_parameter: &[f64]) -> Option<f64> {
    let moment = |power: i32| order_parameter.iter().map(|m| m.powi(power)).sum::<f64>() / order_parameter.len() as f64;
    let second = moment(2);
    let cumulant = 1.0 - moment(4) / (3.0 * second * second);
    cumulant.is_finite().then_some(cumulant)
}

/// Susceptibility χ = n·Var(m) over seeds, with the population variance; n is the size of the system, e.g. the rows of the task.
/// `None` for fewer than two values or one that is not finite.
pub fn susceptibility(size: f64, order_parameter: &[f64]) -> Option<f64> {
    let count = order_parameter.len() as f64;
    let mean = order_parameter.iter().sum::<f64>() / count;
    let variance = order_parameter.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / count;
    let susceptibility = size * variance;
    (order_parameter.len() > 1 && susceptibility.is_finite()).then_some(susceptibility)
}

/// Resamples of [`bootstrap_interval`].
const RESAMPLES: usize = 1000;

/// The 95% percentile interval of a statistic over seeds: 1,000 samples of the values with replacement (Efron 1979), always the
/// same ones. `None` for fewer than two values, or if the statistic is missing in more than a twentieth of the samples.
pub fn bootstrap_interval(values: &[f64], statistic: impl Fn(&[f64]) -> Option<f64>) -> Option<[f64; 2]> {
    if values.len() < 2 {
        return None;
    }
    let mut stream = Stream::new(0, Purpose::Measure, 0);
    let mut drawn = vec![0.0; values.len()];
    let mut found: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        drawn.iter_mut().for_each(|value| *value = values[stream.below(values.len() as u64) as usize]);
        found.extend(statistic(&drawn));
    }
    found.sort_by(f64::total_cmp);
    let at = |part: f64| found[libm::round(part * (found.len() - 1) as f64) as usize];
    (found.len() * 20 >= RESAMPLES * 19).then(|| [at(0.025), at(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cumulant_tells_a_gaussian_from_one_phase_and_from_two() {
        let mut stream = Stream::new(5, Purpose::Planted, 0);
        let gaussian: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        assert!(binder_cumulant(&gaussian).unwrap().abs() < 0.08);
        assert!((binder_cumulant(&[0.9; 7]).unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((binder_cumulant(&[1.0, -1.0]).unwrap() - 2.0 / 3.0).abs() < 1e-12);
        // Closed form for a share q of ones among zeros: 1 − 1/(3q).
        assert!((binder_cumulant(&[0.0, 0.0, 0.0, 0.0, 1.0]).unwrap() + 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((binder_cumulant(&[]), binder_cumulant(&[0.0; 3]), binder_cumulant(&[f64::NAN])), (None, None, None));
    }

    #[test]
    fn the_susceptibility_is_the_size_times_the_variance() {
        assert!((susceptibility(961.0, &[0.0, 1.0]).unwrap() - 961.0 / 4.0).abs() < 1e-12);
        assert_eq!((susceptibility(9.0, &[1.0]), susceptibility(9.0, &[1.0, f64::INFINITY])), (None, None));
    }

    #[test]
    fn the_bootstrap_of_a_mean_is_as_wide_as_theory_says_and_always_the_same() {
        let mut stream = Stream::new(7, Purpose::Planted, 0);
        let values: Vec<f64> = (0..100).map(|_| stream.normal()).collect();
        let mean = |values: &[f64]| Some(values.iter().sum::<f64>() / values.len() as f64);
        let [low, high] = bootstrap_interval(&values, mean).unwrap();
        // Closed form: 2 · 1.96 standard errors, each 1/√100.
        assert!(((high - low) / 0.392 - 1.0).abs() < 0.25 && low < mean(&values).unwrap() && mean(&values).unwrap() < high);
        assert_eq!(bootstrap_interval(&values, mean), Some([low, high]));
        assert_eq!((bootstrap_interval(&[1.0], mean), bootstrap_interval(&[1.0, 2.0], |_| None)), (None, None));
    }
}
