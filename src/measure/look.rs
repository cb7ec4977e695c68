//! One checkpoint as pictures: what the page draws of it, computed where its activations are.
//!
//! The page has neither device nor activations, and sending 59³ logits for each move of the time slider would cost more than
//! computing them. So a look brings back only what is drawn: maps over the pairs, points of tokens, a table of neurons.

use super::ablation::Ablation;
use super::facts::Facts;
use super::harmonics::Harmonics;
use super::key_neurons::neuron_frequencies;
use super::restricted::SplitLogits;
use super::row_loss::{is_right, row_loss};
use super::tokens::input_table;
use crate::crosscoder::Hook;
use crate::experiment::Experiment;
use crate::record::UserError;
use nalgebra::{DMatrix, SymmetricEigen};
use serde::{Deserialize, Serialize};

/// What to look at beside the answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LookView {
    /// A part to take out first.
    pub ablation: Option<Ablation>,
    /// A neuron whose map is wanted.
    pub neuron: Option<u32>,
    /// A head whose map is wanted.
    pub head: u32,
    /// Components (from 0) whose planes of the embedding are wanted.
    pub planes: Vec<u32>,
}

/// Losses and accuracies of a network; a loss is missing where it is not a function of one output per class.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Mean loss over training rows.
    pub train_loss: Option<f64>,
    /// Mean loss over test rows.
    pub test_loss: Option<f64>,
    /// Share of training rows that are right.
    pub train_accuracy: f64,
    /// Share of test rows that are right.
    pub test_accuracy: f64,
}

/// A neuron of the last hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    /// Its number.
    pub index: u32,
    /// Its dominant frequency.
    pub frequency: u32,
    /// Share of its variance over the pairs that belongs to that frequency alone.
    pub share: f32,
    /// Its standard deviation over the pairs.
    pub deviation: f32,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Look {
    /// Step of the checkpoint.
    pub step: u32,
    /// What was asked.
    pub view: LookView,
    /// Of the whole network.
    pub whole: Scores,
    /// Of the network without the ablated part.
    pub ablated: Option<Scores>,
    /// Logit of the right answer minus the best other, per row, of the ablated network if there is one; empty without classes.
    pub margins: Vec<f32>,
    /// Coefficient of each component in the logits: α_k of Σ_k α_k cos ω_k(a + b − c); empty without a group.
    pub coefficients: Vec<f32>,
    /// Neurons by dominant frequency, then by share; empty where they have none.
    pub neurons: Vec<Neuron>,
    /// The wanted neuron per row, before and after its non-linearity.
    pub neuron_maps: Option<[Vec<f32>; 2]>,
    /// Mean attention of each head to a, b and "=", `[head][3]`; empty without attention.
    pub attention: Vec<[f32; 3]>,
    /// Attention of the wanted head to a, per row.
    pub head_map: Vec<f32>,
    /// Principal components of what is read of each token, `[token][3]`; empty without token weights.
    pub principal: Vec<[f32; 3]>,
    /// Share of variance of each of the three.
    pub principal_shares: [f32; 3],
    /// For each wanted component: each token in the plane in which it turns.
    pub planes: Vec<Vec<[f32; 2]>>,
}

/// Activations that a look reads, those of the ablated network.
pub fn look_hooks(experiment: &Experiment) -> Vec<Hook> {
    [Hook::Logits, Hook::MlpPre, Hook::MlpPost, Hook::Pattern]
        .into_iter()
        .filter(|hook| crate::model::hook_width(experiment, *hook).is_some())
        .collect()
}

impl Look {
    /// Of `facts`, whose weights and activations are those of the ablated network if `view` has an ablation; then `whole` are the
    /// scores without it.
    ///
    /// # Errors
    /// If weights do not belong to the experiment.
    pub fn of(facts: &Facts<'_>, view: &LookView, whole: Option<Scores>) -> Result<Self, UserError> {
        let mut look = Self { step: facts.step, view: view.clone(), ..Self::default() };
        let scores = Scores::of(facts)?;
        (look.whole, look.ablated) = match whole {
            Some(whole) => (whole, Some(scores)),
            None => (scores, None),
        };
        let logits = facts.logits()?;
        if logits.width > 1 && super::facts::needs_classes(facts.experiment).is_ok() {
            look.margins = logits.rows().enumerate().map(|(row, z)| margin(z, facts.label(row))).collect();
        }
        if let Some(harmonics) = facts.harmonics.filter(|h| h.require_even_answers().is_ok() && logits.width == h.of_token.len())
        {
            let split = SplitLogits::of(facts, &(0..harmonics.components.len()).collect::<Vec<_>>())?;
            look.coefficients = harmonics.class_coefficients(&split.part).into_iter().map(|value| value as f32).collect();
        }
        look.read_neurons(facts);
        if let Ok(pattern) = facts.activation(Hook::Pattern) {
            look.read_attention(&pattern.values, pattern.width / 3);
        }
        if let Ok((table, columns)) = input_table(facts.weights, facts.experiment) {
            look.read_embedding(facts.harmonics, &table, columns);
        }
        Ok(look)
    }

