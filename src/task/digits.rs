//! Handwritten digits, the smallest real pictures on which a large start delays generalisation (Omnigrok, arXiv:2210.01117).
//!
//! The pictures are the 1,797 of 8×8 pixels that scikit-learn ships: 40 kB instead of the 11 MB of MNIST, which a page could not
//! carry. They travel in the engine only; without it [`Rule::domain`] is empty, and the page, which needs sizes but no pixels,
//! stays small. Source, licence (CC BY 4.0) and packing: `digits/README.md`.

use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::fields::Kind;

/// The registered task.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "digits",
        label: "Handwritten digits",
        help: "8×8 pictures of the digits 0 to 9, pixels in 0 to 1; 1,797 rows of the UCI set Optical Recognition of \
               Handwritten Digits by Alpaydin and Kaynak (doi:10.24432/C50P49, CC BY 4.0); Omnigrok, arXiv:2210.01117, on \
               larger ones",
        fields: &[],
    },
    rule: |_| Box::new(Digits),
};

const ROWS: usize = 1797;
const PIXELS: usize = 64;
#[cfg(feature = "compute")]
const BRIGHTEST: f32 = 16.0;

#[derive(Debug)]
struct Digits;

impl Rule for Digits {
    fn formula(&self) -> String {
        "digit in an 8×8 picture".into()
    }

    fn sizes(&self) -> Sizes {
        Sizes { rows: ROWS as u32, tokens: 0, width: PIXELS as u32, classes: 10 }
    }

    /// Pixels divided by 16, row by row, in the order of scikit-learn's copy; nothing in a build without the engine.
    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        #[cfg(feature = "compute")]
        let (pixels, labels) = decode();
        #[cfg(not(feature = "compute"))]
        let (pixels, labels) = (Vec::new(), Vec::new());
        (Domain::Vectors(pixels), Answers::Labels(labels))
    }
}

/// Pixels `[row][pixel]` in 0..=1 and labels. A damaged file gives nothing, which a data set refuses.
#[cfg(feature = "compute")]
fn decode() -> (Vec<f32>, Vec<u16>) {
    const SIZE: usize = ROWS * (PIXELS + 1);
    let packed = include_bytes!("digits/digits.bin");
    let columns = miniz_oxide::inflate::decompress_to_vec_with_limit(packed, SIZE).unwrap_or_default();
    if columns.len() != SIZE {
        return (Vec::new(), Vec::new());
    }
    let pixels = (0..ROWS * PIXELS).map(|i| f32::from(columns[i % PIXELS * ROWS + i / PIXELS]) / BRIGHTEST).collect();
    (pixels, columns[PIXELS * ROWS..].iter().map(|label| u16::from(*label)).collect())
}

#[cfg(test)]
#[cfg(feature = "compute")]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_are_those_of_the_published_set() {
        let (Domain::Vectors(pixels), Answers::Labels(labels)) = Digits.domain(0) else { panic!("pictures with labels") };
        assert_eq!((pixels.len(), labels.len()), (1797 * 64, 1797));
        let counts: Vec<usize> = (0..10).map(|digit| labels.iter().filter(|label| **label == digit).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        // First and last row of the published file.
        let first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0].map(|p| p as f32 / 16.0);
        assert_eq!((&pixels[..24], labels[0]), (&first[..], 0));
        let last = [0, 8, 16, 10, 8, 16, 8, 0, 0, 1, 8, 12, 14, 12, 1, 0].map(|p| p as f32 / 16.0);
        assert_eq!((&pixels[1797 * 64 - 16..], labels[1796]), (&last[..], 8));
    }
}
