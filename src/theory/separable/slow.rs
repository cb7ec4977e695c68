//! Ten million steps in a moment: the discrete recursion as a smooth curve.
//!
//! Late in training a step moves margins by O(1/t), so the steps are the values at whole t of a smooth curve w(t). The curve is not
//! gradient flow (that differs by O(log t/t) and would be seen in ρ) but the flow of the *modified equation* (Hairer, Lubich and Wanner,
//! Geometric Numerical Integration, chapter IX), here to third order, integrated in s = log t by Dormand and Prince's pair with
//! error control. With φ = −η∇L/(1 − μ) and c = (1 + μ)/(1 − μ), a curve with w(t+1) − w(t) − μ(w(t) − w(t−1)) = −η∇L(w(t)) has
//! ẇ = φ − (c/2) φ′φ + (c²/4 − 1/6) φ″(φ, φ) + (c²/2 − 1/6) φ′φ′φ + …; μ = 0 is plain descent. What is left out is
//! O((c‖φ′‖)³) of ẇ per step, which is why [`Slow::is_slow`] asks that c‖φ′‖ be small. Not chosen: fewer, larger steps of
//! the optimiser, which are steps of another optimiser.

use super::loss::Loss;
use super::rows::{Rows, add, dot};

/// c‖φ′‖ below which the curve stands for the steps: the rest, (2·10⁻³)³/3, is 3·10⁻⁹.
const SLOW: f64 = 2e-3;

/// Error per step of the integrator in a weight, absolute.
const TOLERANCE: f64 = 1e-12;

/// Most steps of the integrator; 10⁷ steps of the pair of points take 200.
const MOST_STEPS: usize = 1_000_000;

/// The curve through the steps of descent with momentum.
pub(super) struct Slow<'a> {
    rows: &'a Rows,
    loss: Loss,
    /// η/(1 − μ).
    rate: f64,
    momentum: f64,
}

impl<'a> Slow<'a> {
    pub(super) fn new(rows: &'a Rows, loss: Loss, rate: f64, momentum: f64) -> Self {
        Self { rows, loss, rate: rate / (1.0 - momentum), momentum }
    }

    fn spread(&self) -> f64 {
        (1.0 + self.momentum) / (1.0 - self.momentum)
    }

    /// Whether the curve stands for the steps from step `step` at `w` on: c·tr(−φ′) < 2·10⁻³, and the start's velocity is
    /// forgotten (μᵗ < e⁻⁴⁰).
    pub(super) fn is_slow(&self, w: &[f64], step: u64) -> bool {
        let trace: f64 = self.rows.iter().map(|z| self.loss.curvature(dot(z, w)) * dot(z, z)).sum();
        self.spread() * self.rate * trace < SLOW && step as f64 >= (40.0 / (1.0 - self.momentum)).max(100.0)
    }

    /// ẇ per step.
    fn velocity(&self, w: &[f64]) -> Vec<f64> {
        let margins = self.rows.margins(w);
        let weighted = |weight: &dyn Fn(usize, &[f64]) -> f64| {
            let mut sum = vec![0.0; w.len()];
            for (at, z) in self.rows.iter().enumerate() {
                add(&mut sum, self.rate * weight(at, z), z);
            }
            sum
        };
        let bends: Vec<f64> = margins.iter().map(|u| self.loss.curvature(*u)).collect();
        let first = weighted(&|at, _| self.loss.pull(margins[at]));
        let second = weighted(&|at, z| -bends[at] * dot(z, &first));
        let third = weighted(&|at, z| -bends[at] * dot(z, &second));
        let twice = weighted(&|at, z| -self.loss.third(margins[at]) * dot(z, &first) * dot(z, &first));
        let c = self.spread();
        let mut sum = first;
        add(&mut sum, -0.5 * c, &second);
        add(&mut sum, c * c / 4.0 - 1.0 / 6.0, &twice);
        add(&mut sum, c * c / 2.0 - 1.0 / 6.0, &third);
        sum
    }

    /// Takes `w` from step `from` to step `to`. `None` if the integrator does not get there.
    pub(super) fn advance(&self, w: &mut Vec<f64>, from: f64, to: f64) -> Option<()> {
        let end = libm::log(to);
        let mut s = libm::log(from);
        let mut stride = (end - s).min(1e-2);
        // dw/ds = t ẇ.
        let slope = |s: f64, w: &[f64]| -> Vec<f64> {
            let t = libm::exp(s);
            self.velocity(w).into_iter().map(|v| t * v).collect()
        };
        for _ in 0..MOST_STEPS {
            if end - s <= 1e-14 * end.abs() {
                return Some(());
            }
            stride = stride.min(end - s);
            let (next, error) = dormand_prince(&slope, s, w, stride);
            let ratio = error / TOLERANCE;
            if ratio <= 1.0 {
                *w = next;
                s += stride;
            }
            // A fifth-order error goes with the sixth power of the stride; not finite: a tenth of it.
            let factor = if ratio.is_finite() { 0.9 * libm::pow(ratio.max(1e-10), -0.2) } else { 0.1 };
            stride *= factor.clamp(0.1, 4.0);
        }
        None
    }
}

