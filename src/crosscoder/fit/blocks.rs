//! Blocks are turned to their principal axes, so that each of their latents has a life of its own.
//!
//! A block is a plane (or a space) with a code in it. Which two vectors span the plane is not part of what was learned: mixing the
//! coordinates and unmixing the decoder changes no reconstruction and no score. Without a choice that anybody would make again, norms,
//! births and descriptors of single latents would be those of an accident. The choice here: codes of mean square 1, uncorrelated over
//! the fitted inputs, decoders of a block orthogonal over all sources together, the longest first. On a circle, where both are
//! equally long, the phase stays arbitrary.

use super::{Fit, read};
use crate::record::UserError;
use burn::tensor::{Tensor, TensorData, Transaction};
use nalgebra::{DMatrix, SymmetricEigen};

/// A block whose codes have a smaller spread than this in some direction, relative to its largest, is left as it is.
const FLAT: f64 = 1e-10;

impl Fit {
    /// Turns every block to its principal axes.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn turn_blocks(&mut self) -> Result<(), UserError> {
        let codes = self.objective.codes(&self.dictionary, self.rows(&self.fit_rows), self.threshold());
        let mut transaction = Transaction::default();
        for codes in codes {
            transaction = transaction.register(codes.inner());
        }
        let dictionary = self.dictionary.at_rest().masked(self.objective.structure());
        for parameter in [dictionary.encoder, dictionary.encoder_bias, dictionary.decoder] {
            transaction = transaction.register(parameter.inner());
        }
        let [codes, mut encoder, mut bias, mut decoder] = <[Vec<f32>; 4]>::try_from(read(transaction).await?)
            .map_err(|_| UserError::new("The device answered with too little", "Fit again"))?;
        let (latents, columns) = (self.config.latents as usize, self.width * self.sources.len());
        let width = self.config.block_width();
        for first in (0..latents).step_by(width) {
            let block = first..first + width;
            let inside: Vec<f32> = codes.chunks(latents).flat_map(|row| &row[block.clone()]).copied().collect();
            let vectors = &mut decoder[first * columns..(first + width) * columns];
            let Some((mix, unmix)) = principal(&inside, vectors, width) else { continue };
            let turned = &unmix * DMatrix::from_row_iterator(width, columns, vectors.iter().map(|v| f64::from(*v)));
            for (at, value) in vectors.iter_mut().enumerate() {
                *value = turned[(at / columns, at % columns)] as f32;
            }
            for row in encoder.chunks_mut(latents).chain(core::iter::once(&mut bias[..])) {
                let old: Vec<f64> = row[block.clone()].iter().map(|v| f64::from(*v)).collect();
                for (at, value) in row[block.clone()].iter_mut().enumerate() {
                    *value = old.iter().enumerate().map(|(from, old)| old * mix[(from, at)]).sum::<f64>() as f32;
                }
            }
        }
        let device = self.device.clone().inner();
        let upload = |values: Vec<f32>, shape: [usize; 3]| Tensor::<3>::from_data(TensorData::new(values, shape), &device);
        self.dictionary.encoder = upload(encoder, [1, columns, latents]);
        self.dictionary.encoder_bias = upload(bias, [1, 1, latents]);
        self.dictionary.decoder = upload(decoder, [1, latents, columns]);
        Ok(())
    }
}