    fn read_neurons(&mut self, facts: &Facts<'_>) {
        let Ok(post) = facts.activation(Hook::MlpPost) else { return };
        let p = facts.harmonics.filter(|harmonics| harmonics.is_cyclic).map_or(0, |harmonics| harmonics.order);
        // Frequencies of a and of b alone exist only where all pairs of residues are rows.
        if p > 0 && p * p == facts.data.rows.len() {
            let deviations = deviations(&post.values, post.width);
            let found = neuron_frequencies(post, p);
            self.neurons = found
                .into_iter()
                .zip(deviations)
                .enumerate()
                .map(|(index, (found, deviation))| Neuron {
                    index: index as u32,
                    frequency: found.frequency as u32,
                    share: found.share as f32,
                    deviation,
                })
                .collect();
            self.neurons.sort_by(|x, y| x.frequency.cmp(&y.frequency).then(y.share.total_cmp(&x.share)));
        }
        let wanted = self.view.neuron.map(|neuron| neuron as usize).filter(|neuron| *neuron < post.width);
        if let (Some(neuron), Ok(pre)) = (wanted, facts.activation(Hook::MlpPre)) {
            let column = |grid: &super::Grid| grid.rows().map(|row| row[neuron]).collect::<Vec<f32>>();
            self.neuron_maps = Some([column(pre), column(post)]);
        }
    }

    /// Positions first, heads within.
    fn read_attention(&mut self, values: &[f32], heads: usize) {
        let rows = (values.len() / (3 * heads).max(1)).max(1) as f64;
        let mean = |position: usize, head: usize| {
            let column = position * heads + head;
            (values.iter().skip(column).step_by(3 * heads).map(|w| f64::from(*w)).sum::<f64>() / rows) as f32
        };
        self.attention = (0..heads).map(|head| [0, 1, 2].map(|position| mean(position, head))).collect();
        let head = self.view.head as usize;
        if head < heads {
            self.head_map = values.iter().skip(head).step_by(3 * heads).copied().collect();
        }
    }

    fn read_embedding(&mut self, harmonics: Option<&Harmonics>, table: &[f32], columns: usize) {
        let tokens = table.len() / columns.max(1);
        let values: Vec<f64> = table.iter().map(|value| f64::from(*value)).collect();
        let (points, shares) = principal(&values, tokens, columns, 3);
        self.principal = points.chunks_exact(3).map(|point| [point[0], point[1], point[2]].map(|x| x as f32)).collect();
        self.principal_shares = [0, 1, 2].map(|index| shares.get(index).copied().unwrap_or(0.0) as f32);
        let Some(harmonics) = harmonics else { return };
        let by_element = harmonics.by_element(table, columns);
        for component in &self.view.planes {
            let part = harmonics.project(&by_element, columns, &[*component as usize]);
            let (points, _) = principal(&part, harmonics.order, columns, 2);
            // Back from elements to tokens; a token outside the group stands in the middle.
            let of_token = |element: &Option<u16>| match element {
                Some(element) => [points[2 * usize::from(*element)] as f32, points[2 * usize::from(*element) + 1] as f32],
                None => [0.0, 0.0],
            };
            self.planes.push(harmonics.of_token.iter().map(of_token).collect());
        }
    }
}

impl Scores {
    /// Of the logits of `facts`.
    ///
    /// # Errors
    /// If there are no logits.
    pub fn of(facts: &Facts<'_>) -> Result<Self, UserError> {
        let logits = facts.logits()?;
        if super::facts::needs_classes(facts.experiment).is_err() {
            return Ok(Self::default());
        }
        let side = |rows: &mut dyn Iterator<Item = (usize, usize)>| {
            let (mut loss, mut right, mut count) = (Some(0.0), 0usize, 0usize);
            for (row, label) in rows {
                let outputs: Vec<f64> = logits.row(row).iter().map(|z| f64::from(*z)).collect();
                right += usize::from(is_right(&outputs, label));
                loss = loss.and_then(|sum| Some(sum + row_loss(&facts.experiment.loss, &outputs, label).ok()?));
                count += 1;
            }
            let count = count.max(1) as f64;
            (loss.map(|sum| sum / count).filter(|loss| loss.is_finite()), right as f64 / count)
        };
        let (train_loss, train_accuracy) = side(&mut facts.train_labels());
        let (test_loss, test_accuracy) = side(&mut facts.data.test.iter().map(|row| (*row as usize, facts.label(*row as usize))));
        Ok(Self { train_loss, test_loss, train_accuracy, test_accuracy })
    }
}

