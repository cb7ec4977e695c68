//! What is known of the tangent kernel in closed form: its eigenvalues, how far a lazy network comes with P rows, and what the
//! kernel is once the answer is understood.
//!
//! Divided by α²/N, the kernel of α·mean(φ(w_i·x)) with φ(h) = h + εh²/2 needs two moments of the neurons, w̄ and M = mean(w wᵀ):
//!
//! ```text
//! K(x, x') = (1 + ε w̄·(x + x') + ε² xᵀMx')·(x·x')     and without end of neurons at the start:  x·x' + ε²(x·x')²
//! ```
//!
//! For x ~ N(0, I/D) the latter has three eigenvalues (φ' = 1 + εh enters twice, so ε is squared): 1/D for linear functions, ε²(D + 2)/D²
//! for |x|², 2ε²/D² for the other (D + 2)(D − 1)/2 quadratic ones. All means over inputs here are exact, by Wick's theorem. Not
//! used: kernels of sampled rows, whose diagonal alone is D/P of their norm.

use nalgebra::{DMatrix, DVector};

/// Mean square of the answers ½(β·x)² with |β|² = D: ¼·E[z⁴].
pub(super) const ANSWERS: f64 = 0.75;

/// What the network's function and kernel depend on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    /// w̄, `[D]`.
    pub mean: DVector<f64>,
    /// M, `[D, D]`, symmetric.
    pub square: DMatrix<f64>,
}

impl Moments {
    /// Without end of standard normal neurons.
    pub fn infinite(dimension: usize) -> Self {
        Self { mean: DVector::zeros(dimension), square: DMatrix::identity(dimension, dimension) }
    }

    /// Of these neurons, `[D, N]`.
    pub fn of(weights: &DMatrix<f64>) -> Self {
        Self { mean: weights.column_mean(), square: weights * weights.transpose() / weights.ncols() as f64 }
    }

    /// Of an infinitely wide network that started at [`Moments::infinite`] and answers ½(β·x)²: M = I + ββᵀ/(αε).
    pub fn understood(teacher: &DVector<f64>, alpha: f64, epsilon: f64) -> Self {
        let start = Self::infinite(teacher.len());
        Self { square: start.square + teacher * teacher.transpose() / (alpha * epsilon), ..start }
    }

    pub fn minus(&self, other: &Self) -> Self {
        Self { mean: &self.mean - &other.mean, square: &self.square - &other.square }
    }

    /// E[K²] over two inputs, with the kernel's 1 multiplied by `one`: 1 for a kernel, 0 for the difference of two.
    pub fn norm_squared(&self, epsilon: f64, one: f64) -> f64 {
        let d = self.mean.len() as f64;
        let (linear, curved) = (epsilon * epsilon * self.mean.norm_squared(), libm::pow(epsilon, 4.0));
        let (trace, square) = (self.square.trace(), self.square.norm_squared());
        // K = (x·x')(s + v·x') with s = 1 + ε w̄·x and v = ε w̄ + ε²Mx: first the mean over x', then over x.
        let of_s = (one * one + linear * (d + 2.0) / (d * d)) / d;
        let of_lengths = linear + curved * square * (d + 2.0) / (d * d);
        let of_products = linear / d + curved * (trace * trace + 2.0 * square) / (d * d);
        of_s + (of_lengths + 2.0 * of_products) / (d * d)
    }

    /// ⟨K, yy'⟩/(‖K‖·E[y²]) for the answers ½(β·x)².
    pub fn alignment(&self, epsilon: f64, teacher: &DVector<f64>) -> f64 {
        let d = teacher.len() as f64;
        // G = E[y x xᵀ] = I/(2D) + ββᵀ/D², and E[yx] = 0.
        let of_answers = DMatrix::identity(teacher.len(), teacher.len()) / (2.0 * d) + teacher * teacher.transpose() / (d * d);
        let product = epsilon * epsilon * (&of_answers * &self.square * &of_answers).trace();
        product / (libm::sqrt(self.norm_squared(epsilon, 1.0)) * ANSWERS)
    }

    /// ‖K − K₀‖/‖K₀‖.
    pub fn distance(&self, epsilon: f64, start: &Self) -> f64 {
        libm::sqrt(self.minus(start).norm_squared(epsilon, 0.0) / start.norm_squared(epsilon, 1.0))
    }

    /// ⟨K, K₀⟩/(‖K‖·‖K₀‖).
    pub fn similarity(&self, epsilon: f64, start: &Self) -> f64 {
        let (now, then) = (self.norm_squared(epsilon, 1.0), start.norm_squared(epsilon, 1.0));
        let apart = self.minus(start).norm_squared(epsilon, 0.0);
        0.5 * (now + then - apart) / libm::sqrt(now * then)
    }
}

/// The kernel at the start of an infinitely wide network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Start {
    /// D.
    pub dimension: f64,
    /// ε.
    pub epsilon: f64,
}

