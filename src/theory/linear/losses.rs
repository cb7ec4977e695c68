//! Losses of a linear student on average over data, teacher and start, and when each passes a threshold.
//!
//! In the eigenbasis of XᵀX/N everything falls apart into one equation per eigenvalue ν. Gradient descent on
//! L + γ‖S‖² with labels T·x + σξ multiplies what is left of direction ν by 1 − 2η(ν + γ) per step, so with e = that power t (or
//! e^{−2η(ν+γ)t} in continuous time) and r = (1 − e)/(ν + γ)
//!
//! ```text
//! S − T = S₀·e − T·(1 − ν·r) + g·r,   E[g²] = σ²ν/N per direction,
//! v(ν) = ½e² + ½(1 − νr)² + λσ²ν·r²            (S₀ and T independent, of squared length ½ each; γ = σ = 0: v = e²)
//! L_gen = E[v],   L_train = E[ν·v] − 2λσ²·E[ν·r] + σ²,   Var L_gen → (2/d)·E[v²].
//! ```
//!
//! Levi et al. state the case γ = σ = 0. Not used: their small-ε asymptote of the delay, except to show how far off it is.

use super::marchenko_pastur::MarchenkoPastur;

/// Share of rows within the tolerance at the moment of crossing: erf(√2), where the loss is ε/4.
pub(crate) const CROSSING_ACCURACY: f64 = 0.954_499_736_103_641_6;

/// How the student descends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Descent {
    /// η of one step.
    pub learning_rate: f64,
    /// γ.
    pub weight_decay: f64,
    /// Whether time is continuous.
    pub is_flow: bool,
}

impl Descent {
    /// `(e, r)` of the eigenvalue after `step` steps.
    pub(crate) fn decay(&self, eigenvalue: f64, step: f64) -> (f64, f64) {
        let rate = 2.0 * self.learning_rate * (eigenvalue + self.weight_decay);
        let curvature = eigenvalue + self.weight_decay;
        if step <= 0.0 {
            return (1.0, 0.0);
        }
        if curvature <= 0.0 {
            return (1.0, 2.0 * self.learning_rate * step);
        }
        // Steps beyond 1/rate change sign at every step; the logarithm is of the size.
        let log = if self.is_flow { -rate } else { libm::log1p(-rate.min(2.0 - rate)) };
        let is_odd = libm::fmod(step, 2.0) >= 1.0;
        if !self.is_flow && rate > 1.0 && is_odd {
            let left = -libm::exp(step * log);
            return (left, (1.0 - left) / curvature);
        }
        (libm::exp(step * log), -libm::expm1(step * log) / curvature)
    }
}

/// What is predicted of a student.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prediction {
    law: MarchenkoPastur,
    ratio: f64,
    label_noise: f64,
    descent: Descent,
}

impl Prediction {
    /// For d/N = `ratio` and labels with noise of deviation `label_noise`.
    pub(crate) fn new(ratio: f64, label_noise: f64, descent: Descent) -> Self {
        Self { law: MarchenkoPastur::new(ratio), ratio, label_noise, descent }
    }

    /// The spectrum.
    pub(crate) fn law(&self) -> &MarchenkoPastur {
        &self.law
    }

    fn component(&self, eigenvalue: f64, step: f64) -> (f64, f64) {
        let (left, reached) = self.descent.decay(eigenvalue, step);
        // 1 − ν·r, without the difference that loses all digits late in training.
        let curvature = eigenvalue + self.descent.weight_decay;
        let missing = if curvature > 0.0 { (self.descent.weight_decay + eigenvalue * left) / curvature } else { 1.0 };
        let noise = self.ratio * self.label_noise * self.label_noise * eigenvalue * reached * reached;
        (0.5 * left * left + 0.5 * missing * missing + noise, reached)
    }

    /// E|x·(S − T)|² over fresh inputs after `step` steps; 1 at the start.
    pub(crate) fn test_loss(&self, step: f64) -> f64 {
        self.law.average(|v| self.component(v, step).0)
    }

    /// Mean squared error on the training rows with their noisy labels; 1 + σ² at the start.
    pub(crate) fn train_loss(&self, step: f64) -> f64 {
        let noise = self.label_noise * self.label_noise;
        noise
            + self.law.average(|v| {
                let (second, reached) = self.component(v, step);
                v * second - 2.0 * self.ratio * noise * v * reached
            })
    }

    /// Standard deviation of the test loss over teachers and starts in `dimension` dimensions, spectrum held fixed.
    pub(crate) fn test_loss_deviation(&self, step: f64, dimension: usize) -> f64 {
        libm::sqrt(2.0 / dimension as f64 * self.law.average(|v| libm::pow(self.component(v, step).0, 2.0)))
    }

    /// First step at which the training loss is at most `level`, or `None`.
    pub(crate) fn train_crossing(&self, level: f64) -> Option<f64> {
        self.crossing(|step| self.train_loss(step), level)
    }

    /// First step at which the test loss is at most `level`, or `None`.
    pub(crate) fn test_crossing(&self, level: f64) -> Option<f64> {
        self.crossing(|step| self.test_loss(step), level)
    }

    /// A search over times that grow by a quarter, then bisection: losses may rise again where labels are noisy.
    fn crossing(&self, loss: impl Fn(f64) -> f64, level: f64) -> Option<f64> {
        let slowest = self.law.lower_edge() + self.descent.weight_decay;
        let horizon = (400.0 / slowest).min(1e10) / self.descent.learning_rate;
        let mut before = 0.0;
        let mut after = 0.5;
        while loss(after) > level {
            if after > horizon {
                return None;
            }
            (before, after) = (after, after * 1.25);
        }
        for _ in 0..36 {
            let middle = 0.5 * (before + after);
            *(if loss(middle) > level { &mut before } else { &mut after }) = middle;
        }
        Some(after)
    }
}

