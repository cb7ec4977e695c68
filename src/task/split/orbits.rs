//! Rows that a symmetry of the task carries into each other, kept together.
//!
//! Where f(b, a) follows from f(a, b), a network that learns the symmetry alone answers every test row whose mirror is in
//! training: the curve then shows the symmetry, not the rule. The mirror split closes the oldest of these leaks, the orbit split
//! also that of the group's inversion. Orbits are built by joining rows pair by pair, since a rule states its symmetries but
//! need not be a group.

use super::super::dataset::{Row, position};
use super::super::rule::{Answers, Cycle, Domain, Rule};
use super::{SplitKind, needs_pairs, number};
use crate::experiment::TaskConfig;
use crate::experiment::fields::Kind;
use crate::record::UserError;

pub(super) const MIRROR: SplitKind = SplitKind {
    kind: Kind {
        name: "mirror",
        label: "Mirror pairs together",
        help: "(a, b) and (b, a) stay together; a row whose mirror is not among the inputs goes its own way",
        fields: &[],
    },
    units: "unordered pairs",
    refusal: |_, rule| needs_pairs(rule, "The mirror split").or_else(|| nothing_to_mirror(rule)),
    unit_of: Some(|rows, _| mirror_pairs(rows)),
    order: None,
};

pub(super) const ORBITS: SplitKind = SplitKind {
    kind: Kind {
        name: "orbits",
        label: "Symmetric rows together",
        help: "Rows that symmetries carry into each other stay together: (b, a) where the rule is symmetric, (−a, −b) for modular \
               addition and subtraction, (1/a, 1/b) for multiplication and division",
        fields: &[],
    },
    units: "orbits",
    refusal: no_symmetry,
    unit_of: Some(|rows, rule| orbits(rows, rule)),
    order: None,
};

/// Why mirror pairs are no units of a rule: f(b, a) does not follow from f(a, b), so nothing leaks. That it does follow is what
/// add (equal), sub (negated) and div (inverted) have in common.
fn nothing_to_mirror(rule: &dyn Rule) -> Option<UserError> {
    if rule.is_symmetric() {
        return None;
    }
    let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule.domain(0) else { return None };
    let rows: Vec<Row> = pairs.iter().zip(&labels).map(|(&(a, b), &label)| Row { a, b, label }).collect();
    let mut follows: Vec<Option<u16>> = vec![None; usize::from(labels.iter().copied().max().unwrap_or(0)) + 1];
    let contradicts = rows.iter().any(|row| {
        position(&rows, row.b, row.a).is_some_and(|mirror| {
            let answer = rows[mirror as usize].label;
            *follows[usize::from(row.label)].get_or_insert(answer) != answer
        })
    });
    contradicts.then(|| {
        UserError::new(
            format!("In {} the answer of (b, a) does not follow from that of (a, b)", rule.formula()),
            "Use the random split",
        )
    })
}

fn no_symmetry(_: &TaskConfig, rule: &dyn Rule) -> Option<UserError> {
    needs_pairs(rule, "The orbit split").or_else(|| {
        (!rule.is_symmetric() && rule.cycle().is_none()).then(|| {
            UserError::new(
                format!("No symmetry of {} is known, so every row would be an orbit of its own", rule.formula()),
                "Use the random split",
            )
        })
    })
}

/// The orbits of (a, b) → (b, a).
pub(super) fn mirror_pairs(rows: &[Row]) -> Vec<u32> {
    let first = |(row, pair): (u32, &Row)| position(rows, pair.b, pair.a).map_or(row, |mirror| row.min(mirror));
    number((0..).zip(rows).map(first))
}

/// The orbits under the symmetries that the rule states; images outside the domain do not count.
fn orbits(rows: &[Row], rule: &dyn Rule) -> Vec<u32> {
    let inverse = inverses(rule.cycle());
    let mut parent: Vec<u32> = (0..rows.len() as u32).collect();
    for (row, pair) in (0..).zip(rows) {
        if rule.is_symmetric() {
            join(&mut parent, row, position(rows, pair.b, pair.a));
        }
        let image = |token: u16| inverse.get(usize::from(token)).copied().flatten();
        if let (Some(a), Some(b)) = (image(pair.a), image(pair.b)) {
            join(&mut parent, row, position(rows, a, b));
        }
    }
    number((0..rows.len() as u32).map(|row| root(&mut parent, row)))
}

/// The inverse of each token in the cycle's group; `None` for tokens outside it (zero in a multiplicative one).
fn inverses(cycle: Option<Cycle>) -> Vec<Option<u16>> {
    match cycle {
        None => Vec::new(),
        Some(Cycle::Additive(n)) => (0..n).map(|a| Some(((n - a) % n) as u16)).collect(),
        Some(Cycle::Multiplicative(p)) => {
            let mut found = vec![None; p as usize];
            for a in 1..p {
                if found[a as usize].is_none()
                    && let Some(b) = (1..p).find(|b| u64::from(a) * u64::from(*b) % u64::from(p) == 1)
                {
                    found[a as usize] = Some(b as u16);
                    found[b as usize] = Some(a as u16);
                }
            }
            found
        }
    }
}

fn join(parent: &mut [u32], row: u32, other: Option<u32>) {
    if let Some(other) = other {
        let (one, two) = (root(parent, row), root(parent, other));
        // The lower root wins, so that orbits are named by their first row.
        parent[one.max(two) as usize] = one.min(two);
    }
}

/// The first row of `row`'s orbit so far, with the path to it shortened.
fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        parent[row as usize] = parent[parent[row as usize] as usize];
        row = parent[row as usize];
    }
    row
}
