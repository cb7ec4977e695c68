//! Which networks grok? Times over α and rows, and over α and ε, filled network by network.
//!
//! "D ≪ P ≪ D², large α, small ε" is a region without edges, so D and D² are taken at their word, the learning curve's own edge is
//! held against the delay beside them, and of α and ε only the direction is claimed. All networks of a cell share teacher and rows
//! with those of its neighbours, so that a step from cell to cell is a step of the setting.

use super::super::representation::PHASES;
use super::super::spread::median;
use super::super::{Assumption, Drawing, Figure, Number, Outcome, Part, Survey};
use super::report::{ENOUGH, MOST};
use super::settings::LazyRich;
use super::system::{Descent, System};
use super::trial::{Times, times};
use crate::measure::RunLabel;
use crate::record::UserError;

/// Fresh rows that take this many times as long as training rows are grokking; less is comprehension.
const LATE: f64 = 2.0;

/// Products of one network's updates, at most: well under a second.
const MOST_WORK: f64 = 3e9;

/// What is varied with α.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plane {
    /// P, from D/2 to D².
    Rows,
    /// ε, from .05 to 1.
    Curvature,
}

const PLANES: [Plane; 2] = [Plane::Rows, Plane::Curvature];

/// The maps under way.
#[derive(Debug, Clone)]
pub(super) struct Maps {
    settings: LazyRich,
    /// One network after the other: seed by seed, in each plane by plane, in each cell by cell; `None`: the loss left the numbers.
    done: Vec<Option<Times>>,
}

impl Plane {
    /// Values of the columns; rows are those of [`alphas`].
    fn columns(self, settings: &LazyRich) -> Vec<f64> {
        let cells = settings.map_cells;
        match self {
            Self::Rows => {
                let d = f64::from(settings.dimension);
                spread(0.5 * d, d * d, cells).into_iter().map(libm::round).collect()
            }
            Self::Curvature => spread(0.05, 1.0, cells),
        }
    }

    /// The settings of one cell, with the α of its row.
    fn cell(self, settings: &LazyRich, alpha: f64, column: f64) -> LazyRich {
        let settings = LazyRich { alpha, ..settings.clone() };
        match self {
            Self::Rows => LazyRich { rows: column as u32, ..settings },
            Self::Curvature => LazyRich { epsilon: column, ..settings },
        }
    }

    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Rows => ("rows-phases", "rows-gap", "training rows P"),
            Self::Curvature => ("curvature-phases", "curvature-gap", "curvature ε"),
        }
    }
}

/// `count` values from `from` to `to`, each the same factor after the one before.
fn spread(from: f64, to: f64, count: u32) -> Vec<f64> {
    (0..count).map(|at| from * libm::pow(to / from, f64::from(at) / f64::from(count - 1))).collect()
}

/// α of the rows.
fn alphas(settings: &LazyRich) -> Vec<f64> {
    spread(0.1, 100.0, settings.map_cells)
}

/// Middle times of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    train: f64,
    test: f64,
}

impl Cell {
    fn label(self) -> RunLabel {
        match (self.train.is_finite(), self.test.is_finite()) {
            (false, _) => RunLabel::Confusion,
            (true, false) => RunLabel::Memorisation,
            (true, true) if self.ratio() >= LATE => RunLabel::Grokking,
            (true, true) => RunLabel::Comprehension,
        }
    }

    /// NaN where training rows are never learned.
    fn ratio(self) -> f64 {
        self.test / self.train
    }
}

impl Maps {
    /// Nothing done yet.
    ///
    /// # Errors
    /// If the updates of one network would take longer than a part of a survey may.
    pub fn new(settings: &LazyRich) -> Result<Self, UserError> {
        let d = f64::from(settings.dimension);
        // With D² rows, the most of a map, or those set.
        let rows = f64::from(settings.rows).max(d * d);
        let most = MOST_WORK / (2.0 * d * d * rows + 3.0 * d * d * d);
        if f64::from(settings.map_steps) > most {
            return Err(UserError::new(
                format!("map_steps: {} updates with {rows} rows take too long for one cell", settings.map_steps),
                format!("Use at most {}", most as u32),
            ));
        }
        Ok(Self { settings: settings.clone(), done: Vec::new() })
    }

