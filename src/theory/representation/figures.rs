//! The panel's figures, as data.

use super::critical::Share;
use super::descent::Closed;
use super::findings::Findings;
use super::prediction::Prediction;
use super::quality::normalised;
use super::settings::Representation;
use crate::record::MetricRow;
use crate::theory::{Drawing, Figure, Group, Line, Role, Scaled, Segment};

impl Findings {
    pub fn figures(&self, settings: &Representation) -> Vec<Figure> {
        vec![
            self.over_time(settings),
            self.embedding(),
            self.closure(settings),
            self.completion(),
            self.stiffness(),
            self.spectrum(),
            self.matrix(),
        ]
    }

    fn over_time(&self, settings: &Representation) -> Figure {
        let curve = |side: fn(&MetricRow) -> f32| {
            self.trace.rows.iter().map(|row| (f64::from(row.step), f64::from(side(row)))).collect::<Vec<_>>()
        };
        let theory = |prediction: Prediction<'_>| {
            self.measured.iter().map(|point| (point.0, prediction.quality(point.0))).collect::<Vec<_>>()
        };
        let unfitted = self.prediction_at(settings.representation_rate);
        let mut marks = Vec::new();
        marks.extend(self.learned(|row| row.train_accuracy).map(|at| (at, "training .9".to_owned())));
        marks.extend(self.learned(|row| row.test_accuracy).map(|at| (at, "test .9".to_owned())));
        marks.extend(
            self.structure_time().map(|at| (3.0 * at, "3 n_h".to_owned())).filter(|mark| mark.0 <= f64::from(settings.steps)),
        );
        lines(
            "quality",
            "Share of all parallelograms in which the toy's embedding stands, and the same by the theory from the same start, its \
             speed fitted once; beside them the toy's accuracies",
            (Scaled::linear("update"), Scaled::linear("share")),
            vec![
                Line::new("η = learning rate", Role::Baseline, theory(unfitted)),
                Line::new("training accuracy", Role::Train, curve(|row| row.train_accuracy)),
                Line::new("test accuracy", Role::Test, curve(|row| row.test_accuracy)),
                Line::new("RQI", Role::Predicted, theory(self.prediction())),
                Line::new("RQI", Role::Measured, self.measured.clone()),
            ],
            marks,
        )
    }

    fn embedding(&self) -> Figure {
        let prediction = self.prediction();
        let seen: Vec<_> = self.trace.embeddings.iter().map(normalised).collect();
        let said: Vec<_> = self.measured.iter().map(|point| normalised(&prediction.embedding(point.0))).collect();
        let path = |embeddings: &[nalgebra::DMatrix<f64>], token: usize| {
            let at = self.measured.iter().map(|point| point.0);
            at.zip(embeddings).filter_map(|(at, embedding)| Some((at, *embedding.get((token, 0))?))).collect::<Vec<_>>()
        };
        let tokens = 0..self.start.nrows();
        let line = |role, embeddings| move |token: usize| Line::new(token.to_string(), role, path(embeddings, token));
        lines(
            "embedding",
            "Where each number stands in the first column of the toy's embedding, centred and divided by its spread, and where the \
             theory has it; equal distances are a line of numbers",
            (Scaled::linear("update"), Scaled::linear("place (standard deviations)")),
            tokens.clone().map(line(Role::Predicted, &said)).chain(tokens.map(line(Role::Measured, &seen))).collect(),
            Vec::new(),
        )
    }

    fn closure(&self, settings: &Representation) -> Figure {
        let points = |value: fn(&Closed) -> f64| self.sets.iter().map(|set| (set.follows, value(set))).collect();
        let toy = self.trace.rows.last().map(|row| (self.split.closed(&self.structure), f64::from(row.test_accuracy)));
        let name = |set: &Closed| format!("{} pairs", set.pairs);
        let names = self.sets.iter().map(name).chain(self.sets.iter().map(|set| format!("{}, nearest sum", name(set))));
        Figure {
            name: "closure".into(),
            caption:
                "Share of unseen sums that follow from the known ones by algebra, against the share in which embeddings stand \
                      after gradient descent on ℓ_eff (stands) or whose nearest known sum is theirs (nearest, right by chance as \
                      well), one point for each random data set, and the toy"
                    .into(),
            drawing: Drawing::Points {
                x: "share that follows, D̄(D)".into(),
                y: "share that is right".into(),
                groups: vec![
                    Group::new("stands", Role::Measured, points(|set| set.stands)),
                    Group::new("nearest", Role::Baseline, points(|set| set.nearest)),
                    Group::new("toy", Role::Test, toy.into_iter().collect()),
                ],
                names: names.chain(toy.map(|_| format!("toy, {} pairs", settings.pairs))).collect(),
                ringed: Vec::new(),
                segments: vec![Segment { role: Role::Predicted, from: (0.0, 0.0), to: (1.0, 1.0) }],
                equal: true,
            },
        }
    }

    fn completion(&self) -> Figure {
        let shares = self.critical.shares();
        let line = |value: fn(&Share) -> f64| shares.iter().map(|row| (row.pairs as f64, value(row))).collect::<Vec<_>>();
        let mut drawn = vec![
            Line::new("random", Role::Low, line(|row| row.low)),
            Line::new("random", Role::High, line(|row| row.high)),
            Line::new("random", Role::Measured, line(|row| row.share)),
        ];
        if let Some(guided) = &self.guided {
            let step = guided.iter().map(|(n, third)| (*n as f64, if *third > 0.0 { 1.0 } else { 0.0 })).collect();
            drawn.push(Line::new("guided by λ₃", Role::Kind(0), step));
        }
        let all = (shares.len() - 1) as f64;
        let marks = self.critical.fraction().map(|(fraction, _)| (fraction * all, "½".to_owned())).into_iter().collect();
        lines(
            "completion",
            "Probability that the known sums leave only a line (n₀ = 2), by how many pairs are known: drawn at random, or chosen \
             by the theory",
            (Scaled::linear("training pairs n"), Scaled::linear("P(n₀ = 2)")),
            drawn,
            marks,
        )
    }

    fn stiffness(&self) -> Figure {
        let points = |thirds: &[(usize, f64)]| thirds.iter().map(|(n, third)| (*n as f64, *third)).collect::<Vec<_>>();
        let mut drawn = vec![Line::new("random (mean)", Role::Measured, points(&self.random))];
        drawn.extend(self.guided.as_ref().map(|guided| Line::new("guided by λ₃", Role::Kind(0), points(guided))));
        lines(
            "third-eigenvalue",
            "λ₃, the rate at which the last departure from a line dies out, by how many pairs are known; 0 while more than a line \
             is left",
            (Scaled::linear("training pairs n"), Scaled::linear("λ₃ at Z₀ = 1")),
            drawn,
            Vec::new(),
        )
    }

    fn spectrum(&self) -> Figure {
        let points = self.structure.values.iter().enumerate().map(|(at, value)| ((at + 1) as f64, value.max(0.0))).collect();
        Figure {
            name: "spectrum".into(),
            caption: "Eigenvalues of H in ascending order: those at 0 are embeddings that cost nothing (constants and lines at least), \
                      every other is the rate at which a departure dies out"
                .into(),
            drawing: Drawing::Points {
                x: "eigenvalue".into(),
                y: "λ at Z₀ = 1".into(),
                groups: vec![Group::new("", Role::Predicted, points)],
                names: Vec::new(),
                ringed: Vec::new(),
                segments: Vec::new(),
                equal: false,
            },
        }
    }

    fn matrix(&self) -> Figure {
        let tokens: Vec<f64> = (0..self.start.nrows()).map(|token| token as f64).collect();
        Figure {
            name: "matrix".into(),
            caption: "H at Z₀ = 1: numbers that share known parallelograms on one side (positive) or across (negative) move together or \
                      apart"
                .into(),
            drawing: Drawing::Map {
                row_label: "number".into(),
                column_label: "number".into(),
                rows: tokens.clone(),
                columns: tokens,
                // Symmetric, so that column-major is row-major.
                values: self.structure.matrix.iter().map(|value| *value as f32).collect(),
                is_signed: true,
                kinds: Vec::new(),
            },
        }
    }
}

fn lines(name: &str, caption: &str, (x, y): (Scaled, Scaled), lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}
