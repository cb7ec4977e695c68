//! The harmonics of a task: which parts of a function on its answers belong to which frequency or representation.
//!
//! A network that adds modulo p computes with cosines of a few frequencies; one that composes permutations computes with a few
//! irreducible representations (Chughtai et al., 2302.03025). Both are the same question: a function on the group G falls into
//! isotypic components, f = mean + Σ_κ P_κ f with (P_κ f)(g) = Σ_h e_κ(g·h⁻¹)·f(h), where e_κ is a central idempotent of the
//! group algebra. For the cyclic group of n they are e_k(g) = (2/n)·cos(2πkg/n), so P_k keeps cos and sin of frequency k. For any
//! other group they are found here from the multiplication table: idempotents that are even under g ↦ g⁻¹ span the algebra of
//! classes merged with their inverses, which is commutative and symmetric, so an eigenvalue problem of its small size finds
//! them. Complex representations come together with their conjugates, as cos and sin do. Rejected: tables of characters per
//! family, which would be as long as this file and serve fewer groups.

use super::discrete_log::powers_of_primitive_root;
use crate::experiment::Experiment;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use crate::task::{Answers, Cycle, Domain, Group, rule_of};
use core::f64::consts::TAU;
use nalgebra::{DMatrix, SymmetricEigen};

/// A frequency, or an irreducible representation.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// For people: `5` for a frequency, `d=3 #1` for a representation.
    pub label: String,
    /// Number of independent functions in it: 2 (or 1) for a frequency, d² for a real representation of dimension d.
    pub functions: usize,
    /// e_κ, one value per element of the group.
    idempotent: Vec<f64>,
}

/// The group on which a task's answers live, where tokens, rows and outputs stand in it, and its components.
#[derive(Debug, Clone, PartialEq)]
pub struct Harmonics {
    /// Elements of the group.
    pub order: usize,
    /// All components but the constant; for a cyclic group, frequency k is number k − 1.
    pub components: Vec<Component>,
    /// The element of each token; `None` for tokens outside (0 under multiplication).
    pub of_token: Vec<Option<u16>>,
    /// The element of each row's answer, in the order of the data set; `None` for rows outside.
    pub of_row: Vec<Option<u16>>,
    /// `[g, h]`: the element g·h⁻¹.
    quotient: Vec<u16>,
    /// Whether components are frequencies of one cycle.
    pub is_cyclic: bool,
}

impl Harmonics {
    /// The harmonics of an experiment's task.
    ///
    /// # Errors
    /// If its answers are not the elements of a group.
    pub fn of(experiment: &Experiment) -> Result<Self, UserError> {
        let rule = rule_of(experiment).ok_or_else(|| UserError::new("There is no such task", "Choose another one"))?;
        let (Domain::Pairs(_), Answers::Labels(labels)) = rule.domain(experiment.seed) else {
            return Err(no_group(&rule.formula()));
        };
        let tokens = rule.sizes().tokens as usize;
        let (components, quotient, of_token, is_cyclic) = match (rule.cycle(), rule.group()) {
            (Some(Cycle::Additive(n)), _) => {
                let n = n as usize;
                (frequencies(n), differences(n), (0..tokens).map(|token| Some(token as u16)).collect(), true)
            }
            (Some(Cycle::Multiplicative(p)), _) => {
                let mut of_token = vec![None; tokens];
                for (exponent, token) in powers_of_primitive_root(p)?.into_iter().enumerate() {
                    of_token[token as usize] = Some(exponent as u16);
                }
                let n = p as usize - 1;
                (frequencies(n), differences(n), of_token, true)
            }
            (None, Some(group)) => {
                let Self { components, quotient, of_token, .. } = Self::of_group(&group);
                (components, quotient, of_token, false)
            }
            (None, None) => return Err(no_group(&rule.formula())),
        };
        let order = quotient.len().isqrt();
        let of_row: Vec<Option<u16>> = labels.iter().map(|label| of_token.get(usize::from(*label)).copied().flatten()).collect();
        Ok(Self { order, components, of_token, of_row, quotient, is_cyclic })
    }

