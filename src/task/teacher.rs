//! Gaussian inputs with a hidden teacher: the tasks whose training curves have a closed form.
//!
//! They show that a delay needs no attention and no modulus: a linear student groks while its sample covariance is nearly
//! singular, a logistic one at the edge of separability, a lazy one when its features are wrong. Draws go row by row, so more
//! samples extend the set; the teacher has a stream of its own, so they leave it alone. Inputs keep unit variance wherever a
//! paper allows it, because all networks here start for inputs of that size.

use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind, closed};
use crate::experiment::fields::Kind;
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::settings::Settings;

/// The registered tasks.
pub const KINDS: &[TaskKind] = &[
    TaskKind {
        kind: Kind {
            name: "linear_teacher",
            label: "Linear teacher",
            help: "y = w·x/√d plus noise, x and w standard normal in d dimensions; the delay grows as d/(training rows) nears 1 \
                   (Levi et al., arXiv:2310.16441)",
            fields: &[
                dimensions("150"),
                samples("400"),
                Field::new(
                    "task.noise",
                    "Noise",
                    "Standard deviation of the noise on answers, test rows included; answers without it have variance 1",
                    closed(0.0, 10.0),
                )
                .starts("0"),
            ],
        },
        rule: |settings| Box::new(Teacher::new(Law::Linear { noise: settings.number("noise") }, settings)),
    },
    TaskKind {
        kind: Kind {
            name: "logistic_teacher",
            label: "Separable classes",
            help: "Class 1 where w·x > 0, else 0, x and w standard normal; rows are moved apart along w by the margin \
                   (Soudry et al., arXiv:1710.10345)",
            fields: &[
                dimensions("10"),
                samples("400"),
                Field::new(
                    "task.margin",
                    "Margin",
                    "How far every row is moved away from the plane between the classes, in standard deviations of an input",
                    closed(0.0, 10.0),
                )
                .starts("0.2"),
            ],
        },
        rule: |settings| Box::new(Teacher::new(Law::Logistic { margin: settings.number("margin") }, settings)),
    },
    TaskKind {
        kind: Kind {
            name: "constant_label",
            label: "Constant label",
            help: "Class 1 for every x, standard normal in d dimensions: generalises where the training rows surround the origin, \
                   and slowly near d/(training rows) = ½, above which they no longer do (Beck et al., arXiv:2410.04489)",
            fields: &[dimensions("40"), samples("200")],
        },
        rule: |settings| Box::new(Teacher::new(Law::Constant, settings)),
    },
    TaskKind {
        kind: Kind {
            name: "quadratic_teacher",
            label: "Quadratic teacher",
            help: "y = ½(β·x)², x normal with variance 1/D, |β|² = D: a lazy network sees only its linear features first, for \
                   D ≪ training rows ≪ D² (Kumar et al., arXiv:2310.06110)",
            fields: &[dimensions("100"), samples("1000")],
        },
        rule: |settings| Box::new(Teacher::new(Law::Quadratic, settings)),
    },
];

/// Numbers that one data set may hold: 16 MB.
const MOST_NUMBERS: u32 = 4_000_000;

const fn dimensions(start: &'static str) -> Field {
    Field::new("task.dimensions", "Dimensions", "Numbers d in an input", FieldKind::Integer { min: 1, max: 2000 }).starts(start)
}

const fn samples(start: &'static str) -> Field {
    Field::new(
        "task.samples",
        "Samples",
        "Rows drawn in all, training and test together",
        FieldKind::Integer { min: 4, max: 20_000 },
    )
    .starts(start)
}

/// How the answer follows from x and the hidden direction.
#[derive(Debug, Clone, Copy)]
enum Law {
    Linear { noise: f64 },
    Logistic { margin: f64 },
    Constant,
    Quadratic,
}

#[derive(Debug)]
struct Teacher {
    law: Law,
    dimensions: u32,
    samples: u32,
}

impl Teacher {
    fn new(law: Law, settings: &Settings) -> Self {
        Self { law, dimensions: settings.integer("dimensions"), samples: settings.integer("samples") }
    }

    /// The hidden direction: standard normal for the linear law, of unit length for the logistic one, of length √D for the
    /// quadratic one, so that β·x is standard normal.
    fn truth(&self, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, Purpose::Truth, 0);
        let drawn: Vec<f64> = (0..self.dimensions).map(|_| stream.normal()).collect();
        let length = libm::sqrt(drawn.iter().map(|w| w * w).sum::<f64>());
        let factor = match self.law {
            Law::Linear { .. } | Law::Constant => 1.0,
            Law::Logistic { .. } => 1.0 / length,
            Law::Quadratic => libm::sqrt(f64::from(self.dimensions)) / length,
        };
        drawn.iter().map(|w| w * factor).collect()
    }
}

