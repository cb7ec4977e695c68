//! A formula as a tree, and its value.
//!
//! Modular arithmetic has no order and no remainder, yet people write `a < b` and `a % 2`; without a rule for them two readers
//! would compute two tasks. The rule: a and b are whole numbers 0 to p − 1, a written number is itself, and what + − * / ^ give
//! is reduced to 0 to p − 1; comparisons, %, min, max and gcd take such numbers as they are. So `a % 40` is a for p = 31, and
//! `a - b < 5` asks whether the difference modulo p is below 5. abs(x) is the distance from 0 on the circle, min(x, p − x).

use super::super::modular;

/// A formula whose value is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// A written number.
    Number(u64),
    /// a.
    First,
    /// b.
    Second,
    /// −x.
    Negative(Box<Expression>),
    /// x to a written power; 0⁰ is 1.
    Power(Box<Expression>, u64),
    /// Distance from 0 on the circle.
    Distance(Box<Expression>),
    /// Two numbers make one.
    Two(Operator, Box<[Expression; 2]>),
    /// One of two numbers.
    If(Comparison, Box<[Expression; 4]>),
}

/// What makes one number of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// x + y.
    Add,
    /// x − y.
    Subtract,
    /// x · y.
    Multiply,
    /// x · y⁻¹; not defined for y = 0.
    Divide,
    /// The remainder of x by y; not defined for y = 0.
    Remainder,
    /// The smaller.
    Min,
    /// The larger.
    Max,
    /// The greatest common divisor; gcd(0, 0) is 0.
    Gcd,
}

/// How the first two entries of [`Expression::If`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// x == y.
    Equal,
    /// x != y.
    Different,
    /// x < y.
    Less,
    /// x <= y.
    AtMost,
    /// x > y.
    More,
    /// x >= y.
    AtLeast,
}

impl Comparison {
    fn holds(self, x: u64, y: u64) -> bool {
        match self {
            Self::Equal => x == y,
            Self::Different => x != y,
            Self::Less => x < y,
            Self::AtMost => x <= y,
            Self::More => x > y,
            Self::AtLeast => x >= y,
        }
    }
}

impl Operator {
    /// The value, for p ≤ 4,096; written numbers may be larger than p.
    fn apply(self, x: u64, y: u64, p: u64) -> Option<u64> {
        let (left, right) = (x % p, y % p);
        Some(match self {
            Self::Add => (left + right) % p,
            Self::Subtract => (left + p - right) % p,
            Self::Multiply => left * right % p,
            Self::Divide if right == 0 => return None,
            Self::Divide => modular::divide(left, right, p),
            Self::Remainder => return x.checked_rem(y),
            Self::Min => x.min(y),
            Self::Max => x.max(y),
            Self::Gcd => gcd(x, y),
        })
    }
}

impl Expression {
    /// The value for `a`, `b` < `p`, which may be a written number of p and more; `None` where it is not defined. `p` is at
    /// least 1, and prime if the formula [divides](Self::divides).
    pub(super) fn evaluate(&self, a: u64, b: u64, p: u64) -> Option<u64> {
        let value = |inner: &Self| inner.evaluate(a, b, p);
        match self {
            Self::Number(number) => Some(*number),
            Self::First => Some(a),
            Self::Second => Some(b),
            Self::Negative(x) => Operator::Subtract.apply(0, value(x)?, p),
            Self::Power(x, exponent) => Some(modular::power(value(x)?, *exponent, p)),
            Self::Distance(x) => value(x).map(|x| (x % p).min(p - x % p)),
            Self::Two(operator, both) => operator.apply(value(&both[0])?, value(&both[1])?, p),
            Self::If(comparison, parts) => {
                let holds = comparison.holds(value(&parts[0])?, value(&parts[1])?);
                value(&parts[if holds { 2 } else { 3 }])
            }
        }
    }

    /// Whether the formula holds a division, which needs a prime modulus.
    pub(super) fn divides(&self) -> bool {
        matches!(self, Self::Two(Operator::Divide, _)) || self.parts().iter().any(Self::divides)
    }

    /// Whether it is plain that every pair has an answer: nothing is divided but by a written number in a remainder.
    pub(super) fn is_total(&self) -> bool {
        let own = match self {
            Self::Two(Operator::Divide, _) => false,
            Self::Two(Operator::Remainder, both) => matches!(both[1], Self::Number(1..)),
            _ => true,
        };
        own && self.parts().iter().all(Self::is_total)
    }

    /// The formulas of which this one is made.
    fn parts(&self) -> &[Self] {
        match self {
            Self::Number(_) | Self::First | Self::Second => &[],
            Self::Negative(x) | Self::Power(x, _) | Self::Distance(x) => core::slice::from_ref(x),
            Self::Two(_, both) => &both[..],
            Self::If(_, parts) => &parts[..],
        }
    }
}

/// Euclid's algorithm.
fn gcd(x: u64, y: u64) -> u64 {
    let (mut x, mut y) = (x, y);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    x
}
