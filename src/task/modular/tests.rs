//! Every operation against the equation that its answer has to solve, in 128-bit integers.

use super::*;
use crate::experiment::fields::MAX_MODULUS;

fn rule(name: &str, modulus: u32) -> Box<dyn Rule> {
    let kind = KINDS.iter().find(|k| k.kind.name == name).unwrap_or_else(|| panic!("{name}"));
    (kind.rule)(&Settings::default().with("modulus", modulus).with("coefficients_a", "0,1").with("coefficients_b", "0,1"))
}

fn rows(rule: &dyn Rule) -> Vec<(i128, i128, i128)> {
    let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { panic!() };
    assert_eq!(pairs.len(), labels.len());
    pairs.iter().zip(labels).map(|((a, b), y)| (i128::from(*a), i128::from(*b), i128::from(y))).collect()
}

/// Zero modulo p exactly for the right answer y.
fn residual(name: &str, a: i128, b: i128, y: i128) -> i128 {
    match name {
        "add" | "polynomial" => a + b - y,
        "sub" => a - b - y,
        "mul" | "mul_nonzero" => a * b - y,
        "div" => y * b - a,
        "sum_of_squares" => a.pow(2) + b.pow(2) - y,
        "quadratic" => a.pow(2) + a * b + b.pow(2) - y,
        "quadratic_shifted" => a.pow(2) + a * b + b.pow(2) + a - y,
        "cubic" => a.pow(3) + a * b - y,
        "cubic_mixed" => a.pow(3) + a * b.pow(2) + b - y,
        "square_of_sum" => a.pow(2) + 2 * a * b + b.pow(2) - y,
        "cube_of_sum" => a.pow(3) + 3 * a.pow(2) * b + 3 * a * b.pow(2) + b.pow(3) - y,
        "divide_or_subtract" => [a - b - y, y * b - a][b as usize % 2],
        "add_or_multiply" => [a + b - y, a * b - y][a as usize % 2],
        "add_or_subtract" => [a + b - y, a - b - y][a as usize % 2],
        other => panic!("no equation for {other}"),
    }
}

#[test]
fn every_answer_is_the_residue_that_solves_its_equation() {
    for kind in KINDS {
        for p in [3, 23, MAX_MODULUS] {
            for (a, b, y) in rows(rule(kind.kind.name, p).as_ref()) {
                let p = i128::from(p);
                assert!((0..p).contains(&y) && residual(kind.kind.name, a, b, y) % p == 0, "{} {a} {b} {y}", kind.kind.name);
            }
        }
    }
}

#[test]
fn the_first_four_operations_keep_their_names_labels_and_order() {
    let first: Vec<(&str, &str)> = KINDS[..4].iter().map(|k| (k.kind.name, k.kind.label)).collect();
    assert_eq!(first, [("add", "a + b"), ("sub", "a − b"), ("mul", "a · b"), ("div", "a / b")]);
    assert!(KINDS[..4].iter().all(|k| k.kind.fields == [MODULUS]));
}

#[test]
fn names_are_distinct_and_so_are_functions_modulo_31() {
    let tables: Vec<_> = KINDS
        .iter()
        .filter(|k| k.kind.name != "polynomial")
        .map(|k| (k.kind.name, rows(rule(k.kind.name, 31).as_ref())))
        .collect();
    for (place, (name, table)) in tables.iter().enumerate() {
        assert!(tables[..place].iter().all(|(other, same)| other != name && same != table), "{name}");
    }
}

#[test]
fn rows_are_in_grid_order_and_zeros_are_left_out_only_by_division_and_the_product_without_zeros() {
    for kind in KINDS {
        let rule = rule(kind.kind.name, 11);
        let first_b = i128::from(["div", "mul_nonzero"].contains(&kind.kind.name));
        let first_a = i128::from(kind.kind.name == "mul_nonzero");
        let grid: Vec<(i128, i128)> = (first_a..11).flat_map(|a| (first_b..11).map(move |b| (a, b))).collect();
        let found = rows(rule.as_ref());
        assert_eq!(found.iter().map(|(a, b, _)| (*a, *b)).collect::<Vec<_>>(), grid, "{}", kind.kind.name);
        assert_eq!(rule.sizes(), Sizes { rows: found.len() as u32, tokens: 11, width: 0, classes: 11 });
    }
    assert_eq!(rule("div", 97).sizes().rows, 9312);
    assert_eq!(rule("mul_nonzero", 97).sizes().rows, 9216);
}

#[test]
fn symmetry_is_claimed_exactly_where_swapping_never_changes_an_answer() {
    for kind in KINDS {
        let rule = rule(kind.kind.name, 13);
        let table: std::collections::BTreeMap<_, _> = rows(rule.as_ref()).into_iter().map(|(a, b, y)| ((a, b), y)).collect();
        let symmetric = table.iter().all(|((a, b), y)| table.get(&(*b, *a)).is_none_or(|mirror| mirror == y));
        assert_eq!(rule.is_symmetric(), symmetric, "{}", kind.kind.name);
    }
}

#[test]
fn only_rules_that_divide_refuse_a_composite_modulus_and_they_name_the_nearest_prime() {
    for kind in KINDS {
        let divides = ["div", "divide_or_subtract"].contains(&kind.kind.name);
        assert!(rule(kind.kind.name, 97).check().is_empty());
        let errors = rule(kind.kind.name, 96).check();
        assert_eq!(!errors.is_empty(), divides, "{}", kind.kind.name);
        if let Some(error) = errors.first() {
            assert_eq!(error.path, "task.modulus");
            assert_eq!(error.cause, "Division modulo 96 is not defined for every b, because 96 is not prime");
            assert_eq!(error.remedy, "Use 97, or another operation");
        }
    }
}

#[test]
fn cycles_are_those_of_linear_rules_and_need_a_prime_for_logarithms() {
    let cycle = |name, p| rule(name, p).cycle();
    assert_eq!([cycle("add", 30), cycle("sub", 31)], [Some(Cycle::Additive(30)), Some(Cycle::Additive(31))]);
    assert_eq!([cycle("mul", 31), cycle("div", 31)], [Some(Cycle::Multiplicative(31)); 2]);
    assert_eq!([cycle("mul_nonzero", 31), cycle("mul_nonzero", 30)], [Some(Cycle::Multiplicative(31)), None]);
    assert_eq!([cycle("mul", 30), cycle("sum_of_squares", 31), cycle("add_or_multiply", 31)], [None; 3]);
}

#[test]
fn formulas_name_the_operation_and_the_modulus() {
    assert_eq!(rule("add", 31).formula(), "(a + b) mod 31");
    assert_eq!(rule("divide_or_subtract", 97).formula(), "(a / b if b is odd, else a − b) mod 97");
}

#[test]
fn powers_agree_with_repeated_multiplication() {
    for p in [3u64, 30, 401] {
        for base in 0..p.min(40) {
            let mut product = 1 % p;
            for exponent in 0..50 {
                assert_eq!(power(base, exponent, p), product, "{base}^{exponent} mod {p}");
                product = product * base % p;
            }
        }
    }
    assert_eq!(superscript(120), "¹²⁰");
}
