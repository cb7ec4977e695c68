//! Group axioms by enumeration, and orders and class numbers from the textbooks.

use super::*;

fn group(name: &str) -> Group {
    Structure::parse(name).unwrap().group()
}

const SMALL: [&str; 11] = ["C2", "C12", "D3", "D7", "A3", "A4", "S2", "S3", "S4", "C2xS3", "C2xC3xC2"];

fn associates(g: &Group, a: u16, b: u16, c: u16) -> bool {
    g.product(g.product(a, b), c) == g.product(a, g.product(b, c))
}

#[test]
fn every_table_is_a_group_with_identity_zero() {
    for name in SMALL.into_iter().chain(["A5", "S5", "A6", "D200", "C401"]) {
        let g = group(name);
        assert_eq!(g.order as u64, Structure::parse(name).unwrap().order(), "{name}");
        assert_eq!(
            [g.table.len(), g.inverses.len(), g.even.len(), g.names.len()],
            [g.order * g.order, g.order, g.order, g.order]
        );
        let n = g.order as u16;
        assert!(g.table.iter().all(|product| *product < n), "{name} is closed");
        assert!((0..n).all(|a| g.product(a, 0) == a && g.product(0, a) == a), "{name} has identity 0");
        assert!((0..n).all(|a| g.product(a, g.inverse(a)) == 0 && g.product(g.inverse(a), a) == 0), "{name} has inverses");
    }
}

#[test]
fn composition_is_associative_for_all_triples_of_small_groups_and_a_sample_of_large_ones() {
    for name in SMALL {
        let g = group(name);
        let n = g.order as u16;
        assert!((0..n).all(|a| (0..n).all(|b| (0..n).all(|c| associates(&g, a, b, c)))), "{name}");
    }
    for name in ["S5", "A6", "C5xS4", "D200"] {
        let g = group(name);
        // Steps prime to every order up to 401 visit the triples evenly.
        assert!(
            (0..50_000u64).all(|t| {
                let element = |step: u64| (t * step % g.order as u64) as u16;
                associates(&g, element(409), element(419 + t % 7), element(421 + t % 11))
            }),
            "{name}"
        );
    }
}

#[test]
fn orders_are_those_of_the_textbooks() {
    let orders =
        [("S5", 120), ("A5", 60), ("S4", 24), ("A4", 12), ("D7", 14), ("C12", 12), ("A6", 360), ("C3xC5", 15), ("C2xS3", 12)];
    for (name, order) in orders {
        assert_eq!(Structure::parse(name).unwrap().order(), order, "{name}");
    }
}

#[test]
fn conjugacy_classes_number_those_of_the_character_tables() {
    let counts =
        [("S5", 7), ("A5", 5), ("S4", 5), ("A4", 4), ("S3", 3), ("D4", 5), ("D7", 5), ("C12", 12), ("A6", 7), ("C2xS3", 6)];
    for (name, count) in counts {
        let classes = group(name).classes();
        assert_eq!(classes.iter().max().unwrap() + 1, count, "{name}");
        assert_eq!(classes[0], 0);
        assert_eq!(classes.iter().filter(|class| **class == 0).count(), 1, "{name}: the identity is alone in its class");
    }
}

#[test]
fn half_of_a_symmetric_group_is_even_and_all_of_an_alternating_one() {
    for (name, even) in [("S3", 3), ("S4", 12), ("S5", 60), ("A4", 12), ("A5", 60), ("C5", 5), ("C6", 3), ("C2xS3", 6)] {
        assert_eq!(group(name).even.iter().filter(|e| **e).count(), even, "{name}");
    }
}

#[test]
fn the_sign_of_a_product_is_the_product_of_signs() {
    for name in SMALL.into_iter().chain(["S5", "D8"]) {
        let g = group(name);
        for a in 0..g.order as u16 {
            for b in 0..g.order as u16 {
                let same = g.even[usize::from(a)] == g.even[usize::from(b)];
                assert_eq!(g.even[usize::from(g.product(a, b))], same, "{name} {a} {b}");
            }
        }
    }
}

#[test]
fn products_in_closed_form_are_compositions_of_permutations_with_the_right_factor_first() {
    for name in ["C2", "C12", "D3", "D8", "A4", "S4"] {
        let factor = Structure::parse(name).unwrap().factors[0];
        let (elements, g) = (factor.permutations(), group(name));
        for (a, outer) in elements.iter().enumerate() {
            for (b, inner) in elements.iter().enumerate() {
                let composed: Vec<u16> = (0..inner.len()).map(|x| outer[usize::from(inner[x])]).collect();
                assert_eq!(elements[usize::from(g.product(a as u16, b as u16))], composed, "{name}");
            }
        }
    }
}

