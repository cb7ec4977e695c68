//! Addition without wrap-around: the toy for which a theory of representations predicts when generalisation comes
//! (Liu et al., arXiv:2205.10343).
//!
//! The embedding that solves it is a line, not a circle, so it has no cycle and no Fourier measures. Unordered pairs are the
//! start because the theory counts them; ordered pairs let a test row's mirror be in training.

use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;

/// The registered task.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "addition",
        label: "Addition a + b",
        help: "y = a + b without a modulus, a and b from 0 to n − 1, 2n − 1 answers (Liu et al., arXiv:2205.10343)",
        fields: &[
            Field::new(
                "task.tokens",
                "Numbers",
                "How many numbers n there are: 0 to n − 1",
                FieldKind::Integer { min: 2, max: 128 },
            )
            .starts("10"),
            Field::new(
                "task.ordered",
                "Ordered pairs",
                "Whether (a, b) and (b, a) are two rows instead of one with a ≤ b",
                FieldKind::Toggle,
            )
            .neutral("false"),
        ],
    },
    rule: |settings| Box::new(Addition { tokens: settings.integer("tokens"), is_ordered: settings.is_on("ordered") }),
};

#[derive(Debug)]
struct Addition {
    tokens: u32,
    is_ordered: bool,
}

impl Rule for Addition {
    fn formula(&self) -> String {
        format!("a + b, a and b below {}", self.tokens)
    }

    fn sizes(&self) -> Sizes {
        let n = self.tokens;
        let rows = if self.is_ordered { n * n } else { n * (n + 1) / 2 };
        Sizes { rows, tokens: n, width: 0, classes: (2 * n).saturating_sub(1) }
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        let n = self.tokens as u16;
        let first = |a| if self.is_ordered { 0 } else { a };
        let pairs: Vec<(u16, u16)> = (0..n).flat_map(|a| (first(a)..n).map(move |b| (a, b))).collect();
        let labels = pairs.iter().map(|(a, b)| a + b).collect();
        (Domain::Pairs(pairs), Answers::Labels(labels))
    }

    fn is_symmetric(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_numbers_make_55_unordered_pairs_with_19_sums() {
        let rule = Addition { tokens: 10, is_ordered: false };
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { panic!("pairs with labels") };
        assert_eq!(rule.sizes(), Sizes { rows: 55, tokens: 10, width: 0, classes: 19 });
        assert_eq!((pairs.len(), pairs.iter().filter(|(a, b)| a > b).count()), (55, 0));
        // A sum s from 0 to 18 is made in ⌊min(s, 18 − s)/2⌋ + 1 ways.
        for s in 0..19u16 {
            let ways = labels.iter().filter(|label| **label == s).count();
            assert_eq!(ways, usize::from(s.min(18 - s)) / 2 + 1);
        }
    }

    #[test]
    fn ordered_pairs_are_all_of_the_square() {
        let rule = Addition { tokens: 7, is_ordered: true };
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { panic!("pairs with labels") };
        assert_eq!((pairs.len() as u32, pairs[8], labels[8], labels[48]), (rule.sizes().rows, (1, 1), 2, 12));
    }
}