/// Share of rows with a squared error of at most `tolerance`, if errors are normal with mean square `loss`.
pub(crate) fn accuracy(loss: f64, tolerance: f64) -> f64 {
    if loss <= 0.0 { 1.0 } else { libm::erf(libm::sqrt(tolerance / (2.0 * loss))) }
}

/// The delay as ε → 0: ln(1/(1 − √λ))/(2η(1 − √λ)²) steps.
pub(crate) fn asymptotic_delay(ratio: f64, learning_rate: f64) -> f64 {
    let gap = 1.0 - libm::sqrt(ratio);
    -libm::log(gap) / (2.0 * learning_rate * gap * gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Descent = Descent { learning_rate: 0.01, weight_decay: 0.0, is_flow: true };

    #[test]
    fn both_losses_begin_at_one_and_the_rate_of_the_training_loss_is_that_of_the_moments() {
        let prediction = Prediction::new(0.4, 0.0, FLOW);
        assert!((prediction.test_loss(0.0) - 1.0).abs() < 1e-12 && (prediction.train_loss(0.0) - 1.0).abs() < 1e-12);
        // d/dt E[ν e^{−4ηνt}] = −4η(1 + λ) at 0.
        let slope = (prediction.train_loss(1e-4) - prediction.train_loss(0.0)) / 1e-4;
        assert!((slope + 0.04 * 1.4).abs() < 1e-6, "{slope}");
        // The training loss is −1/4η times the slope of the test loss at any time.
        let slope = (prediction.test_loss(100.5) - prediction.test_loss(99.5)) / -0.04;
        assert!((slope / prediction.train_loss(100.0) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn the_crossing_is_at_a_quarter_of_the_tolerance_where_two_deviations_fit() {
        assert!((accuracy(0.0025, 0.01) - CROSSING_ACCURACY).abs() < 1e-15);
        let prediction = Prediction::new(0.5, 0.0, FLOW);
        let step = prediction.test_crossing(0.0025).unwrap();
        assert!((accuracy(prediction.test_loss(step), 0.01) - CROSSING_ACCURACY).abs() < 1e-9);
        // An independent even rule over θ with 4,000 nodes.
        assert!((step - 678.0).abs() < 1.0, "{step}");
        assert!((prediction.train_crossing(0.0025).unwrap() - 359.0).abs() < 1.0);
    }

    #[test]
    fn the_delay_reaches_its_asymptote_only_as_the_tolerance_goes_to_zero() {
        let prediction = Prediction::new(0.3, 0.0, FLOW);
        let delay = |level: f64| prediction.test_crossing(level).unwrap() - prediction.train_crossing(level).unwrap();
        let asymptote = asymptotic_delay(0.3, 0.01);
        let short = |level: f64| 1.0 - delay(level) / asymptote;
        assert!(short(0.0025) > 0.4, "{}", short(0.0025));
        assert!(short(1e-60) < 0.02 && short(1e-60) > 0.0, "{}", short(1e-60));
    }

    #[test]
    fn more_dimensions_than_rows_leave_a_floor_under_the_test_loss() {
        let prediction = Prediction::new(2.0, 0.0, FLOW);
        assert!((prediction.test_loss(1e7) - 0.5).abs() < 1e-9);
        assert_eq!(prediction.test_crossing(0.49), None);
        assert!(prediction.train_crossing(1e-6).is_some());
    }

    #[test]
    fn label_noise_ends_at_the_closed_forms_of_least_squares() {
        let (ratio, noise) = (0.5, 0.3);
        let prediction = Prediction::new(ratio, noise, FLOW);
        let variance = noise * noise;
        assert!((prediction.train_loss(0.0) - 1.0 - variance).abs() < 1e-12);
        assert!((prediction.test_loss(1e6) / (variance * ratio / (1.0 - ratio)) - 1.0).abs() < 1e-9);
        assert!((prediction.train_loss(1e6) / (variance * (1.0 - ratio)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn weight_decay_ends_at_the_bias_and_variance_of_ridge_regression() {
        // By m(−γ) = E[1/(ν+γ)], the closed form of the Stieltjes transform: bias ½γ²·E[(ν+γ)^{−2}] = −½γ²·m′.
        let (ratio, decay) = (0.5, 0.2);
        let stieltjes = |z: f64| {
            let b = 1.0 - ratio + z;
            (libm::sqrt(b * b + 4.0 * ratio * z) - b) / (2.0 * ratio * z)
        };
        let bias = -0.5 * decay * decay * (stieltjes(decay + 1e-5) - stieltjes(decay - 1e-5)) / 2e-5;
        let prediction = Prediction::new(ratio, 0.0, Descent { weight_decay: decay, ..FLOW });
        assert!((prediction.test_loss(1e6) / bias - 1.0).abs() < 1e-6, "{} {bias}", prediction.test_loss(1e6));
    }

    #[test]
    fn steps_that_change_sign_are_the_powers_that_they_are() {
        let descent = Descent { learning_rate: 0.35, weight_decay: 0.1, is_flow: false };
        for eigenvalue in [0.0, 0.3, 2.2f64] {
            let factor: f64 = 1.0 - 0.7 * (eigenvalue + 0.1);
            for step in [0, 1, 2, 7] {
                let (left, reached) = descent.decay(eigenvalue, f64::from(step));
                assert!((left - factor.powi(step)).abs() < 1e-14, "{eigenvalue} {step}");
                assert!((reached - (1.0 - factor.powi(step)) / (eigenvalue + 0.1)).abs() < 1e-13);
            }
        }
        assert_eq!(Descent { weight_decay: 0.0, ..descent }.decay(0.0, 10.0), (1.0, 7.0));
    }
}
