//! From integrals and chains to figures and numbers.

use super::super::spread::{band, mean, median};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::Singular;
use super::chains::{TEMPERED_ROWS, estimates};
use super::phases::{By, Pair, Phases};
use super::system::{Coefficient, System};
use super::volume::{Volumes, exponents};

/// log 1/ε and log n at which exponents are read, and the depth of the nodes that this needs: twice the largest λ of a singular
/// system times the last, and some.
const PLACES: [f64; 3] = [40.0, 60.0, 80.0];
const DEPTH: f64 = 190.0;
/// nβ at which chains are run. Beyond the last the laboratory's ε is too long for what the chains may meet.
const TEMPERED: [f64; 5] = [0.5, TEMPERED_ROWS, 8.0, 32.0, 128.0];
/// Place of the laboratory's own among them.
const OURS: usize = 1;

/// Chains at one temperature.
struct Chained {
    tempered_rows: f64,
    /// One estimate each.
    found: Vec<f64>,
}

impl Chained {
    /// Mean, and its standard error.
    fn mean(&self) -> (f64, f64) {
        let middle = mean(&self.found);
        let squares: f64 = self.found.iter().map(|x| (x - middle) * (x - middle)).sum();
        let count = self.found.len() as f64;
        (middle, libm::sqrt(squares / (count * (count - 1.0))))
    }
}

/// Everything that figures and numbers are made of.
struct Found {
    system: System,
    coefficient: Coefficient,
    volumes: Volumes,
    phases: Phases,
    chained: Vec<Chained>,
    gap: f64,
    repeats: u32,
    /// Crossings by integral, law, and law with constants.
    crossings: [Option<f64>; 3],
}

/// The panel's answer.
pub(super) fn outcome(settings: &Singular) -> Outcome {
    let (system, localisation) = (settings.system(), settings.localisation);
    let volumes = Volumes::new(system, localisation, DEPTH);
    let phases = Phases::new(system, &volumes, f64::from(settings.memory), localisation);
    let chained = TEMPERED.iter().enumerate().map(|(place, tempered_rows)| Chained {
        tempered_rows: *tempered_rows,
        found: estimates(system, *tempered_rows, localisation, settings.repeats, settings.seed, place as u64),
    });
    let found = Found {
        system,
        coefficient: system.coefficient(),
        chained: chained.collect(),
        gap: settings.gap,
        repeats: settings.repeats,
        crossings: [By::Integral, By::Law, By::LawAndConstants].map(|by| phases.crossing(settings.gap, by)),
        volumes,
        phases,
    };
    found.outcome()
}

impl Found {
    fn outcome(&self) -> Outcome {
        let mut figures = vec![self.free_energies(), self.shares()];
        figures.extend(self.gaps());
        figures.extend([self.estimates(), self.volume()]);
        let numbers = self.numbers();
        Outcome { headline: self.headline(&numbers), figures, assumptions: self.assumptions(&numbers), numbers }
    }

    fn numbers(&self) -> Vec<Number> {
        let Coefficient { lambda, multiplicity } = self.coefficient;
        let (of_volume, (of_energy, order)) = coefficients(&self.volumes);
        let exact = self.phases.singular().at(TEMPERED_ROWS).1;
        let mut numbers = vec![
            Number::found("lambda_volume", "Learning coefficient λ from volumes", of_volume).expected(lambda),
            Number::found("lambda_free_energy", "Learning coefficient λ from the free energy", of_energy).expected(lambda),
            Number::found("multiplicity", "Multiplicity m from the free energy", order).expected(f64::from(multiplicity)),
            Number::found("regular", "Half the number of weights, λ of a regular model", 0.5 * self.system.weights() as f64),
            Number::found("seen", "Share of λ that the estimator sees at nβ = 2, exactly", exact / lambda).expected(1.0),
        ];
        let crossing =
            Number::found("crossing", "Rows at which the phases cross", self.crossings[0].unwrap_or(f64::NAN)).unit("rows");
        numbers.push(match self.crossings[1] {
            Some(law) => crossing.expected(law),
            None => crossing,
        });
        let refined = self.crossings[2].unwrap_or(f64::NAN);
        numbers.push(Number::found("crossing_refined", "The same by the law with its constant terms", refined).unit("rows"));
        if let Some(at) = self.chained.get(OURS).filter(|at| at.found.len() > 1) {
            let (middle, error) = at.mean();
            let (low, high) = band(&at.found);
            numbers.extend([
                Number::found("estimate", "Mean of the laboratory's estimates at nβ = 2, beside the integral", middle)
                    .expected(exact)
                    .band(middle - 2.0 * error, middle + 2.0 * error),
                Number::found("single", "A single estimate at nβ = 2: middle and 10 to 90%", median(&at.found)).band(low, high),
            ]);
        }
        numbers.push(Number::found(
            "needed",
            "nβ at which the estimator would see nine tenths of λ",
            self.needed().unwrap_or(f64::NAN),
        ));
        let diverged: usize = self.chained.iter().map(|at| self.repeats as usize - at.found.len()).sum();
        numbers.push(Number::found("diverged", "Estimates whose chains diverged", diverged as f64).expected(0.0));
        if let Some(n) = self.crossings[0] {
            numbers.push(
                Number::found("wbic", "WBIC of the singular phase at the crossing, beside its free energy", self.phases.wbic(n))
                    .expected(self.phases.singular().free_energy(n))
                    .unit("nats"),
            );
        }
        numbers
    }

