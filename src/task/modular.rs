//! Tasks that are one formula modulo p: the table of operations, one entry each.
//!
//! Most published grokking tasks differ in one expression only; a file for each would hide that, and an `enum` with a `match`
//! per property would spread each over five places. So an operation is an entry of the table below: name, formula, function and
//! what is known of it. Rows are a-major: (0,0), (0,1), …; operations that divide by b leave out b = 0, and `mul_nonzero`
//! leaves out a = 0 too. Functions are given
//! residues a, b < p ≤ 4,096 and compute in u64, where even a cube of a sum has room.
//!
//! Source of most: Power et al. 2022 (arXiv 2201.02177). Their x³ + xy² + y is n³ + nm² + m of other papers and stands once.

mod polynomial;

use super::rule::{Answers, Cycle, Domain, Rule, Sizes, TaskKind};
use super::{is_prime, nearest_prime};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::{Kind, MAX_MODULUS};
use crate::experiment::settings::Settings;

/// The modulus, which all tasks on residues share.
pub(super) const MODULUS: Field = Field::new(
    "task.modulus",
    "Modulus p",
    "Inputs and labels are 0 to p − 1",
    FieldKind::Integer { min: 3, max: MAX_MODULUS as u64 },
)
.starts("31");

/// One line per operation: name, formula, help, f(a, b, p), and what is known of it.
macro_rules! operations {
    ($(($name:literal, $formula:literal, $help:literal, $answer:expr, $traits:expr)),* $(,)?) => {
        /// The operations modulo p, in the order of the choice.
        pub const KINDS: &[TaskKind] = &[
            $(TaskKind {
                kind: Kind { name: $name, label: $formula, help: $help, fields: &[MODULUS] },
                rule: |settings| Modular::boxed(Operation { formula: $formula, answer: $answer, traits: $traits }, settings),
            },)*
            polynomial::KIND,
        ];
    };
}

operations! {
    ("add", "a + b", "The sum of two residues", |a, b, p| (a + b) % p, SYMMETRIC.with_cycle(additive)),
    ("sub", "a − b", "The difference of two residues", |a, b, p| (a + p - b) % p, PLAIN.with_cycle(additive)),
    ("mul", "a · b", "The product of two residues, zeros kept", |a, b, p| a * b % p, SYMMETRIC.with_cycle(multiplicative)),
    ("div", "a / b", "The quotient of two residues, b ≠ 0; p prime", divide, DIVISION.with_cycle(multiplicative)),
    ("mul_nonzero", "a · b, a and b ≠ 0", "The product of two non-zero residues: for prime p addition of logarithms, (p − 1)² rows",
        |a, b, p| a * b % p, UNITS.with_cycle(multiplicative)),
    ("sum_of_squares", "a² + b²", "A sum of squares", |a, b, p| (a * a + b * b) % p, SYMMETRIC),
    ("quadratic", "a² + ab + b²", "A quadratic form with a mixed term", |a, b, p| (a * a + a * b + b * b) % p, SYMMETRIC),
    ("quadratic_shifted", "a² + ab + b² + a", "A quadratic form whose a breaks the symmetry",
        |a, b, p| (a * a + a * b + b * b + a) % p, PLAIN),
    ("cubic", "a³ + ab", "A cube with a mixed term", |a, b, p| (a * a * a + a * b) % p, PLAIN),
    ("cubic_mixed", "a³ + ab² + b", "A negative control: learned at no training fraction by Power et al. (arXiv 2201.02177)",
        |a, b, p| (a * a * a + a * b * b + b) % p, PLAIN),
    ("square_of_sum", "(a + b)²", "The square of a sum, which merges opposite sums", |a, b, p| (a + b) * (a + b) % p, SYMMETRIC),
    ("cube_of_sum", "(a + b)³", "The cube of a sum; for prime p it only renames sums unless 3 divides p − 1",
        |a, b, p| (a + b) % p * (a + b) % p * (a + b) % p, SYMMETRIC),
    ("divide_or_subtract", "a / b if b is odd, else a − b", "Two rules, chosen by the parity of b in 0 to p − 1; p prime",
        |a, b, p| if b % 2 == 1 { divide(a, b, p) } else { (a + p - b) % p }, PRIME),
    ("add_or_multiply", "a + b if a is even, else a · b", "Two rules, chosen by the parity of a in 0 to p − 1",
        |a, b, p| if a % 2 == 0 { (a + b) % p } else { a * b % p }, PLAIN),
    ("add_or_subtract", "a + b if a is even, else a − b", "Two rules, chosen by the parity of a in 0 to p − 1",
        |a, b, p| if a % 2 == 0 { (a + b) % p } else { (a + p - b) % p }, PLAIN),
}

