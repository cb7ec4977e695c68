//! The survey: the same analysis on networks of the laboratory, p by p and control by control.
//!
//! Each cell is one ensemble of `quadratic-31` with another modulus, width, budget and control, and seeds that no other cell has. No
//! measured column is needed for the default order parameter, so that a cell costs no more than its training. What an ensemble
//! cannot say is not said: a network has no temperature, and its P(m) is over starts and splits.

use super::super::spread::mean;
use super::super::{Assumption, Ensemble, Member, Number, Outcome, Part, Survey};
use super::StatisticalPhysics;
use super::analysis::{Analysis, BandedPeak};
use super::landau::{Landau, landau};
use super::report::{self, Names};
use super::samples::{Cell, Series};
use super::settings::{Control, OrderParameter};
use super::survival::{Laws, Time, laws, waits};
use crate::experiment::fields::MAX_SEED;
use crate::experiment::{Experiment, preset, with_value};
use crate::measure::delay::delay;
use crate::record::UserError;

/// Powers of m in a free energy without symmetry.
const POWERS: [i32; 4] = [1, 2, 3, 4];

/// One cell to be trained.
#[derive(Debug, Clone)]
struct Planned {
    modulus: u32,
    control: f64,
    experiments: Vec<Experiment>,
}

/// What came of it beside m.
#[derive(Debug, Clone)]
struct Trained {
    modulus: u32,
    control: f64,
    times: Vec<Time>,
    /// Variance of the test accuracy over that of as many test rows that err independently, of equal mean.
    over_independent: f64,
    /// Networks that have no m: their loss stopped being a number.
    lost: usize,
}

/// The survey under way.
#[derive(Debug, Clone)]
pub(super) struct Networks {
    settings: StatisticalPhysics,
    planned: Vec<Planned>,
    series: Vec<Series>,
    trained: Vec<Trained>,
}

impl Networks {
    /// Plans all cells.
    ///
    /// # Errors
    /// If a modulus is not prime, the range is empty, or a control leaves too few rows at some modulus.
    pub fn new(settings: &StatisticalPhysics) -> Result<Self, UserError> {
        let mut moduli = settings.moduli.clone();
        moduli.dedup();
        if let Some(composite) = moduli.iter().find(|p| !is_prime(**p)) {
            let nearest = (2..=*composite).rev().find(|p| is_prime(*p)).unwrap_or(5).max(5);
            return Err(UserError::new(
                format!("moduli: {composite} is not prime, so it is no size of one family"),
                format!("Use {nearest}"),
            ));
        }
        if moduli.is_empty() {
            return Err(UserError::new("moduli: there is no size", "Use 11,17,23"));
        }
        if settings.from >= settings.to {
            return Err(UserError::new(format!("from: {} is not below {}", settings.from, settings.to), "Use a smaller one"));
        }
        let last = f64::from(settings.controls - 1);
        let control = |index: u32| settings.from + (settings.to - settings.from) * f64::from(index) / last;
        let mut planned: Vec<Planned> = Vec::new();
        for modulus in moduli {
            for index in 0..settings.controls {
                let first = (planned.len() * settings.networks as usize) as u64;
                planned.push(plan(settings, modulus, control(index), first)?);
            }
        }
        Ok(Self { settings: settings.clone(), planned, series: Vec::new(), trained: Vec::new() })
    }

    fn names(&self) -> Names {
        Names {
            control: match self.settings.control {
                Control::Coverage => "training rows ÷ p·log p",
                Control::TrainFraction => "training fraction",
                Control::WeightDecay => "weight decay",
            },
            order: match self.settings.order_parameter {
                OrderParameter::TestAccuracy => "test accuracy less chance",
                OrderParameter::MeanIpr => "mean participation ratio",
                OrderParameter::Gini => "Gini coefficient of the spectrum",
                OrderParameter::TrigExplained => "share of the logits that cosines explain",
            },
        }
    }

    /// m of a trained network; `None` if it did not come to its end.
    fn order_parameter(&self, member: &Member) -> Option<f64> {
        let last = member.rows.last().filter(|row| row.step >= member.experiment.steps && row.test_loss.is_finite())?;
        match self.settings.order_parameter.measured() {
            Some((_, column)) => member.measures.get(last.step, column)?.number(),
            None => {
                let chance = 1.0 / f64::from(member.experiment.task.modulus());
                Some((f64::from(last.test_accuracy) - chance) / (1.0 - chance))
            }
        }
    }

