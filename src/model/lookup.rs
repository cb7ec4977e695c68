//! Reading rows of a table by the tokens of a pair.
//!
//! Embedding by dense one-hot products would spend most of a small network's arithmetic on zeros, so on the CPU rows are
//! gathered. On a GPU the scatter in the gather's backward pass is slow or needs atomics (which would make runs differ), and
//! there a one-hot product is the better way. Both give the same numbers to rounding; which is used follows from the device.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The inputs of a batch: one list of pairs (a, b) per replica, all of one length.
#[derive(Debug, Clone)]
pub struct Pairs {
    a: Index,
    b: Index,
    count: usize,
}

#[derive(Debug, Clone)]
enum Index {
    /// `[replica·pair]`: row `r·p + token` of the table flattened over replicas.
    Rows(Tensor<1, Int>),
    /// `[replica, pair, p]`.
    OneHot(Tensor<3>),
    /// There are no tokens.
    Nothing,
}

impl Pairs {
    /// Uploads `pairs[replica][pair] = (a, b)` with tokens below `modulus`. `gather` chooses rows over one-hot products.
    pub fn new(pairs: &[Vec<(u16, u16)>], modulus: usize, gather: bool, device: &Device) -> Self {
        let count = pairs.first().map_or(0, Vec::len);
        let index = |token: fn(&(u16, u16)) -> u16| {
            if gather {
                let rows: Vec<i32> = pairs
                    .iter()
                    .enumerate()
                    .flat_map(|(r, list)| list.iter().map(move |pair| (r * modulus + usize::from(token(pair))) as i32))
                    .collect();
                let length = rows.len();
                Index::Rows(Tensor::from_data(TensorData::new(rows, [length]), device))
            } else {
                let tokens: Vec<Vec<u16>> = pairs.iter().map(|list| list.iter().map(token).collect()).collect();
                Index::OneHot(one_hot(&tokens, modulus, device))
            }
        };
        Self { a: index(|pair| pair.0), b: index(|pair| pair.1), count }
    }

    /// `count` rows without tokens: what stands in for pairs in a task on vectors.
    pub(super) fn without_tokens(count: usize) -> Self {
        Self { a: Index::Nothing, b: Index::Nothing, count }
    }

    /// Pairs per replica.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Row a of each pair: `[replica, p, n]` → `[replica, pair, n]`.
    pub(super) fn rows_of_a(&self, table: Tensor<3>) -> Tensor<3> {
        self.rows(&self.a, table)
    }

    /// Row b of each pair: `[replica, p, n]` → `[replica, pair, n]`.
    pub(super) fn rows_of_b(&self, table: Tensor<3>) -> Tensor<3> {
        self.rows(&self.b, table)
    }

    fn rows(&self, index: &Index, table: Tensor<3>) -> Tensor<3> {
        match index {
            Index::Rows(rows) => {
                let [replicas, height, width] = table.dims();
                table.reshape([replicas * height, width]).select(0, rows.clone()).reshape([replicas, self.count, width])
            }
            Index::OneHot(selector) => selector.clone().matmul(table),
            Index::Nothing => {
                let [replicas, _, width] = table.dims();
                Tensor::zeros([replicas, self.count, width], &table.device())
            }
        }
    }
}

/// One-hot code of `tokens[replica][row]`: `[replica, row, classes]`.
pub fn one_hot(tokens: &[Vec<u16>], classes: usize, device: &Device) -> Tensor<3> {
    let count = tokens.first().map_or(0, Vec::len);
    let mut values = vec![0f32; tokens.len() * count * classes];
    for (row, token) in tokens.iter().flatten().enumerate() {
        values[row * classes + usize::from(*token)] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, [tokens.len(), count, classes]), device)
}