/// An entry of the table.
#[derive(Debug, Clone, Copy)]
struct Operation {
    formula: &'static str,
    /// f(a, b, p) for a, b < p.
    answer: fn(u64, u64, u64) -> u64,
    traits: Traits,
}

/// What is known of an operation.
#[derive(Debug, Clone, Copy)]
struct Traits {
    /// Defined for prime p only.
    needs_prime: bool,
    /// Smallest a and b of the domain: 1 where zero is left out.
    first: [u32; 2],
    /// f(a, b) = f(b, a) wherever both are in the domain.
    symmetric: bool,
    /// The cycle modulo p.
    cycle: fn(u32) -> Option<Cycle>,
}

impl Traits {
    const fn with_cycle(self, cycle: fn(u32) -> Option<Cycle>) -> Self {
        Self { cycle, ..self }
    }
}

const PLAIN: Traits = Traits { needs_prime: false, first: [0, 0], symmetric: false, cycle: |_| None };
const SYMMETRIC: Traits = Traits { symmetric: true, ..PLAIN };
const PRIME: Traits = Traits { needs_prime: true, ..PLAIN };
const DIVISION: Traits = Traits { first: [0, 1], ..PRIME };
const UNITS: Traits = Traits { first: [1, 1], ..SYMMETRIC };

fn additive(p: u32) -> Option<Cycle> {
    Some(Cycle::Additive(p))
}

/// Discrete logarithms of all non-zero residues exist for prime p only.
fn multiplicative(p: u32) -> Option<Cycle> {
    is_prime(p).then_some(Cycle::Multiplicative(p))
}

/// An operation with its modulus.
#[derive(Debug)]
struct Modular {
    operation: Operation,
    modulus: u32,
}

impl Modular {
    fn boxed(operation: Operation, settings: &Settings) -> Box<dyn Rule> {
        Box::new(Self { operation, modulus: settings.integer("modulus") })
    }
}

impl Rule for Modular {
    fn formula(&self) -> String {
        format!("({}) mod {}", self.operation.formula, self.modulus)
    }

    fn sizes(&self) -> Sizes {
        let p = self.modulus;
        let [a, b] = self.operation.traits.first.map(|first| p.saturating_sub(first));
        Sizes { rows: a * b, tokens: p, width: 0, classes: p }
    }

    fn check(&self) -> Vec<FieldError> {
        if self.operation.traits.needs_prime { needs_prime(self.modulus).into_iter().collect() } else { Vec::new() }
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        let Operation { answer, traits, .. } = self.operation;
        let [first_a, first_b] = traits.first;
        labelled(self.modulus, first_b, |a, b, p| (a >= u64::from(first_a)).then(|| answer(a, b, p)))
    }

    fn is_symmetric(&self) -> bool {
        self.operation.traits.symmetric
    }

    fn cycle(&self) -> Option<Cycle> {
        (self.operation.traits.cycle)(self.modulus)
    }
}

/// All pairs of residues modulo `p` with b ≥ `first`, a-major, that `answer(a, b, p)` has an answer for, and the answers.
pub(super) fn labelled(p: u32, first: u32, answer: impl Fn(u64, u64, u64) -> Option<u64>) -> (Domain, Answers) {
    let pairs = (0..p).flat_map(|a| (first..p).map(move |b| (a, b)));
    let rows = pairs.filter_map(|(a, b)| Some(((a as u16, b as u16), answer(a.into(), b.into(), p.into())? as u16)));
    let (pairs, labels) = rows.unzip();
    (Domain::Pairs(pairs), Answers::Labels(labels))
}

/// The refusal of division modulo a composite.
pub(super) fn needs_prime(modulus: u32) -> Option<FieldError> {
    (!is_prime(modulus)).then(|| {
        FieldError::new(
            "task.modulus",
            format!("Division modulo {modulus} is not defined for every b, because {modulus} is not prime"),
            format!("Use {}, or another operation", nearest_prime(modulus, MAX_MODULUS)),
        )
    })
}

/// a · b⁻¹ for prime p and b ≠ 0, where b⁻¹ = b^(p−2) (Fermat).
pub(super) fn divide(a: u64, b: u64, p: u64) -> u64 {
    a * power(b, p.saturating_sub(2), p) % p
}

/// base^exponent mod p, for p ≤ 2³²; 0⁰ is 1.
pub(super) fn power(base: u64, exponent: u64, p: u64) -> u64 {
    let (mut result, mut square, mut left) = (1 % p, base % p, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = result * square % p;
        }
        square = square * square % p;
        left >>= 1;
    }
    result
}

/// `n` in raised digits, for exponents: ¹².
pub(super) fn superscript(n: u32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    n.to_string().bytes().filter_map(|digit| RAISED.get(usize::from(digit.wrapping_sub(b'0')))).collect()
}

#[cfg(test)]
mod tests;