    /// nβ at which n⟨K⟩ passes .9 λ, below e^60.
    fn needed(&self) -> Option<f64> {
        let is_seen = |log: f64| self.volumes.at(libm::exp(log)).1 >= 0.9 * self.coefficient.lambda;
        let (mut low, mut high) = (-10.0, 60.0);
        if is_seen(low) || !is_seen(high) {
            return None;
        }
        for _ in 0..14 {
            let middle = 0.5 * (low + high);
            *(if is_seen(middle) { &mut high } else { &mut low }) = middle;
        }
        Some(libm::exp(high))
    }

    fn headline(&self, numbers: &[Number]) -> String {
        let of = |name: &str| numbers.iter().find(|number| number.name == name).map_or(f64::NAN, |number| number.value);
        let crossing = match self.crossings {
            [Some(exact), Some(law), _] => {
                let side = if exact < law { "below" } else { "above" };
                format!(
                    "two phases cross at {exact:.0} rows, {:.0}% {side} the law's {law:.0}",
                    100.0 * (exact / law - 1.0).abs()
                )
            }
            [Some(exact), None, _] => format!("two phases cross at {exact:.0} rows, where the law has no crossing"),
            [None, ..] => "the two phases have no crossing".into(),
        };
        format!(
            "λ of {} weights is {:.3} by their volume (closed form {}, a regular model's {}); {crossing}; the laboratory's chains would \
             read {:.0}% of λ",
            self.system.weights(),
            of("lambda_volume"),
            self.coefficient.lambda,
            of("regular"),
            100.0 * of("seen"),
        )
    }

    /// Least and greatest of the crossings, or 1,000 rows where there are none.
    fn ends(&self) -> (f64, f64) {
        let all = || self.crossings.iter().flatten().copied();
        (all().reduce(f64::min).unwrap_or(1000.0), all().reduce(f64::max).unwrap_or(1000.0))
    }

    /// `of` from the first to the last number of rows, evenly in log n.
    fn over_rows(&self, (first, last): (f64, f64), by: By, of: impl Fn(Pair) -> f64) -> Vec<(f64, f64)> {
        let (first, last) = (libm::log(first), libm::log(last));
        let grid = (0..=80).map(|i| first + (last - first) * f64::from(i) / 80.0);
        grid.map(|log| (libm::exp(log), of(self.phases.at(log, self.gap, by)))).collect()
    }

    fn marks(&self) -> Vec<(f64, String)> {
        let names = ["crossing", "by the law"];
        self.crossings.iter().zip(names).filter_map(|(at, name)| Some(((*at)?, name.into()))).collect()
    }

    fn free_energies(&self) -> Figure {
        let rows = (4.0, 3.0 * self.ends().1);
        let both = |by: By, role: Role| {
            [
                Line::new("memorising", role, self.over_rows(rows, by, |pair| pair.memorising)),
                Line::new("generalising", role, self.over_rows(rows, by, |pair| pair.generalising)),
            ]
        };
        figure(
            "phases",
            format!(
                "Free energy of the two phases over the number of rows: by integration (solid) and by n·L + λ log n − (m − 1) log log n \
                 (dashed), with λ = {} for the memory and {} for {}. The lower one has the posterior; what the law leaves out is a \
                 constant",
                self.phases.memory_coefficient(),
                self.coefficient.lambda,
                self.system.describe()
            ),
            Scaled::log("rows n"),
            Scaled::linear("free energy (nats)"),
            both(By::Law, Role::Predicted).into_iter().chain(both(By::Integral, Role::Measured)).collect(),
            self.marks(),
        )
    }

