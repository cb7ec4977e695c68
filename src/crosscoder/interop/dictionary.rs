//! A crosscoder as plain numbers: what it takes to encode and decode without the program that fitted it.
//!
//! The fit's own dictionary lives on a device and knows only the two rules it trains. This one is host memory and f32, and
//! brings every rule of inference to one form, a threshold per latent on the pre-activation: ReLU is 0; batch top-k's
//! f_i·Σ_s‖D_i^s‖ > θ (Minder et al. 2025) is f_i > θ/Σ_s‖D_i^s‖. Rejected: a code per source for thresholds per source
//! (OpenMOSS); the pre-activation is common, so one code `[rows, m]` holds it and decoding closes the gates again.

use super::super::source::Source;
use crate::record::UserError;

/// A dictionary of m latents over S sources of width d.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    /// Sources S.
    pub sources: usize,
    /// Activation width d.
    pub width: usize,
    /// Latents m.
    pub latents: usize,
    /// `[S, d, m]`.
    pub encoder: Vec<f32>,
    /// `[m]`.
    pub encoder_bias: Vec<f32>,
    /// `[S, m, d]`.
    pub decoder: Vec<f32>,
    /// `[S, d]`.
    pub decoder_bias: Vec<f32>,
    /// How raw activations were scaled for the weights; `None` where the weights take them raw.
    pub scaling: Option<Scaling>,
    /// Which latents fire.
    pub nonlinearity: Nonlinearity,
}

/// The weights see (x − mean)·scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// `[S, d]`, raw activation units.
    pub mean: Vec<f32>,
    /// `[S]`, above 0.
    pub scale: Vec<f32>,
}

/// From pre-activation to code. A code is never negative, but in a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Nonlinearity {
    /// f = max(pre, 0).
    Relu,
    /// Inference of batch top-k: f = max(pre, 0) where f_i·Σ_s‖D_i^s‖ > θ, norms in the units of the weights.
    BatchTopK {
        /// θ.
        threshold: f32,
    },
    /// f = max(pre, 0) where pre > θ_i.
    JumpRelu {
        /// θ `[m]`.
        threshold: Vec<f32>,
    },
    /// Each source has a gate of its own: it decodes f_i only where pre > θ_i^s. A latent's code is silent where all are shut.
    JumpReluPerSource {
        /// θ `[S, m]`.
        threshold: Vec<f32>,
    },
    /// Latents in blocks, with signed codes: f = pre where √Σ_s‖Σ_{i∈block} pre_i·D_i^s‖² > θ, in the units of the weights.
    Blocks {
        /// Latents of a block.
        width: usize,
        /// θ.
        threshold: f32,
    },
}

impl Dictionary {
    /// Codes `[rows, m]` of raw activations. A pre-activation within rounding (about 1e-6 of its size) of a threshold may fall
    /// on the other side than on the device that fitted.
    ///
    /// # Errors
    /// If sources differ in number, width or rows from what the dictionary takes, or a number is not finite.
    pub fn encode(&self, sources: &[Source]) -> Result<Vec<f32>, UserError> {
        self.check()?;
        let (d, m) = (self.width, self.latents);
        let rows = self.rows(sources)?;
        let mut codes = self.encoder_bias.repeat(rows);
        for (s, source) in sources.iter().enumerate() {
            let (mean, scale) = self.scaling_of(s);
            let weights = &self.encoder[s * d * m..(s + 1) * d * m];
            for (x, pre) in source.values.chunks_exact(d).zip(codes.chunks_exact_mut(m)) {
                for ((x, mean), weights) in x.iter().zip(&mean).zip(weights.chunks_exact(m)) {
                    let x = (x - mean) * scale;
                    pre.iter_mut().zip(weights).for_each(|(pre, weight)| *pre += x * weight);
                }
            }
        }
        if let Nonlinearity::Blocks { width, threshold } = self.nonlinearity {
            codes.chunks_exact_mut(m).for_each(|codes| self.shut_blocks(codes, width, threshold));
            return Ok(codes);
        }
        let thresholds: Vec<Vec<f32>> = (0..self.sources).map(|s| self.thresholds(s)).collect();
        let lowest: Vec<f32> = (0..m).map(|i| thresholds.iter().fold(f32::INFINITY, |low, t| low.min(t[i]))).collect();
        for (index, code) in codes.iter_mut().enumerate() {
            *code = if *code > lowest[index % m] { *code } else { 0.0 };
        }
        Ok(codes)
    }