/// Functions with one eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// How many there are.
    pub count: f64,
    /// λ.
    pub eigenvalue: f64,
    /// Their part of E[y²].
    pub answers: f64,
}

impl Start {
    /// Linear functions, |x|², and the other quadratic ones.
    pub fn levels(&self) -> [Level; 3] {
        let (d, square) = (self.dimension, self.epsilon * self.epsilon);
        [
            Level { count: d, eigenvalue: 1.0 / d, answers: 0.0 },
            Level { count: 1.0, eigenvalue: square * (d + 2.0) / (d * d), answers: 0.25 * (1.0 + 2.0 / d) },
            Level { count: 0.5 * (d + 2.0) * (d - 1.0), eigenvalue: 2.0 * square / (d * d), answers: 0.5 * (1.0 - 1.0 / d) },
        ]
    }

    /// Test loss at which gradient descent with this fixed kernel ends on `rows` rows, on average: kernel regression without a ridge
    /// (Canatar et al. 2021; Simon et al. 2023). κ solves Σ λ/(λ + κ) = P; a function is learned to the share L = λ/(λ + κ), and
    /// what is not acts as noise on the others: E = Σ (1 − L)²·v · P/(P − ΣL²).
    pub fn lazy_end(&self, rows: f64) -> f64 {
        let levels = self.levels();
        let learned =
            |kappa: f64| levels.map(|level| level.count * level.eigenvalue / (level.eigenvalue + kappa)).iter().sum::<f64>();
        if rows >= levels.iter().map(|level| level.count).sum() {
            // As many rows as functions: a kernel that can express the answer has it.
            return 0.0;
        }
        // The sum falls in κ, and below P at the largest eigenvalue times their number; both ends are found in logarithms.
        let (mut low, mut high) = (-60.0, 20.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            *(if learned(libm::exp(middle)) > rows { &mut low } else { &mut high }) = middle;
        }
        let kappa = libm::exp(0.5 * (low + high));
        let shares = levels.map(|level| (level, level.eigenvalue / (level.eigenvalue + kappa)));
        let taken: f64 = shares.iter().map(|(level, share)| level.count * share * share).sum();
        let left: f64 = shares.iter().map(|(level, share)| level.answers * (1.0 - share) * (1.0 - share)).sum();
        left * rows / (rows - taken)
    }

