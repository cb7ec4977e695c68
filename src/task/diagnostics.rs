//! What a table of answers is like: a Latin square, commutative, associative, with an identity, and how even its answers are.
//!
//! Whether a typed formula or a pasted table can be generalised at all hangs on these properties; without them a person cannot
//! tell a rule that is too hard from a rule that is none. All counts are exact but for associativity in large tables, which is
//! taken over an even lattice of triples: a random sample would need a seed that belongs to no experiment.

use super::rule::{Answers, Domain, Rule};
use core::fmt;

/// Most triples on which associativity is tried.
pub const MAX_TRIPLES: u64 = 2_000_000;

/// Properties of a table with n tokens and some classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostics {
    /// n.
    pub tokens: u32,
    /// Pairs that have an answer.
    pub rows: u32,
    /// How many of the n rows (a fixed) hold each of the n tokens exactly once as answers.
    pub latin_rows: u32,
    /// How many of the n columns (b fixed) do.
    pub latin_columns: u32,
    /// Unordered pairs {a, b}, a ≠ b, of which both orders have an answer.
    pub mirrored: u32,
    /// Those whose two answers differ.
    pub asymmetric: u32,
    /// Triples of which both (a·b)·c and a·(b·c) are defined, among those tried.
    pub triples: u64,
    /// Those of which both are equal.
    pub associative: u64,
    /// Whether only an even share of all triples was tried.
    pub sampled: bool,
    /// The token e with e·a = a·e = a for every a.
    pub identity: Option<u16>,
    /// How many pairs have each class as answer.
    pub histogram: Vec<u32>,
}

/// The answers as a square with gaps.
struct Square {
    n: u64,
    /// `[a · n + b]`.
    answers: Vec<Option<u16>>,
}

impl Square {
    fn at(&self, a: u64, b: u64) -> Option<u16> {
        if a.max(b) < self.n { self.answers.get((a * self.n + b) as usize).copied().flatten() } else { None }
    }

    /// Whether n answers are n different tokens.
    fn is_permutation(&self, line: impl Iterator<Item = Option<u16>>) -> bool {
        let mut seen = vec![false; self.n as usize];
        // n answers without a repeat are all there are.
        line.into_iter()
            .all(|answer| answer.and_then(|y| seen.get_mut(usize::from(y))).is_some_and(|seen| !core::mem::replace(seen, true)))
    }
}

impl Diagnostics {
    /// The properties of the table in which `pairs` have these `labels`, with `tokens` tokens and `classes` classes. Pairs and
    /// labels beyond these are left out of account.
    pub fn new(pairs: &[(u16, u16)], labels: &[u16], tokens: u32, classes: u32) -> Self {
        let n = u64::from(tokens);
        let mut square = Square { n, answers: vec![None; (n * n) as usize] };
        let mut histogram = vec![0; classes as usize];
        for ((a, b), label) in pairs.iter().zip(labels) {
            let inside = u32::from(*a).max(u32::from(*b)) < tokens;
            let (Some(count), true) = (histogram.get_mut(usize::from(*label)), inside) else { continue };
            *count += 1;
            square.answers[(u64::from(*a) * n + u64::from(*b)) as usize] = Some(*label);
        }
        let lines = |at: &dyn Fn(u64, u64) -> Option<u16>| {
            (0..n).filter(|line| square.is_permutation((0..n).map(|place| at(*line, place)))).count() as u32
        };
        let mirrors = || (0..n).flat_map(|a| (0..a).map(move |b| (a, b)));
        let both = || mirrors().filter_map(|(a, b)| square.at(a, b).zip(square.at(b, a)));
        let is_identity =
            |e: &u64| (0..n).all(|a| [square.at(*e, a), square.at(a, *e)].iter().all(|y| y.map(u64::from) == Some(a)));
        let (triples, associative) = associativity(&square);
        Self {
            tokens,
            rows: histogram.iter().sum(),
            latin_rows: lines(&|a, b| square.at(a, b)),
            latin_columns: lines(&|b, a| square.at(a, b)),
            mirrored: both().count() as u32,
            asymmetric: both().filter(|(y, mirror)| y != mirror).count() as u32,
            triples,
            associative,
            sampled: n * n * n > MAX_TRIPLES,
            identity: (0..n).find(is_identity).map(|e| e as u16),
            histogram,
        }
    }

    /// The properties of a task on pairs with labels; `None` for other tasks. [`Rule::check`] must have found nothing.
    pub fn of(rule: &dyn Rule, seed: u64) -> Option<Self> {
        let sizes = rule.sizes();
        match rule.domain(seed) {
            (Domain::Pairs(pairs), Answers::Labels(labels)) => Some(Self::new(&pairs, &labels, sizes.tokens, sizes.classes)),
            _ => None,
        }
    }

    /// Whether every token is the answer exactly once in each row and column.
    pub fn is_latin_square(&self) -> bool {
        self.tokens > 0 && self.latin_rows == self.tokens && self.latin_columns == self.tokens
    }

