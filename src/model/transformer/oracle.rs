//! The full causal transformer in 64-bit loops: three positions, every layer at every position, nothing shared or skipped.
//!
//! It knows nothing of `layout.rs` and `pass.rs` but the parameters' names, so an error there cannot hide here.

use crate::experiment::ModelConfig;
use std::collections::BTreeMap;

/// Parameters by name, row-major.
pub type Weights = BTreeMap<String, Vec<f64>>;

type Rows = Vec<Vec<f64>>;

/// Outputs at "=" for one pair of tokens below `p`.
pub fn outputs(model: &ModelConfig, p: usize, weights: &Weights, (a, b): (u16, u16)) -> Vec<f64> {
    let settings = &model.settings;
    let d = settings.integer("d_model") as usize;
    let heads = settings.integer("heads") as usize;
    let norm = settings.text("norm");
    let reads_normed = norm == "pre" || norm == "rms";
    let normed = |x: &Rows, name: &str, suffix: &str| -> Rows {
        let gain = &weights[&format!("{name}_gain{suffix}")];
        let bias = weights.get(&format!("{name}_bias{suffix}"));
        assert_eq!(bias.is_none(), norm == "rms");
        x.iter().map(|row| normalise(row, gain, bias)).collect()
    };
    let mut x: Rows = [usize::from(a), usize::from(b), p]
        .iter()
        .enumerate()
        .map(|(position, token)| {
            (0..d)
                .map(|i| weights["embed"][token * d + i] + offset(settings.text("positions"), weights, position, i, d))
                .collect()
        })
        .collect();
    for suffix in ["", "_2"].into_iter().take(settings.integer("layers").max(1) as usize) {
        let matrix = |name: &str| &weights[&format!("{name}{suffix}")];
        let read = if reads_normed { normed(&x, "norm_attn", suffix) } else { x.clone() };
        let rotary = settings.text("positions") == "rope";
        let turned = |rows: Rows| if rotary { turn(rows, d / heads) } else { rows };
        let queries = turned(times(&read, matrix("w_q"), d));
        let keys = turned(times(&read, matrix("w_k"), d));
        let values = times(&read, matrix("w_v"), d);
        let mixed = attention(&queries, &keys, &values, heads, settings.number("attention_uniformity"));
        x = plus(&x, &times(&mixed, matrix("w_o"), d));
        if norm == "post" {
            x = normed(&x, "norm_attn", suffix);
        }
        let m = settings.integer("mlp_width") as usize;
        if m > 0 {
            let read = if reads_normed { normed(&x, "norm_mlp", suffix) } else { x.clone() };
            let has_biases = settings.text("bias") != "none";
            let mut hidden = times(&read, matrix("w_in"), m);
            let gate = settings.is_on("gated").then(|| times(&read, matrix("w_gate"), m));
            for (t, row) in hidden.iter_mut().enumerate() {
                for (j, h) in row.iter_mut().enumerate() {
                    let bias = if has_biases { matrix("b_in")[j] } else { 0.0 };
                    *h = activation(settings.text("activation"), *h + bias) * gate.as_ref().map_or(1.0, |g| g[t][j]);
                }
            }
            x = plus(&x, &times(&hidden, matrix("w_out"), d));
            if has_biases {
                x.iter_mut().for_each(|row| row.iter_mut().zip(matrix("b_out")).for_each(|(v, b)| *v += b));
            }
            if norm == "post" {
                x = normed(&x, "norm_mlp", suffix);
            }
        }
    }
    if reads_normed {
        x = normed(&x, "norm_final", "");
    }
    match weights.get("unembed") {
        Some(unembed) => times(&x, unembed, unembed.len() / d)[2].clone(),
        None => (0..p).map(|class| (0..d).map(|i| x[2][i] * weights["embed"][class * d + i]).sum()).collect(),
    }
}

/// What column i of position t adds to the embedding.
fn offset(kind: &str, weights: &Weights, position: usize, i: usize, d: usize) -> f64 {
    match kind {
        "sinusoidal" => {
            let pair = i / 2;
            let angle = position as f64 * 10_000f64.powf(-2.0 * pair as f64 / d as f64);
            if i == 2 * pair { angle.sin() } else { angle.cos() }
        }
        "rope" | "none" => 0.0,
        _ => weights["pos"][position * d + i],
    }
}

/// Each pair of columns of a head as a complex number, times e^(i·t·θ).
fn turn(rows: Rows, width: usize) -> Rows {
    let one = |(position, row): (usize, Vec<f64>)| {
        row.chunks(width)
            .flat_map(|head| {
                head.chunks(2).enumerate().flat_map(|(pair, xy)| {
                    let angle = position as f64 * 10_000f64.powf(-2.0 * pair as f64 / width as f64);
                    let (s, c) = angle.sin_cos();
                    [xy[0] * c - xy[1] * s, xy[0] * s + xy[1] * c]
                })
            })
            .collect()
    };
    rows.into_iter().enumerate().map(one).collect()
}

fn attention(queries: &Rows, keys: &Rows, values: &Rows, heads: usize, u: f64) -> Rows {
    let d = queries[0].len();
    let width = d / heads;
    let mut mixed = vec![vec![0.0; d]; 3];
    for t in 0..3 {
        for columns in (0..heads).map(|head| head * width..(head + 1) * width) {
            let dot = |s: usize| columns.clone().map(|i| queries[t][i] * keys[s][i]).sum::<f64>() / (width as f64).sqrt();
            let exponentials: Vec<f64> = (0..=t).map(|s| dot(s).exp()).collect();
            let total: f64 = exponentials.iter().sum();
            for (s, e) in exponentials.iter().enumerate() {
                let weight = (1.0 - u) * e / total + u / (t + 1) as f64;
                for i in columns.clone() {
                    mixed[t][i] += weight * values[s][i];
                }
            }
        }
    }
    mixed
}

/// LayerNorm with a bias, RMSNorm without.
fn normalise(row: &[f64], gain: &[f64], bias: Option<&Vec<f64>>) -> Vec<f64> {
    let n = row.len() as f64;
    let mean = if bias.is_some() { row.iter().sum::<f64>() / n } else { 0.0 };
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let scaled = |i: usize| (row[i] - mean) / (variance + 1e-5).sqrt() * gain[i];
    (0..row.len()).map(|i| scaled(i) + bias.map_or(0.0, |b| b[i])).collect()
}

fn activation(name: &str, x: f64) -> f64 {
    match name {
        "relu" => x.max(0.0),
        "gelu" => 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt())),
        "quadratic" => x * x,
        "tanh" => x.tanh(),
        "silu" => x / (1.0 + (-x).exp()),
        other => unreachable!("{other}"),
    }
}

fn times(x: &Rows, matrix: &[f64], columns: usize) -> Rows {
    x.iter()
        .map(|row| (0..columns).map(|j| row.iter().enumerate().map(|(i, v)| v * matrix[i * columns + j]).sum()).collect())
        .collect()
}

fn plus(x: &Rows, y: &Rows) -> Rows {
    x.iter().zip(y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x + y).collect()).collect()
}
