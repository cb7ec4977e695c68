//! The variants without a published reference, against a second implementation in 64 bits with plain loops. Its gradients are
//! central differences of its own loss, with the choice of what stands held fixed, as the training rule takes it.

use super::super::config::{CrosscoderConfig, Mask, Variant};
use super::super::presets::crosscoder_preset;
use super::{Dictionary, Moment, Objective, Site, Slope};
use crate::crosscoder::Place;
use crate::experiment::randomness::{Purpose, Stream};
use crate::train::optimizer::advance;
use crate::train::{AdamW, Decay, Update};
use burn::tensor::{Device, Tensor, TensorData};

const S: usize = 3;
const D: usize = 4;
const M: usize = 10;
const N: usize = 7;
const COLUMNS: usize = S * D;

/// Parameters in the order of the dictionary's.
type Parameters = Vec<Vec<f64>>;

const ALL: [Variant; 9] = [
    Variant::L1OfNorms,
    Variant::L2OfNorms,
    Variant::TopK,
    Variant::BatchTopK,
    Variant::JumpRelu,
    Variant::BatchTopKPerSource,
    Variant::JumpReluPerSource,
    Variant::BlockTopK,
    Variant::Delta,
];

fn row() -> Vec<Site> {
    (0..S).map(|time| Site { place: Place::default(), time, width: D }).collect()
}

fn case(variant: Variant) -> CrosscoderConfig {
    let base = crosscoder_preset("births").unwrap().config.clone();
    let config = CrosscoderConfig { variant, lambda: 0.7, k: 3, latents: M as u32, ..base };
    match variant {
        Variant::BlockTopK => CrosscoderConfig { k: 4, ..config },
        Variant::Delta => CrosscoderConfig { k: 2, shared_latents: 0.3, ..config },
        _ => config,
    }
}

/// What a latent reads and writes, and whether it is shared; written down again, not read from the code under test.
fn roles(config: &CrosscoderConfig) -> Vec<(Vec<bool>, Vec<bool>, bool)> {
    let all = vec![true; S];
    let mut roles = Vec::new();
    for own in 0..S {
        for _ in 0..(config.dedicated_latents * M as f64).round() as usize {
            let only: Vec<bool> = (0..S).map(|s| s == own).collect();
            roles.push((only.clone(), only, false));
        }
    }
    for _ in 0..(config.shared_latents * M as f64).round() as usize {
        roles.push((all.clone(), all.clone(), true));
    }
    for own in (0..S).cycle().take(M - roles.len()) {
        roles.push(match config.mask {
            Mask::Acausal => (all.clone(), all.clone(), false),
            Mask::Forward => ((0..S).map(|s| s == own).collect(), (0..S).map(|s| s >= own).collect(), false),
            other => panic!("{other:?}"),
        });
    }
    roles
}

struct Reference {
    config: CrosscoderConfig,
    inputs: Vec<f64>,
    dead: Option<Vec<bool>>,
    k: usize,
}

impl Reference {
    fn pre(&self, p: &Parameters, row: usize, i: usize) -> f64 {
        let roles = roles(&self.config);
        let reads = |column: usize| f64::from(u8::from(roles[i].0[column / D]));
        (0..COLUMNS).map(|c| self.inputs[row * COLUMNS + c] * p[0][c * M + i] * reads(c)).sum::<f64>() + p[1][i]
    }

    fn decoder(&self, p: &Parameters, i: usize, c: usize) -> f64 {
        if roles(&self.config)[i].1[c / D] { p[2][i * COLUMNS + c] } else { 0.0 }
    }

    fn norms(&self, p: &Parameters, i: usize) -> Vec<f64> {
        (0..S).map(|s| (0..D).map(|j| self.decoder(p, i, s * D + j).powi(2)).sum::<f64>().sqrt()).collect()
    }

    fn weight(&self, p: &Parameters, i: usize) -> f64 {
        self.norms(p, i).iter().sum()
    }

