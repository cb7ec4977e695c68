//! Which neurons lock first, and does one pull the next?
//!
//! In a first-order transition the new phase starts in a few places, by a fluctuation that is large enough to grow, and spreads from
//! there. A network's places are frequencies and its parts are neurons: a neuron is *locked* from the checkpoint on from which it has
//! the frequency that it ends with. Nucleation then says three things that neurons settling each for itself do not: the locked
//! neurons of one frequency lock together, few are locked while hardly an answer is right, and where a nucleus forms is not
//! written in the start. Each is held against the same neurons with their frequencies exchanged at random, which keeps how many lock
//! when, and how many each frequency has. Rejected: an Avrami exponent, which any rate that rises gives as well.

use crate::experiment::randomness::Stream;
use crate::measure::{OWNED, correlation_ratio, ranks};
use crate::record::{MeasureTable, Value};

/// Exchanges of frequencies: no chance below a thousandth can be told.
const EXCHANGES: usize = 999;
/// Fewest locked neurons of which anything is claimed.
pub(super) const LEAST_LOCKED: usize = 12;

/// Frequencies of all neurons at the measured checkpoints.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// Ascending: `[checkpoint]`.
    pub steps: Vec<f64>,
    /// `[checkpoint][neuron]`; 0 where a neuron does not vary.
    pub frequencies: Vec<Vec<u32>>,
    /// Share of the neuron's variance in it: `[checkpoint][neuron]`.
    pub shares: Vec<Vec<f64>>,
}

/// A neuron that ends with a frequency of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locked {
    pub neuron: usize,
    pub frequency: u32,
    /// The checkpoint from which on it has it.
    pub at: usize,
}

impl Course {
    /// From the measure `neurons`; checkpoints without it are left out.
    pub fn of(measures: &MeasureTable) -> Self {
        let list = |step: &u32, column: &str| measures.get(*step, column).and_then(Value::list).map(<[f64]>::to_vec);
        let mut found = Self { steps: Vec::new(), frequencies: Vec::new(), shares: Vec::new() };
        for step in measures.rows.keys() {
            let (Some(frequencies), Some(shares)) = (list(step, "neuron_frequency"), list(step, "neuron_frequency_share")) else {
                continue;
            };
            if frequencies.len() == shares.len() && found.shares.first().is_none_or(|first| first.len() == shares.len()) {
                found.steps.push(f64::from(*step));
                found.frequencies.push(frequencies.into_iter().map(|frequency| frequency as u32).collect());
                found.shares.push(shares);
            }
        }
        found
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.shares.first().map_or(0, Vec::len)
    }

    fn has(&self, checkpoint: usize, neuron: usize, frequency: u32) -> bool {
        frequency > 0 && self.frequencies[checkpoint][neuron] == frequency && self.shares[checkpoint][neuron] >= OWNED
    }

    /// All locked neurons, in the order in which they lock.
    pub fn locked(&self) -> Vec<Locked> {
        let Some(last) = self.steps.len().checked_sub(1) else { return Vec::new() };
        let lock = |neuron: usize| {
            let frequency = self.frequencies[last][neuron];
            let before = (0..=last).rev().find(|checkpoint| !self.has(*checkpoint, neuron, frequency));
            let at = before.map_or(0, |before| before + 1);
            (at <= last).then_some(Locked { neuron, frequency, at })
        };
        let mut found: Vec<Locked> = (0..self.neurons()).filter_map(lock).collect();
        found.sort_by_key(|locked| (locked.at, locked.frequency, locked.neuron));
        found
    }
}

/// A number of the locked neurons, beside what exchanged frequencies give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Against {
    pub value: f64,
    /// Its mean over all exchanges, in closed form.
    pub exchanged: f64,
    /// Share of exchanges in which it is as large.
    pub p: f64,
}

