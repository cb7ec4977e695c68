//! Losses whose learning coefficient is known in closed form, each with its minimum 0 at the origin.
//!
//! A learning coefficient measured on a network cannot be checked, because nobody knows the true one. So every way of measuring it
//! is tried here first, where it is known, on losses that vanish on whole surfaces as those of networks do. All of them are
//! quadratic once some of their weights are held, which is what [`super::volume`] needs to be exact. A true map other than 0 was
//! left out: it only adds directions in which the model is regular.

/// A loss K(w) ≥ 0 in nats per row, with K(0) = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// ½‖AB‖², A `[outputs, hidden]`, B `[hidden, 2]`: two linear layers whose true map is 0, on two white inputs.
    Layers {
        /// Rows of A.
        outputs: u32,
        /// Columns of A and rows of B; 1 or 2.
        hidden: u32,
    },
    /// ½ w₁^2k w₂².
    Monomial {
        /// k.
        power: u32,
    },
    /// ½ (b·tanh a)²: one neuron on the inputs ±1 that should answer nothing.
    Neuron,
    /// ½‖w‖²: a regular model.
    Bowl {
        /// Number of weights.
        weights: u32,
    },
}

/// Columns of B.
pub(super) const INPUTS: u32 = 2;

/// λ, and its multiplicity m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coefficient {
    /// The learning coefficient: the volume of losses below ε goes as ε^λ (log 1/ε)^(m−1).
    pub lambda: f64,
    /// m.
    pub multiplicity: u32,
}

impl System {
    /// Number of weights.
    pub(super) fn weights(self) -> usize {
        match self {
            Self::Layers { outputs, hidden } => (hidden * (outputs + INPUTS)) as usize,
            Self::Monomial { .. } | Self::Neuron => 2,
            Self::Bowl { weights } => weights as usize,
        }
    }

    /// The closed form. For a product of powers λ is the least 1/2k and m the number of weights that have it (Watanabe 2009).
    pub(super) fn coefficient(self) -> Coefficient {
        match self {
            Self::Layers { outputs, hidden } => reduced_rank(INPUTS.into(), outputs.into(), hidden.into()),
            Self::Monomial { power } => {
                Coefficient { lambda: 0.5 / f64::from(power), multiplicity: if power == 1 { 2 } else { 1 } }
            }
            // Near the origin it is the monomial with k = 1.
            Self::Neuron => Coefficient { lambda: 0.5, multiplicity: 2 },
            Self::Bowl { weights } => Coefficient { lambda: 0.5 * f64::from(weights), multiplicity: 1 },
        }
    }

    /// K at `w`, and its gradient into `gradient`; both have as many entries as there are weights.
    pub(super) fn slope(self, w: &[f64], gradient: &mut [f64]) -> f64 {
        match self {
            Self::Layers { outputs, hidden } => layers(w, gradient, outputs as usize, hidden as usize),
            Self::Monomial { power } => {
                let (odd, even) = (libm::pow(w[0], f64::from(2 * power - 1)), libm::pow(w[0], f64::from(2 * power)));
                gradient[0] = f64::from(power) * odd * w[1] * w[1];
                gradient[1] = even * w[1];
                0.5 * even * w[1] * w[1]
            }
            Self::Neuron => {
                let answer = libm::tanh(w[0]);
                gradient[0] = w[1] * w[1] * answer * (1.0 - answer * answer);
                gradient[1] = w[1] * answer * answer;
                0.5 * (w[1] * answer) * (w[1] * answer)
            }
            Self::Bowl { .. } => {
                gradient.copy_from_slice(w);
                0.5 * w.iter().map(|w| w * w).sum::<f64>()
            }
        }
    }

    /// In words.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Layers { outputs, hidden } => format!("two linear layers, {INPUTS} → {hidden} → {outputs}"),
            Self::Monomial { power } => format!("½ w₁^{} w₂²", 2 * power),
            Self::Neuron => "one neuron b·tanh(a x)".into(),
            Self::Bowl { weights } => format!("a bowl of {weights} weights"),
        }
    }
}