    /// Which codes stand at each source, `[source][row][latent]`.
    fn standing(&self, p: &Parameters) -> Vec<Vec<Vec<bool>>> {
        (0..S)
            .map(|s| if self.config.variant.is_per_source() { self.standing_at(p, s) } else { self.standing_anywhere(p) })
            .collect()
    }

    /// With a gate per source.
    fn standing_at(&self, p: &Parameters, s: usize) -> Vec<Vec<bool>> {
        let score = |row: usize, i: usize| self.pre(p, row, i).max(0.0) * self.norms(p, i)[s];
        let mut all: Vec<f64> = (0..N * M).map(|at| score(at / M, at % M)).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        let lowest = all[N * self.k - 1];
        let stands = |row: usize, i: usize| match self.config.variant {
            Variant::BatchTopKPerSource => score(row, i) > 0.0 && score(row, i) >= lowest,
            _ => self.pre(p, row, i) * self.norms(p, i)[s] > p[4][s * M + i].exp(),
        };
        (0..N).map(|row| (0..M).map(|i| stands(row, i)).collect()).collect()
    }

    /// The size of what the block of `i` adds to all sources.
    fn contribution(&self, p: &Parameters, row: usize, i: usize) -> f64 {
        let first = i / 2 * 2;
        let of = |c: usize| (first..first + 2).map(|i| self.pre(p, row, i) * self.decoder(p, i, c)).sum::<f64>();
        (0..COLUMNS).map(|c| of(c).powi(2)).sum::<f64>().sqrt()
    }

    fn standing_blocks(&self, p: &Parameters) -> Vec<Vec<bool>> {
        let size = |row: usize, i: usize| self.contribution(p, row, i);
        let mut all: Vec<f64> = (0..N * M / 2).map(|at| size(at / (M / 2), at % (M / 2) * 2)).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        let lowest = all[N * self.k / 2 - 1];
        (0..N).map(|row| (0..M).map(|i| size(row, i) >= lowest - 1e-12).collect()).collect()
    }

    fn standing_of_each_kind(&self, p: &Parameters) -> Vec<Vec<bool>> {
        let roles = roles(&self.config);
        let score = |row: usize, i: usize| self.pre(p, row, i).max(0.0) * self.weight(p, i);
        let lowest = [true, false].map(|shared| {
            let mut all: Vec<f64> = (0..N * M).filter(|at| roles[at % M].2 == shared).map(|at| score(at / M, at % M)).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            all[N * self.k - 1]
        });
        let stands = |row: usize, i: usize| score(row, i) > 0.0 && score(row, i) >= lowest[usize::from(!roles[i].2)];
        (0..N).map(|row| (0..M).map(|i| stands(row, i)).collect()).collect()
    }

    fn standing_anywhere(&self, p: &Parameters) -> Vec<Vec<bool>> {
        match self.config.variant {
            Variant::BlockTopK => return self.standing_blocks(p),
            Variant::Delta => return self.standing_of_each_kind(p),
            _ => {}
        }
        let scores: Vec<Vec<f64>> =
            (0..N).map(|row| (0..M).map(|i| self.pre(p, row, i).max(0.0) * self.weight(p, i)).collect()).collect();
        let largest = |mut values: Vec<f64>, count: usize| {
            values.sort_by(|a, b| b.total_cmp(a));
            values[count - 1]
        };
        let of_batch = largest(scores.concat(), N * self.k);
        (0..N)
            .map(|row| {
                let of_row = largest(scores[row].clone(), self.k);
                let stands = |i: usize| match self.config.variant {
                    Variant::TopK => scores[row][i] > 0.0 && scores[row][i] >= of_row,
                    Variant::BatchTopK => scores[row][i] > 0.0 && scores[row][i] >= of_batch,
                    Variant::JumpRelu => self.pre(p, row, i) > p[4][i].exp(),
                    _ => self.pre(p, row, i) > 0.0,
                };
                (0..M).map(stands).collect()
            })
            .collect()
    }

