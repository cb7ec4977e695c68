//! What a latent looks like on the table of a group: which representation of the answer it follows, and whether it is a character.
//!
//! For composition in S4 or A5 there are no residues, so the waves of the grid say nothing, and η² over the answer cannot tell a
//! latent that knows the parity of a permutation from one that knows a single element. The harmonics there are irreducible
//! representations (Chughtai et al. 2302.03025). A network's logits are characters, the same for conjugate answers, in the answer
//! times the inverse of the class; whether single latents are is a question. The group is read off the rows, because a data set
//! names its task but not the group. Not chosen: representations of a and of b by themselves; a latent is read here for what it
//! says of the answer.

use crate::measure::{Harmonics, correlation_ratio};
use crate::task::{Dataset, Group, Row};
use serde::{Deserialize, Serialize};

/// Activations, or their means by answer, whose deviations carry less than this share of their energy are constant: f32 leaves
/// about 1e-14.
const CONSTANT_BELOW: f64 = 1e-12;

/// A latent on the multiplication table of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupDescriptors {
    /// Share of the variance that is a function of the answer: η² over it, in 0..=1.
    pub answer: f32,
    /// Share of the variance that is a class function of the answer, as characters are: η² over its conjugacy class, at most
    /// [`GroupDescriptors::answer`].
    pub class_function: f32,
    /// Shares of the representations in the variance of the mean activation by answer, in the order of
    /// [`crate::measure::Harmonics::components`]; they sum to 1, and are zeros where that mean is constant.
    pub representations: Vec<f32>,
    /// The representation with the largest share; `None` where the mean by answer is constant.
    pub strongest: Option<RepresentationShare>,
}

/// A representation and its share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepresentationShare {
    /// Its dimension and number, such as `d=3 #1`; `2·d=1 #1` is a complex one together with its conjugate.
    pub label: String,
    /// Its share, in 0..=1.
    pub share: f32,
}

/// The table of a task whose answer is the product of a and b in a group, over all pairs in a-major order.
#[derive(Debug, Clone)]
pub(super) struct GroupTable {
    harmonics: Harmonics,
    /// The answer of each row.
    answers: Vec<u16>,
    /// The conjugacy class of each element.
    classes: Vec<u16>,
}

impl GroupTable {
    /// The table of `data`; `None` where answers are no products in a group with element 0 as its identity. Sums of residues are
    /// such products too, and better described by [`super::grid_descriptors::ResidueGrid`]. Costs n³ look-ups for n elements.
    pub(super) fn of(data: &Dataset) -> Option<Self> {
        let n = data.sizes.tokens as usize;
        let is_square = n > 1 && data.sizes.classes as usize == n && data.rows.len() == n * n;
        let is_major = |(place, row): (usize, &Row)| (usize::from(row.a), usize::from(row.b)) == (place / n, place % n);
        if !is_square || !data.rows.iter().enumerate().all(is_major) {
            return None;
        }
        let answers: Vec<u16> = data.rows.iter().map(|row| row.label).collect();
        let group = Group::from_table(answers.clone())?;
        Some(Self { harmonics: Harmonics::of_group(&group), answers, classes: group.classes() })
    }

