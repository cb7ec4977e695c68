//! The panel's figures, as data.

use super::findings::{Findings, PUBLISHED};
use super::fraction::Fractions;
use super::settings::GroupRepresentation;
use super::training::Evaluation;
use crate::theory::representation::Critical;
use crate::theory::{Drawing, Figure, Line, Role, Scaled};

impl Findings {
    pub fn figures(&self, settings: &GroupRepresentation) -> Vec<Figure> {
        vec![self.over_time(), self.over_fraction(settings), self.by_mode(), self.freedom()]
    }

    fn over_time(&self) -> Figure {
        let curve =
            |value: fn(&Evaluation) -> f64| self.trace.iter().map(|row| (f64::from(row.update), value(row))).collect::<Vec<_>>();
        lines(
            "training",
            "The toy's accuracies, the share of held-out products that lie nearest to a known one of their element, and of all known \
             ones that stand; dashed, what follows from the known products by algebra",
            (Scaled::linear("update"), Scaled::linear("share")),
            vec![
                Line::new("training accuracy", Role::Train, curve(|row| row.train)),
                Line::new("known products that stand", Role::Kind(2), curve(|row| row.known_stand)),
                Line::new("nearest known product", Role::Kind(0), curve(|row| row.nearest)),
                Line::new("test accuracy", Role::Predicted, curve(|_| 1.0).into_iter().map(|(x, _)| (x, self.follows)).collect()),
                Line::new("test accuracy", Role::Test, curve(|row| row.test)),
            ],
            Vec::new(),
        )
    }

    fn over_fraction(&self, settings: &GroupRepresentation) -> Figure {
        let mut drawn = of_theory(&self.fractions);
        let toy = self.trace.last().map(|row| (self.split.train.len() as f64 / self.pairs() as f64, row.test));
        drawn.push(Line::new("held-out right", Role::Measured, toy.into_iter().collect()));
        lines(
            "fraction",
            "Share of random data sets that leave only the group's matrices nearby, and share of held-out products that follow, by \
             the share of all products that is known; the point is the toy",
            (Scaled::linear("known share of all products"), Scaled::linear("share")),
            drawn,
            published(settings),
        )
    }

    fn by_mode(&self) -> Figure {
        let mode = |(at, mode): (usize, &super::systems::Mode)| {
            Line::new(mode.name, Role::Kind(at as u8), shares(&self.fractions.modes[at]).map(|row| (row.0, row.1)).collect())
        };
        lines(
            "modes",
            "Share of random data sets in which one kind of departure from the group's matrices is settled, by the share of products \
             known; all together are P(forced)",
            (Scaled::linear("known share of all products"), Scaled::linear("share of data sets")),
            self.system.modes.iter().enumerate().map(mode).collect(),
            Vec::new(),
        )
    }

    fn freedom(&self) -> Figure {
        let pairs = self.pairs() as f64;
        let points: Vec<(f64, f64)> =
            self.fractions.nullity.iter().enumerate().map(|(n, free)| (n as f64 / pairs, *free)).collect();
        let d = self.system.dimension as f64;
        let floor = points.iter().map(|point| (point.0, d * d)).collect();
        lines(
            "freedom",
            "n₀, mean number of directions of the embedding that cost nothing, by the share of products known; level, the d² that always \
             remain (conjugations, and factors that commute with the group)",
            (Scaled::linear("known share of all products"), Scaled::linear("directions")),
            vec![Line::new("d²", Role::Baseline, floor), Line::new("n₀", Role::Measured, points)],
            Vec::new(),
        )
    }
}

/// P(forced) with its interval, and the mean D̄ as what is predicted of "held-out right".
pub(super) fn of_theory(fractions: &Fractions) -> Vec<Line> {
    let pairs = (fractions.nullity.len() - 1) as f64;
    let closed = fractions.closed().into_iter().enumerate().map(|(n, share)| (n as f64 / pairs, share)).collect();
    let forced = |value: fn((f64, f64, f64, f64)) -> f64| shares(&fractions.forced).map(|row| (row.0, value(row))).collect();
    vec![
        Line::new("P(forced)", Role::Low, forced(|row| row.2)),
        Line::new("P(forced)", Role::High, forced(|row| row.3)),
        Line::new("P(forced)", Role::Baseline, forced(|row| row.1)),
        Line::new("held-out right", Role::Predicted, closed),
    ]
}

/// The published fraction, where there is one.
pub(super) fn published(settings: &GroupRepresentation) -> Vec<(f64, String)> {
    if settings.is_s3() { vec![(PUBLISHED, "published".to_owned())] } else { Vec::new() }
}

/// (fraction, share, low, high).
fn shares(critical: &Critical) -> impl Iterator<Item = (f64, f64, f64, f64)> {
    let shares = critical.shares();
    let pairs = (shares.len() - 1) as f64;
    shares.into_iter().map(move |row| (row.pairs as f64 / pairs, row.share, row.low, row.high))
}

pub(super) fn lines(name: &str, caption: &str, (x, y): (Scaled, Scaled), lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}
