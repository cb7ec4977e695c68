//! Activations of latents: one code for all sources, or, where each source has a gate of its own, one per source.
//!
//! A latent whose gate is shut at a checkpoint is absent there whatever its decoder, so a reader that knows only one code per input
//! would call it present. Both kinds are one type, and everything behind the fit asks it for the code of a source. Gates close
//! codes and never change them: a code of a source is the common one or 0.

/// Codes f `[rows, m]` as they are decoded, 0 where silent; non-negative but for those of signed blocks, which have one for all
/// sources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Codes(Vec<Vec<f32>>);

impl Codes {
    /// The same for all sources.
    pub fn shared(values: Vec<f32>) -> Self {
        Self(vec![values])
    }

    /// One per source, in their order.
    pub fn per_source(values: Vec<Vec<f32>>) -> Self {
        Self(values)
    }

    /// Whether each source has its own.
    pub fn are_per_source(&self) -> bool {
        self.0.len() > 1
    }

    /// Those of a source.
    ///
    /// # Panics
    /// If there is no such source.
    pub fn of(&self, source: usize) -> &[f32] {
        if self.are_per_source() { &self.0[source] } else { &self.0[0] }
    }

    /// The code of each latent with every gate open that is open anywhere: the largest over sources.
    pub fn union(&self) -> Vec<f32> {
        let (first, others) = self.0.split_first().map_or((&[][..], &[][..]), |(first, others)| (&first[..], others));
        let mut all = first.to_vec();
        for other in others {
            all.iter_mut().zip(other).for_each(|(code, other)| *code = code.max(*other));
        }
        all
    }

    /// How many numbers a source has; `None` if sources differ in that.
    pub(super) fn size(&self) -> Option<usize> {
        let size = self.0.first()?.len();
        self.0.iter().all(|values| values.len() == size).then_some(size)
    }

    /// How many lists there are: 1, or one per source.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// All numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = f32> + '_ {
        self.0.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_anywhere_is_in_the_union() {
        let codes = Codes::per_source(vec![vec![1.0, 0.0, 2.0], vec![1.0, 3.0, 0.0]]);
        assert_eq!(codes.union(), [1.0, 3.0, 2.0]);
        assert_eq!((codes.of(1), codes.size()), (&[1.0, 3.0, 0.0][..], Some(3)));
        let shared = Codes::shared(vec![1.0, 2.0]);
        assert_eq!((shared.of(7), shared.union()), (&[1.0, 2.0][..], vec![1.0, 2.0]));
        assert_eq!(Codes::per_source(vec![vec![1.0], vec![]]).size(), None);
    }
}