    /// Dead latents that stand in the auxiliary loss.
    fn aux_standing(&self, p: &Parameters) -> Vec<Vec<bool>> {
        let Some(dead) = &self.dead else { return vec![vec![false; M]; N] };
        let most = COLUMNS / 2;
        (0..N)
            .map(|row| {
                let mut order: Vec<usize> = (0..M).filter(|i| dead[*i] && self.pre(p, row, *i) > 0.0).collect();
                order.sort_by(|a, b| self.pre(p, row, *b).total_cmp(&self.pre(p, row, *a)));
                (0..M).map(|i| order.iter().take(most).any(|other| *other == i)).collect()
            })
            .collect()
    }

    /// The loss with the given choices; `lent` is added to the codes; `left` is what the auxiliary loss explains.
    fn loss(&self, p: &Parameters, stands: &[Vec<Vec<bool>>], aux: &[Vec<bool>], lent: &[f64], left: &[f64]) -> f64 {
        let roles = roles(&self.config);
        let code_at = |s: usize, row: usize, i: usize| {
            (if stands[s][row][i] { self.pre(p, row, i) } else { 0.0 }) + lent[(s * N + row) * M + i]
        };
        let code = |row: usize, i: usize| code_at(0, row, i);
        let error = |row: usize, c: usize, first: usize| {
            let decoded: f64 = (0..first).map(|i| code_at(c / D, row, i) * self.decoder(p, i, c)).sum();
            decoded + p[3][c] - self.inputs[row * COLUMNS + c]
        };
        let mut loss = 0.0;
        for halvings in 0..self.config.prefixes {
            let first = M >> halvings;
            loss += (0..N)
                .flat_map(|row| (0..COLUMNS).map(move |c| (row, c)))
                .map(|(row, c)| error(row, c, first).powi(2))
                .sum::<f64>()
                / N as f64;
        }
        if self.config.variant == Variant::Delta {
            let change = |row: usize, c: usize| {
                let x = self.inputs[row * COLUMNS + c + D] - self.inputs[row * COLUMNS + c];
                let others = (0..M).filter(|i| !roles[*i].2);
                x - others.map(|i| code(row, i) * (self.decoder(p, i, c + D) - self.decoder(p, i, c))).sum::<f64>()
            };
            let all = (0..N).flat_map(|row| (0..COLUMNS - D).map(move |c| (row, c)));
            loss += all.map(|(row, c)| change(row, c).powi(2)).sum::<f64>() / N as f64;
        }
        for i in 0..M {
            let part = if roles[i].2 { 0.1 } else { 1.0 };
            let mean = |value: &dyn Fn(usize) -> f64| (0..N).map(value).sum::<f64>() / N as f64;
            loss += part
                * match self.config.variant {
                    Variant::L1OfNorms => self.config.lambda * mean(&|row| code(row, i)) * self.weight(p, i),
                    Variant::L2OfNorms => {
                        let root = self.norms(p, i).iter().map(|n| n * n).sum::<f64>().sqrt();
                        self.config.lambda * mean(&|row| code(row, i)) * root
                    }
                    Variant::JumpRelu => {
                        let w = self.weight(p, i);
                        let below = mean(&|row| (p[4][i].exp() - self.pre(p, row, i)).max(0.0)) * w;
                        self.config.lambda * mean(&|row| (4.0 * code(row, i) * w).tanh()) + 3e-6 * below
                    }
                    Variant::JumpReluPerSource => {
                        let at = |s: usize| {
                            let norm = self.norms(p, i)[s];
                            let q = mean(&|row| (4.0 * code_at(s, row, i) * norm).tanh());
                            q * (1.0 + q / 0.01)
                        };
                        self.config.lambda * (0..S).map(at).sum::<f64>()
                    }
                    _ => 0.0,
                };
        }
        if self.dead.is_some() {
            let (mut missed, mut variance) = (0.0, 0.0);
            for c in 0..COLUMNS {
                let mean = (0..N).map(|row| left[row * COLUMNS + c]).sum::<f64>() / N as f64;
                for row in 0..N {
                    let decoded: f64 = (0..M).filter(|i| aux[row][*i]).map(|i| self.pre(p, row, i) * self.decoder(p, i, c)).sum();
                    missed += (decoded - left[row * COLUMNS + c]).powi(2);
                    variance += (left[row * COLUMNS + c] - mean).powi(2);
                }
            }
            loss += self.config.aux * missed / variance;
        }
        loss
    }

