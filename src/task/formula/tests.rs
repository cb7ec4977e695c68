//! Formulas against closures in 128-bit integers, refusals against their texts, and noise against panics.

use super::*;
use crate::experiment::randomness::{Purpose, Stream};
use crate::experiment::settings::Settings;

fn rule(text: &str, modulus: u32) -> Box<dyn Rule> {
    (KIND.rule)(&Settings::default().with("modulus", modulus).with("formula", text))
}

fn rows(text: &str, modulus: u32) -> Vec<(u16, u16, u16)> {
    let rule = rule(text, modulus);
    assert!(rule.check().is_empty(), "{text}: {:?}", rule.check());
    let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { panic!() };
    assert_eq!(rule.sizes().rows as usize, pairs.len(), "{text}");
    pairs.into_iter().zip(labels).map(|((a, b), y)| (a, b, y)).collect()
}

/// Whether a formula's table is that of a closure in integers, whose values are reduced modulo p.
fn agrees(text: &str, p: u32, expected: impl Fn(i128, i128) -> i128) {
    let found = rows(text, p);
    assert_eq!(found.len() as u32, p * p, "{text}");
    for (a, b, y) in found {
        assert_eq!(i128::from(y), expected(a.into(), b.into()).rem_euclid(p.into()), "{text} at {a}, {b}");
    }
}

/// min(x mod p, −x mod p).
fn circle(x: i128, p: i128) -> i128 {
    x.rem_euclid(p).min((-x).rem_euclid(p))
}

#[test]
fn polynomials_agree_with_integer_arithmetic_on_all_pairs() {
    for p in [3, 30, 31, 97] {
        agrees("a^2 + 3*b*(a - b) + 1", p, |a, b| a * a + 3 * b * (a - b) + 1);
        agrees("a^3+a*b^2+b", p, |a, b| a.pow(3) + a * b * b + b);
        agrees("(a + b)^3", p, |a, b| (a + b).pow(3));
        agrees("a - b - 7", p, |a, b| a - b - 7);
        agrees("-a^2 * -b", p, |a, b| a * a * b);
        agrees("--a + 1000000000", p, |a, _| a + 1_000_000_000);
        agrees("a^0 + b^1", p, |_, b| 1 + b);
        agrees("a² · b³ − 2×a", p, |a, b| a.pow(2) * b.pow(3) - 2 * a);
    }
}

#[test]
fn order_remainder_and_functions_act_on_whole_numbers_below_p() {
    for p in [7u32, 30, 31] {
        let modulus = i128::from(p);
        agrees("if(a % 2 == 0, a + b, a*b)", p, |a, b| if a % 2 == 0 { a + b } else { a * b });
        agrees("if(a < b, 1, if(a > b, 2, 3))", p, |a, b| {
            if a < b {
                1
            } else if a > b {
                2
            } else {
                3
            }
        });
        agrees("if(a - b <= 5, a, b)", p, |a, b| if (a - b).rem_euclid(modulus) <= 5 { a } else { b });
        agrees("if(a != b, max(a, b) - min(a, b), 0)", p, |a, b| (a - b).abs());
        agrees("if(a >= 3, a, 3)", p, |a, _| a.max(3));
        agrees("abs(a - b)", p, |a, b| circle(a - b, modulus));
        agrees("a % 4 * 2 + b % 3", p, |a, b| a % 4 * 2 + b % 3);
        agrees("a % 1000 + (a + b) % 2", p, |a, b| a + (a + b).rem_euclid(modulus) % 2);
        agrees("gcd(a, b)", p, |a, b| (1..=modulus).rev().find(|d| a % d == 0 && b % d == 0 && a + b > 0).unwrap_or(0));
        agrees("gcd(12, a)", p, |a, _| (1..=12).rev().find(|d| 12 % d == 0 && a % d == 0).unwrap());
    }
}

#[test]
fn operators_bind_as_on_paper() {
    let same = |left: &str, right: &str| assert_eq!(rows(left, 31), rows(right, 31), "{left} and {right}");
    same("a + b*a^2", "a + (b*(a^2))");
    same("a - b - a*a", "(a - b) - (a*a)");
    same("-a^2", "0 - a*a");
    same("2 - -a", "2 + a");
    same("a*b % 5", "(a*b) % 5");
    same("a * (b % 5)", "a*(b%5)");
    same("(a + 1) / 2 * b", "((a + 1) / 2) * b");
    assert_ne!(rows("(-a)^2", 31), rows("-a^2", 31));
    assert_ne!(rows("a*b % 5", 31), rows("a * (b % 5)", 31));
}

#[test]
fn division_multiplies_by_the_inverse_and_leaves_out_zero_divisors() {
    for (a, b, y) in rows("a / b", 31) {
        assert!(b != 0 && u32::from(y) * u32::from(b) % 31 == u32::from(a));
    }
    assert_eq!(rows("a / b", 31).len(), 31 * 30);
    assert_eq!(rows("1 / (a - b)", 31).len(), 31 * 30);
    assert_eq!(rows("a % b", 31).len(), 31 * 30);
    assert_eq!(rows("a / 3 * 3", 31), rows("a", 31));
    // The branch that is not taken does not count.
    assert_eq!(rows("if(b % 2 == 1, a / b, a - b)", 31).len(), 31 * 31);
}

