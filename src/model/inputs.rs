//! What a network is fed, on the device: pairs of tokens, or vectors of numbers.
//!
//! A task on vectors (parity, teacher and student, digits) has no tokens to look up, and a task on pairs would waste most of
//! its arithmetic if it were spelled out as vectors. A network asks this type and needs not know which it got; one that can use
//! only one kind refuses the other in its `check`, before anything is allocated.

use super::lookup::Pairs;
use super::network::Shape;
use crate::task::{Dataset, Domain};
use burn::tensor::{Device, Tensor, TensorData};

/// The rows of a batch or of the whole domain: one list per replica, all of one length.
#[derive(Debug, Clone)]
pub struct Inputs {
    pairs: Pairs,
    vectors: Option<Tensor<3>>,
}

impl Inputs {
    /// Uploads `rows[replica]`. `gather` chooses row lookups (CPU) over one-hot products (GPU); see [`Pairs::new`]. All
    /// replicas hold the same kind of rows, as replicas of one experiment do.
    pub fn new(rows: &[Domain], shape: Shape, gather: bool, device: &Device) -> Self {
        let mut pairs = Vec::new();
        let mut vectors = Vec::new();
        for replica in rows {
            match replica {
                Domain::Pairs(list) => pairs.push(list.clone()),
                Domain::Vectors(numbers) => vectors.push(numbers.clone()),
            }
        }
        if shape.width == 0 {
            Self::of_pairs(&pairs, shape.tokens, gather, device)
        } else {
            Self::of_vectors(&vectors, shape.width, device)
        }
    }

    /// Uploads all rows of `data[replica]`, in the order of the rule.
    pub fn of_data(data: &[Dataset], gather: bool, device: &Device) -> Self {
        let sizes = data.first().map(|replica| replica.sizes).unwrap_or_default();
        if sizes.tokens == 0 {
            let vectors: Vec<Vec<f32>> = data.iter().map(|replica| replica.vectors.clone()).collect();
            Self::of_vectors(&vectors, sizes.width as usize, device)
        } else {
            let pairs: Vec<Vec<(u16, u16)>> =
                data.iter().map(|replica| replica.rows.iter().map(|row| (row.a, row.b)).collect()).collect();
            Self::of_pairs(&pairs, sizes.tokens as usize, gather, device)
        }
    }

    /// Uploads `pairs[replica][row] = (a, b)` with tokens below `tokens`.
    pub fn of_pairs(pairs: &[Vec<(u16, u16)>], tokens: usize, gather: bool, device: &Device) -> Self {
        Self { pairs: Pairs::new(pairs, tokens, gather, device), vectors: None }
    }

    /// Uploads `vectors[replica]`, rows of `width` numbers one after another.
    pub fn of_vectors(vectors: &[Vec<f32>], width: usize, device: &Device) -> Self {
        let count = vectors.first().map_or(0, Vec::len) / width.max(1);
        let values = Tensor::from_data(TensorData::new(vectors.concat(), [vectors.len(), count, width]), device);
        Self { pairs: Pairs::without_tokens(count), vectors: Some(values) }
    }

    /// Rows per replica.
    pub fn count(&self) -> usize {
        self.pairs.count()
    }

    /// Row a of a table for each pair: `[replica, tokens, n]` → `[replica, row, n]`. A vector has no tokens and gets zeros.
    pub(super) fn rows_of_a(&self, table: Tensor<3>) -> Tensor<3> {
        self.pairs.rows_of_a(table)
    }

    /// Row b of a table for each pair, as [`Inputs::rows_of_a`].
    pub(super) fn rows_of_b(&self, table: Tensor<3>) -> Tensor<3> {
        self.pairs.rows_of_b(table)
    }

    /// `[replica, row, width]` of a task on vectors.
    pub(super) fn vectors(&self) -> Option<&Tensor<3>> {
        self.vectors.as_ref()
    }
}
