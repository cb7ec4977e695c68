//! Which products follow from the known ones, near a true representation: exact linear algebra, and no network.
//!
//! Two known pairs of one product ask E_iE_j = E_mE_n, so E is a representation of the group Γ(D) that these relations define. Near
//! E = ρ the departures that cost nothing are the cocycles of Γ(D) in the d×d matrices: δ_i + ρ_i·δ_j = δ_m + ρ_m·δ_n, mode by mode (see
//! `systems`). If all products are known, Γ is G × Z, the Z being the freedom E_a → E_a X with X of the commutant; as a finite group has
//! no H¹ in characteristic 0, the cocycles are conjugations (d² less the dimension of the commutant) and those X (that dimension):
//! n₀ = d² for every group and every representation, and dim W in each mode.

use super::systems::{Mode, System};
use crate::measure::Span;

/// Two elements, in their order: (a, b) stands for the product a∘b.
pub type Pair = (usize, usize);

/// All |G|² ordered pairs.
pub fn all_pairs(order: usize) -> Vec<Pair> {
    (0..order).flat_map(|a| (0..order).map(move |b| (a, b))).collect()
}

/// Some products, and the span of what they ask.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    system: &'a System,
    /// The first known pair of each product: `[element]`.
    first: Vec<Option<Pair>>,
    /// One for each mode.
    spans: Vec<Span>,
}

impl<'a> Known<'a> {
    /// None.
    pub fn new(system: &'a System) -> Self {
        Self { system, first: vec![None; system.order()], spans: vec![Span::default(); system.modes.len()] }
    }

    /// These.
    pub fn of(system: &'a System, pairs: &[Pair]) -> Self {
        let mut known = Self::new(system);
        pairs.iter().for_each(|pair| {
            known.add(*pair);
        });
        known
    }

    /// One more; whether anything may follow now that did not before.
    pub fn add(&mut self, pair: Pair) -> bool {
        // Any two pairs of a product differ by two of these rows, so they span what all pairs of pairs do.
        let first = &mut self.first[self.system.product(pair)];
        let Some(other) = *first else {
            *first = Some(pair);
            return true;
        };
        let mut grew = false;
        for (mode, span) in self.system.modes.iter().zip(&mut self.spans) {
            for row in rows(mode, self.system.order(), pair, other) {
                grew |= span.add(row);
            }
        }
        grew
    }

    /// Directions that cost nothing, in the mode `at` counted once.
    pub fn free(&self, at: usize) -> usize {
        self.system.order() * self.system.modes[at].width - self.spans[at].rank()
    }

    /// n₀(D), of d²|G|.
    pub fn nullity(&self) -> usize {
        self.system.modes.iter().enumerate().map(|(at, mode)| mode.multiplicity * self.free(at)).sum()
    }

    /// Whether the mode `at` has no freedom left but that of all products.
    pub fn is_settled(&self, at: usize) -> bool {
        self.free(at) == self.system.modes[at].width
    }

    /// n₀(D) = d²: near ρ nothing but ρ is left.
    pub fn is_forced(&self) -> bool {
        (0..self.spans.len()).all(|at| self.is_settled(at))
    }

    /// Whether a pair equals a known one of its product in every direction that costs nothing.
    pub fn follows(&self, pair: Pair) -> bool {
        let Some(other) = self.first[self.system.product(pair)] else { return false };
        let mut modes = self.system.modes.iter().zip(&self.spans);
        modes.all(|(mode, span)| rows(mode, self.system.order(), pair, other).into_iter().all(|row| span.has(row)))
    }

    /// D̄(D): share of `held_out` that follows; NaN if none is held out.
    pub fn closed(&self, held_out: &[Pair]) -> f64 {
        held_out.iter().filter(|pair| self.follows(**pair)).count() as f64 / held_out.len() as f64
    }
}

/// δ_i + ρ_i·δ_j − δ_m − ρ_m·δ_n: `width` rows of |G| · `width`.
fn rows(mode: &Mode, order: usize, pair: Pair, other: Pair) -> Vec<Vec<i64>> {
    let width = mode.width;
    let row = |row: usize| {
        let mut entries = vec![0; order * width];
        for (sign, (first, second)) in [(1, pair), (-1, other)] {
            entries[first * width + row] += sign;
            for column in 0..width {
                entries[second * width + column] += sign * mode.action[first][row * width + column];
            }
        }
        entries
    };
    (0..width).map(row).collect()
}