/// One step of size `h` and the largest estimated error of a component (Dormand and Prince 1980).
fn dormand_prince(slope: &dyn Fn(f64, &[f64]) -> Vec<f64>, s: f64, w: &[f64], h: f64) -> (Vec<f64>, f64) {
    const NODES: [f64; 7] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
    const STAGES: [&[f64]; 7] = [
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ];
    const ERRORS: [f64; 7] =
        [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];
    let mut slopes: Vec<Vec<f64>> = Vec::with_capacity(7);
    let mut at = w.to_vec();
    for (node, stage) in NODES.iter().zip(STAGES) {
        at.copy_from_slice(w);
        for (k, a) in slopes.iter().zip(stage) {
            add(&mut at, h * a, k);
        }
        slopes.push(slope(s + node * h, &at));
    }
    let error = (0..w.len()).map(|j| (h * slopes.iter().zip(ERRORS).map(|(k, e)| e * k[j]).sum::<f64>()).abs());
    // f64::max would drop a NaN.
    let worst = error.fold(0.0, |worst: f64, e| if e.is_nan() || worst.is_nan() { f64::NAN } else { worst.max(e) });
    (at, worst)
}

#[cfg(test)]
mod tests {
    use super::super::descent::{Descent, Rule};
    use super::*;

    /// The largest difference between curve and plain steps at some later steps, from where the curve takes over.
    fn drift(rows: &Rows, loss: Loss, rate: f64, momentum: f64, steps: &[u64]) -> f64 {
        let rule = if momentum > 0.0 { Rule::Momentum(momentum) } else { Rule::Gradient };
        let mut descent = Descent::new(rows, loss, rule, rate, &[0.0, 0.0]);
        let slow = Slow::new(rows, loss, rate, momentum);
        let mut step = 0;
        while !slow.is_slow(descent.weights(), step) {
            descent.step();
            step += 1;
        }
        let (mut w, mut at) = (descent.weights().to_vec(), step as f64);
        let mut worst = 0.0f64;
        for &to in steps {
            assert!(to > step);
            slow.advance(&mut w, at, to as f64).unwrap();
            at = to as f64;
            while step < to {
                descent.step();
                step += 1;
            }
            worst = w.iter().zip(descent.weights()).map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
        }
        worst
    }

    #[test]
    fn the_curve_agrees_with_plain_steps_of_descent() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5, 1.0, 3.0]);
        for loss in [Loss::Logistic, Loss::Exponential] {
            let worst = drift(&rows, loss, 0.25, 0.0, &[3_000, 20_000, 100_000]);
            assert!(worst < 1e-9, "{loss:?}: {worst:e}");
        }
    }

    #[test]
    fn the_curve_agrees_with_plain_steps_of_momentum() {
        let rows = Rows::new(2, vec![0.0, 2.0, 1.5, 0.5]);
        for loss in [Loss::Logistic, Loss::Exponential] {
            let worst = drift(&rows, loss, 0.1, 0.9, &[40_000, 100_000]);
            assert!(worst < 1e-8, "{loss:?}: {worst:e}");
        }
    }

    #[test]
    fn every_order_of_the_modified_equation_is_there() {
        // One row of length 1 and the exponential loss: halving the step size at one t·η must shrink the defect of one step,
        // w(t+1) − w(t) − μ(w(t) − w(t−1)) + η L′(w(t)), as η⁴.
        let rows = Rows::new(1, vec![1.0]);
        let defect = |rate: f64, momentum: f64| {
            let slow = Slow::new(&rows, Loss::Exponential, rate, momentum);
            let at = |t: f64| {
                let mut w = vec![0.3];
                slow.advance(&mut w, 1000.0, 1000.0 + t).unwrap();
                w[0]
            };
            (at(2.0) - at(1.0) - momentum * (at(1.0) - at(0.0)) - rate * libm::exp(-at(1.0))).abs()
        };
        for (momentum, rate) in [(0.0, 0.08), (0.5, 0.02)] {
            let order = libm::log2(defect(rate, momentum) / defect(rate / 2.0, momentum));
            assert!((3.7..4.4).contains(&order), "{momentum}: {order}");
        }
    }
}