    /// What the whole dictionary leaves: x − x̂.
    fn left(&self, p: &Parameters, stands: &[Vec<Vec<bool>>]) -> Vec<f64> {
        let one = |row: usize, c: usize| {
            let decoded: f64 =
                (0..M).filter(|i| stands[c / D][row][*i]).map(|i| self.pre(p, row, i) * self.decoder(p, i, c)).sum();
            self.inputs[row * COLUMNS + c] - decoded - p[3][c]
        };
        (0..N * COLUMNS).map(|at| one(at / COLUMNS, at % COLUMNS)).collect()
    }

    fn slope(&self, p: &Parameters) -> (f64, Parameters) {
        let (stands, aux) = (self.standing(p), self.aux_standing(p));
        let left = self.left(p, &stands);
        let none = vec![0.0; S * N * M];
        let loss = |p: &Parameters, lent: &[f64]| self.loss(p, &stands, &aux, lent, &left);
        const STEP: f64 = 1e-5;
        let mut slopes: Parameters = p.iter().map(|values| vec![0.0; values.len()]).collect();
        for (tensor, index) in p.iter().enumerate().flat_map(|(t, values)| (0..values.len()).map(move |i| (t, i))) {
            let at = |offset: f64| {
                let mut moved = p.clone();
                moved[tensor][index] += offset;
                loss(&moved, &none)
            };
            slopes[tensor][index] = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        }
        if self.config.variant == Variant::JumpRelu {
            // dL/dln θ through the codes: −θ/2 inside a rectangle of width 2, times θ, times dL/df.
            for (row, i) in (0..N).flat_map(|row| (0..M).map(move |i| (row, i))) {
                let theta = p[4][i].exp();
                if (self.pre(p, row, i) - theta).abs() <= 1.0 {
                    let at = |offset: f64| {
                        let mut lent = none.clone();
                        (0..S).for_each(|s| lent[(s * N + row) * M + i] = offset);
                        loss(p, &lent)
                    };
                    slopes[4][i] += -theta / 2.0 * theta * (at(STEP) - at(-STEP)) / (2.0 * STEP);
                }
            }
        }
        if self.config.variant == Variant::JumpReluPerSource {
            // The same for pre·n against θ, with a rectangle of width 4, for each source alone.
            for (s, row, i) in (0..S * N * M).map(|at| (at / (N * M), at / M % N, at % M)) {
                let (theta, norm) = (p[4][s * M + i].exp(), self.norms(p, i)[s]);
                if (self.pre(p, row, i) * norm - theta).abs() <= 2.0 {
                    let at = |offset: f64| {
                        let mut lent = none.clone();
                        lent[(s * N + row) * M + i] = offset;
                        loss(p, &lent)
                    };
                    let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                    slopes[4][s * M + i] += -theta / 4.0 / norm * theta * slope;
                }
            }
        }
        // One vector for all sources has the sum of their gradients.
        for (i, _) in roles(&self.config).iter().enumerate().filter(|(_, role)| role.2) {
            for j in 0..D {
                let sum: f64 = (0..S).map(|s| slopes[2][i * COLUMNS + s * D + j]).sum();
                (0..S).for_each(|s| slopes[2][i * COLUMNS + s * D + j] = sum);
            }
        }
        (loss(p, &none), slopes)
    }
}

fn shapes(config: &CrosscoderConfig) -> [[usize; 3]; 5] {
    let thresholds = if config.variant.is_per_source() { S } else { 1 };
    [[1, COLUMNS, M], [1, 1, M], [1, M, COLUMNS], [1, 1, COLUMNS], [1, thresholds, M]]
}