    /// The harmonics of the task a ∘ b in `group` over all pairs, a-major; components are representations also if it is cyclic.
    pub fn of_group(group: &Group) -> Self {
        let elements = 0..group.order as u16;
        let quotients = |g: u16| elements.clone().map(move |h| group.product(g, group.inverse(h)));
        Self {
            order: group.order,
            components: representations(group),
            of_token: elements.clone().map(Some).collect(),
            of_row: group.table.iter().copied().map(Some).collect(),
            quotient: elements.clone().flat_map(quotients).collect(),
            is_cyclic: false,
        }
    }

    /// Refuses a task whose answers are not all equally frequent: components of the answer would not be orthogonal over the
    /// rows, and no projection would be exact.
    ///
    /// # Errors
    /// In that case.
    pub fn require_even_answers(&self) -> Result<(), UserError> {
        let mut counts = vec![0usize; self.order];
        self.of_row.iter().flatten().for_each(|element: &u16| counts[usize::from(*element)] += 1);
        if counts.iter().any(|count| *count != counts[0] || *count == 0) {
            return Err(UserError::new(
                "The answers of this task are not all equally frequent, so components of the answer are not orthogonal",
                "Choose a task in which every answer occurs equally often, such as addition",
            ));
        }
        Ok(())
    }

    /// Mean over the rows of each answer: `values` `[row, columns]` → `[element, columns]` in f64. Rows outside do not count. The
    /// answers have to be equally frequent, see [`Harmonics::require_even_answers`].
    pub fn mean_by_answer(&self, values: &[f32], columns: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.order * columns];
        let mut rows_per_element = 0usize;
        for (element, row) in self.of_row.iter().zip(values.chunks_exact(columns.max(1))) {
            let Some(element) = element else { continue };
            rows_per_element += usize::from(*element == 0);
            let start = usize::from(*element) * columns;
            for (sum, value) in sums[start..start + columns].iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= rows_per_element.max(1) as f64);
        sums
    }

    /// Rows of a table per token in the order of the group: `[token, columns]` → `[element, columns]`.
    pub fn by_element(&self, values: &[f32], columns: usize) -> Vec<f64> {
        let mut ordered = vec![0.0; self.order * columns];
        for (token, element) in self.of_token.iter().enumerate() {
            let Some(element) = element else { continue };
            for column in 0..columns {
                ordered[usize::from(*element) * columns + column] = f64::from(values[token * columns + column]);
            }
        }
        ordered
    }

    /// Σ_κ P_κ f of each column of `values` `[element, columns]` over the components numbered in `which`.
    pub fn project(&self, values: &[f64], columns: usize, which: &[usize]) -> Vec<f64> {
        let n = self.order;
        let mut kernel = vec![0.0; n];
        for component in which.iter().filter_map(|index| self.components.get(*index)) {
            kernel.iter_mut().zip(&component.idempotent).for_each(|(sum, e)| *sum += e);
        }
        let mut result = vec![0.0; n * columns];
        for (g, out) in result.chunks_exact_mut(columns.max(1)).enumerate() {
            for (h, row) in values.chunks_exact(columns.max(1)).enumerate() {
                let e = kernel[usize::from(self.quotient[g * n + h])];
                out.iter_mut().zip(row).for_each(|(sum, value)| *sum += e * value);
            }
        }
        result
    }

    /// Energies ‖P_κ f‖² of each column: `values` `[element, columns]` → `[component, columns]`. With the constant n·mean² they
    /// sum to ‖f‖² (Plancherel).
    pub fn energies(&self, values: &[f64], columns: usize) -> Vec<f64> {
        let n = self.order;
        // ‖P f‖² = ⟨f, P f⟩ = Σ_x e(x)·Σ_{g·h⁻¹ = x} f(g)·f(h): the inner sums serve all components.
        let mut correlation = vec![0.0; n * columns];
        for g in 0..n {
            for h in 0..n {
                let x = usize::from(self.quotient[g * n + h]) * columns;
                for column in 0..columns {
                    correlation[x + column] += values[g * columns + column] * values[h * columns + column];
                }
            }
        }
        let mut energies = Vec::with_capacity(self.components.len() * columns);
        for component in &self.components {
            let start = energies.len();
            energies.resize(start + columns, 0.0);
            for (e, row) in component.idempotent.iter().zip(correlation.chunks_exact(columns.max(1))) {
                energies[start..].iter_mut().zip(row).for_each(|(sum, value)| *sum += e * value);
            }
            // Rounding may leave a tiny negative number.
            energies[start..].iter_mut().for_each(|energy| *energy = energy.max(0.0));
        }
        energies
    }

    /// (1/n)·Σ_{g,h} f(g, h)·e_κ(g·h⁻¹) of a function of answer and class: for a cycle the
    /// coefficient of cos ω_k(g − h). `values` is `[element, class]`; classes outside the group are left out.
    pub fn class_coefficients(&self, values: &[f64]) -> Vec<f64> {
        let (n, classes) = (self.order, self.of_token.len());
        let mut along = vec![0.0; n];
        for (g, row) in values.chunks_exact(classes.max(1)).enumerate() {
            for (h, value) in self.of_token.iter().zip(row) {
                if let Some(h) = h {
                    along[usize::from(self.quotient[g * n + usize::from(*h)])] += value;
                }
            }
        }
        let coefficient =
            |component: &Component| component.idempotent.iter().zip(&along).map(|(e, x)| e * x).sum::<f64>() / n as f64;
        self.components.iter().map(coefficient).collect()
    }

    /// Shares of the components in the energy of all columns without their means; sums to 1, zeros for constant columns.
    pub fn shares(&self, values: &[f64], columns: usize) -> Vec<f64> {
        let energies = self.energies(values, columns);
        let per_component: Vec<f64> = energies.chunks_exact(columns.max(1)).map(|row| row.iter().sum()).collect();
        let total: f64 = per_component.iter().sum();
        per_component.iter().map(|energy| if total > 0.0 { energy / total } else { 0.0 }).collect()
    }

    /// The smallest set of components that carries at least `share` of the energy of `values` `[element, columns]`, largest
    /// first; empty if all columns are constant.
    pub fn leading(&self, values: &[f64], columns: usize, share: f64) -> Vec<usize> {
        let shares = self.shares(values, columns);
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|x, y| shares[*y].total_cmp(&shares[*x]));
        let mut carried = 0.0;
        order.into_iter().take_while(|index| (carried < share && shares[*index] > 0.0, carried += shares[*index]).0).collect()
    }

    /// What components are called: frequencies, or representations.
    pub fn noun(&self) -> &'static str {
        if self.is_cyclic { "frequency" } else { "representation" }
    }
}

