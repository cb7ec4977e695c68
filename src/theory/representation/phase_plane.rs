//! Confusion, memorisation, grokking, comprehension: which learning rates and which decay end in which.
//!
//! Each cell is a training of its own, so a plane takes cells² trainings; [`Representation::phase_cell`] does one, so that a page can
//! fill a plane while it is looked at.

use super::closure::Split;
use super::network::Network;
use super::pairs::shuffled;
use super::settings::Representation;
use super::training::{Schedule, phase};
use crate::experiment::randomness::{Purpose, Stream};
use crate::measure::RunLabel;
use crate::record::UserError;
use crate::theory::{Drawing, Figure};

/// The phases in the order of their numbers in a plane.
pub const PHASES: [RunLabel; 4] = [RunLabel::Confusion, RunLabel::Memorisation, RunLabel::Grokking, RunLabel::Comprehension];

/// A plane of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
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
    pub fn phase_cell(&self, plane: Plane, row: f64, column: f64) -> Result<RunLabel, UserError> {
        self.check()?;
        let schedule = Schedule { steps: self.phase_steps, decoder_rate: column, ..self.schedule() };
        let schedule = match plane {
            Plane::Rates => Schedule { representation_rate: row, ..schedule },
            Plane::Decay => Schedule { weight_decay: row, ..schedule },
        };
        Ok(phase(self.network(), &self.split(), &schedule))
    }

    /// Both planes, filled, or none if `phase_cells` is 0.
    pub(super) fn planes(&self) -> Result<Vec<Figure>, UserError> {
        if self.phase_cells == 0 {
            return Ok(Vec::new());
        }
        let filled = |plane: Plane| {
            let (rows, columns) = plane.axes(self.phase_cells);
            let cells = rows.iter().flat_map(|row| columns.iter().map(move |column| (*row, *column)));
            let value = |(row, column)| {
                let label = self.phase_cell(plane, row, column)?;
                Ok(PHASES.iter().position(|phase| *phase == label).map_or(f32::NAN, |at| at as f32))
            };
            Ok(plane.figure(self.phase_cells, cells.map(value).collect::<Result<_, UserError>>()?))
        };
        Plane::ALL.into_iter().map(filled).collect()
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
    fn a_plane_has_the_phase_of_its_cells() {
        let settings = Representation {
            phase_cells: 2,
            phase_steps: 40,
            width: 6,
            tokens: 5,
            pairs: 11,
            seed: 58,
            ..Representation::default()
        };
        let figures = settings.planes().unwrap();
        let Drawing::Map { values, rows, columns, kinds, .. } = &figures[0].drawing else { panic!("{figures:?}") };
        assert_eq!((values.len(), kinds.len(), kinds[0].as_str()), (4, 4, "confusion"));
        let cell = settings.phase_cell(Plane::Rates, rows[1], columns[0]).unwrap();
        assert_eq!(PHASES[values[2] as usize], cell);
        assert_eq!(values[0], 0.0, "40 updates at 1e-5 learn nothing");
    }
}
