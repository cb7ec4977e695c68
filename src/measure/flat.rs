//! A checkpoint's weights as one vector in f64, and the random draws that move it.
//!
//! Curvature, Langevin chains and cosines are about vectors; questions and answers are about named tensors in f32. If each
//! measure laid the tensors out for itself, one that met them in another order would multiply a gradient with the wrong weights
//! and still print a number. Draws depend on the seed and the measure alone, not on the step: neighbouring checkpoints meet the
//! same directions, so that a curve over steps shows the network and not the dice.

use super::facts::Facts;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::{NamedTensor, UserError, Weights};

/// Names and shapes of the tensors, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout(Vec<(String, Vec<usize>, usize)>);

impl Layout {
    /// That of these weights.
    pub(super) fn of(weights: &Weights) -> Self {
        Self(weights.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.values.len())).collect())
    }

    /// Numbers in the vector.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(_, _, count)| count).sum()
    }

    /// Weights, or a gradient, as a vector. Tensors are found by name, so their order there does not matter.
    ///
    /// # Errors
    /// If a tensor is missing or has another size.
    pub(super) fn flat(&self, weights: &Weights) -> Result<Vec<f64>, UserError> {
        let mut flat = Vec::with_capacity(self.count());
        for (name, _, count) in &self.0 {
            match weights.get(name) {
                Some(tensor) if tensor.values.len() == *count => flat.extend(tensor.values.iter().map(|v| f64::from(*v))),
                _ => {
                    return Err(UserError::new(
                        format!("The tensor {name} is missing or has another size than in the checkpoint"),
                        "Open the weights together with the experiment that made them",
                    ));
                }
            }
        }
        Ok(flat)
    }

    /// The tensors of a vector.
    pub(super) fn weights(&self, flat: &[f64]) -> Weights {
        let mut rest = flat;
        let tensors = self.0.iter().map(|(name, shape, count)| {
            let (own, after) = rest.split_at(*count);
            rest = after;
            NamedTensor { name: name.clone(), shape: shape.clone(), values: own.iter().map(|v| *v as f32).collect() }
        });
        Weights { tensors: tensors.collect() }
    }
}

/// The random numbers of the measure called `name`; `repeat` tells several streams of one measure apart.
pub(super) fn draws(facts: &Facts<'_>, name: &str, repeat: u32) -> Stream {
    let index = u64::from(crc32fast::hash(name.as_bytes())) << 32 | u64::from(repeat);
    Stream::new(facts.experiment.seed, Purpose::Measure, index)
}

/// Σ a·b.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// √Σ a².
pub(super) fn norm(a: &[f64]) -> f64 {
    libm::sqrt(dot(a, a))
}

/// a·b/(‖a‖‖b‖); `None` where one of them is zero or not finite.
pub(super) fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let both = norm(a) * norm(b);
    (both > 0.0 && both.is_finite()).then(|| (dot(a, b) / both).clamp(-1.0, 1.0))
}

/// a + s·b.
pub(super) fn moved(a: &[f64], s: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + s * b).collect()
}

/// A direction of length 1, uniform on the sphere.
pub(super) fn unit(stream: &mut Stream, count: usize) -> Vec<f64> {
    let mut direction: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
    let length = norm(&direction);
    if length > 0.0 {
        direction.iter_mut().for_each(|v| *v /= length);
    }
    direction
}

/// At most `count` of `all`, drawn without repetition, in their old order.
pub(super) fn sample<T: Copy>(stream: &mut Stream, all: &[T], count: usize) -> Vec<T> {
    let mut chosen = stream.permutation(all.len());
    chosen.truncate(count);
    chosen.sort_unstable();
    chosen.into_iter().map(|at| all[at as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed};
    use super::*;

    #[test]
    fn a_vector_becomes_the_same_tensors_again_in_whatever_order_they_come() {
        let weights = Case::of(changed("devinterp-53", &[])).weights;
        let layout = Layout::of(&weights);
        let flat = layout.flat(&weights).unwrap();
        assert_eq!((flat.len(), layout.weights(&flat)), (layout.count(), weights.clone()));
        let mut turned = weights.clone();
        turned.tensors.reverse();
        assert_eq!(layout.flat(&turned).unwrap(), flat);
        turned.tensors.pop();
        assert!(layout.flat(&turned).is_err());
    }

    #[test]
    fn two_measures_never_share_their_draws_and_one_repeats_its_own() {
        let case = Case::of(changed("quadratic-31", &[]));
        let draw = |name, repeat| draws(&case.facts(), name, repeat).uniform().to_bits();
        assert_eq!(draw("a", 0), draw("a", 0));
        assert!(draw("a", 0) != draw("b", 0) && draw("a", 0) != draw("a", 1));
    }
}