/// η² of the order of locking over frequencies: 1 if all neurons of a frequency lock at once, and at another time than the others'.
/// The mean over exchanges is (K − 1)/(n − 1), n neurons of K frequencies. `None` for fewer than [`LEAST_LOCKED`] neurons, for one
/// frequency, and if all lock at once.
pub(super) fn together(locked: &[Locked], stream: &mut Stream) -> Option<Against> {
    let order: Vec<f32> =
        ranks(locked.iter().map(|locked| locked.at as f64).collect()).into_iter().map(|rank| rank as f32).collect();
    let frequencies: Vec<usize> = locked.iter().map(|locked| locked.frequency as usize).collect();
    let groups = frequencies.iter().max().map_or(0, |most| most + 1);
    let mut kinds = frequencies.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let is_one = order.iter().all(|rank| *rank == order[0]);
    if locked.len() < LEAST_LOCKED || kinds.len() < 2 || kinds.len() == locked.len() || is_one {
        return None;
    }
    let value = correlation_ratio(&order, frequencies.iter().copied(), groups);
    let chance = exchanges(locked.len(), value, stream, |order_of| {
        correlation_ratio(&order, order_of.iter().map(|at| frequencies[*at as usize]), groups)
    });
    Some(Against { value, exchanged: (kinds.len() as f64 - 1.0) / (locked.len() as f64 - 1.0), p: chance })
}

/// Share of the locked neurons that have their frequency at the first measured checkpoint already, whatever its share. The mean over
/// exchanges is Σ_k first_k·last_k/n². `None` for fewer than [`LEAST_LOCKED`].
pub(super) fn from_start(course: &Course, locked: &[Locked], stream: &mut Stream) -> Option<Against> {
    if locked.len() < LEAST_LOCKED {
        return None;
    }
    let first: Vec<u32> = locked.iter().map(|locked| course.frequencies[0][locked.neuron]).collect();
    let count = locked.len() as f64;
    let matching = |frequency: &dyn Fn(usize) -> u32| {
        first.iter().enumerate().filter(|(at, first)| **first == frequency(*at)).count() as f64 / count
    };
    let value = matching(&|at| locked[at].frequency);
    let pairs = locked.iter().map(|locked| first.iter().filter(|first| **first == locked.frequency).count());
    let exchanged = pairs.sum::<usize>() as f64 / (count * count);
    let chance = exchanges(locked.len(), value, stream, |order| matching(&|at| locked[order[at] as usize].frequency));
    Some(Against { value, exchanged, p: chance })
}

