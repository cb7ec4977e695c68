//! Inputs out of their order, for the nulls: pairs that do not belong together, and labels that are not theirs.
//!
//! Rows of a source move together, whatever its width, because a permutation of single coordinates would also destroy what the source
//! is. Labels are permuted behind the fit and not before it, so that the fit is the same to the bit and only the descriptors differ.

use super::super::{Analysis, AnalysisInput, Codes, Source, analyse};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;

/// `sources` with the rows of all but the first permuted, each by a permutation of its own.
pub(super) fn shuffled(mut sources: Vec<Source>, seed: u64) -> Vec<Source> {
    for (s, source) in sources.iter_mut().enumerate().skip(1) {
        let rows = source.values.len() / source.width.max(1);
        source.values = in_order(&source.values, source.width, &permutation(rows, seed, s as u64));
    }
    sources
}

/// The rows `[rows]` in a random order; `index` 0 is that of permuted labels.
pub(super) fn permutation(rows: usize, seed: u64, index: u64) -> Vec<u32> {
    Stream::new(seed, Purpose::CrosscoderNull, index).permutation(rows)
}

/// The rows of `values` `[rows, width]` in `order`: row r is what was row `order[r]`.
pub(super) fn in_order(values: &[f32], width: usize, order: &[u32]) -> Vec<f32> {
    order.iter().flat_map(|row| &values[*row as usize * width..][..width]).copied().collect()
}

/// Analyses a dictionary as if each input were another one: everything that is known of row r is said of what is in row `order[r]`.
/// Explained variance and norms stay what they are.
pub(super) fn analyse_in_order(input: &AnalysisInput, order: &[u32]) -> Result<Analysis, UserError> {
    let of_source = |source: &Source| Source { values: in_order(&source.values, source.width, order), ..source.clone() };
    let sources: Vec<Source> = input.sources.iter().map(of_source).collect();
    let latents = |values: &[f32]| values.len() / order.len().max(1);
    let one = |values: &[f32]| in_order(values, latents(values), order);
    let codes = if input.codes.are_per_source() {
        Codes::per_source((0..input.sources.len()).map(|s| one(input.codes.of(s))).collect())
    } else {
        Codes::shared(one(input.codes.of(0)))
    };
    let held: Vec<u32> = (0..order.len() as u32).filter(|row| input.held.binary_search(&order[*row as usize]).is_ok()).collect();
    analyse(&AnalysisInput { sources: &sources, codes: &codes, held: &held, ..*input })
}

#[cfg(test)]
mod tests {
    use super::super::super::Place;
    use super::*;

    #[test]
    fn every_source_but_the_first_is_permuted_by_itself_and_keeps_its_rows() {
        let source = |step| Source { step, width: 2, values: (0..40u8).map(f32::from).collect(), place: Place::default() };
        let sources = shuffled((0..3).map(source).collect(), 5);
        assert_eq!(sources[0], source(0));
        for one in &sources[1..] {
            assert_ne!(one.values, sources[0].values);
            let mut rows: Vec<&[f32]> = one.values.chunks(2).collect();
            assert!(rows.iter().all(|row| row[0] + 1.0 == row[1]), "columns stay together");
            rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
            assert_eq!(rows.concat(), sources[0].values);
        }
        assert_ne!(sources[1].values, sources[2].values);
    }
}