    /// Silences the blocks of one row of pre-activations `[m]` whose contribution is not above θ.
    fn shut_blocks(&self, codes: &mut [f32], width: usize, threshold: f32) {
        for (block, codes) in codes.chunks_exact_mut(width).enumerate() {
            let mut energy = 0.0;
            for s in 0..self.sources {
                let vectors = &self.decoder_of(s)[block * width * self.width..][..width * self.width];
                for column in 0..self.width {
                    let part: f32 = codes.iter().enumerate().map(|(i, code)| code * vectors[i * self.width + column]).sum();
                    energy += part * part;
                }
            }
            if energy.sqrt() <= threshold {
                codes.fill(0.0);
            }
        }
    }

    /// Reconstructions x̂, one `[rows, d]` per source, in raw activation units, of codes `[rows, m]`. Codes that were changed on
    /// purpose are decoded as they are, but for gates per source: those still compare the code with their threshold.
    ///
    /// # Errors
    /// If there is no whole number of rows of codes.
    pub fn decode(&self, codes: &[f32]) -> Result<Vec<Vec<f32>>, UserError> {
        self.check()?;
        if !codes.len().is_multiple_of(self.latents) {
            return Err(UserError::new(
                format!("{} codes are no rows of {} latents", codes.len(), self.latents),
                "Pass codes of this dictionary",
            ));
        }
        Ok((0..self.sources).map(|s| self.decode_source(s, codes)).collect())
    }

    fn decode_source(&self, s: usize, codes: &[f32]) -> Vec<f32> {
        let (decoder, bias) = (self.decoder_of(s), self.bias_of(s));
        let (mean, scale) = self.scaling_of(s);
        let gates = match self.nonlinearity {
            Nonlinearity::JumpReluPerSource { .. } => self.thresholds(s),
            _ => vec![f32::NEG_INFINITY; self.latents],
        };
        let mut decoded = Vec::with_capacity(codes.len() / self.latents * self.width);
        for codes in codes.chunks_exact(self.latents) {
            let mut row = bias.to_vec();
            for ((&code, vector), &gate) in codes.iter().zip(decoder.chunks_exact(self.width)).zip(&gates) {
                if code != 0.0 && code > gate {
                    row.iter_mut().zip(vector).for_each(|(x, direction)| *x += code * direction);
                }
            }
            decoded.extend(row.iter().zip(&mean).map(|(x, mean)| x / scale + mean));
        }
        decoded
    }

    /// Decoder of source `s`, `[m, d]`, in the units of the weights.
    ///
    /// # Panics
    /// If `s` is not below S.
    pub fn decoder_of(&self, s: usize) -> &[f32] {
        let block = self.latents * self.width;
        &self.decoder[s * block..(s + 1) * block]
    }

    /// Decoder bias of source `s`, `[d]`, in the units of the weights.
    ///
    /// # Panics
    /// If `s` is not below S.
    pub fn bias_of(&self, s: usize) -> &[f32] {
        &self.decoder_bias[s * self.width..(s + 1) * self.width]
    }

    /// ‖D_i^s‖ of every latent in source `s`, `[m]`, in the units of the weights.
    ///
    /// # Panics
    /// If `s` is not below S.
    pub fn norms(&self, s: usize) -> Vec<f32> {
        let square = |vector: &[f32]| vector.iter().map(|&d| f64::from(d) * f64::from(d)).sum::<f64>();
        self.decoder_of(s).chunks_exact(self.width).map(|vector| square(vector).sqrt() as f32).collect()
    }

    /// θ `[m]` such that source `s` decodes f_i where the pre-activation exceeds θ_i; never negative, and −∞ in blocks, whose gate
    /// is no threshold of a single latent.
    pub(super) fn thresholds(&self, s: usize) -> Vec<f32> {
        match &self.nonlinearity {
            Nonlinearity::Relu => vec![0.0; self.latents],
            Nonlinearity::Blocks { .. } => vec![f32::NEG_INFINITY; self.latents],
            Nonlinearity::BatchTopK { threshold } => {
                let norms: Vec<Vec<f32>> = (0..self.sources).map(|s| self.norms(s)).collect();
                (0..self.latents).map(|i| over_norm(*threshold, norms.iter().map(|n| n[i]).sum())).collect()
            }
            Nonlinearity::JumpRelu { threshold } => threshold.iter().map(|t| t.max(0.0)).collect(),
            Nonlinearity::JumpReluPerSource { threshold } => {
                threshold[s * self.latents..(s + 1) * self.latents].iter().map(|t| t.max(0.0)).collect()
            }
        }
    }

    /// Mean `[d]` and scale of source `s`; 0 and 1 without scaling.
    pub(super) fn scaling_of(&self, s: usize) -> (Vec<f32>, f32) {
        match &self.scaling {
            None => (vec![0.0; self.width], 1.0),
            Some(scaling) => (scaling.mean[s * self.width..(s + 1) * self.width].to_vec(), scaling.scale[s]),
        }
    }

