//! Finite groups by name: `C12`, `D7`, `A5`, `S4`, and direct products such as `C2xS3`.
//!
//! A composition table depends on how elements are numbered and on which of two factors acts first; papers differ in both, so
//! without a stated convention a table cannot be compared. Here a∘b applies b first, then a, as functions are written: Power et
//! al. 2022 (arXiv 2201.02177) index the other way, so their answer to (a, b) is ours to (b, a). Element 0 is the identity.
//! S_n and A_n list permutations in lexicographic order; C_n lists rotations r⁰, r¹, …; D_n all rotations, then all reflections
//! rⁱs; products list the last factor fastest. Rejected: generators and relations, which can name no order before enumeration.

use super::modular::superscript;
use crate::experiment::fields::MAX_MODULUS;
use crate::record::UserError;

/// Largest order: as many tokens and classes as the largest modulus.
pub const MAX_ORDER: u64 = MAX_MODULUS as u64;

/// A family of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Rotations of a regular n-gon.
    Cyclic,
    /// Rotations and reflections of a regular n-gon.
    Dihedral,
    /// Even permutations of n points.
    Alternating,
    /// All permutations of n points.
    Symmetric,
}

/// One factor of a direct product: a family and its n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Factor {
    family: Family,
    n: u32,
}

/// A group by its name: sizes and properties without a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    factors: Vec<Factor>,
}

/// A group by its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Number of elements.
    pub order: usize,
    /// `table[a · order + b]` is a∘b: b first, then a.
    pub table: Vec<u16>,
    /// The inverse of each element.
    pub inverses: Vec<u16>,
    /// Whether each element is an even permutation of the points on which the factors act.
    pub even: Vec<bool>,
    /// Names: cycles of points from 1 for S_n and A_n, words in r and s for C_n and D_n (a rotation of 401 points is no name as
    /// a cycle), lists of those for products; e is the identity.
    pub names: Vec<String>,
}

impl Family {
    const ALL: [Self; 4] = [Self::Cyclic, Self::Dihedral, Self::Alternating, Self::Symmetric];

    const fn letter(self) -> char {
        match self {
            Self::Cyclic => 'C',
            Self::Dihedral => 'D',
            Self::Alternating => 'A',
            Self::Symmetric => 'S',
        }
    }

    /// The smallest n of a group with more than one element that acts faithfully on n points.
    const fn smallest(self) -> u32 {
        match self {
            Self::Cyclic | Self::Symmetric => 2,
            Self::Dihedral | Self::Alternating => 3,
        }
    }
}

impl Factor {
    /// Number of elements; saturates.
    fn order(self) -> u64 {
        let factorial = || (2..=u64::from(self.n.min(25))).fold(1, u64::saturating_mul);
        match self.family {
            Family::Cyclic => self.n.into(),
            Family::Dihedral => 2 * u64::from(self.n),
            Family::Alternating => factorial() / 2,
            Family::Symmetric => factorial(),
        }
    }

    /// What each element does to the points 0..n: `[element][point]`.
    fn permutations(self) -> Vec<Vec<u16>> {
        let n = self.n;
        let rotation = |shift: u32| (0..n).map(|x| ((x + shift) % n) as u16).collect();
        let reflection = |shift: u32| (0..n).map(|x| ((shift + n - x) % n) as u16).collect();
        match self.family {
            Family::Cyclic => (0..n).map(rotation).collect(),
            Family::Dihedral => (0..n).map(rotation).chain((0..n).map(reflection)).collect(),
            Family::Alternating => lexicographic(n).into_iter().filter(|p| is_even(p)).collect(),
            Family::Symmetric => lexicographic(n),
        }
    }

    /// a∘b for all pairs, `[a · order + b]`.
    fn table(self) -> Vec<u16> {
        let (n, order) = (self.n, self.order() as u32);
        if matches!(self.family, Family::Alternating | Family::Symmetric) {
            let elements = self.permutations();
            let product = |a: &[u16], b: &[u16]| -> Vec<u16> { b.iter().map(|x| a[usize::from(*x)]).collect() };
            // Lexicographic order is what binary search needs, and closure makes every search succeed.
            let place = |p: &Vec<u16>| elements.binary_search(p).unwrap_or_else(|at| at) as u16;
            return elements.iter().flat_map(|a| elements.iter().map(|b| place(&product(a, b))).collect::<Vec<_>>()).collect();
        }
        // Closed form, because searching among 401 permutations of 401 points would take a second: with s: x ↦ −x,
        // (rⁱ)(rʲ) = rⁱ⁺ʲ, (rⁱ)(rʲs) = rⁱ⁺ʲs, (rⁱs)(rʲ) = rⁱ⁻ʲs, (rⁱs)(rʲs) = rⁱ⁻ʲ.
        let product = |a: u32, b: u32| {
            let (turned, other) = (a >= n, b >= n);
            let shift = if turned { a % n + n - b % n } else { a % n + b % n } % n;
            (shift + if turned == other { 0 } else { n }) as u16
        };
        (0..order).flat_map(|a| (0..order).map(move |b| product(a, b))).collect()
    }