/// A with its inverse, such that codes `[rows, b]`·A are uncorrelated with mean square 1 and A⁻¹·`vectors` `[b, columns]` are orthogonal,
/// the longest first and each with its largest coordinate positive; `None` where the codes do not fill the block.
fn principal(codes: &[f32], vectors: &[f32], b: usize) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    let rows = (codes.len() / b).max(1) as f64;
    let product = |x: &dyn Fn(usize, usize) -> f64, length: usize| {
        DMatrix::from_fn(b, b, |i, j| (0..length).map(|at| x(i, at) * x(j, at)).sum::<f64>())
    };
    let spread = product(&|i, row| f64::from(codes[row * b + i]), codes.len() / b) / rows;
    let spread = SymmetricEigen::new(spread);
    let largest = spread.eigenvalues.max();
    if largest.is_nan() || spread.eigenvalues.min() <= FLAT * largest.max(f64::MIN_POSITIVE) {
        return None;
    }
    let power = |exponent: f64| {
        let scaled = DMatrix::from_diagonal(&spread.eigenvalues.map(|value| libm::pow(value, exponent)));
        &spread.eigenvectors * scaled * spread.eigenvectors.transpose()
    };
    let (root, inverse) = (power(0.5), power(-0.5));
    let columns = vectors.len() / b;
    let gram = product(&|i, column| f64::from(vectors[i * columns + column]), columns);
    let axes = SymmetricEigen::new(&root * gram * &root);
    let mut order: Vec<usize> = (0..b).collect();
    order.sort_by(|x, y| axes.eigenvalues[*y].total_cmp(&axes.eigenvalues[*x]));
    let mut axes = DMatrix::from_fn(b, b, |i, j| axes.eigenvectors[(i, order[j])]);
    let turned = axes.transpose() * &root * DMatrix::from_row_iterator(b, columns, vectors.iter().map(|v| f64::from(*v)));
    for at in 0..b {
        let longest = turned.row(at).iter().copied().fold(0.0, |most: f64, v| if v.abs() > most.abs() { v } else { most });
        if longest < 0.0 {
            axes.column_mut(at).neg_mut();
        }
    }
    Some((inverse * &axes, axes.transpose() * root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    #[test]
    fn a_turned_block_decodes_the_same_with_uncorrelated_codes_and_orthogonal_vectors() {
        let (b, rows, columns) = (3, 40, 7);
        let mut stream = Stream::new(1, Purpose::Planted, 0);
        let codes = stream.normals(rows * b, 1.0);
        let vectors = stream.normals(b * columns, 2.0);
        let (mix, unmix) = principal(&codes, &vectors, b).unwrap();
        let z = DMatrix::from_row_iterator(rows, b, codes.iter().map(|v| f64::from(*v)));
        let d = DMatrix::from_row_iterator(b, columns, vectors.iter().map(|v| f64::from(*v)));
        let (turned, unturned) = (&z * &mix, &unmix * &d);
        assert!((&turned * &unturned - &z * &d).amax() < 1e-10);
        let spread = turned.transpose() * &turned / rows as f64;
        assert!((spread - DMatrix::identity(b, b)).amax() < 1e-10);
        let gram = &unturned * unturned.transpose();
        assert!((0..b).all(|i| (0..b).all(|j| i == j || gram[(i, j)].abs() < 1e-9)));
        assert!((1..b).all(|i| gram[(i, i)] <= gram[(i - 1, i - 1)]));
    }

    #[test]
    fn however_a_block_was_mixed_it_turns_to_the_same_axes() {
        let (b, rows, columns) = (2, 30, 5);
        let mut stream = Stream::new(2, Purpose::Planted, 0);
        let (codes, vectors) = (stream.normals(rows * b, 1.0), stream.normals(b * columns, 1.0));
        let matrix = |values: &[f32], r: usize, c: usize| DMatrix::from_row_iterator(r, c, values.iter().map(|v| f64::from(*v)));
        let mixing = DMatrix::from_row_slice(2, 2, &[1.5, -0.7, 0.4, 2.0]);
        let flat = |m: DMatrix<f64>| m.transpose().iter().map(|v| *v as f32).collect::<Vec<f32>>();
        let mixed = flat(matrix(&codes, rows, b) * &mixing);
        let unmixed = flat(mixing.clone().try_inverse().unwrap() * matrix(&vectors, b, columns));
        let axes = |codes: &[f32], vectors: &[f32]| principal(codes, vectors, b).unwrap().1 * matrix(vectors, b, columns);
        assert!((axes(&codes, &vectors) - axes(&mixed, &unmixed)).amax() < 1e-4);
    }

    #[test]
    fn a_block_that_is_silent_or_flat_is_left_alone() {
        assert!(principal(&[0.0; 8], &[1.0, 0.0, 0.0, 1.0], 2).is_none());
        assert!(principal(&[1.0, 2.0, 2.0, 4.0], &[1.0, 0.0, 0.0, 1.0], 2).is_none());
    }
}
