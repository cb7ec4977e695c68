use super::super::{check, codes, encoding, specs};
use super::{experiment, model, paths};
use std::collections::HashSet;

fn table(name: &str, tokens: usize, changes: &[(&str, &str)]) -> Vec<Vec<f32>> {
    let model = model("mlp", &[&[("encoding", name)], changes].concat());
    let width = encoding::features_per_token(&model, tokens);
    codes::table(&model, tokens).unwrap().chunks(width).map(<[f32]>::to_vec).collect()
}

#[test]
fn the_fourier_code_is_an_orthonormal_basis_for_odd_and_even_moduli() {
    for p in [2, 3, 12, 31] {
        let rows = table("fourier", p, &[]);
        assert_eq!(rows.len(), p);
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-6, "p = {p}: {i}, {j}: {product}");
            }
        }
    }
}

#[test]
fn the_fourier_code_of_a_sum_follows_from_the_codes_of_the_summands() {
    let (p, rows) = (31, table("fourier", 31, &[]));
    let scale = (2.0 / 31f64).sqrt();
    for k in 1..=15 {
        let wave = |n: usize| (f64::from(rows[n][2 * k - 1]) / scale, f64::from(rows[n][2 * k]) / scale);
        let ((ca, sa), (cb, sb), (c, _)) = (wave(7), wave(28), wave((7 + 28) % p));
        assert!((ca * cb - sa * sb - c).abs() < 1e-5);
    }
}

#[test]
fn random_codes_are_distinct_bits_that_only_their_number_decides() {
    let rows = table("random_code", 97, &[]);
    assert!(rows.iter().all(|row| row.len() == 14 && row.iter().all(|bit| bit.abs() == 1.0)));
    let distinct = |rows: &[Vec<f32>]| rows.iter().map(|row| format!("{row:?}")).collect::<HashSet<_>>().len();
    assert_eq!(distinct(&rows), 97);
    assert_eq!(distinct(&table("random_code", 16, &[("code_bits", "4")])), 16);
    assert_eq!(rows, table("random_code", 97, &[("code_seed", "0")]));
    assert_ne!(rows, table("random_code", 97, &[("code_seed", "1")]));
}

#[test]
fn the_binary_code_is_the_number_in_base_two() {
    for (p, digits) in [(2, 1), (8, 3), (9, 4), (31, 5)] {
        for (token, row) in table("binary", p, &[]).iter().enumerate() {
            assert_eq!(row.len(), digits);
            assert_eq!(row.iter().enumerate().map(|(i, bit)| (*bit as usize) << i).sum::<usize>(), token);
        }
    }
}

#[test]
fn the_first_matrix_has_a_row_per_feature_of_each_token() {
    for (code, rows) in [("two_hot", 62), ("fourier", 62), ("random_code", 28), ("binary", 10)] {
        assert_eq!(specs(&experiment(model("mlp", &[("encoding", code)])))[0].rows, rows, "{code}");
    }
}

#[test]
fn a_code_too_short_for_the_tokens_is_refused_with_the_shortest_that_works() {
    let short = experiment(model("mlp", &[("encoding", "random_code"), ("code_bits", "4")]));
    let errors = check(&short);
    assert_eq!((paths(&errors), errors[0].remedy.as_str()), (vec!["model.code_bits"], "Use at least 5"));
    assert_eq!(check(&experiment(model("mlp", &[("encoding", "random_code"), ("code_bits", "5")]))), []);
}