fn no_group(formula: &str) -> UserError {
    UserError::new(
        format!("The answers of {formula} are not the elements of a group, so they have no frequencies or representations"),
        "Choose addition, subtraction, multiplication or division (modulo a prime for the last two), or composition in a group",
    )
}

/// g − h modulo n.
fn differences(n: usize) -> Vec<u16> {
    (0..n).flat_map(|g| (0..n).map(move |h| ((g + n - h) % n) as u16)).collect()
}

/// Frequencies 1..=⌊n/2⌋ of the cyclic group of n.
fn frequencies(n: usize) -> Vec<Component> {
    let component = |k: usize| {
        // The alternating function of an even cycle has no sine partner.
        let functions = if 2 * k == n { 1 } else { 2 };
        let wave = |g: usize| functions as f64 / n as f64 * libm::cos(TAU * ((k * g) % n) as f64 / n as f64);
        Component { label: k.to_string(), functions, idempotent: (0..n).map(wave).collect() }
    };
    (1..=n / 2).map(component).collect()
}

/// Real isotypic components of any finite group but the constant one, by dimension.
fn representations(group: &Group) -> Vec<Component> {
    let n = group.order;
    let classes = merged_classes(group);
    let count = classes.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let mut sizes = vec![0usize; count];
    classes.iter().for_each(|class| sizes[usize::from(*class)] += 1);
    // A random combination of class sums has different eigenvalues on different components.
    let mut stream = Stream::new(0, Purpose::Planted, 0);
    let weights: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
    // Product with X = Σ_i w_i D_i in the orthonormal basis D_l/√|D_l|: entry (l, m) from the coefficient of D_l in X·D_m, which
    // is Σ over h in D_m of w(g·h⁻¹) for any g in D_l.
    let mut first_of = vec![usize::MAX; count];
    for (element, class) in classes.iter().enumerate().rev() {
        first_of[usize::from(*class)] = element;
    }
    let mut matrix = DMatrix::<f64>::zeros(count, count);
    for (l, g) in first_of.iter().enumerate() {
        for h in 0..n as u16 {
            let m = usize::from(classes[usize::from(h)]);
            let x = group.product(*g as u16, group.inverse(h));
            matrix[(l, m)] += weights[usize::from(classes[usize::from(x)])];
        }
    }
    for l in 0..count {
        for m in 0..count {
            matrix[(l, m)] *= libm::sqrt(sizes[l] as f64 / sizes[m] as f64);
        }
    }
    let matrix = (&matrix + matrix.transpose()) * 0.5;
    let eigen = SymmetricEigen::new(matrix);
    let identity = usize::from(classes[0]);
    let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
    for vector in eigen.eigenvectors.column_iter() {
        // A unit function v on the group with e = c·v; e·e = e and e(g) = e(g⁻¹) give c = v(1).
        let at = |class: usize| vector[class] / libm::sqrt(sizes[class] as f64);
        let scale = at(identity);
        let idempotent: Vec<f64> = classes.iter().map(|class| scale * at(usize::from(*class))).collect();
        let functions = (n as f64 * idempotent[0]).round() as usize;
        let is_constant = idempotent.iter().all(|e| (e - 1.0 / n as f64).abs() < 1e-9);
        if !is_constant {
            found.push((functions, idempotent));
        }
    }
    // By dimension; among equals by their values, so that the numbering does not depend on the solver.
    found.sort_by(|x, y| {
        let by_values = || x.1.iter().zip(&y.1).map(|(a, b)| if (a - b).abs() < 1e-9 { 0 } else { (b - a).signum() as i8 });
        x.0.cmp(&y.0).then_with(|| by_values().find(|sign| *sign != 0).unwrap_or(0).cmp(&0))
    });
    let mut seen = std::collections::BTreeMap::new();
    let mut component = |(functions, idempotent): (usize, Vec<f64>)| {
        let number = seen.entry(functions).and_modify(|count| *count += 1).or_insert(1usize);
        let root = functions.isqrt();
        let dimension = if root * root == functions { format!("d={root}") } else { format!("2·d={}", (functions / 2).isqrt()) };
        Component { label: format!("{dimension} #{number}"), functions, idempotent }
    };
    found.into_iter().map(&mut component).collect()
}