    fn cells(&self) -> usize {
        (self.settings.map_cells * self.settings.map_cells) as usize
    }

    fn all(&self) -> usize {
        PLANES.len() * self.cells() * self.settings.map_seeds as usize
    }

    /// The `at`-th network of all.
    fn network(&self, at: usize) -> Option<Times> {
        let (cells, side) = (self.cells(), self.settings.map_cells as usize);
        let (seed, plane, cell) = (at / (PLANES.len() * cells), PLANES[at / cells % PLANES.len()], at % cells);
        let (alpha, column) = (alphas(&self.settings)[cell / side], plane.columns(&self.settings)[cell % side]);
        let settings = plane.cell(&self.settings, alpha, column);
        let LazyRich { dimension, rows, width, learning_rate, .. } = settings;
        let (system, teacher) =
            System::drawn(dimension as usize, rows as usize, width as usize, settings.seed, (1 << 32) + seed as u64);
        let set = settings.descent();
        let descent = Descent { learning_rate: learning_rate.min(learning_rate / system.steepness(&set)), ..set };
        let found = times(&system, &teacher, &descent, settings.map_steps, settings.level())?;
        // In steps of the set rate, so that steps of two cells are one thing; at least one update, so that there is a ratio.
        let share = descent.learning_rate / learning_rate;
        Some(Times { train: found.train.max(1.0) * share, test: found.test.max(1.0) * share })
    }

    /// What is known of a plane's cells; `None`: nothing yet, or no network stayed within the numbers.
    fn known(&self, plane: usize) -> Vec<Option<Cell>> {
        let cells = self.cells();
        let of = |cell: usize| {
            let first = plane * cells + cell;
            let found: Vec<Times> = self.done.iter().skip(first).step_by(PLANES.len() * cells).copied().flatten().collect();
            let middle = |of: fn(&Times) -> f64| median(&found.iter().map(of).collect::<Vec<f64>>());
            (!found.is_empty()).then(|| Cell { train: middle(|times| times.train), test: middle(|times| times.test) })
        };
        (0..cells).map(of).collect()
    }

    fn figures(&self) -> Vec<Figure> {
        let kind = |label: RunLabel| PHASES.iter().position(|phase| *phase == label).map_or(f32::NAN, |at| at as f32);
        let of = |(at, plane): (usize, &Plane)| {
            let (phases, gap, column_label) = plane.names();
            let known = self.known(at);
            let map = |name: &str, caption: String, values: Vec<f32>, kinds: Vec<String>| Figure {
                name: name.into(),
                caption,
                drawing: Drawing::Map {
                    row_label: "output scale α".into(),
                    column_label: column_label.into(),
                    rows: alphas(&self.settings),
                    columns: plane.columns(&self.settings),
                    values,
                    is_signed: false,
                    kinds,
                },
            };
            let caption = format!(
                "How networks end within {} updates: learned nothing, training rows only, fresh rows at least {LATE} times as late, or \
                 both at once; the middle of up to {} networks, each at the set learning rate or half of what the steepest direction of its \
                 kernel bears, whichever is less",
                self.settings.map_steps, self.settings.map_seeds
            );
            let label = |cell: &Option<Cell>| cell.map_or(f32::NAN, |cell| kind(cell.label()));
            let decades = |cell: &Option<Cell>| {
                let ratio = cell.map_or(f64::NAN, Cell::ratio);
                if ratio.is_finite() { libm::log10(ratio) as f32 } else { f32::NAN }
            };
            [
                map(phases, caption, known.iter().map(label).collect(), PHASES.iter().map(|phase| phase.name().to_owned()).collect()),
                map(
                    gap,
                    "How much later fresh rows are learned than training rows, log₁₀ of the ratio of times; empty: not within the updates"
                        .into(),
                    known.iter().map(decades).collect(),
                    Vec::new(),
                ),
            ]
        };
        PLANES.iter().enumerate().flat_map(of).collect()
    }

