//! Norms per replica that neither underflow nor divide by zero.
//!
//! Late in training gradients fall below 1e-20; their squares are nothing in 32 bits, and a norm made of them would turn a
//! direction into 0/0. So numbers are divided by the largest of them before they are squared. Rejected: an ε in the
//! denominator, which would quietly weaken a part just where its effect is studied.

use burn::tensor::Tensor;

/// ‖·‖ over all numbers of each replica, `[replica, 1, 1]`; `None` without tensors.
///
/// # Shapes
/// `tensors`: `[replica, rows, columns]` each.
pub(super) fn norm(tensors: &[Tensor<3>]) -> Option<Tensor<3>> {
    let largest = tensors.iter().map(|tensor| tensor.clone().abs().max_dim(1).max_dim(2)).reduce(Tensor::max_pair)?;
    let scale = nonzero(largest);
    let squares = tensors.iter().map(|tensor| {
        let scaled = tensor.clone() / scale.clone();
        (scaled.clone() * scaled).sum_dim(1).sum_dim(2)
    });
    Some(squares.reduce(|sum, square| sum + square)?.sqrt() * scale)
}

/// ‖·‖ of one tensor per replica, `[replica, rows, columns]` → `[replica, 1, 1]`.
pub(super) fn norm_of(tensor: &Tensor<3>) -> Tensor<3> {
    let scale = nonzero(tensor.clone().abs().max_dim(1).max_dim(2));
    let scaled = tensor.clone() / scale.clone();
    (scaled.clone() * scaled).sum_dim(1).sum_dim(2).sqrt() * scale
}

/// `norm` with 1 in place of zero, as a denominator for what is zero too.
pub(super) fn nonzero(norm: Tensor<3>) -> Tensor<3> {
    let is_zero = norm.clone().lower_scalar(f32::MIN_POSITIVE);
    norm.mask_fill(is_zero, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::support::{tensor, values};
    use super::*;

    #[test]
    fn the_norm_of_each_replica_is_that_of_a_loop_even_where_squares_underflow() {
        for scale in [1e-30, 1.0, 1e25_f64] {
            let (a, b): (Vec<f32>, Vec<f32>) = (
                (0..12).map(|i| (f64::from(i - 4) * scale) as f32).collect(),
                (0..4).map(|i| (f64::from(i * i) * scale) as f32).collect(),
            );
            let found = values(&norm(&[tensor(&a, [2, 2, 3]), tensor(&b, [2, 1, 2])]).unwrap());
            for replica in 0..2 {
                let own = a[replica * 6..][..6].iter().chain(&b[replica * 2..][..2]);
                let expected = libm::sqrt(own.map(|x| f64::from(*x) * f64::from(*x)).sum());
                assert!((f64::from(found[replica]) / expected - 1.0).abs() < 1e-6, "{found:?} at {scale}");
            }
        }
    }

    #[test]
    fn the_norm_of_zeros_is_zero() {
        assert_eq!(values(&norm_of(&tensor(&[0.0, 0.0, 3.0, 4.0], [2, 1, 2]))), [0.0, 5.0]);
    }
}
