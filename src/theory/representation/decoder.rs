//! The decoder that both toys share: three layers, tanh after the first two, in f64 by hand.
//!
//! What comes in is a sum of two embeddings in one toy and a product of two matrices in the other; what learns to name it is the same.
//! Matrices hold one column per row of data, because that is how nalgebra multiplies fastest.

use nalgebra::DMatrix;

/// Numbers in a template (as in the paper's code).
pub const OUTPUTS: usize = 30;

/// What a pass forward leaves for the pass back.
pub struct Pass {
    input: DMatrix<f64>,
    hidden: [DMatrix<f64>; 2],
    /// `[output, row]`.
    pub output: DMatrix<f64>,
}

/// Weights `[out, in]` and bias `[out, 1]` of each layer, all drawn by `uniform(rows, columns, half width)` in ±1/√(inputs).
pub fn drawn(inputs: usize, width: usize, mut uniform: impl FnMut(usize, usize, f64) -> DMatrix<f64>) -> Vec<DMatrix<f64>> {
    let mut layers = Vec::with_capacity(6);
    for (inputs, outputs) in [(inputs, width), (width, width), (width, OUTPUTS)] {
        let half_width = 1.0 / libm::sqrt(inputs as f64);
        layers.push(uniform(outputs, inputs, half_width));
        layers.push(uniform(outputs, 1, half_width));
    }
    layers
}

/// Of `input` `[in, row]` by the six matrices of [`drawn`].
pub fn forward(layers: &[DMatrix<f64>], input: DMatrix<f64>) -> Pass {
    let layer = |number: usize, input: &DMatrix<f64>| {
        let (weight, bias) = (&layers[2 * number], &layers[2 * number + 1]);
        let mut sums = weight * input;
        sums.column_iter_mut().for_each(|mut column| column += bias.column(0));
        sums
    };
    let first = layer(0, &input).map(libm::tanh);
    let second = layer(1, &first).map(libm::tanh);
    let output = layer(2, &second);
    Pass { input, hidden: [first, second], output }
}

/// From the slope by the output back to that by the input, and to those by the layers, in their order.
pub fn backward(layers: &[DMatrix<f64>], pass: &Pass, mut slope: DMatrix<f64>) -> (DMatrix<f64>, Vec<DMatrix<f64>>) {
    let mut backwards = Vec::with_capacity(layers.len());
    for number in [2, 1, 0] {
        let input = if number == 0 { &pass.input } else { &pass.hidden[number - 1] };
        backwards.push(DMatrix::from_column_slice(slope.nrows(), 1, slope.column_sum().as_slice()));
        backwards.push(&slope * input.transpose());
        slope = layers[2 * number].tr_mul(&slope);
        if number > 0 {
            slope.zip_apply(input, |slope, tanh| *slope *= 1.0 - tanh * tanh);
        }
    }
    backwards.reverse();
    (slope, backwards)
}