    /// Whether no pair has another answer than its mirror.
    pub fn is_commutative(&self) -> bool {
        self.asymmetric == 0
    }

    /// Share of the triples tried that associate, 0 to 1; `None` if no triple is defined.
    pub fn associativity(&self) -> Option<f64> {
        (self.triples > 0).then(|| self.associative as f64 / self.triples as f64)
    }

    /// Classes that are the answer of any pair.
    pub fn used_classes(&self) -> usize {
        self.histogram.iter().filter(|count| **count > 0).count()
    }

    /// Entropy of the answers over all rows, in bits: at most log₂ of the classes.
    pub fn entropy(&self) -> f64 {
        let total = f64::from(self.rows);
        let shares = self.histogram.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total);
        // Adding to 0 and not negating makes the least value 0 and not −0.
        shares.fold(0.0, |sum, share| sum - share * libm::log2(share))
    }

    /// One sentence for each property, without trailing periods.
    pub fn sentences(&self) -> Vec<String> {
        let (n, classes) = (u64::from(self.tokens), self.histogram.len());
        let rows = if u64::from(self.rows) == n * n {
            format!("{} pairs, all of {n} × {n}", self.rows)
        } else {
            format!("{} pairs of {n} × {n}; the others have no answer", self.rows)
        };
        let latin = if self.is_latin_square() {
            "Latin square: every answer once in each row and column".to_owned()
        } else {
            format!(
                "Not a Latin square: {} of {n} rows and {} of {n} columns hold every answer exactly once",
                self.latin_rows, self.latin_columns
            )
        };
        let commutative = match (self.asymmetric, self.mirrored) {
            (_, 0) => "No pair and its mirror both have an answer".to_owned(),
            (0, _) => "Commutative: swapping a and b never changes the answer".to_owned(),
            (asymmetric, mirrored) => {
                format!("Not commutative: swapping a and b changes the answer of {asymmetric} of {mirrored} unordered pairs")
            }
        };
        let tried = if self.sampled { "tried" } else { "defined" };
        let associative = match (self.associative, self.triples) {
            (_, 0) => "Associativity has no meaning here: answers are not inputs".to_owned(),
            (all, triples) if all == triples => format!("Associative in all {triples} triples {tried}"),
            (some, triples) => {
                // Rounding must not turn nearly all into all, nor a few into none.
                let percent = (100.0 * some as f64 / triples as f64).clamp(if some > 0 { 0.1 } else { 0.0 }, 99.9);
                format!("Not associative: (a·b)·c is a·(b·c) in {percent:.1} % of {triples} triples {tried}")
            }
        };
        let identity =
            self.identity.map_or("No identity".to_owned(), |e| format!("Identity: {e} leaves every other input unchanged"));
        let entropy = format!(
            "{} of {classes} classes are answers; entropy {:.2} of at most {:.2} bits",
            self.used_classes(),
            self.entropy(),
            libm::log2((classes as f64).max(1.0))
        );
        vec![rows, latin, commutative, associative, identity, entropy]
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentences().join(". "))
    }
}

/// (triples tried that are defined on both sides, those of which both sides are equal).
fn associativity(square: &Square) -> (u64, u64) {
    let n = square.n;
    let all = n * n * n;
    let tried = all.min(MAX_TRIPLES);
    // Multiples of a number near the golden section of all, and prime to it, fall evenly and never twice.
    let golden = (all as f64 * 0.618_033_988_749_894_9) as u64;
    let step = if all > MAX_TRIPLES { (golden..all).find(|step| gcd(*step, all) == 1).unwrap_or(1) } else { 1 };
    let (mut defined, mut equal, mut triple) = (0, 0, 0);
    for _ in 0..tried {
        let (a, b, c) = (triple / (n * n), triple / n % n, triple % n);
        let left = square.at(a, b).and_then(|y| square.at(y.into(), c));
        let right = square.at(b, c).and_then(|y| square.at(a, y.into()));
        if let Some((left, right)) = left.zip(right) {
            defined += 1;
            equal += u64::from(left == right);
        }
        triple = (triple + step) % all;
    }
    (defined, equal)
}