fn start(config: &CrosscoderConfig) -> Parameters {
    let mut stream = Stream::new(11, Purpose::Planted, 0);
    let mut draw = |count: usize, std: f64| stream.normals(count, std).into_iter().map(f64::from).collect::<Vec<f64>>();
    let mut p = vec![
        draw(COLUMNS * M, 0.4),
        draw(M, 0.2),
        draw(M * COLUMNS, 0.4),
        draw(COLUMNS, 0.2),
        vec![f64::from(0.3f32.ln()); S * M],
    ];
    for (i, _) in roles(config).iter().enumerate().filter(|(_, role)| role.2) {
        for s in 1..S {
            p[2].copy_within(i * COLUMNS..i * COLUMNS + D, i * COLUMNS + s * D);
        }
    }
    match config.variant {
        Variant::JumpReluPerSource => {}
        Variant::JumpRelu => p[4].truncate(M),
        _ => drop(p.pop()),
    }
    p
}

fn close(what: &str, ours: Tensor<3>, reference: &[f64], tolerance: f64) {
    let ours = ours.into_data().try_into_vec::<f32>().unwrap();
    let scale = reference.iter().fold(1e-6f64, |m, v| m.max(v.abs()));
    for (a, b) in ours.iter().zip(reference) {
        assert!((f64::from(*a) - b).abs() <= tolerance * scale, "{what}: {a} against {b}");
    }
}

/// Loss, gradients and two Adam steps of a case.
fn repeats(what: &str, config: CrosscoderConfig, dead: Option<Vec<bool>>, k: usize) {
    let device = Device::flex();
    let inputs: Vec<f64> = Stream::new(5, Purpose::Planted, 1).normals(N * COLUMNS, 1.0).into_iter().map(f64::from).collect();
    let mut reference_p = start(&config);
    let tensor = |values: &[f64], shape: [usize; 3]| {
        Tensor::<3>::from_data(TensorData::new(values.iter().map(|v| *v as f32).collect::<Vec<f32>>(), shape), &device)
    };
    let mut dictionary = Dictionary::from_parameters(
        reference_p.iter().zip(shapes(&config)).map(|(values, shape)| tensor(values, shape)).collect(),
    );
    let batch = tensor(&inputs, [1, N, COLUMNS]).autodiff();
    let objective = Objective::new(&config, &row(), &device);
    let flags = dead.as_ref().map(|dead| dead.iter().map(|d| f64::from(u8::from(*d))).collect::<Vec<f64>>());
    let moment = Moment { warmup: 1.0, k: k as f64, dead: flags.map(|flags| tensor(&flags, [1, 1, M]).autodiff()) };
    let reference = Reference { config, inputs, dead, k };
    let mut optimizer = AdamW::new([0.9, 0.999], 1e-8, &dictionary.parameters(), &device);
    let mut moments: Vec<[Vec<f64>; 2]> = reference_p.iter().map(|v| [vec![0.0; v.len()], vec![0.0; v.len()]]).collect();
    for t in 1..=2u32 {
        let Slope { loss, gradients, fired } = objective.gradients(&dictionary, batch.clone(), &moment);
        let (expected, slopes) = reference.slope(&reference_p);
        close(&format!("{what}, loss {t}"), loss.reshape([1, 1, 1]), &[expected], 1e-5);
        for (index, (ours, slope)) in gradients.iter().zip(&slopes).enumerate() {
            close(&format!("{what}, gradient {index} of step {t}"), ours.clone(), slope, 3e-5);
        }
        let stands = reference.standing(&reference_p);
        let fires = |i: usize| stands.iter().any(|at| at.iter().any(|row| row[i]));
        let expected: Vec<f64> = (0..M).map(|i| f64::from(u8::from(fires(i)))).collect();
        close(&format!("{what}, fired"), fired.inner(), &expected, 0.0);
        let update = Update { t, rates: &[1e-2], weight_decay: &[0.0], decay_to: None, specs: &[], device: &device };
        let updated = advance(&mut optimizer, Decay::Decoupled, &update, dictionary.parameters(), gradients);
        dictionary = Dictionary::from_parameters(updated);
        for ((p, slope), [first, second]) in reference_p.iter_mut().zip(&slopes).zip(&mut moments) {
            for (((p, g), m), v) in p.iter_mut().zip(slope).zip(first).zip(second) {
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (unbiased_m, unbiased_v) = (*m / (1.0 - 0.9f64.powi(t as i32)), *v / (1.0 - 0.999f64.powi(t as i32)));
                *p -= 1e-2 * unbiased_m / (unbiased_v.sqrt() + 1e-8);
            }
        }
    }
    for (index, (ours, expected)) in dictionary.parameters().into_iter().zip(&reference_p).enumerate() {
        // Where a gradient is all but zero, Adam divides rounding by rounding.
        close(&format!("{what}, parameter {index}"), ours, expected, 2e-3);
    }
}

