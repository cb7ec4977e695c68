//! When will it generalise, told from the norm of the weights while the run is going (Truong et al.).
//!
//! ΔT ≈ log(‖θ_mem‖²/‖θ_post‖²)/γ_eff with γ_eff ≈ lr·wd: the law needs the norm after generalisation, which a running run does
//! not have yet. It is extrapolated: weights that the loss holds stay, all others lose the share lr·wd per step, so
//! ‖θ‖² = B + A·e^{−2·lr·wd·t}, and B is found by least squares with its standard error. A band comes from that error and from
//! the range of the fitted factor; before the norm says anything it is refused. Not chosen: the norm of an earlier run as
//! ‖θ_post‖, which presumes the answer.

use super::super::spread::fit;
use crate::record::{MetricRow, UserError};

/// Points after memorising from which a plateau can be told with an error.
const LEAST_POINTS: usize = 5;

/// Norm of all weights at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormPoint {
    /// Updates made.
    pub step: f64,
    /// L2 norm.
    pub norm: f64,
}

/// How fast weights decay that the loss does not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Least and largest factor κ in γ_eff = κ·lr·wd.
    pub factor: (f64, f64),
}

impl Decay {
    /// With the factors from 1, as the law was stated, to 2, where squared norms only decay.
    pub fn new(learning_rate: f64, weight_decay: f64) -> Self {
        Self { learning_rate, weight_decay, factor: (1.0, 2.0) }
    }

    /// lr·wd.
    fn per_step(&self) -> f64 {
        self.learning_rate * self.weight_decay
    }
}

/// Steps at which generalisation is predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// When the training rows were memorised.
    pub t_mem: f64,
    /// Earliest.
    pub early: f64,
    /// With the extrapolated plateau and the middle factor.
    pub middle: f64,
    /// Latest; ∞ where the plateau cannot be told from 0.
    pub late: f64,
    /// The extrapolated ‖θ_post‖.
    pub plateau: f64,
}

/// What became of a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Whether t_gen lay in it.
    pub is_inside: bool,
    /// Measured over predicted delay.
    pub ratio: f64,
}

/// The norms of a run, from its metric rows.
pub fn norm_history(rows: &[MetricRow]) -> Vec<NormPoint> {
    rows.iter().map(|row| NormPoint { step: f64::from(row.step), norm: f64::from(row.weight_norm) }).collect()
}

/// The band for t_gen that `history` (ascending in step) gives so far. Points before `t_mem` are left out.
///
/// # Errors
/// If weights do not decay, if there are fewer than 5 points after `t_mem`, or if the norm does not fall; what to wait for.
pub fn predicted_band(history: &[NormPoint], t_mem: f64, decay: &Decay) -> Result<Band, UserError> {
    let rate = decay.per_step();
    if rate <= 0.0 {
        return Err(UserError::new("Without weight decay the law predicts no time", "Use a weight decay above 0, e.g. 0.01"));
    }
    let after: Vec<NormPoint> = history.iter().copied().filter(|point| point.step >= t_mem && point.norm.is_finite()).collect();
    if after.len() < LEAST_POINTS {
        let missing = LEAST_POINTS - after.len();
        return Err(UserError::new(
            format!("{} norms since the training rows were memorised say nothing of a plateau", after.len()),
            format!("Wait for {missing} more evaluations"),
        ));
    }
    let points: Vec<(f64, f64)> =
        after.iter().map(|point| (libm::exp(-2.0 * rate * (point.step - t_mem)), point.norm * point.norm)).collect();
    let line = fit(&points);
    let (amplitude, plateau) = (line.slope, line.intercept);
    let at_start = amplitude + plateau;
    if !amplitude.is_finite() || amplitude <= 0.0 || at_start <= 0.0 {
        return Err(UserError::new("The norm of the weights does not fall since memorising", "Wait until it does"));
    }
    let error = 2.0 * intercept_error(&points, amplitude, plateau);
    let (least, most) = decay.factor;
    let step = |plateau: f64, factor: f64| {
        if plateau <= 0.0 {
            return f64::INFINITY;
        }
        // A plateau above the start would be no fall at all.
        t_mem + libm::log(at_start / plateau.min(at_start)) / (factor * rate)
    };
    Ok(Band {
        t_mem,
        early: step(plateau + error, most),
        middle: step(plateau, 0.5 * (least + most)),
        late: step(plateau - error, least),
        plateau: libm::sqrt(plateau.max(0.0)),
    })
}

