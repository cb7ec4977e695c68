//! f₁(a) + f₂(b) modulo p with polynomials of the user's choice.
//!
//! This family has solutions in closed form for a quadratic network (Gromov 2023, arXiv 2301.02679), while a mixed term such as
//! ab² has none; it is where a person looks for the border. Coefficients are a text, because a list field only takes ascending
//! numbers of zero and more.

use super::super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use super::{MODULUS, labelled, superscript};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;

/// Longest list of coefficients.
const MAX_COEFFICIENTS: usize = 16;

const LIST: FieldKind = FieldKind::Text { max_chars: 120 };

/// The task `polynomial`.
pub(super) const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "polynomial",
        label: "f₁(a) + f₂(b)",
        help: "A sum of two polynomials; quadratic networks have a closed-form solution (Gromov 2023, arXiv 2301.02679)",
        fields: &[
            MODULUS,
            Field::new("task.coefficients_a", "Coefficients of f₁", "Of a⁰, a¹, a², … with commas; 0,1,3 is a + 3a²", LIST)
                .starts("0,0,1"),
            Field::new("task.coefficients_b", "Coefficients of f₂", "Of b⁰, b¹, b², … with commas; 0,1,3 is b + 3b²", LIST)
                .starts("0,0,0,1"),
        ],
    },
    rule: |settings| {
        Box::new(Polynomial {
            modulus: settings.integer("modulus"),
            first: coefficients(settings.text("coefficients_a")),
            second: coefficients(settings.text("coefficients_b")),
        })
    },
};

/// Coefficients in ascending powers, or cause and remedy of why there are none.
type Coefficients = Result<Vec<i64>, (String, String)>;

/// The two polynomials and the modulus.
#[derive(Debug)]
struct Polynomial {
    modulus: u32,
    first: Coefficients,
    second: Coefficients,
}

impl Polynomial {
    /// f₁ and f₂; a refused list counts as empty.
    fn both(&self) -> [&[i64]; 2] {
        [&self.first, &self.second].map(|list| list.as_deref().unwrap_or(&[]))
    }
}

impl Rule for Polynomial {
    fn formula(&self) -> String {
        let [first, second] = self.both();
        let mut text = String::new();
        for (coefficient, power) in terms(first, 'a').chain(terms(second, 'b')) {
            text.push_str(match (text.is_empty(), coefficient < 0) {
                (true, false) => "",
                (true, true) => "−",
                (false, false) => " + ",
                (false, true) => " − ",
            });
            let size = coefficient.unsigned_abs();
            if size != 1 || power.is_empty() {
                text.push_str(&size.to_string());
            }
            text.push_str(&power);
        }
        format!("({}) mod {}", if text.is_empty() { "0" } else { &text }, self.modulus)
    }

    fn sizes(&self) -> Sizes {
        let p = self.modulus;
        Sizes { rows: p * p, tokens: p, width: 0, classes: p }
    }

    fn check(&self) -> Vec<FieldError> {
        let lists = [("task.coefficients_a", &self.first), ("task.coefficients_b", &self.second)];
        let refused = lists.into_iter().filter_map(|(path, list)| list.as_ref().err().map(|why| (path, why)));
        refused.map(|(path, (cause, remedy))| FieldError::new(path, cause, remedy)).collect()
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        let [first, second] = self.both();
        labelled(self.modulus, 0, |a, b, p| Some((value(first, a, p) + value(second, b, p)) % p))
    }

    fn is_symmetric(&self) -> bool {
        // f₁(a) + f₂(b) = f₁(b) + f₂(a) for all pairs exactly if f₁ − f₂ is the same everywhere.
        let ([first, second], p) = (self.both(), u64::from(self.modulus));
        let mut gaps = (0..p).map(|x| (value(first, x, p) + p - value(second, x, p)) % p);
        gaps.next().is_none_or(|gap| gaps.all(|other| other == gap))
    }
}