#[test]
fn every_rule_repeats_the_reference() {
    for variant in ALL {
        repeats(&format!("{variant:?}"), case(variant), None, case(variant).k as usize);
    }
}

#[test]
fn masks_shared_and_dedicated_latents_repeat_the_reference() {
    for variant in [Variant::L1OfNorms, Variant::BatchTopK] {
        repeats("forward", CrosscoderConfig { mask: Mask::Forward, ..case(variant) }, None, 3);
        repeats("shared", CrosscoderConfig { shared_latents: 0.3, ..case(variant) }, None, 3);
        let mixed = CrosscoderConfig { mask: Mask::Forward, shared_latents: 0.2, dedicated_latents: 0.1, ..case(variant) };
        repeats("all together", mixed, None, 3);
    }
}

#[test]
fn nested_dictionaries_and_dead_latents_repeat_the_reference() {
    repeats("nested", CrosscoderConfig { prefixes: 3, ..case(Variant::BatchTopK) }, None, 3);
    let dead = (0..M).map(|i| i % 2 == 0).collect();
    repeats("dead", CrosscoderConfig { aux: 0.5, ..case(Variant::TopK) }, Some(dead), 3);
}

#[test]
fn an_annealed_k_lets_more_stand() {
    repeats("annealed", case(Variant::TopK), None, 6);
}

#[test]
fn scaling_codes_up_and_decoders_down_leaves_the_objective_alone() {
    // f → αf, D → D/α per latent: what is decoded, what is penalised and what stands must not change.
    let device = Device::flex();
    let inputs: Vec<f32> = Stream::new(5, Purpose::Planted, 1).normals(N * COLUMNS, 1.0);
    let batch = Tensor::<3>::from_data(TensorData::new(inputs, [1, N, COLUMNS]), &device).autodiff();
    for variant in ALL {
        let config = case(variant);
        let objective = Objective::new(&config, &row(), &device);
        let moment = Moment { warmup: 1.0, k: f64::from(config.k), dead: None };
        let loss = |scaled: bool| {
            let mut p = start(&config);
            for i in 0..M {
                let scale = if scaled { 0.5 + 0.25 * i as f64 } else { 1.0 };
                (0..COLUMNS).for_each(|c| p[0][c * M + i] *= scale);
                p[1][i] *= scale;
                (0..COLUMNS).for_each(|c| p[2][i * COLUMNS + c] /= scale);
                // A threshold on the code moves with it; one on the code times the norm does not.
                if let Some(log_threshold) = p.get_mut(4).filter(|_| !variant.is_per_source()) {
                    log_threshold[i] += scale.ln();
                }
            }
            let tensors = p.iter().zip(shapes(&config)).map(|(values, shape)| {
                let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
                Tensor::<3>::from_data(TensorData::new(values, shape), &device)
            });
            let dictionary = Dictionary::from_parameters(tensors.collect());
            objective.gradients(&dictionary, batch.clone(), &moment).loss.into_data().try_into_vec::<f32>().unwrap()[0]
        };
        let (plain, scaled) = (loss(false), loss(true));
        assert!((plain - scaled).abs() < 1e-4 * plain, "{variant:?}: {plain} against {scaled}");
    }
}