/// The class of each element, conjugates and inverses together, numbered as they appear.
fn merged_classes(group: &Group) -> Vec<u16> {
    let classes = group.classes();
    let mut number_of = std::collections::BTreeMap::new();
    (0..group.order as u16)
        .map(|g| {
            let (own, other) = (classes[usize::from(g)], classes[usize::from(group.inverse(g))]);
            let next = number_of.len() as u16;
            *number_of.entry(own.min(other)).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fourier;
    use super::*;
    use crate::experiment::{preset, with_value};

    fn of(changes: &[(&str, &str)]) -> Result<Harmonics, UserError> {
        let start = preset("quadratic-31").unwrap().experiment.clone();
        Harmonics::of(&changes.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap()))
    }

    fn in_group(name: &str) -> Harmonics {
        of(&[("task.operation", "compose"), ("task.group", name)]).unwrap()
    }

    fn noise(count: usize) -> Vec<f64> {
        let mut stream = Stream::new(5, Purpose::Planted, 1);
        (0..count).map(|_| stream.normal()).collect()
    }

    fn all(harmonics: &Harmonics) -> Vec<usize> {
        (0..harmonics.components.len()).collect()
    }

    #[test]
    fn components_are_orthogonal_projections_that_add_up_in_every_kind_of_group() {
        for name in ["C7", "C12", "S3", "D4", "D5", "A4", "S4", "A5", "C2xS3", "C3xC3"] {
            let harmonics = in_group(name);
            let n = harmonics.order;
            let functions: usize = harmonics.components.iter().map(|c| c.functions).sum();
            assert_eq!(functions + 1, n, "{name}: the components and the constant fill the space");
            let f = noise(n);
            let mean = f.iter().sum::<f64>() / n as f64;
            let sum = harmonics.project(&f, 1, &all(&harmonics));
            assert!(f.iter().zip(&sum).all(|(x, y)| (x - mean - y).abs() < 1e-9), "{name}: they add up");
            let energies = harmonics.energies(&f, 1);
            let total: f64 = energies.iter().sum::<f64>() + n as f64 * mean * mean;
            assert!((total / f.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9, "{name}: Plancherel");
            for index in all(&harmonics) {
                let once = harmonics.project(&f, 1, &[index]);
                let twice = harmonics.project(&once, 1, &[index]);
                assert!(once.iter().zip(&twice).all(|(x, y)| (x - y).abs() < 1e-9), "{name}: a projection");
                let norm: f64 = once.iter().map(|x| x * x).sum();
                assert!((norm - energies[index]).abs() < 1e-9 * (1.0 + norm), "{name}: its energy");
                let others: Vec<usize> = all(&harmonics).into_iter().filter(|other| *other != index).collect();
                let rest = harmonics.project(&once, 1, &others);
                assert!(rest.iter().all(|x| x.abs() < 1e-9), "{name}: orthogonal to the others");
            }
        }
    }

    #[test]
    fn dimensions_are_those_of_the_character_tables() {
        let functions = |name: &str| in_group(name).components.iter().map(|c| c.functions).collect::<Vec<_>>();
        // Real representations; squares of dimensions, twice the square for a pair of complex conjugates.
        assert_eq!(functions("S3"), [1, 4]);
        assert_eq!(functions("S4"), [1, 4, 9, 9]);
        assert_eq!(functions("A4"), [2, 9], "the two complex characters of A4 come together");
        assert_eq!(functions("A5"), [9, 9, 16, 25]);
        assert_eq!(functions("D4"), [1, 1, 1, 4]);
        assert_eq!(functions("D5"), [1, 4, 4]);
        assert_eq!(functions("C2xC2"), [1, 1, 1]);
    }

    #[test]
    fn the_sign_of_a_permutation_lies_in_one_component_of_one_function() {
        let group = crate::task::Structure::parse("S4").unwrap().group();
        let sign: Vec<f64> = group.even.iter().map(|even| if *even { 1.0 } else { -1.0 }).collect();
        let energies = in_group("S4").energies(&sign, 1);
        assert!((energies[0] - 24.0).abs() < 1e-9 && energies[1..].iter().all(|e| e.abs() < 1e-9), "{energies:?}");
    }

    #[test]
    fn frequencies_agree_with_the_fourier_transform() {
        let f = noise(31);
        let reference = fourier::energies(&f);
        let energies = of(&[]).unwrap().energies(&f, 1);
        assert!(energies.iter().zip(&reference[1..]).all(|(x, y)| (x - y).abs() < 1e-9));
    }

    #[test]
    fn the_few_leading_components_are_found() {
        let harmonics = of(&[]).unwrap();
        let wave = |k: usize, size: f64| move |g: usize| size * libm::cos(TAU * (k * g) as f64 / 31.0 + 0.3);
        let f: Vec<f64> = (0..31).map(|g| 9.0 + wave(4, 3.0)(g) + wave(11, 2.0)(g) + wave(7, 0.1)(g)).collect();
        assert_eq!(harmonics.leading(&f, 1, 0.95), [3, 10]);
        assert_eq!(harmonics.leading(&[1.0; 31], 1, 0.95), Vec::<usize>::new());
    }

    #[test]
    fn multiplication_has_the_frequencies_of_its_exponents_and_leaves_zero_out() {
        let harmonics = of(&[("task.operation", "mul")]).unwrap();
        assert_eq!((harmonics.order, harmonics.of_token[0], harmonics.of_token[1]), (30, None, Some(0)));
        assert_eq!(harmonics.of_row.iter().filter(|row| row.is_some()).count(), 900);
        // Mean of the answer's own exponent by answer: each element finds itself.
        let own: Vec<f32> = harmonics.of_row.iter().map(|row| row.map_or(99.0, f32::from)).collect();
        assert_eq!(harmonics.mean_by_answer(&own, 1), (0..30).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_group_has_the_harmonics_of_its_composition_task() {
        let group = crate::task::Structure::parse("S4").unwrap().group();
        assert_eq!(Harmonics::of_group(&group), in_group("S4"));
    }

    #[test]
    fn tasks_without_a_group_are_refused_with_the_reason() {
        for changes in [
            vec![("task.operation", "sum_of_squares")],
            vec![("task.operation", "compose"), ("task.group", "S4"), ("task.operation", "conjugate")],
            vec![("task.operation", "random_labels")],
        ] {
            assert!(of(&changes).unwrap_err().cause.contains("not the elements of a group"), "{changes:?}");
        }
    }
}
