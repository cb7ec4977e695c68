//! A table without a rule: the control of every claim about generalisation.
//!
//! Test accuracy must stay near 1/p however long training lasts, and the weight norm that memorising takes is the cost of
//! memorisation that circuit efficiency speaks of (Varma et al., arXiv:2309.02390). Label noise of 1 was not enough: it leaves
//! the test labels true and never draws the right one.

use super::modular::MODULUS;
use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::fields::Kind;
use crate::experiment::randomness::{Purpose, Stream};

/// The registered task.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "random_labels",
        label: "Random table",
        help: "Each pair (a, b) has an answer drawn uniformly from 0 to p − 1: nothing to generalise, the control for \
               memorisation (arXiv:2309.02390)",
        fields: &[MODULUS],
    },
    rule: |settings| Box::new(RandomLabels { modulus: settings.integer("modulus") }),
};

#[derive(Debug)]
struct RandomLabels {
    modulus: u32,
}

impl Rule for RandomLabels {
    fn formula(&self) -> String {
        format!("random table of {0} × {0}", self.modulus)
    }

    fn sizes(&self) -> Sizes {
        Sizes { rows: self.modulus * self.modulus, tokens: self.modulus, width: 0, classes: self.modulus }
    }

    /// All p² pairs; answer number i is draw i of the stream of hidden truths.
    fn domain(&self, seed: u64) -> (Domain, Answers) {
        let p = self.modulus;
        let mut stream = Stream::new(seed, Purpose::Truth, 0);
        let pairs: Vec<(u16, u16)> = (0..p).flat_map(|a| (0..p).map(move |b| (a as u16, b as u16))).collect();
        let labels = pairs.iter().map(|_| stream.below(u64::from(p)) as u16).collect();
        (Domain::Pairs(pairs), Answers::Labels(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_equally_frequent_and_the_seed_decides_the_table() {
        let rule = RandomLabels { modulus: 31 };
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(3) else { panic!("pairs with labels") };
        assert_eq!((pairs.len(), labels.len(), pairs[32]), (961, 961, (1, 1)));
        let mut chi_square = 0.0;
        for class in 0..31 {
            let count = labels.iter().filter(|label| **label == class).count() as f64;
            chi_square += (count - 31.0).powi(2) / 31.0;
        }
        assert!(chi_square < 59.7, "{chi_square}: the 99.9 % point of χ² with 30 degrees of freedom is 59.70");
        assert_ne!(Answers::Labels(labels), rule.domain(4).1);
    }
}
