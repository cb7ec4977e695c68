//! How well one checkpoint is known from the others: the dictionary reads all but one and writes that one.
//!
//! Explained variance is read off codes that saw the source itself, so it cannot tell a code that the checkpoints share from one that
//! holds each of them beside the others. Codes that miss a source are too small for it, which is no ignorance; therefore the
//! prediction is judged up to one factor.

use super::shuffle::in_order;
use super::{Fit, read};
use crate::record::UserError;
use burn::tensor::{Tensor, TensorData, Transaction};

impl Fit {
    /// How well each source is predicted by what the dictionary makes of all others, on held-out inputs; see
    /// [`super::super::CrosscoderResult::predicted`].
    pub(super) async fn predicted(&self, threshold: Option<&Tensor<3>>) -> Result<Vec<f32>, UserError> {
        let count = self.sources.len();
        if count < 2 {
            return Ok(Vec::new());
        }
        let held = self.rows(&self.held_rows);
        let mut transaction = Transaction::default();
        for s in 0..count {
            // Sources are centred, so a source that is not read stands at its mean.
            let seen: Vec<f32> = (0..count * self.width).map(|column| f32::from(u8::from(column / self.width != s))).collect();
            let seen: Tensor<3> = Tensor::from_data(TensorData::new(seen, [1, 1, count * self.width]), &self.device);
            let codes = self.objective.codes(&self.dictionary, held.clone() * seen, threshold.cloned());
            let decoded = self.objective.decode(&self.dictionary, &codes);
            transaction = transaction.register(decoded.narrow(2, s * self.width, self.sources[s].width).inner());
        }
        let guesses = read(transaction).await?;
        let of = |(s, guess): (usize, &Vec<f32>)| {
            let width = self.sources[s].width;
            predicted_share(&in_order(&self.prepared[s].values, width, &self.held_rows), guess, width) as f32
        };
        Ok(guesses.iter().enumerate().map(of).collect())
    }
}

/// Share of the variance of `x` `[rows, width]` that `guess` of the same shape explains up to a shift and one factor, which is not
/// negative: the squared correlation over all entries, each less the mean of its column. A guess that is right but for its size has 1,
/// one that knows nothing about 0.
fn predicted_share(x: &[f32], guess: &[f32], width: usize) -> f64 {
    let rows = (x.len() / width.max(1)).max(1) as f64;
    let (mut inner, mut own, mut theirs) = (0.0, 0.0, 0.0);
    for column in 0..width {
        let of = |values: &[f32]| values.iter().skip(column).step_by(width).map(|v| f64::from(*v)).collect::<Vec<f64>>();
        let (a, b) = (of(x), of(guess));
        let (mean_a, mean_b) = (a.iter().sum::<f64>() / rows, b.iter().sum::<f64>() / rows);
        for (a, b) in a.iter().zip(&b) {
            inner += (a - mean_a) * (b - mean_b);
            own += (a - mean_a) * (a - mean_a);
            theirs += (b - mean_b) * (b - mean_b);
        }
    }
    if own > 0.0 && theirs > 0.0 && inner > 0.0 { inner * inner / (own * theirs) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    const WIDTH: usize = 6;

    fn data() -> Vec<f32> {
        Stream::new(9, Purpose::Planted, 0).normals(50 * WIDTH, 1.0)
    }

    fn map(values: &[f32], f: impl Fn(f32) -> f32) -> Vec<f32> {
        values.iter().map(|&v| f(v)).collect()
    }

    #[test]
    fn a_prediction_is_judged_up_to_its_size_and_noise_predicts_nothing() {
        let x = data();
        assert!((predicted_share(&x, &map(&x, |v| 0.1 * v + 3.0), WIDTH) - 1.0).abs() < 1e-6);
        assert_eq!(predicted_share(&x, &map(&x, |v| -v), WIDTH), 0.0, "the opposite is no prediction");
        assert_eq!(predicted_share(&x, &map(&x, |_| 1.0), WIDTH), 0.0);
        let noise = Stream::new(10, Purpose::Planted, 0).normals(50 * WIDTH, 1.0);
        assert!(predicted_share(&x, &noise, WIDTH) < 0.03, "one part in 300 by chance");
        // x plus as much noise again: half of the variance.
        let half: Vec<f32> = x.iter().zip(&noise).map(|(x, n)| x + n).collect();
        assert!((predicted_share(&x, &half, WIDTH) - 0.5).abs() < 0.1);
    }
}
