//! Group tasks: the answer to a pair of elements is another element.
//!
//! Modular addition is the group C_p in disguise; other groups show whether what a network learns there is about numbers or
//! about representations (Chughtai et al. 2023, arXiv 2302.03025). Power et al. 2022 (arXiv 2201.02177) give the three forms.
//! How elements are numbered and which factor acts first is stated in `group.rs`. S3 has 36 rows, too few to generalise.

use super::group::{Group, Structure};
use super::rule::{Answers, Cycle, Domain, Rule, Sizes, TaskKind};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
use crate::experiment::settings::Settings;
use crate::record::UserError;

/// Which group.
const GROUP: Field = Field::new(
    "task.group",
    "Group",
    "C, D, A or S with a number, x for products: C12, D7, A5, S4, C2xS3; at most 401 elements",
    FieldKind::Text { max_chars: 24 },
)
.starts("S4");

/// The group tasks, in the order of the choice.
pub const KINDS: &[TaskKind] = &[
    TaskKind {
        kind: Kind {
            name: "compose",
            label: "a ∘ b in a group",
            help: "The product of two elements of a group, b applied first",
            fields: &[GROUP],
        },
        rule: |settings| Composition::boxed(Form::Product, settings),
    },
    TaskKind {
        kind: Kind {
            name: "conjugate",
            label: "a ∘ b ∘ a⁻¹ in a group",
            help: "The conjugate of b by a: b itself wherever the two commute",
            fields: &[GROUP],
        },
        rule: |settings| Composition::boxed(Form::Conjugate, settings),
    },
    TaskKind {
        kind: Kind {
            name: "sandwich",
            label: "a ∘ b ∘ a in a group",
            help: "One element of a group between two copies of another",
            fields: &[GROUP],
        },
        rule: |settings| Composition::boxed(Form::Sandwich, settings),
    },
];

/// How the answer is composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Product,
    Conjugate,
    Sandwich,
}

impl Form {
    fn answer(self, group: &Group, a: u16, b: u16) -> u16 {
        let product = group.product(a, b);
        match self {
            Self::Product => product,
            Self::Conjugate => group.product(product, group.inverse(a)),
            Self::Sandwich => group.product(product, a),
        }
    }
}

/// A form with its group, or why there is none.
#[derive(Debug)]
struct Composition {
    form: Form,
    group: Result<Structure, UserError>,
}

impl Composition {
    fn boxed(form: Form, settings: &Settings) -> Box<dyn Rule> {
        Box::new(Self { form, group: Structure::parse(settings.text("group")) })
    }
}

impl Rule for Composition {
    fn formula(&self) -> String {
        let (form, first) = match self.form {
            Form::Product => ("a ∘ b", ", b applied first"),
            Form::Conjugate => ("a ∘ b ∘ a⁻¹", ", a⁻¹ applied first"),
            // Read from either side it is the same.
            Form::Sandwich => ("a ∘ b ∘ a", ""),
        };
        match &self.group {
            Ok(group) => format!("{form} in {} ({} elements{first})", group.name(), group.order()),
            Err(_) => format!("{form} in a group"),
        }
    }

    fn sizes(&self) -> Sizes {
        // A group that was read has at most MAX_ORDER elements.
        let order = self.group.as_ref().map_or(0, Structure::order) as u32;
        Sizes { rows: order * order, tokens: order, width: 0, classes: order }
    }

    fn check(&self) -> Vec<FieldError> {
        let refused = self.group.as_ref().err();
        refused.map(|error| FieldError::new("task.group", error.cause.as_str(), error.remedy.as_str())).into_iter().collect()
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        let Ok(structure) = &self.group else { return (Domain::Pairs(Vec::new()), Answers::Labels(Vec::new())) };
        let (group, order) = (structure.group(), structure.order() as u16);
        let pairs: Vec<(u16, u16)> = (0..order).flat_map(|a| (0..order).map(move |b| (a, b))).collect();
        let labels = pairs.iter().map(|(a, b)| self.form.answer(&group, *a, *b)).collect();
        (Domain::Pairs(pairs), Answers::Labels(labels))
    }

    fn is_symmetric(&self) -> bool {
        // The other two forms give b and e, or a² and a, for (a, e) and (e, a): never the same in a group with two elements.
        self.form == Form::Product && self.group.as_ref().is_ok_and(Structure::is_abelian)
    }