/// The right logit minus the best other.
fn margin(logits: &[f32], label: usize) -> f32 {
    let best = logits.iter().enumerate().filter(|(class, _)| *class != label).map(|(_, z)| *z).fold(f32::NEG_INFINITY, f32::max);
    logits[label] - best
}

fn deviations(values: &[f32], width: usize) -> Vec<f32> {
    let rows = (values.len() / width.max(1)).max(1) as f64;
    let mut means = vec![0.0; width];
    for row in values.chunks_exact(width.max(1)) {
        means.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) / rows);
    }
    let mut squares = vec![0.0; width];
    for row in values.chunks_exact(width.max(1)) {
        squares
            .iter_mut()
            .zip(row)
            .zip(&means)
            .for_each(|((sum, value), mean)| *sum += (f64::from(*value) - mean).powi(2) / rows);
    }
    squares.into_iter().map(|square| libm::sqrt(square) as f32).collect()
}

/// The first `wanted` principal components of `values` `[point, columns]`: `[point, wanted]`, and their shares of the variance.
/// Signs are such that the largest coordinate is positive, so that they do not depend on the solver.
pub fn principal(values: &[f64], points: usize, columns: usize, wanted: usize) -> (Vec<f64>, Vec<f64>) {
    let mut centred = values.to_vec();
    for column in 0..columns {
        let mean = (0..points).map(|point| values[point * columns + column]).sum::<f64>() / points.max(1) as f64;
        (0..points).for_each(|point| centred[point * columns + column] -= mean);
    }
    // There are far fewer tokens than columns in most networks, so the Gram matrix of the points is the small one.
    let gram = DMatrix::from_fn(points, points, |i, j| {
        let (x, y) = (&centred[i * columns..(i + 1) * columns], &centred[j * columns..(j + 1) * columns]);
        x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>()
    });
    let eigen = SymmetricEigen::new(gram);
    let mut order: Vec<usize> = (0..points).collect();
    order.sort_by(|x, y| eigen.eigenvalues[*y].total_cmp(&eigen.eigenvalues[*x]));
    let total: f64 = eigen.eigenvalues.iter().map(|value| value.max(0.0)).sum();
    let mut found = vec![0.0; points * wanted];
    let mut shares = Vec::with_capacity(wanted);
    for (place, index) in order.into_iter().take(wanted).enumerate() {
        let value = eigen.eigenvalues[index].max(0.0);
        let vector = eigen.eigenvectors.column(index);
        let largest = vector.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() + 1e-12 { x } else { most });
        let scale = libm::sqrt(value) * if largest < 0.0 { -1.0 } else { 1.0 };
        (0..points).for_each(|point| found[point * wanted + place] = scale * vector[point]);
        shares.push(if total > 0.0 { value / total } else { 0.0 });
    }
    (found, shares)
}

