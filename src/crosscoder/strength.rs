//! How strong a latent is at each source, and which sources its life is told over.
//!
//! A decoder norm is a strength only where the latent fires; where sources have gates of their own, a large vector behind a shut
//! gate is nothing. And norms compare within one network and hook: activations of another have another size, and nothing there
//! comes before or after. So a norm is weighed by how much of the latent its source lets through, sources are compared within
//! their place (run and hook), and places are compared by what they contribute to the mean norm of their activations. With one place and one code this is the decoder norm and nothing else.

use super::analysis::AnalysisInput;
use super::classes::relative_norms;
use super::source::{Place, Source, prepare};

/// Strengths of all latents at all sources.
pub(super) struct Strengths {
    places: Vec<Place>,
    /// One over the mean norm of each source; ones with a single place, where it is not needed.
    scales: Vec<f64>,
    /// Σ_n f_n² of each latent at each source, `[S]` of `[m]`.
    energies: Vec<Vec<f64>>,
}

/// One over the mean of ‖x − x̄‖.
fn share_of_norm(source: &Source) -> f64 {
    // `prepare` scales to a mean norm of √d.
    prepare(source).map_or(1.0, |prepared| f64::from(prepared.scale) / (source.width as f64).sqrt())
}

impl Strengths {
    /// Of the codes of an input with `latents` latents.
    pub(super) fn of(input: &AnalysisInput, latents: usize) -> Self {
        let places: Vec<Place> = input.sources.iter().map(|source| source.place).collect();
        let is_one = places.windows(2).all(|pair| pair[0] == pair[1]);
        let scale = |source| if is_one { 1.0 } else { share_of_norm(source) };
        let energies = |codes: &[f32]| {
            let mut sums = vec![0.0; latents];
            for codes in codes.chunks_exact(latents) {
                sums.iter_mut().zip(codes).for_each(|(sum, &f)| *sum += f64::from(f) * f64::from(f));
            }
            sums
        };
        let of_source = |s: usize| energies(input.codes.of(s));
        Self {
            scales: input.sources.iter().map(scale).collect(),
            energies: match input.codes.are_per_source() {
                true => (0..places.len()).map(of_source).collect(),
                false => vec![of_source(0); places.len()],
            },
            places,
        }
    }

    /// Σ_n f_n² of a latent, `[S]`.
    pub(super) fn energies(&self, latent: usize) -> Vec<f64> {
        self.energies.iter().map(|energies| energies[latent]).collect()
    }

    /// ‖D^s‖ of a latent times the root of the share of its energy that source s lets through, `[S]`, raw activation units. With
    /// one code for all sources, or none that fires, it is ‖D^s‖.
    pub(super) fn norms(&self, latent: usize, vectors: &[&[f32]]) -> Vec<f32> {
        let energies = self.energies(latent);
        let most = energies.iter().copied().fold(0.0, f64::max);
        let norm = |vector: &[f32]| vector.iter().map(|&d| f64::from(d) * f64::from(d)).sum::<f64>().sqrt();
        let one = |(vector, energy): (&&[f32], &f64)| {
            let open = if most > 0.0 { (energy / most).sqrt() } else { 1.0 };
            (norm(vector) * open) as f32
        };
        vectors.iter().zip(&energies).map(one).collect()
    }

    /// `norms` divided by the largest of their place, times the share of that place's largest contribution in the largest of all.
    pub(super) fn relative(&self, norms: &[f32]) -> Vec<f32> {
        let of_place = |place: Place, values: &dyn Fn(usize) -> f64| {
            (0..norms.len()).filter(|s| self.places[*s] == place).map(values).fold(0.0, f64::max)
        };
        let scaled = |s: usize| f64::from(norms[s]) * self.scales[s];
        let most = (0..norms.len()).map(scaled).fold(0.0, f64::max);
        if self.places.windows(2).all(|pair| pair[0] == pair[1]) {
            return relative_norms(norms);
        }
        let one = |s: usize| {
            let (largest, share) = (of_place(self.places[s], &|s| f64::from(norms[s])), of_place(self.places[s], &scaled));
            if largest > 0.0 { (f64::from(norms[s]) / largest * share / most) as f32 } else { 0.0 }
        };
        (0..norms.len()).map(one).collect()
    }

    /// The sources of one place with `source`, in their order: those over which a life is told.
    pub(super) fn stay(&self, source: usize) -> Vec<usize> {
        (0..self.places.len()).filter(|s| self.places[*s] == self.places[source]).collect()
    }

    /// Of values `[S, S]` those between sources of one place: directions in another space say nothing to each other.
    pub(super) fn within_places(&self, values: Vec<Option<f32>>) -> Vec<Option<f32>> {
        let count = self.places.len();
        let is_within = |at: usize| self.places[at / count] == self.places[at % count];
        values.into_iter().enumerate().map(|(at, value)| value.filter(|_| is_within(at))).collect()
    }
}