/// A `[outputs, hidden]` row-major, then B `[hidden, 2]`.
fn layers(w: &[f64], gradient: &mut [f64], outputs: usize, hidden: usize) -> f64 {
    let inputs = INPUTS as usize;
    let (a, b) = w.split_at(outputs * hidden);
    let (to_a, to_b) = gradient.split_at_mut(outputs * hidden);
    to_b.fill(0.0);
    let mut loss = 0.0;
    for row in 0..outputs {
        let of_a = &a[row * hidden..(row + 1) * hidden];
        let answer = [0, 1].map(|input| of_a.iter().enumerate().map(|(h, a)| a * b[h * inputs + input]).sum::<f64>());
        loss += 0.5 * answer.iter().map(|y| y * y).sum::<f64>();
        for h in 0..hidden {
            to_a[row * hidden + h] = answer.iter().enumerate().map(|(input, y)| y * b[h * inputs + input]).sum();
            for (input, y) in answer.iter().enumerate() {
                to_b[h * inputs + input] += of_a[h] * y;
            }
        }
    }
    loss
}

/// Two linear layers of M inputs, H hidden and N outputs whose true map is 0 (Aoyagi and Watanabe 2005, the true rank being 0).
fn reduced_rank(inputs: i64, outputs: i64, hidden: i64) -> Coefficient {
    let (m, n, h) = (inputs, outputs, hidden);
    let regular = |product: i64| Coefficient { lambda: 0.5 * product as f64, multiplicity: 1 };
    if m + h < n {
        return regular(h * m);
    }
    if n + h < m {
        return regular(h * n);
    }
    if m + n < h {
        return regular(m * n);
    }
    let eight = 2 * (h * m + h * n + m * n) - h * h - m * m - n * n;
    let odd = (m + n + h) % 2;
    Coefficient { lambda: (eight + odd) as f64 / 8.0, multiplicity: 1 + odd as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut stream = Stream::new(3, Purpose::Theory, 0);
        let all = [
            System::Layers { outputs: 3, hidden: 2 },
            System::Layers { outputs: 1, hidden: 2 },
            System::Monomial { power: 3 },
            System::Neuron,
            System::Bowl { weights: 4 },
        ];
        for system in all {
            let w: Vec<f64> = (0..system.weights()).map(|_| stream.normal()).collect();
            let mut gradient = vec![0.0; w.len()];
            system.slope(&w, &mut gradient);
            for at in 0..w.len() {
                let beside = |step: f64| {
                    let mut moved = w.clone();
                    moved[at] += step;
                    system.slope(&moved, &mut vec![0.0; w.len()])
                };
                let difference = (beside(1e-5) - beside(-1e-5)) / 2e-5;
                assert!((difference - gradient[at]).abs() < 1e-7 * (1.0 + difference.abs()), "{system:?} {at}");
            }
        }
    }

    #[test]
    fn one_hidden_unit_is_a_product_of_two_norms() {
        // ½|a|²|b|² has λ = min(M, N)/2, and both norms share it where M = N.
        for (inputs, outputs) in [(1, 1), (2, 1), (2, 2), (2, 3), (3, 7), (5, 5)] {
            let found = reduced_rank(inputs, outputs, 1);
            assert_eq!(found.lambda, 0.5 * inputs.min(outputs) as f64, "{inputs} {outputs}");
            assert_eq!(found.multiplicity, if inputs == outputs { 2 } else { 1 }, "{inputs} {outputs}");
        }
    }

    #[test]
    fn the_closed_form_is_symmetric_in_its_three_widths_and_never_above_that_of_a_regular_model() {
        for (m, n, h) in [(2, 3, 2), (2, 5, 2), (3, 4, 6), (1, 2, 9), (4, 4, 4)] {
            // With the true map 0 the formula treats M, N and H alike.
            let all = [(m, n, h), (n, h, m), (h, m, n), (n, m, h)].map(|(m, n, h)| reduced_rank(m, n, h));
            assert!(all.iter().all(|found| found == &all[0]), "{all:?}");
            // The map itself has M·N entries at most: no more than so many directions matter.
            assert!(all[0].lambda <= 0.5 * (m * n).min(h * (m + n)) as f64);
        }
    }
}