/// Euclid's algorithm.
fn gcd(x: u64, y: u64) -> u64 {
    if y == 0 { x } else { gcd(y, x % y) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::settings::Settings;
    use crate::task::{composition, modular};

    fn modular(name: &str, p: u32) -> Diagnostics {
        let kind = modular::KINDS.iter().find(|k| k.kind.name == name).unwrap();
        Diagnostics::of((kind.rule)(&Settings::default().with("modulus", p)).as_ref(), 0).unwrap()
    }

    fn group(name: &str) -> Diagnostics {
        Diagnostics::of((composition::KINDS[0].rule)(&Settings::default().with("group", name)).as_ref(), 0).unwrap()
    }

    #[test]
    fn addition_is_a_commutative_group_with_even_answers() {
        let add = modular("add", 31);
        assert!(add.is_latin_square() && add.is_commutative());
        assert_eq!((add.rows, add.mirrored, add.identity, add.associativity()), (961, 465, Some(0), Some(1.0)));
        assert_eq!(add.triples, 31 * 31 * 31);
        assert_eq!(add.histogram, vec![31; 31]);
        assert!((add.entropy() - 31f64.log2()).abs() < 1e-12);
    }

    #[test]
    fn subtraction_is_a_latin_square_without_the_other_properties() {
        let sub = modular("sub", 31);
        assert!(sub.is_latin_square() && !sub.is_commutative());
        // a − b = b − a only for a = b modulo an odd number.
        assert_eq!((sub.asymmetric, sub.mirrored, sub.identity), (465, 465, None));
        // (a − b) − c = a − (b − c) exactly for c = 0: one triple in 31.
        assert_eq!((sub.associative, sub.triples), (31 * 31, 31 * 31 * 31));
    }

    #[test]
    fn a_sum_of_squares_is_commutative_but_no_latin_square() {
        let squares = modular("sum_of_squares", 31);
        assert!(!squares.is_latin_square() && squares.is_commutative());
        assert_eq!((squares.latin_rows, squares.latin_columns, squares.identity), (0, 0, None));
        // For p = 3 modulo 4, zero is one sum of two squares and every other residue p + 1 of them.
        assert_eq!(squares.histogram[0], 1);
        assert!(squares.histogram[1..].iter().all(|count| *count == 32));
    }

    #[test]
    fn the_symmetric_group_of_three_points_is_associative_but_does_not_commute() {
        let s3 = group("S3");
        assert!(s3.is_latin_square() && !s3.is_commutative());
        assert_eq!((s3.associativity(), s3.identity, s3.triples), (Some(1.0), Some(0), 216));
        // 3 classes · 6 elements are 18 commuting ordered pairs of 36, so 18 / 2 unordered pairs do not commute.
        assert_eq!((s3.asymmetric, s3.mirrored), (9, 15));
    }

    #[test]
    fn division_has_rows_missing_and_permutes_only_its_columns() {
        let div = modular("div", 31);
        assert_eq!((div.rows, div.latin_rows, div.latin_columns), (930, 0, 30));
        assert!(div.sentences()[0].starts_with("930 pairs of 31 × 31"));
    }

    #[test]
    fn multiplication_has_identity_one_and_a_zero_row() {
        let mul = modular("mul", 31);
        assert_eq!((mul.identity, mul.latin_rows, mul.histogram[0], mul.associativity()), (Some(1), 30, 61, Some(1.0)));
    }

    #[test]
    fn a_sample_of_triples_is_even_and_never_repeats() {
        for p in [127, 401] {
            let sub = modular("sub", p);
            assert!(sub.sampled);
            assert_eq!(sub.triples, MAX_TRIPLES);
            let (share, expected) = (sub.associativity().unwrap(), 1.0 / f64::from(p));
            assert!((share / expected - 1.0).abs() < 0.02, "{share} against {expected}");
        }
        assert_eq!(modular("add", 401).associativity(), Some(1.0));
    }

    #[test]
    fn answers_that_are_no_inputs_leave_associativity_undefined() {
        let table = Diagnostics::new(&[(0, 0), (0, 1), (1, 0), (1, 1)], &[2, 3, 3, 2], 2, 4);
        assert_eq!((table.triples, table.associativity(), table.is_latin_square()), (0, None, false));
        assert_eq!((table.used_classes(), table.entropy()), (2, 1.0));
    }

    #[test]
    fn nothing_is_read_beyond_the_sizes() {
        let table = Diagnostics::new(&[(0, 0), (5, 0), (1, 1)], &[0, 0, 9], 2, 2);
        assert_eq!((table.rows, table.histogram), (1, vec![1, 0]));
        let empty = Diagnostics::new(&[], &[], 0, 0);
        assert!(!empty.is_latin_square() && !empty.entropy().is_nan() && empty.sentences().len() == 6);
    }

    #[test]
    fn sentences_say_what_was_found() {
        let add = modular("add", 31).sentences();
        assert_eq!(add[0], "961 pairs, all of 31 × 31");
        assert_eq!(add[1], "Latin square: every answer once in each row and column");
        assert_eq!(add[2], "Commutative: swapping a and b never changes the answer");
        assert_eq!(add[3], "Associative in all 29791 triples defined");
        assert_eq!(add[4], "Identity: 0 leaves every other input unchanged");
        assert_eq!(add[5], "31 of 31 classes are answers; entropy 4.95 of at most 4.95 bits");
        let sub = modular("sub", 31);
        assert!(sub.sentences()[2].contains("465 of 465"));
        assert!(sub.sentences()[3].contains("3.2 % of 29791"));
        assert!(sub.to_string().contains("bits"));
    }
}