/// The coefficients that a text lists.
fn coefficients(text: &str) -> Coefficients {
    let remedy = || "List whole numbers with commas, the constant first, e.g. 0,1,3 for a + 3a²".to_owned();
    let mut list = Vec::new();
    for (place, entry) in text.split(',').map(|entry| entry.trim().replace('−', "-")).enumerate() {
        if place == MAX_COEFFICIENTS {
            let cause = format!("There are more than {MAX_COEFFICIENTS} coefficients");
            return Err((cause, format!("Use powers up to {}", MAX_COEFFICIENTS - 1)));
        }
        match entry.parse::<i64>() {
            Ok(number) => list.push(number),
            Err(_) if text.trim().is_empty() => return Err(("There is no coefficient".into(), remedy())),
            Err(_) => return Err((format!("Coefficient {}, \"{entry}\", is not a whole number", place + 1), remedy())),
        }
    }
    Ok(list)
}

/// f(x) mod p by Horner's rule.
fn value(list: &[i64], x: u64, p: u64) -> u64 {
    list.iter().rev().fold(0, |sum, c| (sum * x + c.rem_euclid(p as i64) as u64) % p)
}

/// Coefficients other than zero with their powers as people write them: (3, "a²").
fn terms(list: &[i64], variable: char) -> impl Iterator<Item = (i64, String)> {
    list.iter().enumerate().filter(|(_, c)| **c != 0).map(move |(degree, c)| {
        let power = match degree {
            0 => String::new(),
            1 => variable.to_string(),
            _ => format!("{variable}{}", superscript(degree as u32)),
        };
        (*c, power)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::rule::Answers;
    use super::*;
    use crate::experiment::settings::Settings;

    fn rule(modulus: u32, first: &str, second: &str) -> Box<dyn Rule> {
        let settings = Settings::default().with("modulus", modulus).with("coefficients_a", first).with("coefficients_b", second);
        (KIND.rule)(&settings)
    }

    #[test]
    fn labels_are_the_sum_of_powers_computed_in_integers() {
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule(29, "2,0,-5,1", "0, 7").domain(0) else { panic!() };
        assert_eq!((pairs.len(), labels.len()), (29 * 29, 29 * 29));
        for (&(a, b), &label) in pairs.iter().zip(&labels) {
            let (a, b) = (i128::from(a), i128::from(b));
            assert_eq!((2 - 5 * a * a + a * a * a + 7 * b).rem_euclid(29), i128::from(label), "{a} {b}");
        }
    }

    #[test]
    fn the_formula_reads_as_it_is_written_on_paper() {
        assert_eq!(rule(31, "0,1,3", "0,0,0,1").formula(), "(a + 3a² + b³) mod 31");
        assert_eq!(rule(31, "-1,0,-1", "0,-2,0,0,0,0,0,0,0,0,1").formula(), "(−1 − a² − 2b + b¹⁰) mod 31");
        assert_eq!(rule(31, "0", "0").formula(), "(0) mod 31");
    }

    #[test]
    fn equal_polynomials_up_to_a_constant_are_symmetric_and_others_are_not() {
        assert!(rule(31, "4,0,1", "0,0,1").is_symmetric());
        assert!(rule(31, "0,32", "0,1").is_symmetric());
        assert!(!rule(31, "0,1", "0,2").is_symmetric());
        assert!(rule(3, "0,0,0,1", "0,1").is_symmetric(), "a³ = a modulo 3");
    }

    #[test]
    fn a_list_that_is_none_is_refused_at_its_own_setting() {
        assert!(rule(31, "0,0,1", "1").check().is_empty());
        for (text, part) in
            [("0,x", "Coefficient 2, \"x\""), ("", "no coefficient"), ("1,,2", "Coefficient 2, \"\""), ("1.5", "1.5")]
        {
            let errors = rule(31, "1", text).check();
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].path, "task.coefficients_b");
            assert!(errors[0].cause.contains(part), "{}", errors[0].cause);
        }
        assert!(rule(31, &["1"; 17].join(","), "1").check()[0].remedy.contains("15"));
    }

    #[test]
    fn the_largest_coefficients_do_not_overflow() {
        let rule = rule(401, &i64::MIN.to_string(), &i64::MAX.to_string());
        let (_, Answers::Labels(labels)) = rule.domain(0) else { panic!() };
        let expected = (i128::from(i64::MIN) + i128::from(i64::MAX)).rem_euclid(401);
        assert!(labels.iter().all(|label| i128::from(*label) == expected));
    }
}