    fn cycle(&self) -> Option<Cycle> {
        let residues = self.group.as_ref().ok().and_then(Structure::residues);
        residues.filter(|_| self.form == Form::Product).map(Cycle::Additive)
    }

    fn group(&self) -> Option<Group> {
        self.group.as_ref().ok().filter(|_| self.form == Form::Product).map(Structure::group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(form: &str, group: &str) -> Box<dyn Rule> {
        let kind = KINDS.iter().find(|k| k.kind.name == form).unwrap();
        (kind.rule)(&Settings::default().with("group", group))
    }

    fn labels(rule: &dyn Rule) -> Vec<u16> {
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { panic!() };
        let n = rule.sizes().tokens as u16;
        assert_eq!(pairs, (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).collect::<Vec<_>>());
        assert_eq!(rule.sizes().rows as usize, labels.len());
        labels
    }

    #[test]
    fn composing_in_a_cyclic_group_is_addition() {
        let labels = labels(rule("compose", "C31").as_ref());
        assert!((0..31u16).all(|a| (0..31u16).all(|b| labels[usize::from(a * 31 + b)] == (a + b) % 31)));
        assert_eq!(rule("compose", "c31").cycle(), Some(Cycle::Additive(31)));
        assert_eq!([rule("conjugate", "C31").cycle(), rule("compose", "S4").cycle()], [None, None]);
    }

    #[test]
    fn a_conjugate_stays_in_the_class_of_b_and_is_b_where_both_commute() {
        let group = Structure::parse("S4").unwrap().group();
        let (classes, labels) = (group.classes(), labels(rule("conjugate", "S4").as_ref()));
        for a in 0..24u16 {
            for b in 0..24u16 {
                let answer = labels[usize::from(a * 24 + b)];
                assert_eq!(classes[usize::from(answer)], classes[usize::from(b)]);
                assert_eq!(answer == b, group.product(a, b) == group.product(b, a));
                assert_eq!(group.product(answer, a), group.product(a, b));
            }
        }
    }

    #[test]
    fn a_sandwich_of_rotations_is_twice_a_plus_b_and_its_sign_is_that_of_b() {
        let sums = labels(rule("sandwich", "C12").as_ref());
        assert!((0..12u16).all(|a| (0..12u16).all(|b| sums[usize::from(a * 12 + b)] == (2 * a + b) % 12)));
        let (group, answers) = (Structure::parse("S4").unwrap().group(), labels(rule("sandwich", "S4").as_ref()));
        assert!(answers.iter().enumerate().all(|(row, y)| group.even[usize::from(*y)] == group.even[row % 24]));
    }

    #[test]
    fn symmetry_is_claimed_exactly_where_the_table_is_symmetric() {
        for form in ["compose", "conjugate", "sandwich"] {
            for group in ["C2", "C7", "S3", "D4", "C2xC3", "A3"] {
                let rule = rule(form, group);
                let (labels, n) = (labels(rule.as_ref()), rule.sizes().tokens as usize);
                let symmetric = (0..n).all(|a| (0..n).all(|b| labels[a * n + b] == labels[b * n + a]));
                assert_eq!(rule.is_symmetric(), symmetric, "{form} in {group}");
            }
        }
    }

    #[test]
    fn formulas_name_the_group_its_order_and_who_acts_first() {
        assert_eq!(rule("compose", "S4").formula(), "a ∘ b in S4 (24 elements, b applied first)");
        assert_eq!(rule("conjugate", "c2xs3").formula(), "a ∘ b ∘ a⁻¹ in C2xS3 (12 elements, a⁻¹ applied first)");
        assert_eq!(rule("sandwich", "A5").formula(), "a ∘ b ∘ a in A5 (60 elements)");
    }

    #[test]
    fn a_group_that_cannot_be_had_is_refused_at_its_setting() {
        assert!(rule("compose", "S5").check().is_empty());
        let errors = rule("compose", "S6").check();
        assert_eq!((errors[0].path.as_str(), errors[0].remedy.as_str()), ("task.group", "Use S5"));
        assert_eq!(rule("compose", "S6").sizes(), Sizes::default());
    }
}