    /// Checks sizes and numbers.
    ///
    /// # Errors
    /// Names the part that does not fit, or is not finite.
    pub fn check(&self) -> Result<(), UserError> {
        let (s, d, m) = (self.sources, self.width, self.latents);
        let mut parts: Vec<(&str, &[f32], usize)> = vec![
            ("encoder", &self.encoder, s * d * m),
            ("encoder bias", &self.encoder_bias, m),
            ("decoder", &self.decoder, s * m * d),
            ("decoder bias", &self.decoder_bias, s * d),
        ];
        if let Some(scaling) = &self.scaling {
            parts.extend([("activation mean", &scaling.mean[..], s * d), ("activation scale", &scaling.scale[..], s)]);
        }
        match &self.nonlinearity {
            Nonlinearity::Relu => {}
            Nonlinearity::BatchTopK { threshold } | Nonlinearity::Blocks { threshold, .. } => {
                parts.push(("threshold", std::slice::from_ref(threshold), 1));
            }
            Nonlinearity::JumpRelu { threshold } => parts.push(("threshold", threshold, m)),
            Nonlinearity::JumpReluPerSource { threshold } => parts.push(("threshold", threshold, s * m)),
        }
        if let Nonlinearity::Blocks { width, .. } = self.nonlinearity
            && (width == 0 || !m.is_multiple_of(width))
        {
            let cause = format!("{m} latents are no whole number of blocks of {width}");
            return Err(UserError::new(cause, "Export the dictionary again"));
        }
        if s * d * m == 0 {
            return Err(UserError::new(
                format!("A dictionary of {s} sources, width {d} and {m} latents is empty"),
                "Export it again",
            ));
        }
        for (name, values, size) in parts {
            if values.len() != size {
                let cause =
                    format!("The {name} holds {} numbers, not the {size} of {s} sources, width {d}, {m} latents", values.len());
                return Err(UserError::new(cause, "Export the dictionary again"));
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(UserError::new(format!("The {name} holds a number that is not finite"), "Fit it again, more slowly"));
            }
        }
        if self.scaling.as_ref().is_some_and(|scaling| scaling.scale.iter().any(|&scale| scale <= 0.0)) {
            return Err(UserError::new("An activation scale is not above 0", "Export the dictionary again"));
        }
        Ok(())
    }

    fn rows(&self, sources: &[Source]) -> Result<usize, UserError> {
        if sources.len() != self.sources {
            let cause = format!("The dictionary reads {} sources, {} are given", self.sources, sources.len());
            return Err(UserError::new(cause, "Give one source per source of the fit, in its order"));
        }
        let rows = sources.first().map_or(0, |source| source.values.len() / self.width);
        for (s, source) in sources.iter().enumerate() {
            if source.width != self.width || source.values.len() != rows * self.width {
                let cause = format!(
                    "Source {s} holds {} numbers of width {}, not {rows} rows of width {}",
                    source.values.len(),
                    source.width,
                    self.width
                );
                return Err(UserError::new(cause, "Give the same inputs for all sources, at the hook of the fit"));
            }
            if !source.values.iter().all(|x| x.is_finite()) {
                return Err(UserError::new(format!("Source {s} holds a number that is not finite"), "Choose another checkpoint"));
            }
        }
        Ok(rows)
    }
}