    fn names(self) -> Vec<String> {
        let rotation = |shift: u32| match shift {
            0 => String::new(),
            1 => "r".to_owned(),
            _ => format!("r{}", superscript(shift)),
        };
        let words: Vec<String> = match self.family {
            Family::Cyclic => (0..self.n).map(rotation).collect(),
            Family::Dihedral => (0..self.n).map(rotation).chain((0..self.n).map(|i| rotation(i) + "s")).collect(),
            Family::Alternating | Family::Symmetric => self.permutations().iter().map(|p| cycle_notation(p)).collect(),
        };
        words.into_iter().map(|word| if word.is_empty() { "e".to_owned() } else { word }).collect()
    }
}

impl Structure {
    /// Reads a name such as `S4`, `D7` or `C2xS3`.
    ///
    /// # Errors
    /// If the text is no such name, or the group has more than [`MAX_ORDER`] elements; the remedy names a group near by.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let factors = text.split(['x', 'X', '×']).map(|part| factor(part.trim())).collect::<Result<Vec<_>, _>>()?;
        let group = Self { factors };
        if group.order() <= MAX_ORDER {
            return Ok(group);
        }
        let order = match group.order() {
            u64::MAX => "far too many".to_owned(),
            order => order.to_string(),
        };
        Err(UserError::new(
            format!("{} has {order} elements, and at most {MAX_ORDER} are possible", group.name()),
            format!("Use {}", group.nearest().name()),
        ))
    }

    /// The largest group that fits among those with a smaller last factor, without the last factor if none does.
    fn nearest(&self) -> Self {
        let mut factors = self.factors.clone();
        while let Some(last) = factors.pop() {
            let rest = factors.iter().fold(1, |product: u64, f| product.saturating_mul(f.order()));
            let fits = |n: &u32| rest.saturating_mul(Factor { n: *n, ..last }.order()) <= MAX_ORDER;
            let most = last.n.min(MAX_MODULUS);
            if let Some(n) = (last.family.smallest()..=most).rev().find(fits) {
                factors.push(Factor { n, ..last });
                break;
            }
        }
        Self { factors }
    }

    /// The name in capital letters, e.g. `C2xS3`.
    pub fn name(&self) -> String {
        self.factors.iter().map(|f| format!("{}{}", f.family.letter(), f.n)).collect::<Vec<_>>().join("x")
    }

    /// Number of elements; saturates.
    pub fn order(&self) -> u64 {
        self.factors.iter().fold(1, |product, f| product.saturating_mul(f.order()))
    }

    /// Whether a∘b = b∘a throughout.
    pub fn is_abelian(&self) -> bool {
        self.factors.iter().all(|f| match f.family {
            Family::Cyclic => true,
            Family::Dihedral => false,
            Family::Alternating => f.n <= 3,
            Family::Symmetric => f.n <= 2,
        })
    }

    /// n if the group is C_n, whose element i is the residue i.
    pub fn residues(&self) -> Option<u32> {
        match self.factors[..] {
            [Factor { family: Family::Cyclic, n }] => Some(n),
            _ => None,
        }
    }

    /// The group itself.
    pub fn group(&self) -> Group {
        self.factors.iter().map(|f| Group::of(*f)).reduce(|left, right| left.times(&right)).unwrap_or_else(Group::trivial)
    }
}

impl Group {
    fn trivial() -> Self {
        Self { order: 1, table: vec![0], inverses: vec![0], even: vec![true], names: vec!["e".into()] }
    }

    fn of(factor: Factor) -> Self {
        let even = factor.permutations().iter().map(|p| is_even(p)).collect();
        Self::new(factor.table(), even, factor.names())
    }

    fn new(table: Vec<u16>, even: Vec<bool>, names: Vec<String>) -> Self {
        let order = names.len();
        let inverse = |a: usize| table[a * order..][..order].iter().position(|product| *product == 0).unwrap_or(0) as u16;
        Self { order, inverses: (0..order).map(inverse).collect(), table, even, names }
    }

    /// The group with the products `table[a · order + b]`, for tables of unknown origin; `None` unless it is one, of at most
    /// [`MAX_ORDER`] elements, with element 0 as the identity.
    ///
    /// Elements are named by their numbers, and the points on which they act are the elements themselves. Costs order³ look-ups.
    pub fn from_table(table: Vec<u16>) -> Option<Self> {
        let order = table.len().isqrt();
        let is_square = order > 0 && order * order == table.len() && order as u64 <= MAX_ORDER;
        if !is_square || table.iter().any(|product| usize::from(*product) >= order) {
            return None;
        }
        let at = |a: usize, b: usize| usize::from(table[a * order + b]);
        let has_identity = (0..order).all(|a| at(0, a) == a && at(a, 0) == a);
        let has_inverses = table.chunks_exact(order).all(|row| row.contains(&0));
        let associates = |a: usize, b: usize| (0..order).all(|c| at(at(a, b), c) == at(a, at(b, c)));
        if !has_identity || !has_inverses || !(0..order).all(|a| (0..order).all(|b| associates(a, b))) {
            return None;
        }
        let even = table.chunks_exact(order).map(is_even).collect();
        let name = |a: usize| if a == 0 { "e".to_owned() } else { a.to_string() };
        Some(Self::new(table, even, (0..order).map(name).collect()))
    }