    /// `(columns, cells)` of a plane by rows of α.
    fn by_alpha(&self, plane: usize) -> (Vec<f64>, Vec<Option<Cell>>) {
        (PLANES[plane].columns(&self.settings), self.known(plane))
    }

    fn claims(&self) -> Vec<Number> {
        let side = self.settings.map_cells as usize;
        let (d, enough) = (f64::from(self.settings.dimension), self.settings.start().lazy_rows(self.settings.level()));
        let (rows, cells) = self.by_alpha(0);
        let labelled = || cells.iter().enumerate().filter_map(|(at, cell)| Some((rows[at % side], (*cell)?.label())));
        let among = |is_asked: &dyn Fn(f64, RunLabel) -> bool, holds: &dyn Fn(f64, RunLabel) -> bool| {
            let asked: Vec<(f64, RunLabel)> = labelled().filter(|(p, label)| is_asked(*p, *label)).collect();
            asked.iter().filter(|(p, label)| holds(*p, *label)).count() as f64 / asked.len() as f64
        };
        let is_between = |p: f64| p > d && p < d * d;
        let (_, bent) = self.by_alpha(1);
        // Neighbours in a plane: cell and the one `apart` further, where `is_asked` of the column.
        let pairs = |cells: &[Option<Cell>], apart: usize, is_asked: &dyn Fn(usize) -> bool| -> Vec<(Cell, Cell)> {
            let pair = |at: usize| Some((cells[at]?, (*cells.get(at + apart)?)?));
            let is_inside = |at: &usize| is_asked(at % side) && (apart > 1 || at % side + 1 < side);
            (0..cells.len()).filter(is_inside).filter_map(pair).collect()
        };
        let share = |pairs: &[(Cell, Cell)], holds: &dyn Fn(&(Cell, Cell)) -> bool| {
            pairs.iter().filter(|pair| holds(pair)).count() as f64 / pairs.len() as f64
        };
        let learned = |pair: &(Cell, Cell)| pair.0.test.is_finite() || pair.1.test.is_finite();
        let trained = |pair: &(Cell, Cell)| pair.0.train.is_finite() && pair.1.train.is_finite();
        let up: Vec<_> =
            pairs(&cells, side, &|column| is_between(rows[column])).into_iter().filter(|p| learned(p) && trained(p)).collect();
        let right: Vec<_> = pairs(&bent, 1, &|_| true).into_iter().filter(|p| learned(p) && trained(p)).collect();
        let later = |pair: &(Cell, Cell)| pair.0.test - pair.0.train >= pair.1.test - pair.1.train;
        vec![
            Number::found(
                "grokking_between",
                "Of the cells that grok, share between D and D² rows",
                among(&|_, label| label == RunLabel::Grokking, &|p, _| is_between(p)),
            )
            .expected(1.0),
            Number::found(
                "no_delay_beyond",
                "Of the cells with as many rows as a lazy network needs, share without a delay",
                among(&|p, _| p >= enough, &|_, label| label == RunLabel::Comprehension),
            )
            .expected(1.0),
            Number::found(
                "nothing_below",
                "Of the cells with at most D rows, share that do not learn fresh rows",
                among(&|p, _| p <= d, &|_, label| matches!(label, RunLabel::Memorisation | RunLabel::Confusion)),
            )
            .expected(1.0),
            Number::found(
                "alpha_delays",
                "Of neighbours in α between D and D² rows, share in which the lazier one has the longer delay (ratio)",
                share(&up, &|pair| pair.1.ratio() >= pair.0.ratio()),
            )
            .expected(1.0),
            Number::found(
                "epsilon_steps",
                "Of neighbours in ε, share in which the smaller ε has the longer delay in steps of one rate",
                share(&right, &later),
            )
            .expected(1.0),
            Number::found(
                "epsilon_ratio",
                "The same with the ratio of times in place of steps",
                share(&right, &|pair| pair.0.ratio() >= pair.1.ratio()),
            )
            .expected(1.0),
        ]
    }

