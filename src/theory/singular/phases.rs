//! Two phases of one posterior: a regular one that fits a little better, and a singular one that takes fewer weights.
//!
//! The law n·ΔL = Δλ·log n is the leading order of two free energies and is quoted without what it leaves out. Here both free
//! energies are exact, so that the crossing itself can be had and the law's error with it. The phases are neighbourhoods of two
//! minima with the same prior mass, as in Watanabe's local free energy; what lies between them is exponentially small in n and left
//! out. A chain that has to climb from one to the other was not chosen: it measures its own patience.

use super::system::{Coefficient, System};
use super::volume::{Table, Volumes};

/// Least and largest log n at which a crossing is looked for.
const FEWEST: f64 = 1.5;
const MOST: f64 = 34.0;
/// log n at which the constant terms of a free energy are read.
const FAR: f64 = 75.0;

/// The two phases.
#[derive(Debug, Clone)]
pub(super) struct Phases {
    singular: Volumes,
    table: Table,
    coefficient: Coefficient,
    /// What the law leaves out of the singular phase, read at n = e^75.
    constant: f64,
    memory: f64,
    localisation: f64,
}

/// Free energies in nats of the memorising and of the generalising phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Of the regular phase.
    pub memorising: f64,
    /// Of the singular phase.
    pub generalising: f64,
}

impl Pair {
    /// The posterior share of the generalising phase.
    pub(super) fn share(self) -> f64 {
        1.0 / (1.0 + libm::exp(self.generalising - self.memorising))
    }
}

/// How free energies are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By integration.
    Integral,
    /// By n·L + λ log n − (m − 1) log log n.
    Law,
    /// By the law and the constants that it leaves out.
    LawAndConstants,
}

impl Phases {
    /// A bowl of `memory` weights beside `system`; `deep` are the volumes of `system` to great depth.
    pub(super) fn new(system: System, deep: &Volumes, memory: f64, localisation: f64) -> Self {
        let coefficient = system.coefficient();
        let law = coefficient.lambda * FAR - f64::from(coefficient.multiplicity - 1) * libm::log(FAR);
        let constant = deep.free_energy(libm::exp(FAR)) - law;
        let singular = Volumes::new(system, localisation, 110.0);
        Self { table: Table::new(&singular, MOST), singular, coefficient, constant, memory, localisation }
    }

    /// λ of the memorising phase.
    pub(super) fn memory_coefficient(&self) -> f64 {
        0.5 * self.memory
    }

    /// Both at `log_n`, the generalising one with `gap` nats per row more loss.
    pub(super) fn at(&self, log_n: f64, gap: f64, by: By) -> Pair {
        let n = libm::exp(log_n);
        let Coefficient { lambda, multiplicity } = self.coefficient;
        let (memorising, generalising) = match by {
            By::Integral => (self.memory_coefficient() * libm::log1p(n / self.localisation), self.table.at(log_n)),
            By::Law | By::LawAndConstants => {
                (self.memory_coefficient() * log_n, lambda * log_n - f64::from(multiplicity - 1) * libm::log(log_n))
            }
        };
        let constants = if by == By::LawAndConstants {
            [-self.memory_coefficient() * libm::log(self.localisation), self.constant]
        } else {
            [0.0; 2]
        };
        Pair { memorising: memorising + constants[0], generalising: generalising + constants[1] + n * gap }
    }

