//! What pictures of a whole fit show, as numbers: where absences stand, who fires with whom, what another fit found again.
//!
//! Without this room each number would be computed inside the view that draws it, where nothing can test it; a histogram with an
//! edge in the wrong bin looks as good as a right one. Everything here follows from a finished [`super::CrosscoderResult`] and is
//! computed when a view is opened, not kept in files.

mod absence_plane;
mod births;
mod comparison;
mod decoder_map;
mod histogram;
mod present;
mod together;

pub use absence_plane::{AbsencePlane, AbsencePoint, absence_plane};
pub use births::{BirthVerdict, Births, births_by_class, births_by_verdict};
pub use comparison::{Comparison, compare};
pub use decoder_map::{DecoderMap, decoder_map};
pub use histogram::{histogram, norm_shares, pair_cosines};
pub use present::active_and_present;
pub use together::{jaccard, strongest};