/// (1 + exchanges that reach `value`)/(1 + exchanges).
fn exchanges(count: usize, value: f64, stream: &mut Stream, of: impl Fn(&[u32]) -> f64) -> f64 {
    // Sums of the same terms in another order differ in the last digits.
    let reached = (0..EXCHANGES).filter(|_| of(&stream.permutation(count)) >= value - 1e-9).count();
    (1 + reached) as f64 / (1 + EXCHANGES) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::Purpose;

    fn stream(index: u64) -> Stream {
        Stream::new(4, Purpose::Theory, index)
    }

    /// 60 neurons of 4 frequencies that lock at the checkpoint `at(neuron, frequency)`; before, they have `before(neuron)`.
    fn planted(at: impl Fn(usize, u32) -> usize, before: impl Fn(usize) -> u32) -> Course {
        let own = |neuron: usize| 2 + (neuron % 4) as u32;
        let mut course = Course { steps: Vec::new(), frequencies: Vec::new(), shares: Vec::new() };
        for checkpoint in 0..30 {
            let is_locked = |neuron: usize| checkpoint >= at(neuron, own(neuron));
            course.steps.push(10.0 * checkpoint as f64);
            course.frequencies.push((0..60).map(|n| if is_locked(n) { own(n) } else { before(n) }).collect());
            course.shares.push((0..60).map(|n| if is_locked(n) { 0.9 } else { 0.3 }).collect());
        }
        course
    }

    #[test]
    fn a_neuron_is_locked_from_where_it_stays_and_what_is_lost_again_does_not_count() {
        let mut course = planted(|neuron, _| neuron / 2, |_| 9);
        course.shares[0][20] = 0.9;
        course.frequencies[0][20] = 2;
        course.shares[29][5] = 0.4;
        course.frequencies[29][7] = 0;
        let locked = course.locked();
        assert_eq!(locked.len(), 58);
        assert!(locked.iter().all(|locked| locked.at == locked.neuron / 2 && locked.frequency == 2 + (locked.neuron % 4) as u32));
        assert!(locked.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn neurons_that_follow_their_frequency_are_told_from_neurons_that_settle_alone() {
        let followers = planted(|neuron, frequency| 5 * frequency as usize - 8 + neuron / 20, |_| 9).locked();
        let found = together(&followers, &mut stream(0)).unwrap();
        assert!(found.value > 0.9 && found.p <= 0.001, "{found:?}");
        let alone = planted(|neuron, _| (neuron * 7919) % 29, |_| 9).locked();
        let found = together(&alone, &mut stream(1)).unwrap();
        assert!((found.exchanged - 3.0 / 59.0).abs() < 1e-12 && found.p > 0.05, "{found:?}");
        assert_eq!(together(&followers[..LEAST_LOCKED - 1], &mut stream(2)), None);
        assert_eq!(together(&planted(|_, _| 3, |_| 9).locked(), &mut stream(2)), None);
    }

    #[test]
    fn means_over_exchanges_are_those_of_the_closed_forms() {
        let course = planted(|neuron, _| (neuron * 7919) % 29, |neuron| 2 + (neuron / 9) as u32);
        let locked = course.locked();
        let mut stream = stream(3);
        let (mut eta, mut same) = (0.0, 0.0);
        for _ in 0..4000 {
            let order = stream.permutation(60);
            let mixed: Vec<Locked> =
                locked.iter().zip(&order).map(|(own, at)| Locked { frequency: locked[*at as usize].frequency, ..*own }).collect();
            let values: Vec<f32> = ranks(mixed.iter().map(|l| l.at as f64).collect()).iter().map(|rank| *rank as f32).collect();
            eta += correlation_ratio(&values, mixed.iter().map(|l| l.frequency as usize), 9) / 4000.0;
            let first = |locked: &&Locked| course.frequencies[0][locked.neuron] == locked.frequency;
            same += mixed.iter().filter(first).count() as f64 / 60.0 / 4000.0;
        }
        assert!((eta - together(&locked, &mut stream).unwrap().exchanged).abs() < 2e-3, "{eta}");
        let found = from_start(&course, &locked, &mut stream).unwrap();
        assert!((same - found.exchanged).abs() < 3e-3, "{same} {found:?}");
    }

    #[test]
    fn a_start_that_decides_is_told_from_one_that_does_not() {
        let own = |neuron: usize| 2 + (neuron % 4) as u32;
        let written = planted(|neuron, _| neuron / 3 + 1, own);
        let found = from_start(&written, &written.locked(), &mut stream(5)).unwrap();
        assert!(found.value == 1.0 && (found.exchanged - 0.25).abs() < 1e-12 && found.p <= 0.001, "{found:?}");
        let free = planted(|neuron, _| neuron / 3 + 1, |neuron| 2 + ((neuron * 7919) % 31 % 8) as u32);
        assert!(from_start(&free, &free.locked(), &mut stream(6)).unwrap().p > 0.05);
    }

    #[test]
    fn checkpoints_without_the_measure_are_left_out() {
        let mut table = MeasureTable::default();
        let row = |frequencies: Vec<f64>, shares: Vec<f64>| {
            let entries = [("neuron_frequency", frequencies), ("neuron_frequency_share", shares)];
            entries.map(|(name, list)| (name.to_owned(), Value::List(list))).into()
        };
        table.add(0, row(vec![1.0, 2.0], vec![0.1, 0.2]));
        table.add(10, [("norm".to_owned(), Value::Number(3.0))].into());
        table.add(20, row(vec![3.0, 2.0], vec![0.8, 0.9]));
        let course = Course::of(&table);
        assert_eq!((course.steps.as_slice(), course.neurons()), ([0.0, 20.0].as_slice(), 2));
        assert_eq!(course.locked().iter().map(|locked| (locked.frequency, locked.at)).collect::<Vec<_>>(), [(2, 1), (3, 1)]);
        assert_eq!(Course::of(&MeasureTable::default()).locked(), []);
    }
}
