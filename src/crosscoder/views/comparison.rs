//! What became of each class of a fit in another fit of the same run.
//!
//! A share of latents that are found again says nothing of those that changed their class: an emergent latent that another seed
//! calls transient is no confirmation. So partners are counted by both classes, and what has none on either side stays visible.

use crate::crosscoder::{CrosscoderResult, LatentClass, Partner, partners};
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Latents of two fits by class, matched by their activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Classes that the first fit has, dead ones left out.
    pub ours: Vec<LatentClass>,
    /// Classes that the second fit has.
    pub theirs: Vec<LatentClass>,
    /// Latents of each class in the first fit (rows) by the class of their partner (columns), row-major
    /// `[ours + 1, theirs + 1]`: the last column has those without a partner, the last row those of the second fit without one.
    pub counts: Vec<u32>,
    /// Correlation of the activations of partners, median; `None` without partners.
    pub median_correlation: Option<f64>,
}

impl Comparison {
    /// The number in a row and column of [`Comparison::counts`].
    pub fn count(&self, row: usize, column: usize) -> u32 {
        self.counts.get(row * (self.theirs.len() + 1) + column).copied().unwrap_or(0)
    }

    /// Latents of a row.
    pub fn row_total(&self, row: usize) -> u32 {
        (0..=self.theirs.len()).map(|column| self.count(row, column)).sum()
    }

    /// Share of a row that has a partner, and share that has one of the same class; `None` for an empty row.
    pub fn found(&self, row: usize) -> Option<(f64, f64)> {
        let total = f64::from(self.row_total(row));
        let class = *self.ours.get(row)?;
        let same = self.theirs.iter().position(|theirs| *theirs == class).map_or(0, |column| self.count(row, column));
        let lost = self.count(row, self.theirs.len());
        (total > 0.0).then(|| (1.0 - f64::from(lost) / total, f64::from(same) / total))
    }
}

/// Matches the living latents of two fits one to one (see [`partners`]) and counts the pairs by class. Costs as many operations as
/// both have latents, multiplied, for each input.
///
/// # Errors
/// As [`partners`].
pub fn compare(ours: &CrosscoderResult, theirs: &CrosscoderResult) -> Result<Comparison, UserError> {
    let found = partners(ours, theirs)?;
    let classes = |fit: &CrosscoderResult| -> Vec<LatentClass> {
        LatentClass::ALL.into_iter().filter(|class| *class != LatentClass::Dead && fit.count(*class) > 0).collect()
    };
    let (rows, columns) = (classes(ours), classes(theirs));
    let mut counts = vec![0; (rows.len() + 1) * (columns.len() + 1)];
    let mut is_partner = vec![false; theirs.latents.len()];
    for (latent, partner) in ours.latents.iter().zip(&found) {
        let Some(row) = rows.iter().position(|class| *class == latent.class) else { continue };
        let class = partner.and_then(|partner| theirs.latents.get(partner.latent as usize)).map(|latent| latent.class);
        let column = class.and_then(|class| columns.iter().position(|known| *known == class)).unwrap_or(columns.len());
        counts[row * (columns.len() + 1) + column] += 1;
        if let Some(taken) = partner.and_then(|partner| is_partner.get_mut(partner.latent as usize)) {
            *taken = true;
        }
    }
    for (latent, _) in theirs.latents.iter().zip(is_partner).filter(|(_, is_partner)| !is_partner) {
        if let Some(column) = columns.iter().position(|class| *class == latent.class) {
            counts[rows.len() * (columns.len() + 1) + column] += 1;
        }
    }
    Ok(Comparison { ours: rows, theirs: columns, counts, median_correlation: median(&found) })
}

fn median(found: &[Option<Partner>]) -> Option<f64> {
    let mut correlations: Vec<f64> = found.iter().flatten().map(|partner| partner.correlation).collect();
    correlations.sort_by(f64::total_cmp);
    correlations.get(correlations.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::super::test_fits::{fit, latent};
    use super::*;
    use LatentClass::{Dead, Emergent, Transient, Vanished};

    fn with(latents: &[(LatentClass, [f32; 4])]) -> CrosscoderResult {
        let bare = fit(&[0, 1], latents.iter().map(|(class, _)| latent(*class, &[1.0, 1.0])).collect());
        CrosscoderResult { activations: latents.iter().flat_map(|(_, values)| *values).collect(), ..bare }
    }

    #[test]
    fn every_living_latent_of_both_fits_is_counted_once() {
        let (a, b, c) = ([1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0]);
        let ours = with(&[(Emergent, a), (Emergent, b), (Emergent, c), (Dead, [0.0; 4])]);
        let theirs = with(&[(Vanished, [1.0, 0.0, 1.0, 1.0]), (Transient, b), (Emergent, a)]);
        let found = compare(&ours, &theirs).unwrap();
        assert_eq!((&found.ours[..], &found.theirs[..]), (&[Emergent][..], &[Emergent, Transient, Vanished][..]));
        // Ours: one emergent, one transient, one lost there. Theirs: the vanished one is only there.
        assert_eq!(found.counts, [1, 1, 0, 1, 0, 0, 1, 0]);
        assert_eq!((found.row_total(0), found.row_total(1)), (3, 1));
        let (again, same) = found.found(0).unwrap();
        assert!((again - 2.0 / 3.0).abs() < 1e-12 && (same - 1.0 / 3.0).abs() < 1e-12);
        assert!(found.median_correlation.unwrap() > 0.999);
    }

    #[test]
    fn fits_without_activations_are_refused_with_a_remedy() {
        let bare = fit(&[0], vec![latent(Emergent, &[1.0])]);
        assert!(compare(&bare, &bare).unwrap_err().cause.contains("no activations"));
    }
}