impl Rule for Teacher {
    fn formula(&self) -> String {
        let d = self.dimensions;
        match self.law {
            Law::Linear { noise } if noise > 0.0 => format!("w·x/√{d} + {noise}·ξ"),
            Law::Linear { .. } => format!("w·x/√{d}"),
            Law::Logistic { .. } => format!("whether w·x > 0 in {d} dimensions"),
            Law::Constant => format!("1 in {d} dimensions"),
            Law::Quadratic => format!("½(β·x)² in {d} dimensions"),
        }
    }

    fn sizes(&self) -> Sizes {
        let classes = match self.law {
            Law::Linear { .. } | Law::Quadratic => 1,
            Law::Logistic { .. } | Law::Constant => 2,
        };
        Sizes { rows: self.samples, tokens: 0, width: self.dimensions, classes }
    }

    fn check(&self) -> Vec<FieldError> {
        let most = MOST_NUMBERS / self.dimensions.max(1);
        if self.samples <= most {
            return Vec::new();
        }
        vec![FieldError::new(
            "task.samples",
            format!("{} samples in {} dimensions take more than 16 MB", self.samples, self.dimensions),
            format!("Use at most {most}"),
        )]
    }

    /// The draws: hidden direction from the stream of truths, inputs row by row from the sample stream, noise on answers from
    /// the noise stream number 1 (number 0 is label noise).
    fn domain(&self, seed: u64) -> (Domain, Answers) {
        let d = self.dimensions as usize;
        let truth = self.truth(seed);
        let mut inputs = Stream::new(seed, Purpose::Sample, 0);
        let mut noises = Stream::new(seed, Purpose::Noise, 1);
        let deviation = if matches!(self.law, Law::Quadratic) { 1.0 / libm::sqrt(d as f64) } else { 1.0 };
        let mut vectors: Vec<f32> = Vec::with_capacity(d * self.samples as usize);
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        for _ in 0..self.samples {
            let mut x: Vec<f64> = (0..d).map(|_| inputs.normal() * deviation).collect();
            let projection: f64 = x.iter().zip(&truth).map(|(x, w)| x * w).sum();
            match self.law {
                Law::Linear { noise } => {
                    values.push((projection / libm::sqrt(d as f64) + noise * noises.normal()) as f32);
                }
                Law::Quadratic => values.push((0.5 * projection * projection) as f32),
                Law::Logistic { margin } => {
                    let side = if projection > 0.0 { margin } else { -margin };
                    x.iter_mut().zip(&truth).for_each(|(x, w)| *x += side * w);
                    labels.push(u16::from(projection > 0.0));
                }
                Law::Constant => labels.push(1),
            }
            vectors.extend(x.iter().map(|x| *x as f32));
        }
        let answers = if self.sizes().classes == 1 { Answers::Values(values) } else { Answers::Labels(labels) };
        (Domain::Vectors(vectors), answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, settings: Settings) -> Box<dyn Rule> {
        (KINDS.iter().find(|task| task.kind.name == name).unwrap().rule)(&settings)
    }

    fn values(rule: &dyn Rule, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let (Domain::Vectors(vectors), Answers::Values(values)) = rule.domain(seed) else { panic!("vectors with values") };
        (vectors, values)
    }

    fn size(dimensions: u32, samples: u32) -> Settings {
        Settings::default().with("dimensions", dimensions).with("samples", samples)
    }

    /// Mean and variance.
    fn moments(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let count = numbers.clone().count() as f64;
        let mean = numbers.clone().sum::<f64>() / count;
        (mean, numbers.map(|x| (x - mean).powi(2)).sum::<f64>() / count)
    }

    #[test]
    fn without_noise_the_linear_answer_is_linear() {
        let (x, y) = values(&*rule("linear_teacher", size(3, 50).with("noise", 0.0)), 5);
        // Cramer's rule on three rows gives w/√d, which must explain all others.
        let row = |i: usize| [f64::from(x[3 * i]), f64::from(x[3 * i + 1]), f64::from(x[3 * i + 2])];
        let det = |m: [[f64; 3]; 3]| {
            m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
                + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
        };
        let system = [row(0), row(1), row(2)];
        let weights: Vec<f64> = (0..3)
            .map(|column| {
                let mut replaced = system;
                (0..3).for_each(|i| replaced[i][column] = f64::from(y[i]));
                det(replaced) / det(system)
            })
            .collect();
        for (i, answer) in y.iter().enumerate() {
            let predicted: f64 = row(i).iter().zip(&weights).map(|(x, w)| x * w).sum();
            assert!((predicted - f64::from(*answer)).abs() < 1e-4, "row {i}");
        }
    }

    #[test]
    fn answers_have_unit_variance_and_noise_adds_its_own() {
        let clean = values(&*rule("linear_teacher", size(200, 20_000).with("noise", 0.0)), 1);
        let noisy = values(&*rule("linear_teacher", size(200, 20_000).with("noise", 0.5)), 1);
        assert_eq!(clean.0, noisy.0, "noise leaves the inputs alone");
        let (mean, variance) = moments(noisy.1.iter().zip(&clean.1).map(|(a, b)| f64::from(a - b)));
        assert!(mean.abs() < 4.0 * 0.5 / 20_000_f64.sqrt() && (variance / 0.25 - 1.0).abs() < 0.04, "{mean} {variance}");
        // |w|²/d is 1 ± √(2/200).
        let (_, variance) = moments(clean.1.iter().map(|y| f64::from(*y)));
        assert!((variance - 1.0).abs() < 0.4, "{variance}");
        let (mean, variance) = moments(clean.0.iter().map(|x| f64::from(*x)));
        assert!(mean.abs() < 0.002 && (variance - 1.0).abs() < 0.004, "{mean} {variance}");
    }

    #[test]
    fn the_quadratic_answer_has_mean_and_variance_one_half() {
        let (x, y) = values(&*rule("quadratic_teacher", size(50, 20_000)), 2);
        let (_, variance) = moments(x.iter().map(|x| f64::from(*x)));
        assert!((variance * 50.0 - 1.0).abs() < 0.01, "{variance}");
        // ½χ²₁: its fourth moment makes the variance the noisier of the two.
        let (mean, variance) = moments(y.iter().map(|y| f64::from(*y)));
        assert!((mean - 0.5).abs() < 0.02 && (variance - 0.5).abs() < 0.08, "{mean} {variance}");
        assert!(y.iter().all(|y| *y >= 0.0));
    }

    #[test]
    fn separable_classes_keep_their_margin_and_are_as_frequent() {
        let teacher = Teacher { law: Law::Logistic { margin: 0.3 }, dimensions: 8, samples: 4000 };
        let (Domain::Vectors(x), Answers::Labels(labels)) = teacher.domain(3) else { panic!("vectors with labels") };
        let truth = teacher.truth(3);
        let mut nearest = f64::INFINITY;
        for (row, label) in x.chunks(8).zip(&labels) {
            let projection: f64 = row.iter().zip(&truth).map(|(x, w)| f64::from(*x) * w).sum();
            assert_eq!(projection > 0.0, *label == 1);
            nearest = nearest.min(projection.abs());
        }
        assert!((0.3 - 1e-6..0.31).contains(&nearest), "{nearest}");
        let ones = labels.iter().filter(|label| **label == 1).count();
        assert!((1874..=2126).contains(&ones), "{ones}: 4 standard deviations of 31.6 around 2,000");
    }

    #[test]
    fn the_constant_label_is_one_of_two_classes() {
        let rule = rule("constant_label", size(5, 30));
        let (Domain::Vectors(x), Answers::Labels(labels)) = rule.domain(0) else { panic!("vectors with labels") };
        assert_eq!((x.len(), labels, rule.sizes().classes), (150, vec![1; 30], 2));
    }

    #[test]
    fn more_samples_extend_the_rows_and_keep_the_teacher() {
        let fewer = values(&*rule("linear_teacher", size(7, 20).with("noise", 0.1)), 9);
        let more = values(&*rule("linear_teacher", size(7, 40).with("noise", 0.1)), 9);
        assert_eq!((&fewer.0[..], &fewer.1[..]), (&more.0[..140], &more.1[..20]));
    }

    #[test]
    fn a_set_that_would_fill_the_memory_is_refused() {
        assert!(rule("constant_label", size(200, 20_000)).check().is_empty());
        let errors = rule("constant_label", size(2000, 20_000)).check();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].remedy.contains("2000"), "{}", errors[0].remedy);
    }
}