    /// For each modulus the cell in which nearest to half of the networks jumped, if any did.
    fn waiting(&self) -> Vec<&Trained> {
        let mut cells: Vec<&Trained> = Vec::new();
        let off = |cell: &Trained| {
            let jumped = cell.times.iter().filter(|time| time.jumped).count();
            (2 * jumped).abs_diff(cell.times.len())
        };
        for cell in self.trained.iter().filter(|cell| cell.times.iter().any(|time| time.jumped)) {
            match cells.last_mut() {
                Some(last) if last.modulus == cell.modulus => {
                    if off(cell) < off(last) {
                        *last = cell;
                    }
                }
                _ => cells.push(cell),
            }
        }
        cells
    }
}

fn is_prime(number: u32) -> bool {
    number > 1 && (2..number).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d))
}

/// One cell; its seeds start at `first` after the root.
fn plan(settings: &StatisticalPhysics, modulus: u32, control: f64, first: u64) -> Result<Planned, UserError> {
    let p = f64::from(modulus);
    let (fraction, decay) = match settings.control {
        Control::Coverage => (control * libm::log(p) / p, None),
        Control::TrainFraction => (control, None),
        Control::WeightDecay => (settings.train_fraction, Some(control)),
    };
    if fraction > 0.95 {
        return Err(UserError::new(
            format!("to: at p = {modulus}, {control:.2} is a training fraction of {fraction:.2}, which leaves hardly a test row"),
            format!("Use at most {:.2}, or leave that p out", libm::floor(95.0 * p / libm::log(p)) / 100.0),
        ));
    }
    let mut edits = vec![
        ("name", format!("p = {modulus}, control {control:.3}")),
        ("task.modulus", modulus.to_string()),
        ("task.train_fraction", format!("{fraction:.6}")),
        ("model.width", settings.width.to_string()),
        ("steps", settings.steps.to_string()),
        ("logging.evaluate_every", (settings.steps / 100).max(1).to_string()),
        ("logging.checkpoint_every", settings.steps.to_string()),
    ];
    edits.extend(decay.map(|decay| ("optimizer.weight_decay", format!("{decay:.6}"))));
    let mut experiment = preset("quadratic-31")?.experiment.clone();
    for (path, text) in &edits {
        experiment = with_value(&experiment, path, text)?;
    }
    experiment.validate()?;
    let seeded = |index: u64| Experiment { seed: (settings.seed + first + index) % (MAX_SEED + 1), ..experiment.clone() };
    Ok(Planned { modulus, control, experiments: (0..u64::from(settings.networks)).map(seeded).collect() })
}

impl Survey for Networks {
    fn part(&self) -> Option<Part> {
        let next = self.planned.get(self.trained.len())?;
        let measures = self.settings.order_parameter.measured().map(|(measure, _)| measure.to_owned()).into_iter().collect();
        Some(Part::Train(Ensemble { experiments: next.experiments.clone(), measures }))
    }

    fn take(&mut self, members: Vec<Member>) -> Result<(), UserError> {
        let Some(next) = self.planned.get(self.trained.len()) else { return Ok(()) };
        let (modulus, control) = (next.modulus, next.control);
        let ended = |member: Member| self.order_parameter(&member).map(|value| (member, value));
        let count = members.len();
        let (members, values): (Vec<Member>, Vec<f64>) = members.into_iter().filter_map(ended).unzip();
        let lost = count - values.len();
        if values.len() < 2 {
            return Err(UserError::new(
                format!("Of {count} networks at p = {modulus}, control {control:.3}, {} came to their end", values.len()),
                "Use a smaller range of the control",
            ));
        }
        let size = f64::from(modulus * modulus);
        if self.series.last().is_none_or(|series| series.size != size) {
            self.series.push(Series { size, name: format!("p = {modulus}"), cells: Vec::new() });
        }
        if let Some(series) = self.series.last_mut() {
            series.cells.push(Cell { control, values });
        }
        self.trained.push(Trained {
            modulus,
            control,
            times: members.iter().map(waited).collect(),
            over_independent: over_independent(&members),
            lost,
        });
        Ok(())
    }