    fn is_done(&self) -> bool {
        self.done.len() >= self.all()
    }
}

impl Survey for Maps {
    fn part(&self) -> Option<Part> {
        (!self.is_done()).then_some(Part::Own)
    }

    fn take(&mut self, _: Vec<super::super::Member>) -> Result<(), UserError> {
        if !self.is_done() {
            self.done.push(self.network(self.done.len()));
        }
        Ok(())
    }

    fn done(&self) -> f32 {
        self.done.len() as f32 / self.all() as f32
    }

    fn outcome(&self) -> Outcome {
        let has_enough = self.settings.map_seeds as usize >= ENOUGH;
        let numbers = if self.is_done() && has_enough { self.claims() } else { Vec::new() };
        let value = |name: &str| numbers.iter().find(|number| number.name == name).map(|number| number.value);
        let why = if has_enough {
            "not all networks are trained yet".to_owned()
        } else {
            format!("it takes {ENOUGH} networks per cell")
        };
        let assumption = |statement: &str, names: &[&str], words: &dyn Fn(&[f64]) -> String| {
            let values: Vec<f64> = names.iter().filter_map(|name| value(name)).collect();
            let is_known = values.len() == names.len() && values.iter().all(|value| value.is_finite());
            Assumption {
                statement: statement.into(),
                holds: is_known.then(|| values.iter().all(|value| *value >= MOST)),
                evidence: if is_known { words(&values) } else { why.clone() },
            }
        };
        let lost = self.done.iter().filter(|times| times.is_none()).count();
        Outcome {
            headline: match value("grokking_between") {
                Some(share) if share.is_finite() => format!(
                    "{:.0}% of the cells that grok lie between D = {} and D² = {} rows",
                    100.0 * share,
                    self.settings.dimension,
                    self.settings.dimension * self.settings.dimension
                ),
                Some(_) => "No cell groks".into(),
                None => format!("{} of {} networks are trained", self.done.len(), self.all()),
            },
            figures: self.figures(),
            assumptions: vec![
                assumption(
                    "Grokking lies between D and D² rows, and with D rows or fewer nothing is understood",
                    &["grokking_between", "nothing_below"],
                    &|v| {
                        format!(
                            "Shares {:.2} and {:.2} (.8 each holds); the loss of {lost} networks left the numbers",
                            v[0], v[1]
                        )
                    },
                ),
                assumption("With as many rows as a lazy network needs there is no delay", &["no_delay_beyond"], &|v| {
                    format!(
                        "In {:.0}% of such cells (80% holds): the closed form says where a lazy network ends, and near its edge that takes \
                             long",
                        100.0 * v[0]
                    )
                }),
                assumption("A larger α delays more", &["alpha_delays"], &|v| {
                    format!("In {:.0}% of neighbours (80% holds)", 100.0 * v[0])
                }),
                assumption("A smaller ε delays more, in steps", &["epsilon_steps"], &|v| {
                    format!("In {:.0}% of neighbours (80% holds)", 100.0 * v[0])
                }),
                assumption("A smaller ε delays more, in ratio to the time of training rows", &["epsilon_ratio"], &|v| {
                    format!(
                        "In {:.0}% of neighbours (80% holds): all times grow as 1/ε², and what is left depends on αε",
                        100.0 * v[0]
                    )
                }),
            ],
            numbers,
        }
    }
}
