//! Confusion, memorisation, grokking, comprehension: which learning rates and which decay end in which.
//!
//! Each cell is a training of its own, so the planes are a survey: one cell per part, and they fill while they are looked at.

use super::closure::Split;
use super::network::Network;
use super::pairs::shuffled;
use super::settings::Representation;
use super::training::{Schedule, phase};
use crate::experiment::randomness::{Purpose, Stream};
use crate::measure::RunLabel;
use crate::record::UserError;
use crate::theory::{Drawing, Figure, Member, Number, Outcome, Part, Survey};

/// The phases in the order of their numbers in a plane.
pub(in crate::theory) const PHASES: [RunLabel; 4] =
    [RunLabel::Confusion, RunLabel::Memorisation, RunLabel::Grokking, RunLabel::Comprehension];

/// A plane of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plane {
    /// Representation rate (rows) and decoder rate (columns), 1e-5 to 1e-2 each.
    Rates,
    /// Weight decay, 0 to 10 (rows), and decoder rate, 1e-5 to 1e-2 (columns).
    Decay,
}

impl Plane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rates, Self::Decay];

    /// Values of the rows and of the columns.
    pub fn axes(self, cells: u32) -> (Vec<f64>, Vec<f64>) {
        let part = |at: u32| f64::from(at) / f64::from(cells.max(2) - 1);
        let rates: Vec<f64> = (0..cells).map(|at| libm::pow(10.0, -5.0 + 3.0 * part(at))).collect();
        match self {
            Self::Rates => (rates.clone(), rates),
            Self::Decay => ((0..cells).map(|at| 10.0 * part(at)).collect(), rates),
        }
    }

    /// The figure, with `values` (places in [`PHASES`], not finite: not yet known) in row-major order.
    pub fn figure(self, cells: u32, values: Vec<f32>) -> Figure {
        let (rows, columns) = self.axes(cells);
        let (name, row_label) = match self {
            Self::Rates => ("phases-rates", "representation rate"),
            Self::Decay => ("phases-decay", "weight decay of the decoder"),
        };
        Figure {
            name: name.into(),
            caption: "How the toy ends for each pair of settings: learned nothing, training pairs only, both with a delay of at \
                      least 1% of the budget, or both at once"
                .into(),
            drawing: Drawing::Map {
                row_label: row_label.into(),
                column_label: "decoder rate".into(),
                rows,
                columns,
                values,
                is_signed: false,
                kinds: PHASES.iter().map(|phase| phase.name().to_owned()).collect(),
            },
        }
    }
}

impl Representation {
    /// The phase that the toy ends in with the settings of one cell of a plane; everything else is as set, the budget is
    /// `phase_steps`.
    ///
    /// # Errors
    /// If the settings contradict each other.
    pub(super) fn phase_cell(&self, plane: Plane, row: f64, column: f64) -> Result<RunLabel, UserError> {
        self.check()?;
        let schedule = Schedule { steps: self.phase_steps, decoder_rate: column, ..self.schedule() };
        let schedule = match plane {
            Plane::Rates => Schedule { representation_rate: row, ..schedule },
            Plane::Decay => Schedule { weight_decay: row, ..schedule },
        };
        Ok(phase(self.network(), &self.split(), &schedule))
    }

    /// Training and test pairs.
    pub(super) fn split(&self) -> Split {
        Split::at(&shuffled(self.tokens as usize, &mut Stream::new(self.seed, Purpose::Theory, 0)), self.pairs as usize)
    }

    /// The untrained toy.
    pub(super) fn network(&self) -> Network {
        Network::drawn(self.tokens as usize, self.columns as usize, self.width as usize, self.seed)
    }
}

/// Both planes as far as they are filled, cell by cell, row by row from below, first one plane and then the other.
pub(super) struct PhasePlanes {
    settings: Representation,
    /// Places in [`PHASES`] of the cells so far, plane after plane.
    known: Vec<usize>,
}

impl PhasePlanes {
    pub(super) fn new(settings: &Representation) -> Result<Self, UserError> {
        settings.check()?;
        Ok(Self { settings: settings.clone(), known: Vec::new() })
    }