    fn done(&self) -> f32 {
        self.trained.len() as f32 / self.planned.len().max(1) as f32
    }

    fn outcome(&self) -> Outcome {
        let is_whole = self.trained.len() == self.planned.len();
        if self.series.is_empty() {
            return Outcome { headline: "No network is trained yet".into(), ..Outcome::default() };
        }
        let analysis = Analysis::of(self.series.clone(), is_whole, self.settings.seed);
        let fits = self.fits(&analysis);
        let mut figures = report::curves(&analysis, self.names(), &[], None);
        let at = analysis.transition().and_then(|(_, cell)| fits.iter().find(|(index, _)| *index == cell));
        figures.extend(report::distribution(&analysis, self.names(), at.map(|(_, fit)| fit), Vec::new()));
        if let Some((size, _)) = analysis.transition().filter(|_| !fits.is_empty()) {
            let name = |index: usize| format!("x = {:.3}", analysis.curves[size].points[index].0);
            let named: Vec<(String, &Landau)> = fits.iter().map(|(index, fit)| (name(*index), fit)).collect();
            figures.push(report::free_energy(self.names(), &named, &[]));
        }
        figures.extend(report::collapsed(&analysis));
        figures.extend(report::growth(&analysis));
        let waiting = self.waiting();
        let found: Option<Laws> = waiting.last().and_then(|cell| laws(&cell.times));
        if !waiting.is_empty() {
            let named: Vec<(String, &[Time])> = waiting
                .iter()
                .map(|cell| (format!("p = {}, x = {:.2}", cell.modulus, cell.control), cell.times.as_slice()))
                .collect();
            figures.extend(waits(&named));
        }
        let mut numbers = report::numbers(&analysis);
        numbers.extend(self.own_numbers(&analysis, at.map(|(_, fit)| fit), found.as_ref()));
        let mut assumptions = report::assumptions(&analysis);
        assumptions.extend(self.own_assumptions(&analysis, found.as_ref()));
        let headline = if is_whole {
            analysis.words.clone()
        } else {
            format!("{} of {} ensembles are trained; no order is told before the last", self.trained.len(), self.planned.len())
        };
        Outcome { headline, figures, numbers, assumptions }
    }
}

impl Networks {
    /// Free energies about the peak of the largest size: (cell, fit).
    fn fits(&self, analysis: &Analysis) -> Vec<(usize, Landau)> {
        let Some((size, cell)) = analysis.transition() else { return Vec::new() };
        let series = &analysis.series[size];
        let low = match self.settings.order_parameter.measured() {
            // No test row right.
            None => -1.0 / (libm::sqrt(series.size) - 1.0),
            Some(_) => 0.0,
        };
        let near = cell.saturating_sub(1)..=(cell + 1).min(series.cells.len() - 1);
        let fit = |index: usize| {
            let values = &series.cells[index].values;
            let weight = 1.0 / values.len() as f64;
            let weighted: Vec<(f64, f64)> = values.iter().map(|m| (*m, weight)).collect();
            Some((index, landau(&weighted, [low, 1.0], &POWERS)?))
        };
        near.filter_map(fit).collect()
    }

    /// Each size's ratio of [`Trained::over_independent`] at its peak of χ: (p, ratio).
    fn ratios(&self, analysis: &Analysis) -> Vec<(u32, f64)> {
        let at = |(series, peak): (&Series, &Option<BandedPeak>)| {
            let control = series.cells[(*peak)?.found.cell].control;
            let cell = self
                .trained
                .iter()
                .find(|cell| f64::from(cell.modulus * cell.modulus) == series.size && cell.control == control)?;
            cell.over_independent.is_finite().then_some((cell.modulus, cell.over_independent))
        };
        analysis.series.iter().zip(&analysis.peaks).filter_map(at).collect()
    }

