//! Sparse parity: a rule that cannot be enumerated and that gradients find only by way of k-th order correlations
//! (Barak et al., arXiv:2207.08799; Merrill et al., arXiv:2303.11873).
//!
//! The relevant bits are the first k, not a drawn subset: weights start exchangeable over inputs, so a draw would change no
//! distribution, and only so do the bits stay in range while a length curriculum lets more and more of the others vary. Row i
//! consumes draws i·n to i·n + n − 1 whatever the curriculum settings are, so more rows, more active bits or another bias change
//! no more than they must.

use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::Kind;
use crate::experiment::randomness::{Purpose, Stream};

/// The registered task.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "parity",
        label: "Sparse parity",
        help: "y = x₁·x₂⋯x_k on n bits of ±1: the product of the first k (which ones makes no difference to a network that \
               treats inputs alike); class 1 is the product −1 (arXiv:2207.08799, arXiv:2303.11873)",
        fields: &[
            Field::new("task.bits", "Bits", "Bits n of an input", FieldKind::Integer { min: 2, max: 64 }).starts("40"),
            Field::new(
                "task.relevant",
                "Relevant bits",
                "Bits k that the answer depends on: the first k",
                FieldKind::Integer { min: 1, max: 8 },
            )
            .starts("3")
            .live(),
            Field::new(
                "task.samples",
                "Samples",
                "Rows drawn in all, training and test together",
                FieldKind::Integer { min: 20, max: 20_000 },
            )
            .starts("2000"),
            Field::new(
                "task.active_bits",
                "Active bits",
                "Only the first so many bits vary, the others are +1 in training and test rows alike; 0 is all bits",
                FieldKind::Integer { min: 0, max: 64 },
            )
            .neutral("0")
            .live(),
            Field::new("task.bias", "Bias", "Probability that a bit is −1, in training and test rows alike", closed(0.01, 0.99))
                .neutral("0.5")
                .live(),
            Field::new(
                "task.online",
                "Fresh rows",
                "Whether each update draws new rows instead of using the fixed training rows",
                FieldKind::Toggle,
            )
            .neutral("false"),
        ],
    },
    rule: |settings| {
        Box::new(Parity {
            bits: settings.integer("bits"),
            relevant: settings.integer("relevant"),
            samples: settings.integer("samples"),
            active_bits: settings.integer("active_bits"),
            bias: settings.number("bias"),
            is_online: settings.is_on("online"),
        })
    },
};

#[derive(Debug)]
struct Parity {
    bits: u32,
    relevant: u32,
    samples: u32,
    active_bits: u32,
    bias: f64,
    is_online: bool,
}

impl Parity {
    /// `count` rows of one stream.
    fn draw(&self, stream: &mut Stream, count: u32) -> (Domain, Answers) {
        let active = if self.active_bits == 0 { self.bits } else { self.active_bits };
        let mut vectors = Vec::with_capacity((count * self.bits) as usize);
        let mut labels = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let mut label = 0;
            for bit in 0..self.bits {
                // Drawn before it is looked at, so that inactive bits use up their share of the stream too.
                let is_negative = stream.uniform() < self.bias && bit < active;
                vectors.push(if is_negative { -1.0 } else { 1.0 });
                label ^= u16::from(is_negative && bit < self.relevant);
            }
            labels.push(label);
        }
        (Domain::Vectors(vectors), Answers::Labels(labels))
    }
}

impl Rule for Parity {
    fn formula(&self) -> String {
        format!("parity of {} of {} bits", self.relevant, self.bits)
    }

    fn sizes(&self) -> Sizes {
        Sizes { rows: self.samples, tokens: 0, width: self.bits, classes: 2 }
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.relevant > self.bits {
            errors.push(FieldError::new(
                "task.relevant",
                format!("{} relevant bits are more than the {} bits", self.relevant, self.bits),
                format!("Use at most {}", self.bits),
            ));
        } else if self.active_bits > self.bits {
            errors.push(FieldError::new(
                "task.active_bits",
                format!("{} active bits are more than the {} bits", self.active_bits, self.bits),
                "Use 0 for all bits",
            ));
        } else if self.active_bits > 0 && self.active_bits < self.relevant {
            errors.push(FieldError::new(
                "task.active_bits",
                format!("{} active bits leave a relevant bit constant", self.active_bits),
                format!("Use at least {}, or 0 for all bits", self.relevant),
            ));
        }
        errors
    }

