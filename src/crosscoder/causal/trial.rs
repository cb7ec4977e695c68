//! One latent tried by hand: taken out of the activation, and added to it on every input.
//!
//! A class that matters may have members that do not, and a latent that looks like the answer 7 need not make the network say 7.
//! Steering asks that: the latent's vector is added everywhere, and what the network then answers is counted. Only the vector of
//! one checkpoint is used; the dictionary's error stays.

use super::Effect;
use serde::{Deserialize, Serialize};

/// What to try at one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialInput {
    /// The latent.
    pub latent: u32,
    /// Index of the source in the fit.
    pub source: u32,
    /// Its codes there `[rows]`.
    pub codes: Vec<f32>,
    /// Its decoder vector there `[d]`, raw activation units.
    pub decoder: Vec<f32>,
    /// How much of it to add, in units of the code.
    pub amounts: Vec<f32>,
}

/// How the network answers with so much of a latent added on every input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steered {
    /// How much.
    pub amount: f32,
    /// Loss and accuracy.
    pub effect: Effect,
    /// Share of all inputs that are answered with each class `[classes]`.
    pub answered: Vec<f32>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The latent.
    pub latent: u32,
    /// Index of the source in the fit.
    pub source: u32,
    /// The network as it is.
    pub clean: Effect,
    /// Without the latent.
    pub without: Effect,
    /// With more and more of it.
    pub steered: Vec<Steered>,
}

impl TrialInput {
    /// `values` `[rows, d]` with `weight(code)` of the latent added to each row.
    pub fn added(&self, values: &[f32], weight: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut out = values.to_vec();
        for (x, &code) in out.chunks_exact_mut(self.decoder.len().max(1)).zip(&self.codes) {
            let by = weight(code);
            x.iter_mut().zip(&self.decoder).for_each(|(x, d)| *x += by * d);
        }
        out
    }
}

/// Amounts worth trying: the latent's mean code where it fires, whatever its sign, times −1, ½, 1, 2, 4 and 8. Empty for a latent that
/// never fires.
pub fn amounts(codes: &[f32]) -> Vec<f32> {
    let firing: Vec<f64> = codes.iter().filter(|f| **f != 0.0).map(|f| f64::from(f.abs())).collect();
    let mean = firing.iter().sum::<f64>() / firing.len().max(1) as f64;
    if firing.is_empty() { Vec::new() } else { [-1.0, 0.5, 1.0, 2.0, 4.0, 8.0].map(|times| (times * mean) as f32).to_vec() }
}

/// Share of the rows of `outputs` `[rows, classes]` in which each class has the largest output, the first of equals: `[classes]`.
pub fn answered(outputs: &[f32], classes: usize) -> Vec<f32> {
    let mut counts = vec![0f32; classes];
    let rows = outputs.chunks_exact(classes.max(1));
    let count = rows.len().max(1) as f32;
    for row in rows {
        let best = (0..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        counts[best] += 1.0 / count;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latent_is_added_by_its_code_or_evenly() {
        let input = TrialInput { latent: 0, source: 0, codes: vec![2.0, 0.0], decoder: vec![1.0, -1.0], amounts: Vec::new() };
        assert_eq!(input.added(&[5.0, 5.0, 1.0, 1.0], |f| -f), [3.0, 7.0, 1.0, 1.0]);
        assert_eq!(input.added(&[5.0, 5.0, 1.0, 1.0], |_| 0.5), [5.5, 4.5, 1.5, 0.5]);
        assert_eq!(amounts(&[2.0, 0.0, 4.0]), [-3.0, 1.5, 3.0, 6.0, 12.0, 24.0]);
        assert!(amounts(&[0.0; 3]).is_empty());
    }

    #[test]
    fn answers_are_counted_by_the_largest_output() {
        assert_eq!(answered(&[0.0, 1.0, 2.0, 0.0, 3.0, 3.0, 0.0, 9.0], 2), [0.5, 0.5]);
    }
}