/// The points turned (and mirrored, if that is better) in the plane so that they lie closest to `reference`: orthogonal Procrustes
/// in two dimensions, in closed form. So points move from checkpoint to checkpoint and do not jump.
pub fn aligned(points: &[[f32; 2]], reference: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let sum = |f: fn(&[f32; 2], &[f32; 2]) -> f32| points.iter().zip(reference).map(|(x, y)| f64::from(f(x, y))).sum::<f64>();
    let (xx, xy, yx, yy) = (sum(|p, r| p[0] * r[0]), sum(|p, r| p[0] * r[1]), sum(|p, r| p[1] * r[0]), sum(|p, r| p[1] * r[1]));
    // The best rotation gains √((xx+yy)² + (xy−yx)²), the best reflection √((xx−yy)² + (xy+yx)²).
    let (turn_c, turn_s) = (xx + yy, xy - yx);
    let (flip_c, flip_s) = (xx - yy, xy + yx);
    let is_turn = turn_c * turn_c + turn_s * turn_s >= flip_c * flip_c + flip_s * flip_s;
    let (c, s) = if is_turn { (turn_c, turn_s) } else { (flip_c, flip_s) };
    let length = libm::sqrt(c * c + s * s);
    if length <= 0.0 || !length.is_finite() {
        return points.to_vec();
    }
    let (c, s) = ((c / length) as f32, (s / length) as f32);
    points.iter().map(|[x, y]| if is_turn { [c * x - s * y, s * x + c * y] } else { [c * x + s * y, s * x - c * y] }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, changed};
    use super::*;
    use core::f64::consts::TAU;

    fn landing() -> Case {
        Case::of(changed("quadratic-31", &[("loss", "cross_entropy")]))
    }

    #[test]
    fn a_clock_is_read_back_coefficient_by_coefficient() {
        let case = landing().clock(&[(4, 3.0), (11, 2.0)]);
        let look = Look::of(&case.facts(), &LookView::default(), None).unwrap();
        for (index, value) in look.coefficients.iter().enumerate() {
            let expected = [(3, 3.0), (10, 2.0)].iter().find(|(at, _)| *at == index).map_or(0.0, |(_, size)| *size);
            assert!((value - expected).abs() < 1e-4, "{index}: {value}");
        }
        assert_eq!((look.whole.train_accuracy, look.whole.test_accuracy, look.ablated), (1.0, 1.0, None));
        assert!(look.margins.len() == 961 && look.margins.iter().all(|m| *m > 0.1));
    }

    #[test]
    fn a_look_up_table_knows_its_training_pairs_alone() {
        let case = landing().lookup(9.0);
        let scores = Scores::of(&case.facts()).unwrap();
        assert_eq!((scores.train_accuracy, scores.test_accuracy), (1.0, 0.0));
        assert!((scores.test_loss.unwrap() - libm::log(31.0)).abs() < 1e-9);
    }

    #[test]
    fn the_plane_of_a_frequency_is_a_regular_polygon() {
        // Oracle: an embedding that holds cos and sin of frequency 5 in two of its columns, and noise of frequency 2 elsewhere.
        let mut case = Case::of(changed("transformer-59", &[("task.modulus", "31"), ("model.d_model", "8")]));
        let embed = case.weights.tensors.iter_mut().find(|t| t.name == "embed").unwrap();
        for token in 0..31 {
            let angle = |k: usize| TAU * ((k * token) % 31) as f64 / 31.0;
            let row = [2.0 * angle(5).cos(), 2.0 * angle(5).sin(), angle(2).cos(), 0.0, 0.0, 0.0, 0.0, 7.0];
            (0..8).for_each(|column| embed.values[token * 8 + column] = row[column] as f32);
        }
        let case = case.clock(&[(5, 1.0)]);
        let view = LookView { planes: vec![4], ..LookView::default() };
        let look = Look::of(&case.facts(), &view, None).unwrap();
        for (token, [x, y]) in look.planes[0].iter().enumerate() {
            assert!((x.hypot(*y) - 2.0).abs() < 1e-4, "token {token} at {x}, {y}");
        }
        assert!((look.principal_shares[0] - 4.0 / 9.0).abs() < 1e-5 && (look.principal_shares[2] - 1.0 / 9.0).abs() < 1e-5);
    }

    #[test]
    fn points_are_turned_and_mirrored_back_onto_their_reference() {
        let reference: Vec<[f32; 2]> = (0..9).map(|i| [(i as f32).sin() + 0.2 * i as f32, (2.0 * i as f32).cos()]).collect();
        for (c, s, mirror) in [(0.6f32, 0.8f32, 1.0f32), (-0.8, 0.6, -1.0), (0.0, -1.0, 1.0)] {
            let moved: Vec<[f32; 2]> = reference.iter().map(|[x, y]| [c * x - s * y * mirror, s * x + c * y * mirror]).collect();
            for (found, wanted) in aligned(&moved, &reference).iter().zip(&reference) {
                assert!((found[0] - wanted[0]).abs() < 1e-4 && (found[1] - wanted[1]).abs() < 1e-4, "{found:?} {wanted:?}");
            }
        }
        assert_eq!(aligned(&[[0.0, 0.0]], &[[1.0, 0.0]]), [[0.0, 0.0]]);
    }

    #[test]
    fn attention_is_averaged_per_head_and_position() {
        let case = landing().untrained(1).with(Hook::Pattern, 6, |_, b, _, column| match column {
            0 => 1.0,
            1 if b % 2 == 0 => 0.5,
            3 => 0.25,
            _ => 0.0,
        });
        let look = Look::of(&case.facts(), &LookView { head: 1, ..LookView::default() }, None).unwrap();
        assert_eq!((look.attention[0], look.attention[1][1]), ([1.0, 0.0, 0.0], 0.25));
        assert!((look.attention[1][0] - 0.5 * 16.0 / 31.0).abs() < 1e-5);
        assert_eq!(look.head_map[..3], [0.5, 0.0, 0.5]);
    }
}
