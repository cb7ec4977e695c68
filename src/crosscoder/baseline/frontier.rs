//! Error against sparsity, for everything that reproduces activations.
//!
//! A single explained variance favours whoever uses more numbers per input. On a frontier a fit is beaten only by one that leaves
//! less unexplained with as few active numbers. The count is that of active latents or functions on an input, of all sources
//! together: autoencoders of single sources are charged for every source, as a crosscoder's common latents are once. The size of
//! the dictionary is told and not judged: it costs memory, not description.

use super::super::result::CrosscoderResult;
use super::stage::Explained;
use serde::{Deserialize, Serialize};

/// One way to reproduce the activations of all sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontierPoint {
    /// For people: the name of the fit or of the baseline.
    pub name: String,
    /// Mean number of active latents per held-out input (L0), or the number of functions, which are always active.
    pub active: f32,
    /// Latents of the dictionary, or functions.
    pub dictionary: u32,
    /// Unexplained share 1 − EV of each source on held-out inputs; above 1 where the mean would have done better.
    pub unexplained: Vec<f32>,
    /// Their mean over sources.
    pub mean_unexplained: f32,
}

impl FrontierPoint {
    /// The point of a finished fit.
    pub fn of_fit(name: impl Into<String>, fit: &CrosscoderResult) -> Self {
        Self::new(name.into(), fit.l0, fit.latents.len() as u32, &fit.explained_variance)
    }

    /// The point of principal components or plane waves.
    pub fn of_basis(name: impl Into<String>, basis: &Explained) -> Self {
        Self::new(name.into(), basis.functions as f32, basis.functions, &basis.explained_variance)
    }

    fn new(name: String, active: f32, dictionary: u32, explained_variance: &[f32]) -> Self {
        let unexplained: Vec<f32> = explained_variance.iter().map(|explained| 1.0 - explained).collect();
        let mean_unexplained = unexplained.iter().sum::<f32>() / unexplained.len().max(1) as f32;
        Self { name, active, dictionary, unexplained, mean_unexplained }
    }

    /// Whether it is at least as sparse and as good as `other`, and better in one of the two.
    fn dominates(&self, other: &Self) -> bool {
        let is_no_worse = self.active <= other.active && self.mean_unexplained <= other.mean_unexplained;
        is_no_worse && (self.active < other.active || self.mean_unexplained < other.mean_unexplained)
    }
}

/// Whether each point is dominated: another one has no more active numbers and leaves no more unexplained in the mean over
/// sources, and less of one of the two. The rest are the frontier (Pareto).
pub fn dominated(points: &[FrontierPoint]) -> Vec<bool> {
    points.iter().map(|point| points.iter().any(|other| other.dominates(point))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::presets::crosscoder_preset;
    use super::super::super::result::Latent;
    use super::*;

    fn point(active: u32, explained: f32) -> FrontierPoint {
        FrontierPoint::of_basis("PCA", &Explained { functions: active, explained_variance: vec![explained] })
    }

    #[test]
    fn only_points_that_another_beats_in_both_are_dominated() {
        let points = [(10, 0.5), (20, 0.8), (20, 0.7), (30, 0.8), (40, 0.9), (5, 0.2), (50, 0.1)];
        let points: Vec<FrontierPoint> = points.into_iter().map(|(active, explained)| point(active, explained)).collect();
        assert_eq!(dominated(&points), [false, false, true, true, false, false, true]);
        assert_eq!(dominated(&[point(10, 0.5), point(10, 0.5)]), [false, false], "equals do not beat each other");
        assert_eq!((dominated(&points[..1]), dominated(&[])), (vec![false], vec![]));
    }

    #[test]
    fn a_basis_is_as_dense_as_it_is_large() {
        let explained = Explained { functions: 12, explained_variance: vec![0.75, 0.5, -0.25] };
        let found = FrontierPoint::of_basis("Fourier", &explained);
        assert_eq!((found.name.as_str(), found.active, found.dictionary), ("Fourier", 12.0, 12));
        assert_eq!((found.unexplained.as_slice(), found.mean_unexplained), (&[0.25, 0.5, 1.25][..], 2.0 / 3.0));
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<FrontierPoint>(&text).unwrap(), found);
    }

    #[test]
    fn a_fit_is_as_dense_as_its_active_latents() {
        let config = &crosscoder_preset("births").unwrap().config;
        let fit = serde_json::json!({"config": config, "sources": [], "curves": [], "explained_variance": [0.5, 0.75], "l0": 8.5,
            "l0_quantiles": [0, 0], "alive": 0, "shared": 0, "emergent": 0, "emergent_confirmed": 0, "vanished": 0,
            "residue_energy_share": 0, "latents": vec![Latent::default(); 64], "wall_seconds": 0});
        let fit: CrosscoderResult = serde_json::from_value(fit).unwrap();
        let found = FrontierPoint::of_fit("births", &fit);
        assert_eq!((found.active, found.dictionary, found.mean_unexplained), (8.5, 64, 0.375));
        // As good with fewer numbers beats it.
        let better = FrontierPoint::of_basis("PCA", &Explained { functions: 8, explained_variance: vec![0.5, 0.75] });
        assert_eq!(dominated(&[found, better]), [true, false]);
    }
}