    /// The direct product: element (i, j) is i · (order of `right`) + j.
    fn times(&self, right: &Self) -> Self {
        let (order, inner) = (self.order * right.order, right.order);
        let pair = |i: u16, j: u16| i * inner as u16 + j;
        let product = |a: usize, b: usize| {
            pair(self.product((a / inner) as u16, (b / inner) as u16), right.product((a % inner) as u16, (b % inner) as u16))
        };
        let both = |element: usize| (element / inner, element % inner);
        let even = (0..order).map(both).map(|(i, j)| self.even[i] == right.even[j]).collect();
        let name = |(i, j): (usize, usize)| format!("{}, {}", self.names[i], right.names[j]);
        let table = (0..order).flat_map(|a| (0..order).map(move |b| product(a, b))).collect();
        Self::new(table, even, (0..order).map(both).map(name).collect())
    }

    /// a∘b: b first, then a. The identity for elements that are none.
    pub fn product(&self, a: u16, b: u16) -> u16 {
        let at = usize::from(a) * self.order + usize::from(b);
        self.table.get(at).copied().unwrap_or(0)
    }

    /// a⁻¹. The identity for an element that is none.
    pub fn inverse(&self, a: u16) -> u16 {
        self.inverses.get(usize::from(a)).copied().unwrap_or(0)
    }

    /// The number of each element's conjugacy class, numbered by first appearance.
    pub fn classes(&self) -> Vec<u16> {
        let mut class = vec![u16::MAX; self.order];
        let mut next = 0;
        for a in 0..self.order as u16 {
            if class[usize::from(a)] != u16::MAX {
                continue;
            }
            for g in 0..self.order as u16 {
                class[usize::from(self.product(self.product(g, a), self.inverse(g)))] = next;
            }
            next += 1;
        }
        class
    }
}

/// Reads one factor.
fn factor(text: &str) -> Result<Factor, UserError> {
    let mut letters = text.chars();
    let family = letters.next().and_then(|first| Family::ALL.into_iter().find(|f| f.letter() == first.to_ascii_uppercase()));
    let number = letters.as_str();
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let Some((family, true)) = family.map(|family| (family, digits)) else {
        return Err(UserError::new(
            format!("\"{text}\" is not the name of a group"),
            "Use C, D, A or S with a number, e.g. C12, D7, A5 or S4, and x for products, e.g. C2xS3",
        ));
    };
    // A number too long to read is too large in any case, and is refused for its order.
    let n = number.parse().unwrap_or(u32::MAX);
    if n < family.smallest() {
        let cause = format!("{}{n} has no table of its own here", family.letter());
        return Err(UserError::new(cause, format!("Use {}{}", family.letter(), family.smallest())));
    }
    Ok(Factor { family, n })
}

/// All permutations of 0..n in lexicographic order.
fn lexicographic(n: u32) -> Vec<Vec<u16>> {
    let mut all: Vec<Vec<u16>> = vec![Vec::new()];
    for _ in 0..n {
        let longer = |start: Vec<u16>| {
            (0..n as u16).filter(|x| !start.contains(x)).map(|x| [&start[..], &[x]].concat()).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// The cycles of a permutation, each from its smallest point, fixed points included.
fn cycles(permutation: &[u16]) -> Vec<Vec<u16>> {
    let mut seen = vec![false; permutation.len()];
    let mut found = Vec::new();
    for start in 0..permutation.len() {
        let (mut cycle, mut point) = (Vec::new(), start);
        while !seen[point] {
            seen[point] = true;
            cycle.push(point as u16);
            point = usize::from(permutation[point]);
        }
        if !cycle.is_empty() {
            found.push(cycle);
        }
    }
    found
}

/// A permutation is even if points and cycles differ by an even number.
fn is_even(permutation: &[u16]) -> bool {
    (permutation.len() - cycles(permutation).len()).is_multiple_of(2)
}

/// Cycles without fixed points, points from 1: `(1 2)(3 4)`; nothing for the identity.
fn cycle_notation(permutation: &[u16]) -> String {
    let moved = cycles(permutation).into_iter().filter(|cycle| cycle.len() > 1);
    moved.map(|c| format!("({})", c.iter().map(|x| (x + 1).to_string()).collect::<Vec<_>>().join(" "))).collect()
}

#[cfg(test)]
mod tests;