#[test]
fn division_needs_a_prime_modulus_and_some_divisor() {
    let errors = rule("a / b", 96).check();
    assert_eq!((errors[0].path.as_str(), errors[0].remedy.as_str()), ("task.modulus", "Use 97, or another operation"));
    assert!(rule("a % 2", 96).check().is_empty());
    let errors = rule("a / (b - b)", 31).check();
    assert_eq!((errors[0].path.as_str(), errors.len()), ("task.formula", 1));
    assert!(errors[0].cause.contains("for every pair"));
}

#[test]
fn symmetry_and_cycle_are_found_by_evaluation() {
    for (text, symmetric) in
        [("a + b", true), ("a^2+b^2", true), ("a - b", false), ("abs(a - b)", true), ("a / b", false), ("a", false)]
    {
        assert_eq!(rule(text, 31).is_symmetric(), symmetric, "{text}");
    }
    for text in ["a + b", "b + 5 + a", "a - b", "2*a - a - b + 3"] {
        assert_eq!(rule(text, 31).cycle(), Some(Cycle::Additive(31)), "{text}");
    }
    assert!(["a*b", "2*a + b", "a / b", "if(a == 7, a, a + b)"].iter().all(|text| rule(text, 31).cycle().is_none()));
}

#[test]
fn refusals_name_the_character_and_what_is_expected() {
    let cases = [
        ("", "The formula is empty, where a number, a, b, a function or \"(\" is expected", "a^2 + b^2"),
        ("a + ", "The formula ends after character 3, where a number", "a^2 + b^2"),
        ("a + * b", "Character 5 of the formula is \"*\", where a number", "a^2 + b^2"),
        ("2a", "Character 2 of the formula is \"a\", where an operator is expected", "2*a"),
        ("a(b)", "Character 2 of the formula is \"(\", where an operator", "2*a"),
        ("ab", "Character 1 of the formula is \"ab\", where a, b, if", "a*b"),
        ("(a + b", "The formula ends after character 6, where \")\" is expected", "Close"),
        ("a + b)", "Character 6 of the formula is \")\", where an operator", "Remove"),
        ("a ^ b", "Character 5 of the formula is \"b\", where a whole number as exponent", "a^2"),
        ("a^-1", "Character 3 of the formula is \"-\", where a whole number as exponent", "1 / a^2"),
        ("a^2^3", "Character 4 of the formula is \"^\", where one exponent", "(a^2)^3"),
        ("a < b", "Character 3 of the formula is \"<\", where an operator", "if(a < b, x, y)"),
        ("if(a, 1, 2)", "Character 5 of the formula is \",\", where a comparison", "if(condition, x, y)"),
        ("if(a = b, 1, 2)", "Character 6 of the formula begins \"=\"", "=="),
        ("min(a)", "Character 6 of the formula is \")\", where \",\"", "min(a, b)"),
        ("abs a", "Character 5 of the formula is \"a\", where \"(\"", "abs(x)"),
        ("a $ b", "Character 3 of the formula, \"$\", has no meaning", "parentheses"),
        ("a + 9999999999", "The number at character 5 of the formula is too large", "1000000000"),
        ("sin(a)", "Character 1 of the formula is \"sin\"", "names"),
    ];
    for (text, cause, remedy) in cases {
        let errors = rule(text, 31).check();
        assert_eq!((errors.len(), errors[0].path.as_str()), (1, "task.formula"), "{text}");
        assert!(errors[0].cause.starts_with(cause), "{text}: {}", errors[0].cause);
        assert!(errors[0].remedy.contains(remedy), "{text}: {}", errors[0].remedy);
    }
}

#[test]
fn depth_and_length_have_limits_just_inside_of_which_a_formula_still_works() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(rows(&nested(63), 5), rows("a", 5));
    assert!(rule(&nested(64), 5).check()[0].cause.contains("nested more than 64 deep"));
    assert!(rule(&"-".repeat(100), 5).check()[0].cause.contains("nested"));
    let long = vec!["a"; 100].join("+");
    assert_eq!(rows(&long, 31), rows("100*a", 31));
    assert!(rule(&format!("{long}+a"), 31).check()[0].cause.contains("too long"));
}

#[test]
fn ten_thousand_random_texts_are_read_or_refused_and_never_panic() {
    const WORDS: [&str; 27] = [
        "a",
        "b",
        "0",
        "2",
        "31",
        "999999999",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "(",
        ")",
        ",",
        "<",
        "==",
        "=",
        "!",
        "if(",
        "min(",
        "abs(",
        "gcd(",
        " ",
        "²",
        "≤",
        "é",
    ];
    let mut stream = Stream::new(1, Purpose::Sample, 0);
    let mut read = 0;
    for _ in 0..10_000 {
        let length = 1 + stream.below(9);
        let text: String = (0..length).map(|_| WORDS[stream.below(WORDS.len() as u64) as usize]).collect();
        let rule = rule(&text, 3);
        let (domain, _) = rule.domain(0);
        let Domain::Pairs(pairs) = domain else { panic!() };
        let errors = rule.check();
        assert!(errors.iter().all(|e| !e.cause.is_empty() && !e.remedy.is_empty()), "{text}");
        if errors.is_empty() {
            read += 1;
            assert_eq!(pairs.len(), rule.sizes().rows as usize, "{text}");
            let _ = (rule.is_symmetric(), rule.cycle());
        }
    }
    assert!(read > 100, "only {read} of the texts were formulas, too few to say anything");
}