    fn own_numbers(&self, analysis: &Analysis, fitted: Option<&Landau>, laws: Option<&Laws>) -> Vec<Number> {
        let mut all: Vec<Number> = Vec::new();
        for (series, peak) in analysis.series.iter().zip(&analysis.peaks) {
            let Some(BandedPeak { place, .. }) = peak else { continue };
            let p = libm::sqrt(series.size);
            all.push(report::banded(&format!("peak_{p}"), &format!("Control at the peak of χ, p = {p}"), place));
        }
        for (p, ratio) in self.ratios(analysis) {
            let label = format!("Variance of accuracy at the peak over that of independent test rows, p = {p}");
            all.push(Number::found(format!("over_independent_{p}"), label, ratio));
        }
        if let Some(fitted) = fitted {
            let wells = fitted.wells();
            all.push(Number::found("wells", "Minima of the fitted F at the peak, largest size", wells.places.len() as f64));
            all.push(Number::found("barrier", "Barrier between them", wells.barrier).unit("nats"));
        }
        if let Some(laws) = laws {
            all.push(
                Number::found("median_delay", "Median delay by the log-normal law", libm::exp(laws.log_normal.0)).unit("updates"),
            );
            all.push(Number::found("delay_spread", "Standard deviation of log delay", laws.log_normal.1));
            all.push(Number::found("constant_rate", "Jumps per update, if the rate were constant", laws.rate));
            let label = "AIC of a constant rate, less that of the log-normal law";
            all.push(Number::found("hazard_delta_aic", label, laws.delta_aic));
        }
        all
    }

    fn own_assumptions(&self, analysis: &Analysis, laws: Option<&Laws>) -> Vec<Assumption> {
        let lost: usize = self.trained.iter().map(|cell| cell.lost).sum();
        let ratios = self.ratios(analysis);
        let ratio_words: Vec<String> = ratios.iter().map(|(p, ratio)| format!("p = {p}: {ratio:.1}")).collect();
        let places: Vec<String> = analysis
            .series
            .iter()
            .zip(&analysis.peaks)
            .filter_map(|(series, peak)| peak.map(|peak| format!("{}: {:.3}", series.name, peak.found.control)))
            .collect();
        vec![
            Assumption {
                statement: "Test rows of one network err together, as parts of one phase do".into(),
                holds: (!ratios.is_empty()).then(|| ratios.iter().all(|(_, ratio)| *ratio > 2.0)),
                evidence: format!("variance over that of independent rows at the peak of χ: {}", ratio_words.join("; ")),
            },
            Assumption {
                statement: "A lucky fluctuation starts the jump, at a constant rate".into(),
                holds: laws.map(|laws| laws.delta_aic <= 0.0),
                evidence: laws.map_or("fewer than three networks jumped".into(), |laws| {
                    format!("{} jumps; AIC of a constant rate is {:+.1} from the log-normal law's", laws.jumps, laws.delta_aic)
                }),
            },
            Assumption {
                statement: "Seeds stand for thermal noise".into(),
                holds: Some(false),
                evidence: format!(
                    "a seed is a start and a split, fixed for the run, and m is read after {} updates, not in equilibrium. Peaks of χ lie at {}",
                    self.settings.steps,
                    places.join("; ")
                ),
            },
            Assumption {
                statement: "All networks came to their end".into(),
                holds: Some(lost == 0),
                evidence: format!("{lost} were left out, because their loss stopped being a number"),
            },
        ]
    }
}

/// Updates from memorising to generalising, censored at the end.
fn waited(member: &Member) -> Time {
    let dates = delay(&member.rows, true);
    let start = dates.t_mem.unwrap_or(0);
    let end = dates.t_gen.unwrap_or_else(|| member.rows.last().map_or(0, |row| row.step));
    Time { steps: f64::from(end.saturating_sub(start).max(1)), jumped: dates.t_gen.is_some() }
}

fn over_independent(members: &[Member]) -> f64 {
    let last = members.iter().filter_map(|member| member.rows.last());
    let accuracies: Vec<f64> = last.map(|row| f64::from(row.test_accuracy)).collect();
    let middle = mean(&accuracies);
    let variance = mean(&accuracies.iter().map(|a| (a - middle) * (a - middle)).collect::<Vec<_>>());
    let rows = members.first().map_or(0, |member| crate::experiment::counts(&member.experiment).test);
    variance * f64::from(rows) / (middle * (1.0 - middle))
}