    /// Describes `values` `[rows]`; `None` if they are constant. Costs n² operations.
    pub(super) fn describe(&self, values: &[f32]) -> Option<GroupDescriptors> {
        let answers = || self.answers.iter().map(|answer| usize::from(*answer));
        let energy: f64 = values.iter().map(|&f| f64::from(f) * f64::from(f)).sum();
        let mean = values.iter().map(|&f| f64::from(f)).sum::<f64>() / values.len() as f64;
        let total: f64 = values.iter().map(|&f| (f64::from(f) - mean) * (f64::from(f) - mean)).sum();
        if total <= CONSTANT_BELOW * energy {
            return None;
        }
        let answer = correlation_ratio(values, answers(), self.harmonics.order);
        let class_of = answers().map(|answer| usize::from(self.classes[answer]));
        let class_function = correlation_ratio(values, class_of, self.harmonics.order);
        let has_harmonics = answer * total > CONSTANT_BELOW * energy;
        // Centred first: the constant, which is in no component, would leave its rounding in all.
        let by_answer: Vec<f64> = self.harmonics.mean_by_answer(values, 1).iter().map(|value| value - mean).collect();
        let shares =
            if has_harmonics { self.harmonics.shares(&by_answer, 1) } else { vec![0.0; self.harmonics.components.len()] };
        let named = self.harmonics.components.iter().zip(&shares).filter(|_| has_harmonics);
        let strongest = named
            .max_by(|x, y| x.1.total_cmp(y.1))
            .map(|(component, share)| RepresentationShare { label: component.label.clone(), share: *share as f32 });
        Some(GroupDescriptors {
            answer: answer as f32,
            class_function: class_function as f32,
            representations: shares.iter().map(|share| *share as f32).collect(),
            strongest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};
    use crate::task::{Sizes, Structure};

    fn composition(name: &str) -> (Dataset, Group) {
        let group = Structure::parse(name).unwrap().group();
        let n = group.order as u16;
        let rows: Vec<Row> =
            (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).map(|(a, b)| Row { a, b, label: group.product(a, b) }).collect();
        let sizes = Sizes { rows: rows.len() as u32, tokens: n.into(), width: 0, classes: n.into() };
        (Dataset { sizes, rows, ..Dataset::default() }, group)
    }

    fn of(data: &Dataset, f: impl Fn(&Row) -> f64) -> GroupDescriptors {
        let values: Vec<f32> = data.rows.iter().map(|row| f(row) as f32).collect();
        GroupTable::of(data).unwrap().describe(&values).unwrap()
    }

    fn near(x: f32, y: f64) -> bool {
        (f64::from(x) - y).abs() < 1e-5
    }

    /// The points of 0..4 to which each element of S4 takes them, from the lexicographic order of its elements.
    fn permutations() -> Vec<[usize; 4]> {
        let all = (0..256).map(|code| [code / 64, code / 16 % 4, code / 4 % 4, code % 4]);
        all.filter(|p| (0..4).all(|x| p.contains(&x))).collect()
    }

    #[test]
    fn a_character_of_the_answer_is_one_representation_and_a_class_function() {
        let (data, group) = composition("S4");
        let moved = permutations();
        let fixed = |element: u16| (0..4).filter(|x| moved[usize::from(element)][*x] == *x).count() as f64;
        // The standard character: fixed points less one, in −1..=3.
        let standard = of(&data, |row| 1.0 + (fixed(row.label) - 1.0));
        assert!(near(standard.answer, 1.0) && near(standard.class_function, 1.0), "{standard:?}");
        let strongest = standard.strongest.clone().unwrap();
        assert!(strongest.label.starts_with("d=3") && near(strongest.share, 1.0), "{standard:?}");
        assert!(near(standard.representations.iter().sum(), 1.0) && standard.representations.len() == 4);

        let sign = |element: u16| if group.even[usize::from(element)] { 1.0 } else { -1.0 };
        let sign_share = of(&data, |row| 1.0 + sign(row.label));
        assert_eq!(sign_share.strongest.as_ref().map(|s| s.label.as_str()), Some("d=1 #1"));
        assert!(near(sign_share.representations[0], 1.0) && near(sign_share.class_function, 1.0), "{sign_share:?}");

        // The product of the two is the other representation of dimension 3.
        let other = of(&data, |row| 4.0 + sign(row.label) * (fixed(row.label) - 1.0)).strongest.unwrap();
        assert!(other.label.starts_with("d=3") && other.label != strongest.label && near(other.share, 1.0), "{other:?}");
    }

    #[test]
    fn a_matrix_element_is_one_representation_and_hardly_a_class_function() {
        let (data, _) = composition("S4");
        let moved = permutations();
        // Whether the answer leaves point 0 where it is: a matrix element of the permutation representation, whose constant part
        // is 1/4 and the rest standard. Closed form: its variance is 3/16, that of its class mean fixed/4 is 1/16.
        let found = of(&data, |row| f64::from(moved[usize::from(row.label)][0] == 0));
        let strongest = found.strongest.clone().unwrap();
        assert!(strongest.label.starts_with("d=3") && near(strongest.share, 1.0), "{found:?}");
        assert!(near(found.answer, 1.0) && near(found.class_function, 1.0 / 3.0), "{found:?}");
    }

    #[test]
    fn one_answer_alone_has_all_representations_by_the_squares_of_their_dimensions() {
        for (name, functions) in [("A5", vec![9.0, 9.0, 16.0, 25.0]), ("D7", vec![1.0, 4.0, 4.0, 4.0])] {
            let (data, group) = composition(name);
            let found = of(&data, |row| f64::from(row.label == 3));
            let rest = group.order as f64 - 1.0;
            assert!(found.representations.iter().zip(functions).all(|(share, f)| near(*share, f / rest)), "{name}: {found:?}");
            assert!(near(found.answer, 1.0), "{found:?}");
            // Closed form: of the indicator's variance (1 − 1/n)/n, its mean over the c conjugates keeps (1/c − 1/n)/n.
            let classes = group.classes();
            let conjugates = classes.iter().filter(|class| **class == classes[3]).count() as f64;
            let kept = (1.0 / conjugates - 1.0 / group.order as f64) / (1.0 - 1.0 / group.order as f64);
            assert!(near(found.class_function, kept), "{name}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_answer_has_no_representation() {
        let (data, _) = composition("S3");
        let of_a = of(&data, |row| f64::from(row.a == 2));
        assert!(near(of_a.answer, 0.0) && near(of_a.class_function, 0.0), "{of_a:?}");
        assert_eq!((of_a.strongest, of_a.representations), (None, vec![0.0, 0.0]));
        let table = GroupTable::of(&data).unwrap();
        assert!(table.describe(&[0.3; 36]).is_none() && table.describe(&[0.0; 36]).is_none());
        // Noise added to a function of the answer takes from its share, not from its representations.
        let noise = Stream::new(2, Purpose::Planted, 0).normals(36, 1.0);
        let values: Vec<f32> =
            data.rows.iter().zip(&noise).map(|(row, e)| f32::from(u8::from(row.label == 4)) + 0.1 * e).collect();
        let found = table.describe(&values).unwrap();
        assert!(found.answer < 0.99 && near(found.representations.iter().sum(), 1.0), "{found:?}");
    }

    #[test]
    fn only_products_in_a_group_over_all_pairs_are_described() {
        let (data, _) = composition("S3");
        assert!(GroupTable::of(&data).is_some());
        let mut fewer = data.clone();
        fewer.rows.pop();
        let mut conjugation = data.clone();
        conjugation.rows.iter_mut().for_each(|row| row.label = row.b);
        let mut swapped = data;
        swapped.rows.swap(1, 6);
        for other in [fewer, conjugation, swapped, Dataset::default()] {
            assert!(GroupTable::of(&other).is_none());
        }
    }
}