#[test]
fn permutations_are_listed_lexicographically_and_named_by_cycles_from_one() {
    assert_eq!(group("S3").names, ["e", "(2 3)", "(1 2)", "(1 2 3)", "(1 3 2)", "(1 3)"]);
    let g = group("S3");
    // (1 2)∘(2 3): 3 goes to 2 and then to 1, 1 to 2, 2 to 3.
    assert_eq!(g.names[usize::from(g.product(2, 1))], "(1 2 3)");
    assert!(group("S4").names.contains(&"(1 2)(3 4)".to_owned()));
    assert_eq!(group("D3").names, ["e", "r", "r²", "s", "rs", "r²s"]);
    assert_eq!(group("C2xC2").names, ["e, e", "e, r", "r, e", "r, r"]);
}

#[test]
fn commuting_is_known_without_a_table_and_only_cyclic_groups_are_numbered_by_residues() {
    for name in SMALL {
        let (structure, g) = (Structure::parse(name).unwrap(), group(name));
        let n = g.order as u16;
        let commutes = (0..n).all(|a| (0..n).all(|b| g.product(a, b) == g.product(b, a)));
        assert_eq!(structure.is_abelian(), commutes, "{name}");
        if let Some(p) = structure.residues() {
            assert!((0..n).all(|a| (0..n).all(|b| u32::from(g.product(a, b)) == u32::from(a + b) % p)), "{name}");
        }
    }
    assert_eq!(["C12", "S2", "C2xC3"].map(|name| Structure::parse(name).unwrap().residues()), [Some(12), None, None]);
}

#[test]
fn names_are_read_in_either_case_and_written_in_capitals() {
    for (text, name) in [("s4", "S4"), (" c3 X a4 ", "C3xA4"), ("C2×D3", "C2xD3")] {
        assert_eq!(Structure::parse(text).unwrap().name(), name);
    }
}

#[test]
fn groups_that_are_too_large_are_refused_with_the_nearest_that_fits() {
    let cases = [
        ("S6", "Use S5"),
        ("A7", "Use A6"),
        ("C402", "Use C401"),
        ("D201", "Use D200"),
        ("S5xC5", "Use S5xC3"),
        ("S6xC2", "Use S5"),
        ("C999999999999", "Use C401"),
        ("S99", "Use S5"),
        ("A6xC2", "Use A6"),
    ];
    for (name, remedy) in cases {
        let error = Structure::parse(name).unwrap_err();
        assert_eq!(error.remedy, remedy, "{name}");
        assert!(error.cause.contains("elements"), "{error}");
    }
    assert!(Structure::parse("S6").unwrap_err().cause.contains("720"));
}

#[test]
fn what_is_no_name_of_a_group_is_refused() {
    for text in ["", "S", "4", "Q8", "S4x", "xS4", "C-3", "C1", "D2", "A2", "S1", "C0", "S4 5", "Ω3", "C3+C4"] {
        let error = Structure::parse(text).unwrap_err();
        assert!(!error.cause.is_empty() && error.remedy.starts_with("Use "), "{text}: {error}");
    }
}

#[test]
fn a_table_is_a_group_only_if_it_obeys_the_laws() {
    for name in ["C7", "D5", "S4", "C2xS3"] {
        let group = Structure::parse(name).unwrap().group();
        let found = Group::from_table(group.table.clone()).unwrap();
        assert_eq!((&found.table, &found.inverses, found.classes()), (&group.table, &group.inverses, group.classes()), "{name}");
        // Two products exchanged: the row has its inverse and the identity its place, but a law is broken.
        let mut broken = group.table;
        let order = found.order;
        broken.swap(order + 1, order + 2);
        assert_eq!(Group::from_table(broken), None, "{name}");
    }
    let table = |n: u16, product: fn(u16, u16, u16) -> u16| (0..n).flat_map(|a| (0..n).map(move |b| product(a, b, n))).collect();
    assert_eq!(Group::from_table(table(5, |a, b, n| (a + b + 1) % n)), None, "the identity is not element 0");
    assert_eq!(Group::from_table(table(5, |a, b, n| a * b % n)), None, "0 has no inverse");
    assert_eq!(Group::from_table(table(5, |a, b, n| (a + n - b) % n)), None, "0 − b is not b");
    assert_eq!(Group::from_table(table(5, |a, b, n| a + b + n)), None, "not closed");
    assert_eq!((Group::from_table(vec![]), Group::from_table(vec![0, 1, 1])), (None, None));
}