    /// Cells of one plane.
    fn cells(&self) -> usize {
        (self.settings.phase_cells * self.settings.phase_cells) as usize
    }

    /// Cells of `plane` so far.
    fn of(&self, plane: usize) -> &[usize] {
        let cells = self.cells();
        let from = (plane * cells).min(self.known.len());
        &self.known[from..(from + cells).min(self.known.len())]
    }
}

impl Survey for PhasePlanes {
    fn part(&self) -> Option<Part> {
        (self.known.len() < Plane::ALL.len() * self.cells()).then_some(Part::Own)
    }

    fn take(&mut self, _: Vec<Member>) -> Result<(), UserError> {
        let (at, side) = (self.known.len(), self.settings.phase_cells as usize);
        let Some(plane) = Plane::ALL.get(at / self.cells()) else { return Ok(()) };
        let (rows, columns) = plane.axes(self.settings.phase_cells);
        let cell = at % self.cells();
        let label = self.settings.phase_cell(*plane, rows[cell / side], columns[cell % side])?;
        // Every label that a cell can have is in the list.
        self.known.push(PHASES.iter().position(|phase| *phase == label).unwrap_or_default());
        Ok(())
    }

    fn done(&self) -> f32 {
        self.known.len() as f32 / (Plane::ALL.len() * self.cells()) as f32
    }

    fn outcome(&self) -> Outcome {
        let count = |phase| self.known.iter().filter(|known| **known == phase).count();
        let figures = Plane::ALL.iter().enumerate().map(|(at, plane)| {
            let mut values = vec![f32::NAN; self.cells()];
            for (value, known) in values.iter_mut().zip(self.of(at)) {
                *value = *known as f32;
            }
            plane.figure(self.settings.phase_cells, values)
        });
        let numbers = PHASES
            .iter()
            .enumerate()
            .map(|(at, phase)| Number::found(phase.name(), format!("Cells that end in {}", phase.name()), count(at) as f64));
        Outcome {
            headline: format!(
                "{} of {} cells trained: {} learn and understand at once, {} with a delay",
                self.known.len(),
                Plane::ALL.len() * self.cells(),
                count(3),
                count(2)
            ),
            figures: figures.collect(),
            numbers: numbers.collect(),
            assumptions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_reach_from_end_to_end() {
        let (decays, rates) = Plane::Decay.axes(4);
        assert!(decays.iter().zip([0.0, 10.0 / 3.0, 20.0 / 3.0, 10.0]).all(|(x, y)| (x - y).abs() < 1e-12));
        assert!(rates.iter().zip([1e-5, 1e-4, 1e-3, 1e-2]).all(|(x, y)| (x / y - 1.0).abs() < 1e-12));
    }

    #[test]
    fn planes_fill_cell_by_cell_with_the_phases_of_their_cells() {
        let settings = Representation {
            phase_cells: 2,
            phase_steps: 40,
            width: 6,
            tokens: 5,
            pairs: 11,
            seed: 58,
            ..Representation::default()
        };
        let mut planes = PhasePlanes::new(&settings).unwrap();
        for _ in 0..3 {
            planes.take(Vec::new()).unwrap();
        }
        let filled = |planes: &PhasePlanes, at: usize| {
            let Drawing::Map { values, .. } = &planes.outcome().figures[at].drawing else { panic!() };
            values.clone()
        };
        assert_eq!(filled(&planes, 0).iter().filter(|value| value.is_finite()).count(), 3);
        assert!(filled(&planes, 1).iter().all(|value| value.is_nan()));
        while planes.part().is_some() {
            planes.take(Vec::new()).unwrap();
        }
        let figures = planes.outcome().figures;
        let Drawing::Map { values, rows, columns, kinds, .. } = &figures[0].drawing else { panic!("{figures:?}") };
        assert_eq!((values.len(), kinds.len(), kinds[0].as_str(), planes.done()), (4, 4, "confusion", 1.0));
        let cell = settings.phase_cell(Plane::Rates, rows[1], columns[0]).unwrap();
        assert_eq!(PHASES[values[2] as usize], cell);
        assert_eq!(values[0], 0.0, "40 updates at 1e-5 learn nothing");
        assert!(filled(&planes, 1).iter().all(|value| value.is_finite()));
    }
}