    fn shares(&self) -> Figure {
        let name = "generalising phase";
        // Nothing but 1 and 0 beyond: the step is a few hundredths of a decade wide.
        let (least, greatest) = self.ends();
        let rows = ((0.5 * least).max(4.0), 2.0 * greatest);
        figure(
            "share",
            "Share of the posterior that the generalising phase has, by integration (solid), by the law (dashed), and by the law with its \
             constant terms (grey). It depends on the rows alone: there is no hysteresis"
                .into(),
            Scaled::log("rows n"),
            Scaled::linear("share of the posterior"),
            vec![
                Line::new("with constants", Role::Baseline, self.over_rows(rows, By::LawAndConstants, Pair::share)),
                Line::new(name, Role::Predicted, self.over_rows(rows, By::Law, Pair::share)),
                Line::new(name, Role::Measured, self.over_rows(rows, By::Integral, Pair::share)),
            ],
            self.marks(),
        )
    }

    /// The crossing over the gap, where there is one.
    fn gaps(&self) -> Option<Figure> {
        let gaps: Vec<f64> = (-8..=4).map(|i| self.gap * libm::pow(10.0, 0.25 * f64::from(i))).collect();
        let line =
            |by: By| -> Vec<(f64, f64)> { gaps.iter().filter_map(|gap| Some((*gap, self.phases.crossing(*gap, by)?))).collect() };
        let [exact, law, refined] = [By::Integral, By::Law, By::LawAndConstants].map(line);
        if exact.len() < 2 || law.len() < 2 {
            return None;
        }
        Some(figure(
            "gap",
            "Rows at which the phases cross, over the loss by which the memory fits better: by integration (solid), by the law \
             (dashed), and with the constant terms (grey). The law's error falls only as 1/log n"
                .into(),
            Scaled::log("loss gap ΔL (nats per row)"),
            Scaled::log("rows n"),
            vec![
                Line::new("with constants", Role::Baseline, refined),
                Line::new("crossing", Role::Predicted, law),
                Line::new("crossing", Role::Measured, exact),
            ],
            vec![(self.gap, "chosen".into())],
        ))
    }

    fn estimates(&self) -> Figure {
        let name = "estimate";
        let exact = |tempered: f64| (tempered, self.phases.singular().at(tempered).1);
        let (first, last) = (libm::log(0.1), libm::log(1e6));
        let grid = (0..=32).map(|i| exact(libm::exp(first + (last - first) * f64::from(i) / 32.0))).collect();
        let chains = || self.chained.iter().filter(|at| !at.found.is_empty());
        let ends = |of: fn((f64, f64)) -> f64| chains().map(|at| (at.tempered_rows, of(band(&at.found)))).collect::<Vec<_>>();
        let half = 0.5 * self.system.weights() as f64;
        let level = |value: f64| vec![(0.1, value), (1e6, value)];
        figure(
            "estimate",
            format!(
                "What nβ·(E[L] − L(w*)) says over nβ: by integration (dashed), and by the laboratory's chains with its own ε and draws (mean \
                 of {} estimates, 10 to 90% of single ones as ground). It comes to λ only at low temperature, with m = 2 as slowly as 1/log n",
                self.repeats
            ),
            Scaled::log("nβ, rows times inverse temperature"),
            Scaled::linear("estimated learning coefficient"),
            vec![
                Line::new("λ", Role::Baseline, level(self.coefficient.lambda)),
                Line::new("half the weights", Role::Baseline, level(half)),
                Line::new(name, Role::Low, ends(|(low, _)| low)),
                Line::new(name, Role::High, ends(|(_, high)| high)),
                Line::new(name, Role::Predicted, grid),
                Line::new(name, Role::Measured, chains().map(|at| (at.tempered_rows, at.mean().0)).collect()),
            ],
            vec![(TEMPERED_ROWS, "the laboratory".into())],
        )
    }

    fn volume(&self) -> Figure {
        let Coefficient { lambda, multiplicity } = self.coefficient;
        let scaled = |log: f64| (log, libm::exp(self.volumes.below(libm::exp(-log)).0 + lambda * log));
        let points: Vec<(f64, f64)> = (1..=20).map(|i| scaled(3.0 * f64::from(i))).collect();
        let [before, last] = [points[18], points[19]];
        // A line of its own slope, which no closed form gives: only that it is one is predicted.
        let slope = if multiplicity > 1 { (last.1 - before.1) / (last.0 - before.0) } else { 0.0 };
        let line = points.iter().map(|(log, _)| (*log, last.1 + slope * (log - last.0))).collect();
        figure(
            "volume",
            format!(
                "Prior volume of losses below ε, over ε^λ with λ = {lambda}: by integration (solid), and what m = {multiplicity} says, {} \
                 (dashed, set to the last points)",
                if multiplicity > 1 { "a straight line in log 1/ε" } else { "a constant" }
            ),
            Scaled::linear("log 1/ε"),
            Scaled::linear("volume ÷ ε^λ"),
            vec![Line::new("volume", Role::Predicted, line), Line::new("volume", Role::Measured, points)],
            Vec::new(),
        )
    }