    /// Rows of the sample stream number 0.
    fn domain(&self, seed: u64) -> (Domain, Answers) {
        self.draw(&mut Stream::new(seed, Purpose::Sample, 0), self.samples)
    }

    /// Rows of the sample stream number `step` + 1.
    fn fresh(&self, seed: u64, step: u32, count: u32) -> Option<(Domain, Answers)> {
        self.is_online.then(|| self.draw(&mut Stream::new(seed, Purpose::Sample, u64::from(step) + 1), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Parity = Parity { bits: 12, relevant: 3, samples: 4000, active_bits: 0, bias: 0.5, is_online: false };

    fn rows(rule: &Parity, seed: u64) -> (Vec<f32>, Vec<u16>) {
        let (Domain::Vectors(vectors), Answers::Labels(labels)) = rule.domain(seed) else { panic!("vectors with labels") };
        (vectors, labels)
    }

    #[test]
    fn the_label_says_whether_the_product_of_the_relevant_bits_is_negative() {
        let (vectors, labels) = rows(&SMALL, 1);
        assert_eq!((vectors.len(), labels.len()), (48_000, 4000));
        for (row, label) in vectors.chunks(12).zip(&labels) {
            let product: f32 = row[..3].iter().product();
            assert_eq!(f32::from(*label), (1.0 - product) / 2.0);
        }
        let ones = labels.iter().filter(|label| **label == 1).count();
        assert!((1874..=2126).contains(&ones), "{ones}: 4 standard deviations of 31.6 around 2,000");
    }

    #[test]
    fn bits_are_negative_as_often_as_the_bias_says() {
        let (vectors, _) = rows(&Parity { bias: 0.2, ..SMALL }, 2);
        let share = vectors.iter().filter(|x| **x < 0.0).count() as f64 / vectors.len() as f64;
        assert!((share - 0.2).abs() < 4.0 * (0.16_f64 / 48_000.0).sqrt(), "{share}");
        assert!(vectors.iter().all(|x| x.abs() == 1.0));
    }

    #[test]
    fn a_length_curriculum_changes_only_the_bits_that_it_holds() {
        let (all, labels) = rows(&SMALL, 3);
        let (short, short_labels) = rows(&Parity { active_bits: 5, ..SMALL }, 3);
        for (long, short) in all.chunks(12).zip(short.chunks(12)) {
            assert_eq!(long[..5], short[..5]);
            assert!(short[5..].iter().all(|x| *x == 1.0));
        }
        assert_eq!(labels, short_labels);
    }

    #[test]
    fn more_samples_extend_the_rows() {
        let (fewer, _) = rows(&Parity { samples: 100, ..SMALL }, 4);
        assert_eq!(fewer, rows(&SMALL, 4).0[..1200]);
    }

    #[test]
    fn fresh_rows_come_only_online_and_differ_from_update_to_update() {
        assert!(SMALL.fresh(0, 0, 5).is_none());
        let online = Parity { is_online: true, ..SMALL };
        let draw = |step| online.fresh(0, step, 5).unwrap();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let (Domain::Vectors(fixed), _) = online.domain(0) else { panic!("vectors") };
        let (Domain::Vectors(first), Answers::Labels(labels)) = draw(0) else { panic!("vectors with labels") };
        assert_eq!((first.len(), labels.len()), (60, 5));
        assert_ne!(first, fixed[..60]);
    }

    #[test]
    fn bits_that_do_not_go_together_are_refused() {
        assert!(SMALL.check().is_empty());
        assert!(Parity { active_bits: 3, ..SMALL }.check().is_empty());
        for wrong in [Parity { bits: 2, ..SMALL }, Parity { active_bits: 2, ..SMALL }, Parity { active_bits: 13, ..SMALL }] {
            assert_eq!(wrong.check().len(), 1, "{wrong:?}");
        }
    }
}