    /// The number of rows above which the memorising phase has more of the posterior; `None` if it has so wherever there is a law
    /// to speak of (n > 4), or nowhere below e^34 rows.
    pub(super) fn crossing(&self, gap: f64, by: By) -> Option<f64> {
        let ahead = |log_n: f64| {
            let pair = self.at(log_n, gap, by);
            pair.generalising < pair.memorising
        };
        if ahead(MOST) {
            return None;
        }
        let mut low = MOST;
        while !ahead(low) {
            low -= 0.25;
            if low < FEWEST {
                return None;
            }
        }
        let mut high = low + 0.25;
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            *(if ahead(middle) { &mut low } else { &mut high }) = middle;
        }
        Some(libm::exp(low))
    }

    /// Watanabe's WBIC of the singular phase, n⟨K⟩ at the temperature 1/log n, in nats: log n times what a chain at nβ = n/log n
    /// estimates.
    pub(super) fn wbic(&self, n: f64) -> f64 {
        let log = libm::log(n);
        log * self.singular.at(n / log).1
    }

    /// The singular phase without its n·L.
    pub(super) fn singular(&self) -> &Volumes {
        &self.singular
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(system: System) -> Phases {
        Phases::new(system, &Volumes::new(system, 5.0, 190.0), 20.0, 5.0)
    }

    #[test]
    fn two_bowls_cross_where_their_closed_forms_do() {
        // 8 log(1 + n/5) = n/100.
        let phases = phases(System::Bowl { weights: 4 });
        let n = phases.crossing(0.01, By::Integral).unwrap();
        assert!((8.0 * libm::log(1.0 + n / 5.0) - 0.01 * n).abs() < 1e-3, "{n}");
        let law = phases.crossing(0.01, By::Law).unwrap();
        assert!((8.0 * libm::log(law) - 0.01 * law).abs() < 1e-8, "{law}");
        let refined = phases.crossing(0.01, By::LawAndConstants).unwrap();
        assert!((refined / n - 1.0).abs() < 1e-3, "{refined} {n}");
    }

    #[test]
    fn the_share_of_the_simple_phase_is_that_of_draws_from_the_prior() {
        use crate::experiment::randomness::{Purpose, Stream};
        let system = System::Neuron;
        let phases = Phases::new(system, &Volumes::new(system, 1.0, 190.0), 3.0, 1.0);
        let (n, gap) = (6.0f64, 0.1);
        let mut stream = Stream::new(0, Purpose::Theory, 0);
        let mut mass = |system: System| -> f64 {
            let mut scratch = vec![0.0; system.weights()];
            let draws = 20_000;
            let of_one = |_| {
                let w: Vec<f64> = (0..system.weights()).map(|_| stream.normal()).collect();
                libm::exp(-n * system.slope(&w, &mut scratch))
            };
            (0..draws).map(of_one).sum::<f64>() / f64::from(draws)
        };
        let (simple, memory) = (libm::exp(-n * gap) * mass(system), mass(System::Bowl { weights: 3 }));
        let share = phases.at(n.ln(), gap, By::Integral).share();
        assert!((share - simple / (simple + memory)).abs() < 0.015, "{share}");
    }

    #[test]
    fn the_laws_crossing_comes_nearer_as_the_gap_closes() {
        let phases = phases(System::Layers { outputs: 3, hidden: 2 });
        let error = |gap: f64| phases.crossing(gap, By::Law).unwrap() / phases.crossing(gap, By::Integral).unwrap() - 1.0;
        let errors = [1e-2, 1e-4, 1e-6].map(error);
        assert!(errors[0] > errors[1] && errors[1] > errors[2] && errors[2] > 0.0, "{errors:?}");
    }

    #[test]
    fn a_gap_too_wide_or_none_has_no_crossing() {
        let phases = phases(System::Layers { outputs: 3, hidden: 2 });
        assert_eq!(phases.crossing(30.0, By::Law), None);
        assert_eq!(phases.crossing(0.0, By::Law), None);
    }

    #[test]
    fn wbic_differs_from_the_free_energy_by_less_than_log_n_grows() {
        // For a bowl log n · d/2 · n/(n + γ log n) against d/2 · log(1 + n/γ): they differ by d/2 · log γ.
        let phases = phases(System::Bowl { weights: 4 });
        assert!((phases.wbic(1e12) - phases.singular.free_energy(1e12) - 2.0 * libm::log(5.0)).abs() < 1e-6);
    }
}