    fn assumptions(&self, numbers: &[Number]) -> Vec<Assumption> {
        let of = |name: &str| numbers.iter().find(|number| number.name == name);
        let seen = of("seen").map_or(f64::NAN, |number| number.value);
        let off = match self.crossings {
            [Some(exact), Some(law), _] => Some(law / exact - 1.0),
            _ => None,
        };
        // Estimates of a singular loss are skewed, so a sample that is low by chance has a low error too: the spread is taken in parts
        // of the mean.
        let rest = of("estimate").and_then(|number| {
            let (low, high) = number.band?;
            let (share, spread) = (number.value / number.expected? - 1.0, 0.25 * (high - low) / number.value);
            Some((share / spread, share))
        });
        vec![
            Assumption {
                statement: "There are so many rows that constants do not matter beside log n".into(),
                holds: off.map(|off| off.abs() < 0.1),
                evidence: off.map_or("there is no crossing of which to tell it".into(), |off| {
                    format!("the law's crossing is {:+.0}% off the integral's", 100.0 * off)
                }),
            },
            Assumption {
                statement: "At nβ = 2 and this localisation the estimator sees the learning coefficient".into(),
                holds: Some((seen - 1.0).abs() < 0.1),
                evidence: format!(
                    "by integration it sees {:.0}% of λ: the rest is what localisation and temperature hide",
                    100.0 * seen
                ),
            },
            Assumption {
                statement: "The laboratory's chains are at rest after 200 draws".into(),
                holds: rest.map(|(errors, share)| errors.abs() < 3.0 || share.abs() < 0.1),
                evidence: rest.map_or("too few estimates".into(), |(errors, share)| {
                    format!("their mean is {:+.1}% off the integral, {errors:+.1} standard errors", 100.0 * share)
                }),
            },
            Assumption {
                statement: "The coefficients do not depend on the number of rows".into(),
                holds: Some(true),
                evidence: "by construction here; a memory that stores every row grows with them".into(),
            },
            Assumption {
                statement: "Training visits the phases as the posterior weighs them".into(),
                holds: None,
                evidence: "shares are those of the posterior; no training is simulated".into(),
            },
        ]
    }
}

/// λ from volumes; λ and m from the free energy.
fn coefficients(volumes: &Volumes) -> (f64, (f64, f64)) {
    let spacing = PLACES[1] - PLACES[0];
    let (of_volume, _) = exponents(PLACES.map(|log| volumes.below(libm::exp(-log)).1), spacing);
    (of_volume, exponents(PLACES.map(|log| volumes.at(libm::exp(log)).1), spacing))
}

fn figure(name: &str, caption: String, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption, drawing: Drawing::Lines { x, y, lines, marks } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(system: System, localisation: f64) {
        let Coefficient { lambda, multiplicity } = system.coefficient();
        let (of_volume, (of_energy, order)) = coefficients(&Volumes::new(system, localisation, DEPTH));
        let found = [of_volume / lambda, of_energy / lambda, order / f64::from(multiplicity)];
        assert!(found.iter().all(|ratio| (ratio - 1.0).abs() < 1e-4), "{system:?}, {localisation}: {found:?}");
    }

    #[test]
    fn coefficients_from_volumes_and_free_energies_are_the_closed_form_for_every_system() {
        let layers = (1..=8).flat_map(|outputs| [1, 2].map(|hidden| System::Layers { outputs, hidden }));
        for system in layers {
            check(system, 5.0);
        }
    }

    #[test]
    fn coefficients_do_not_depend_on_the_localisation() {
        let powers = (1..=4).map(|power| System::Monomial { power });
        let layers = [System::Layers { outputs: 3, hidden: 2 }, System::Layers { outputs: 3, hidden: 1 }];
        for system in powers.chain(layers).chain([System::Neuron, System::Bowl { weights: 1 }, System::Bowl { weights: 16 }]) {
            for localisation in [0.1, 5.0, 100.0] {
                check(system, localisation);
            }
        }
    }
}