    /// The fewest rows beyond D from which on a lazy network ends at a test loss of `level` or below.
    pub fn lazy_rows(&self, level: f64) -> f64 {
        let most: f64 = self.levels().iter().map(|level| level.count).sum();
        let mut rows = libm::ceil(most);
        while rows > self.dimension && self.lazy_end(rows - 1.0) <= level {
            rows -= 1.0;
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    fn drawn(dimension: usize, count: usize, deviation: f64, index: u64) -> DMatrix<f64> {
        let mut stream = Stream::new(3, Purpose::Theory, index);
        DMatrix::from_fn(dimension, count, |_, _| deviation * stream.normal())
    }

    fn kernel(moments: &Moments, epsilon: f64, a: &DVector<f64>, b: &DVector<f64>) -> f64 {
        let bent = epsilon * (moments.mean.dot(a) + moments.mean.dot(b)) + epsilon * epsilon * (a.dot(&(&moments.square * b)));
        (1.0 + bent) * a.dot(b)
    }

    #[test]
    fn the_kernel_is_the_product_of_the_neurons_gradients() {
        let (weights, inputs, epsilon) = (drawn(4, 6, 1.0, 0), drawn(4, 2, 0.5, 1), 0.7);
        let (a, b) = (inputs.column(0).into_owned(), inputs.column(1).into_owned());
        let product: f64 =
            weights.column_iter().map(|w| (1.0 + epsilon * w.dot(&a)) * (1.0 + epsilon * w.dot(&b)) * a.dot(&b) / 6.0).sum();
        assert!((kernel(&Moments::of(&weights), epsilon, &a, &b) - product).abs() < 1e-12);
    }

    /// Nodes and weights of Gauss–Hermite quadrature with five points, exact up to the ninth degree.
    fn hermite() -> [(f64, f64); 5] {
        let ten = 10f64.sqrt();
        let (near, far) = ((5.0 - ten).sqrt(), (5.0 + ten).sqrt());
        let (much, little) = ((7.0 + 2.0 * ten) / 60.0, (7.0 - 2.0 * ten) / 60.0);
        [(-far, little), (-near, much), (0.0, 8.0 / 15.0), (near, much), (far, little)]
    }

    #[test]
    fn norms_and_alignment_are_those_of_quadrature_over_all_pairs_of_inputs() {
        let epsilon = 0.9;
        let (moments, start) = (Moments::of(&drawn(2, 5, 1.0, 2)), Moments::of(&drawn(2, 5, 1.0, 3)));
        let teacher = DVector::from_vec(vec![0.6, -0.8]) * 2f64.sqrt();
        let deviation = 0.5f64.sqrt();
        let plane = hermite().map(|(x, u)| hermite().map(|(y, v)| (DVector::from_vec(vec![x, y]) * deviation, u * v)));
        let inputs: Vec<&(DVector<f64>, f64)> = plane.iter().flatten().collect();
        let answer = |x: &DVector<f64>| 0.5 * teacher.dot(x) * teacher.dot(x);
        let (mut norm, mut apart, mut both, mut product) = (0.0, 0.0, 0.0, 0.0);
        for (a, u) in &inputs {
            for (b, v) in &inputs {
                let (now, then) = (kernel(&moments, epsilon, a, b), kernel(&start, epsilon, a, b));
                norm += u * v * now * now;
                apart += u * v * (now - then) * (now - then);
                both += u * v * now * then;
                product += u * v * now * answer(a) * answer(b);
            }
        }
        assert!((moments.norm_squared(epsilon, 1.0) / norm - 1.0).abs() < 1e-12, "{norm}");
        assert!((moments.minus(&start).norm_squared(epsilon, 0.0) / apart - 1.0).abs() < 1e-12, "{apart}");
        let then = start.norm_squared(epsilon, 1.0);
        assert!((moments.similarity(epsilon, &start) / (both / (norm * then).sqrt()) - 1.0).abs() < 1e-12);
        assert!((moments.distance(epsilon, &start) / (apart / then).sqrt() - 1.0).abs() < 1e-12);
        let alignment = product / (norm.sqrt() * ANSWERS);
        assert!((moments.alignment(epsilon, &teacher) / alignment - 1.0).abs() < 1e-12, "{alignment}");
    }

    #[test]
    fn levels_add_up_to_the_kernels_norm_its_trace_and_the_answers() {
        for (d, epsilon) in [(2, 1.3), (7, 0.25), (20, 0.05)] {
            let start = Start { dimension: d as f64, epsilon };
            let of = |value: fn(&Level) -> f64| start.levels().iter().map(value).sum::<f64>();
            let wide = Moments::infinite(d);
            let norm = of(|level| level.count * level.eigenvalue * level.eigenvalue);
            assert!((norm / wide.norm_squared(epsilon, 1.0) - 1.0).abs() < 1e-12);
            // E[K(x, x)] = E|x|² + ε²E|x|⁴.
            let trace = 1.0 + epsilon * epsilon * (d as f64 + 2.0) / d as f64;
            assert!((of(|level| level.count * level.eigenvalue) / trace - 1.0).abs() < 1e-12);
            assert!((of(|level| level.answers) - ANSWERS).abs() < 1e-12);
            // ⟨y, Ky⟩ level by level is the alignment's numerator.
            let teacher = DVector::from_element(d, 1.0);
            let product = of(|level| level.answers * level.eigenvalue) / (norm.sqrt() * ANSWERS);
            assert!((wide.alignment(epsilon, &teacher) / product - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn an_understood_kernel_is_as_far_from_its_start_as_the_hand_calculation_says() {
        let (d, alpha, epsilon) = (9, 3.0, 0.4);
        let teacher = DVector::from_element(d, 1.0);
        let (start, end) = (Moments::infinite(d), Moments::understood(&teacher, alpha, epsilon));
        // E[(β·x)²x xᵀ] = (D·I + 2ββᵀ)/D², whose square has the trace (1 + 8/D)/D.
        let apart = (epsilon / alpha).powi(2) * (1.0 + 8.0 / 9.0) / 9.0;
        assert!((end.minus(&start).norm_squared(epsilon, 0.0) / apart - 1.0).abs() < 1e-12);
        let aligned = start.alignment(epsilon, &teacher);
        assert!(end.alignment(epsilon, &teacher) > aligned && start.similarity(epsilon, &start) > 1.0 - 1e-12);
        let (whole, part) = (end.similarity(epsilon, &start), end.distance(epsilon, &start));
        assert!(whole < 1.0 && part > 0.0);
    }

    #[test]
    fn a_lazy_network_needs_about_as_many_rows_as_there_are_quadratic_functions() {
        let start = Start { dimension: 16.0, epsilon: 0.25 };
        assert_eq!(start.lazy_end(152.0), 0.0);
        // With no rows nothing is learned, and with as many as there are linear functions these fit what they cannot answer.
        assert!((start.lazy_end(1e-6) - ANSWERS).abs() < 1e-4 && start.lazy_end(16.0) > ANSWERS);
        let rows = start.lazy_rows(0.1 * ANSWERS);
        assert!((120.0..152.0).contains(&rows), "{rows}");
        assert!(start.lazy_end(rows) <= 0.1 * ANSWERS && start.lazy_end(rows - 1.0) > 0.1 * ANSWERS);
    }
}