/// θ/‖D‖: the threshold on f that equals a threshold θ on f·‖D‖. Without a decoder vector the latent never fires.
pub(super) fn over_norm(threshold: f32, norm: f32) -> f32 {
    if norm > 0.0 { (threshold / norm).min(f32::MAX) } else { f32::MAX }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::source::Place;
    use super::*;

    /// S = 2, d = 2, m = 3.
    pub fn tiny() -> Dictionary {
        Dictionary {
            sources: 2,
            width: 2,
            latents: 3,
            encoder: vec![1.0, 0.0, 2.0, 0.0, 1.0, -1.0, 0.5, 1.0, 0.0, 0.0, -1.0, 1.0],
            encoder_bias: vec![0.5, -1.0, 0.0],
            decoder: vec![3.0, 4.0, 0.0, 1.0, 1.0, 0.0, 0.0, 5.0, 0.0, 0.0, 2.0, 0.0],
            decoder_bias: vec![0.25, 0.0, 0.0, -0.5],
            scaling: None,
            nonlinearity: Nonlinearity::Relu,
        }
    }

    /// Two rows.
    pub fn inputs() -> Vec<Source> {
        let source = |step, values: &[f32]| Source { step, width: 2, values: values.to_vec(), place: Place::default() };
        vec![source(10, &[1.0, 2.0, 0.0, -1.0]), source(20, &[2.0, 1.0, -3.0, 0.0])]
    }

    pub fn assert_close(a: &[f32], b: &[f32], tolerance: f32) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} {b}");
        }
    }

    // By hand. Row 0: x¹ = (1, 2), x² = (2, 1).
    //   pre_0 = 1·1 + 2·0 + 2·.5 + 1·0 + .5 = 2.5; pre_1 = 0 + 2 + 2 − 1 − 1 = 2; pre_2 = 2 − 2 + 0 + 1 + 0 = 1.
    // Row 1: x¹ = (0, −1), x² = (−3, 0): pre = (−1, −5, 1).
    const CODES: [f32; 6] = [2.5, 2.0, 1.0, 0.0, 0.0, 1.0];

    #[test]
    fn relu_codes_and_reconstructions_are_those_computed_by_hand() {
        let dictionary = tiny();
        assert_eq!(dictionary.encode(&inputs()).unwrap(), CODES);
        let decoded = dictionary.decode(&CODES).unwrap();
        assert_eq!(decoded[0], [7.5 + 1.0 + 0.25, 10.0 + 2.0, 1.25, 0.0]);
        assert_eq!(decoded[1], [2.0, 12.5 - 0.5, 2.0, -0.5]);
    }

    #[test]
    fn batch_top_k_keeps_a_code_whose_norm_weighted_size_exceeds_the_threshold() {
        // Σ_s‖D‖ = 5 + 5, 1 + 0, 1 + 2: scores 25, 2, 3 and 0, 0, 3.
        let keep = |threshold| Dictionary { nonlinearity: Nonlinearity::BatchTopK { threshold }, ..tiny() };
        assert_eq!(keep(2.5).encode(&inputs()).unwrap(), [2.5, 0.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(keep(3.5).encode(&inputs()).unwrap(), [2.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn jump_relu_keeps_the_whole_pre_activation_above_the_threshold() {
        let jump = |threshold: [f32; 3]| {
            let nonlinearity = Nonlinearity::JumpRelu { threshold: threshold.to_vec() };
            Dictionary { nonlinearity, ..tiny() }.encode(&inputs()).unwrap()
        };
        assert_eq!(jump([2.5, 1.9, 0.5]), [0.0, 2.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(jump([-9.0; 3]), CODES, "below 0 the ReLU is left");
    }

    #[test]
    fn a_source_with_its_gate_shut_does_not_decode_the_latent() {
        let threshold = vec![0.0, 3.0, 0.0, 2.6, 0.0, 2.0];
        let dictionary = Dictionary { nonlinearity: Nonlinearity::JumpReluPerSource { threshold }, ..tiny() };
        let codes = dictionary.encode(&inputs()).unwrap();
        assert_eq!(codes, CODES, "each latent is open somewhere");
        let decoded = dictionary.decode(&codes).unwrap();
        assert_eq!(decoded[0][..2], [7.5 + 1.0 + 0.25, 10.0], "latent 1 is shut in source 0");
        assert_eq!(decoded[1][..2], [0.0, -0.5], "latents 0 and 2 are shut in source 1");
    }

    #[test]
    fn centring_and_scaling_happen_inside() {
        let scaling = Scaling { mean: vec![1.0, 0.0, 0.0, 1.0], scale: vec![2.0, 0.5] };
        let scaled = Dictionary { scaling: Some(scaling), ..tiny() };
        // Raw activations whose scaled ones are the inputs above.
        let raw: Vec<Source> = [[1.5, 1.0, 1.0, -0.5], [4.0, 3.0, -6.0, 1.0]]
            .into_iter()
            .map(|values| Source { step: 0, width: 2, values: values.to_vec(), place: Place::default() })
            .collect();
        assert_eq!(scaled.encode(&raw).unwrap(), CODES);
        let decoded = scaled.decode(&CODES).unwrap();
        assert_eq!(decoded[0][..2], [8.75 / 2.0 + 1.0, 12.0 / 2.0]);
        assert_eq!(decoded[1][..2], [2.0 / 0.5, 12.0 / 0.5 + 1.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let short = Dictionary { encoder_bias: vec![0.0; 2], ..tiny() };
        assert!(short.encode(&inputs()).unwrap_err().cause.contains("encoder bias holds 2 numbers, not the 3"));
        let broken = Dictionary { decoder_bias: vec![f32::NAN; 4], ..tiny() };
        assert!(broken.decode(&CODES).unwrap_err().cause.contains("not finite"));
        let flat = Dictionary { scaling: Some(Scaling { mean: vec![0.0; 4], scale: vec![1.0, 0.0] }), ..tiny() };
        assert!(flat.check().unwrap_err().cause.contains("scale"));
        assert!(tiny().encode(&inputs()[..1]).unwrap_err().cause.contains("2 sources, 1"));
        let mut uneven = inputs();
        uneven[1].values.truncate(2);
        assert!(tiny().encode(&uneven).unwrap_err().cause.contains("Source 1"));
        assert!(tiny().decode(&[1.0; 4]).unwrap_err().cause.contains("4 codes"));
    }
}
