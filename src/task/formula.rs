//! A task that the user types: f(a, b) over all residues modulo p.
//!
//! What is not in the table of operations must still be one line of typing away, and a typed formula must never bring down the
//! page: the parser (`formula/parser.rs`) bounds length and depth and names the character at which it stopped, and evaluation
//! (`formula/expression.rs`) reduces at each step. Rejected: a scripting engine, which would be larger than this whole room.
//!
//! A pair whose answer is not defined (division by zero, remainder by zero) is not in the domain; the branch of an `if` that is
//! not taken does not count.

mod expression;
mod parser;

use super::modular::{MODULUS, labelled, needs_prime};
use super::rule::{Answers, Cycle, Domain, Rule, Sizes, TaskKind};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::Kind;
use crate::record::UserError;
use expression::Expression;

/// Longest formula, in characters.
const MAX_CHARS: usize = 200;

/// The task `formula`.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "formula",
        label: "Your own formula",
        help: "f(a, b) modulo p with + − * / ^ %, parentheses, if(a < b, x, y), min, max, abs (distance from 0 modulo p) and gcd",
        fields: &[
            MODULUS,
            Field::new(
                "task.formula",
                "Formula f(a, b)",
                "E.g. a^2 + 3*b*(a - b) + 1, or if(a % 2 == 0, a + b, a*b)",
                FieldKind::Text { max_chars: MAX_CHARS },
            )
            .starts("a^2 + b^2"),
        ],
    },
    rule: |settings| {
        let text = settings.text("formula");
        Box::new(Formula { modulus: settings.integer("modulus"), text: text.trim().into(), expression: parser::parse(text) })
    },
};

/// A formula with its modulus, or why it cannot be read.
#[derive(Debug)]
struct Formula {
    modulus: u32,
    text: String,
    expression: Result<Expression, UserError>,
}

impl Formula {
    /// f(a, b), if the formula can be read and is defined there.
    fn answer(&self, a: u64, b: u64) -> Option<u64> {
        let p = u64::from(self.modulus);
        let expression = self.expression.as_ref().ok()?;
        expression.evaluate(a, b, p).map(|value| value % p)
    }

    /// f(a, b) for all pairs, a-major.
    fn grid(&self) -> Vec<Option<u64>> {
        let p = u64::from(self.modulus);
        (0..p).flat_map(|a| (0..p).map(move |b| self.answer(a, b))).collect()
    }
}

impl Rule for Formula {
    fn formula(&self) -> String {
        format!("({}) mod {}", self.text, self.modulus)
    }

    fn sizes(&self) -> Sizes {
        let p = self.modulus;
        // Which divisors are zero is known by trying only.
        let rows = match &self.expression {
            Ok(expression) if expression.is_total() => p * p,
            Ok(_) => self.grid().into_iter().flatten().count() as u32,
            Err(_) => 0,
        };
        Sizes { rows, tokens: p, width: 0, classes: p }
    }

    fn check(&self) -> Vec<FieldError> {
        let expression = match &self.expression {
            Ok(expression) => expression,
            Err(error) => return vec![FieldError::new("task.formula", error.cause.as_str(), error.remedy.as_str())],
        };
        if let Some(refused) = needs_prime(self.modulus).filter(|_| expression.divides()) {
            return vec![refused];
        }
        if self.sizes().rows == 0 {
            let cause = "The formula divides by zero for every pair";
            return vec![FieldError::new("task.formula", cause, "Use a divisor that is not always zero, e.g. a / b")];
        }
        Vec::new()
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        labelled(self.modulus, 0, |a, b, _| self.answer(a, b))
    }

    fn is_symmetric(&self) -> bool {
        let (grid, p) = (self.grid(), self.modulus as usize);
        let same = |x: Option<u64>, y: Option<u64>| x.zip(y).is_none_or(|(x, y)| x == y);
        (0..p).all(|a| (0..a).all(|b| same(grid[a * p + b], grid[b * p + a])))
    }

    fn cycle(&self) -> Option<Cycle> {
        // A shifted a + b or a − b in whatever spelling.
        let (grid, p) = (self.grid(), u64::from(self.modulus));
        let shift = grid.first().copied().flatten()?;
        let is_line = |slope: u64| {
            let line = (0..p).flat_map(|a| (0..p).map(move |b| Some((a + slope * b + shift) % p)));
            grid.iter().copied().eq(line)
        };
        (is_line(1) || is_line(p - 1)).then_some(Cycle::Additive(self.modulus))
    }
}

#[cfg(test)]
mod tests;