/// Standard error of the intercept of the least-squares line.
fn intercept_error(points: &[(f64, f64)], slope: f64, intercept: f64) -> f64 {
    let count = points.len() as f64;
    let mean = points.iter().map(|p| p.0).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|p| (p.0 - mean) * (p.0 - mean)).sum();
    let residuals: f64 = points.iter().map(|p| libm::pow(p.1 - intercept - slope * p.0, 2.0)).sum();
    libm::sqrt(residuals / (count - 2.0) * (1.0 / count + mean * mean / spread))
}

/// The band, once `t_gen` is known.
pub fn score(band: &Band, t_gen: f64) -> Score {
    Score { is_inside: band.early <= t_gen && t_gen <= band.late, ratio: (t_gen - band.t_mem) / (band.middle - band.t_mem) }
}

/// The factor κ that fits `runs` best: `(log(‖θ_mem‖²/‖θ_post‖²)/(lr·wd), measured delay)` each, least squares through 0.
pub fn fitted_factor(runs: &[(f64, f64)]) -> f64 {
    let (squares, products) = runs.iter().fold((0.0, 0.0), |(xx, xy), (x, y)| (xx + x * x, xy + x * y));
    squares / products
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECAY: Decay = Decay { learning_rate: 0.1, weight_decay: 0.02, factor: (1.0, 2.0) };

    /// ‖θ‖² = 4 + 396·e^{−0.004(t − 50)} every 10 steps, with a relative error drawn by `error`.
    fn history(until: usize, error: impl Fn(usize) -> f64) -> Vec<NormPoint> {
        (0..until)
            .map(|i| {
                let step = 10.0 * i as f64;
                let square = 4.0 + 396.0 * f64::exp(-0.004 * (step - 50.0).max(0.0));
                NormPoint { step, norm: square.sqrt() * (1.0 + error(i)) }
            })
            .collect()
    }

    #[test]
    fn a_clean_decay_tells_its_plateau_from_five_points() {
        let band = predicted_band(&history(12, |_| 0.0), 50.0, &DECAY).unwrap();
        assert!((band.plateau - 2.0).abs() < 1e-5);
        // log 100 = 4.605: at κ = 2 after 1151 steps, at κ = 1 after 2303.
        assert!((band.early - 1201.3).abs() < 1.0 && (band.late - 2352.6).abs() < 1.0, "{band:?}");
        assert!(score(&band, 1500.0).is_inside && !score(&band, 1000.0).is_inside);
        assert!((score(&band, band.middle).ratio - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_noisy_band_is_wide_at_first_and_closes_round_the_truth() {
        let noise = |i: usize| 0.01 * f64::sin(12.9898 * i as f64);
        let narrow = Decay { factor: (2.0, 2.0), ..DECAY };
        let at = |until: usize| predicted_band(&history(until, noise), 50.0, &narrow).unwrap();
        let width = |band: &Band| band.late - band.early;
        assert!(width(&at(40)) > 2.0 * width(&at(160)), "{:?} {:?}", at(40), at(160));
        for until in [40, 80, 160] {
            assert!(score(&at(until), 1201.3).is_inside, "{until}: {:?}", at(until));
        }
    }

    #[test]
    fn nothing_is_predicted_without_decay_points_or_a_fall() {
        let refuse = |history: &[NormPoint], decay: &Decay| predicted_band(history, 50.0, decay).unwrap_err();
        let all = history(20, |_| 0.0);
        assert!(refuse(&all, &Decay { weight_decay: 0.0, ..DECAY }).remedy.contains("above 0"));
        assert!(refuse(&all[..8], &DECAY).remedy.contains("2 more"));
        let rising: Vec<NormPoint> = all.iter().map(|p| NormPoint { norm: 1.0 + p.step, ..*p }).collect();
        assert!(refuse(&rising, &DECAY).cause.contains("does not fall"));
    }

    #[test]
    fn the_fitted_factor_is_the_one_that_the_runs_were_made_with() {
        let runs = [(1000.0, 625.0), (3000.0, 1875.0)];
        assert!((fitted_factor(&runs) - 1.6).abs() < 1e-12);
    }

    #[test]
    fn a_run_brings_its_norms_in_its_rows() {
        let row = MetricRow {
            step: 30,
            train_loss: 0.0,
            test_loss: 0.0,
            train_accuracy: 0.0,
            test_accuracy: 0.0,
            weight_norm: 2.5,
            probe_accuracy: None,
        };
        assert_eq!(norm_history(&[row]), [NormPoint { step: 30.0, norm: 2.5 }]);
    }
}
