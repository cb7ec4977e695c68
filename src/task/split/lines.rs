//! Whole lines of the square of pairs held out: every row with one a, one b, one difference or one sum.
//!
//! A network that interpolates between neighbours passes a random split and fails here: for a held-out a it has never seen the
//! token in first position. The four directions differ in what is held out. For addition an antidiagonal is all rows of one
//! answer, so the network never sees that class; a diagonal has each answer once (odd n). For subtraction it is the other way
//! round.

use super::super::dataset::Row;
use super::super::rule::Rule;
use super::{SplitKind, needs_pairs, number};
use crate::experiment::fields::Kind;

pub(super) const ROWS: SplitKind = SplitKind {
    kind: Kind {
        name: "rows",
        label: "Whole rows",
        help: "All pairs with the same a stay together: some first inputs are never seen in training",
        fields: &[],
    },
    units: "first inputs",
    refusal: |_, rule| needs_pairs(rule, "Whole rows"),
    unit_of: Some(|rows, _| number(rows.iter().map(|row| row.a.into()))),
    order: None,
};

pub(super) const COLUMNS: SplitKind = SplitKind {
    kind: Kind {
        name: "columns",
        label: "Whole columns",
        help: "All pairs with the same b stay together: some second inputs are never seen in training",
        fields: &[],
    },
    units: "second inputs",
    refusal: |_, rule| needs_pairs(rule, "Whole columns"),
    unit_of: Some(|rows, _| number(rows.iter().map(|row| row.b.into()))),
    order: None,
};

pub(super) const DIAGONALS: SplitKind = SplitKind {
    kind: Kind {
        name: "diagonals",
        label: "Whole diagonals",
        help: "All pairs with the same (a − b) mod n stay together, n being the number of tokens",
        fields: &[],
    },
    units: "diagonals",
    refusal: |_, rule| needs_pairs(rule, "Whole diagonals"),
    unit_of: Some(|rows, rule| number(rows.iter().map(|row| difference(*row, rule)))),
    order: None,
};

pub(super) const ANTIDIAGONALS: SplitKind = SplitKind {
    kind: Kind {
        name: "antidiagonals",
        label: "Whole antidiagonals",
        help: "All pairs with the same (a + b) mod n stay together, n being the number of tokens; for a + b mod n some answers \
               are never seen in training",
        fields: &[],
    },
    units: "antidiagonals",
    refusal: |_, rule| needs_pairs(rule, "Whole antidiagonals"),
    unit_of: Some(|rows, rule| number(rows.iter().map(|row| (u32::from(row.a) + u32::from(row.b)) % tokens(rule)))),
    order: None,
};

fn tokens(rule: &dyn Rule) -> u32 {
    rule.sizes().tokens.max(1)
}

fn difference(row: Row, rule: &dyn Rule) -> u32 {
    (u32::from(row.a) + tokens(rule) - u32::from(row.b)) % tokens(rule)
}
