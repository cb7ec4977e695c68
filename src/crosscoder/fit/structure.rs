//! Which latents read and write which sources, and which share one decoder.
//!
//! With all latents free, a birth is a decoder that happened to become small at the early sources. Structure turns the question
//! around: a latent that may only write from its source on is born there by construction, and what it must explain is whether
//! the others do without it. Everything is a mask of zeros and ones on the one encoder and decoder, so that no variant has a
//! loop over sources of its own; a masked weight is never read and has no gradient.

use super::super::config::{CrosscoderConfig, Mask};
use super::super::source::{Place, Source};
use burn::tensor::{Device, Tensor, TensorData};

/// Penalty of designated shared latents relative to the others' (Anthropic, February 2025: 0.1 to 0.2).
const SHARED_PENALTY: f32 = 0.1;

/// One source as the masks know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Run and hook.
    pub place: Place,
    /// Which checkpoint of its place, from 0.
    pub time: usize,
    /// Activation width.
    pub width: usize,
}

/// The sites of `sources`, in their order.
pub fn sites(sources: &[Source]) -> Vec<Site> {
    let time = |at: usize| sources[..at].iter().filter(|other| other.place == sources[at].place).count();
    sources.iter().enumerate().map(|(at, source)| Site { place: source.place, time: time(at), width: source.width }).collect()
}

/// What a latent may do.
#[derive(Debug, Clone, PartialEq)]
struct Role {
    /// Sources that it reads.
    reads: Vec<bool>,
    /// Sources that it writes.
    writes: Vec<bool>,
    /// Whether its decoder is one for all sources.
    is_shared: bool,
}

/// The roles of all latents, as masks on the device; `None` where nothing is masked.
#[derive(Debug, Clone)]
pub(super) struct Structure {
    roles: Vec<Role>,
    sources: usize,
    /// `[1, S·d, m]`, on the tape's device.
    encoder: Option<Tensor<3>>,
    /// `[1, m, S·d]`, on the tape's device.
    decoder: Option<Tensor<3>>,
    /// Factor of the penalty `[1, 1, m]`, on the tape's device.
    penalty: Option<Tensor<3>>,
    /// 1 where a latent's decoder is shared `[1, m, 1]`, without tape.
    shared: Option<Tensor<3>>,
}

impl Structure {
    /// Of `config` for these sites. Every site has the columns of the widest; those beyond its own width are masked.
    pub(super) fn new(config: &CrosscoderConfig, sites: &[Site], device: &Device) -> Self {
        let roles = roles(config, sites);
        let sources = sites.len();
        let width = sites.iter().map(|site| site.width).max().unwrap_or(1);
        let is_padded = sites.iter().any(|site| site.width != width);
        let is_column = |column: usize| column % width < sites[column / width].width;
        let latents = roles.len();
        let tracked = device.clone().autodiff();
        let columns = sources * width;
        let mask = |shape: [usize; 3], allows: &dyn Fn(usize, usize) -> bool, is_needed: bool| {
            is_needed.then(|| {
                let values: Vec<f32> =
                    (0..shape[1] * shape[2]).map(|i| f32::from(u8::from(allows(i / shape[2], i % shape[2])))).collect();
                Tensor::from_data(TensorData::new(values, shape), &tracked)
            })
        };
        let some = |missing: &dyn Fn(&Role) -> bool| roles.iter().any(missing);
        let penalties: Vec<f32> = roles.iter().map(|role| if role.is_shared { SHARED_PENALTY } else { 1.0 }).collect();
        let shared: Vec<f32> = roles.iter().map(|role| f32::from(u8::from(role.is_shared))).collect();
        let has_shared = roles.iter().any(|role| role.is_shared);
        Self {
            encoder: mask(
                [1, columns, latents],
                &|column, latent| is_column(column) && roles[latent].reads[column / width],
                is_padded || some(&|r| r.reads.contains(&false)),
            ),
            decoder: mask(
                [1, latents, columns],
                &|latent, column| is_column(column) && roles[latent].writes[column / width],
                is_padded || some(&|r| r.writes.contains(&false)),
            ),
            penalty: has_shared.then(|| Tensor::from_data(TensorData::new(penalties, [1, 1, latents]), &tracked)),
            shared: has_shared.then(|| Tensor::from_data(TensorData::new(shared, [1, latents, 1]), device)),
            roles,
            sources,
        }
    }

    /// The encoder as it reads: `[1, S·d, m]`.
    pub(super) fn encoder(&self, weights: Tensor<3>) -> Tensor<3> {
        masked(weights, self.encoder.as_ref())
    }

    /// The decoder as it writes: `[1, m, S·d]`.
    pub(super) fn decoder(&self, weights: Tensor<3>) -> Tensor<3> {
        masked(weights, self.decoder.as_ref())
    }

    /// A penalty per latent `[1, 1, m]`, weighed by role.
    pub(super) fn weighed(&self, penalty: Tensor<3>) -> Tensor<3> {
        masked(penalty, self.penalty.as_ref())
    }

    /// The gradient of the decoder `[1, m, S·d]`: of shared latents every source gets the sum over sources, which is the gradient
    /// of the one vector that they are; beginning alike they stay alike.
    pub(super) fn tied(&self, gradient: Tensor<3>) -> Tensor<3> {
        let Some(shared) = &self.shared else { return gradient };
        let [_, latents, columns] = gradient.dims();
        let width = columns / self.sources;
        let sum = gradient.clone().reshape([latents, self.sources, width]).sum_dim(1);
        let sum = sum.repeat_dim(1, self.sources).reshape([1, latents, columns]);
        let shared = shared.clone();
        gradient * (shared.ones_like() - shared.clone()) + sum * shared
    }

    /// Whether a latent has one direction for all sources.
    pub(super) fn is_shared(&self, latent: usize) -> bool {
        self.roles[latent].is_shared
    }

    /// 1 for latents with one direction for all sources `[1, 1, m]`, on the tape's device; `None` if there are none.
    pub(super) fn shared(&self) -> Option<Tensor<3>> {
        self.shared.as_ref().map(|shared| shared.clone().swap_dims(1, 2).autodiff())
    }

    /// Sources that a latent reads.
    pub(super) fn reads(&self, latent: usize) -> usize {
        self.roles[latent].reads.iter().filter(|reads| **reads).count().max(1)
    }
}

fn masked(values: Tensor<3>, mask: Option<&Tensor<3>>) -> Tensor<3> {
    match mask {
        Some(mask) => values * mask.clone(),
        None => values,
    }
}

/// Dedicated latents first, source by source, then shared ones, then those of the mask, dealt out to the sources in turn. The
/// latents of a block have one role.
fn roles(config: &CrosscoderConfig, sites: &[Site]) -> Vec<Role> {
    let sources = sites.len();
    let block = config.block_width();
    let latents = config.latents as usize / block;
    let count = |share: f64| (share * latents as f64).round() as usize;
    let only = |allows: &dyn Fn(usize) -> bool| (0..sources).map(allows).collect::<Vec<bool>>();
    let all = || vec![true; sources];
    let mut roles = Vec::with_capacity(latents);
    for own in 0..sources {
        let role = Role { reads: only(&|s| s == own), writes: only(&|s| s == own), is_shared: false };
        roles.extend(core::iter::repeat_n(role, count(config.dedicated_latents)));
    }
    let shared = Role { reads: all(), writes: all(), is_shared: true };
    roles.extend(core::iter::repeat_n(shared, count(config.shared_latents)));
    let window = config.window.max(1) as usize;
    let times = |own: usize| sites.iter().filter(|site| site.place == sites[own].place).count();
    let mut next = 0;
    while roles.len() < latents {
        let own = next % sources.max(1);
        next += 1;
        let (reads, writes) = match config.mask {
            Mask::Acausal => (all(), all()),
            // Later at any hook, so that what is born in one layer may be read in another.
            Mask::Forward => {
                let is_later = |s: usize| sites[s].place.run == sites[own].place.run && sites[s].time >= sites[own].time;
                (only(&|s| s == own), only(&is_later))
            }
            Mask::Window => {
                // A window that would reach beyond the last source begins earlier.
                let first = sites[own].time.min(times(own).saturating_sub(window));
                let inside = |s: usize| (first..first + window).contains(&sites[s].time);
                (only(&inside), only(&inside))
            }
            Mask::LastOnly => (only(&|s| sites[s].time + 1 == times(s)), all()),
            Mask::Layers => {
                let layer = sites[own].place.layer;
                (only(&|s| sites[s].place.layer == layer), only(&|s| sites[s].place.layer >= layer))
            }
        };
        roles.push(Role { reads, writes, is_shared: false });
    }
    roles.truncate(latents);
    roles.into_iter().flat_map(|role| core::iter::repeat_n(role, block)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::config::Variant;
    use super::super::super::presets::crosscoder_preset;
    use super::*;

    fn config(mask: Mask, shared: f64, dedicated: f64) -> CrosscoderConfig {
        let base = crosscoder_preset("births").unwrap().config.clone();
        CrosscoderConfig { latents: 12, mask, window: 2, shared_latents: shared, dedicated_latents: dedicated, ..base }
    }

    fn written(role: &Role) -> String {
        let marks = |list: &[bool]| list.iter().map(|on| if *on { 'x' } else { '.' }).collect::<String>();
        format!("{}>{}{}", marks(&role.reads), marks(&role.writes), if role.is_shared { "=" } else { "" })
    }

    fn row(places: &[(u32, u32)]) -> Vec<Site> {
        let source = |&(run, layer): &(u32, u32)| Source { step: 0, width: 2, values: Vec::new(), place: Place { run, layer } };
        sites(&places.iter().map(source).collect::<Vec<_>>())
    }

    fn all(config: &CrosscoderConfig) -> Vec<String> {
        roles(config, &row(&[(0, 0); 3])).iter().map(written).collect()
    }

    #[test]
    fn masks_go_by_time_and_layer_where_several_hooks_or_runs_are_read() {
        // Two hooks at two checkpoints each, then two checkpoints of another run.
        let sites = row(&[(0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 0)]);
        assert_eq!(sites.iter().map(|site| site.time).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1]);
        let first = |mask: Mask| roles(&config(mask, 0.0, 0.0), &sites).iter().map(written).take(6).collect::<Vec<_>>();
        assert_eq!(first(Mask::Forward)[..3], ["x.....>xxxx..", ".x....>.x.x..", "..x...>xxxx.."]);
        assert_eq!(first(Mask::LastOnly)[0], ".x.x.x>xxxxxx");
        assert_eq!(first(Mask::Layers)[1..3], ["xx..xx>xxxxxx", "..xx..>..xx.."]);
    }

    #[test]
    fn columns_beyond_the_width_of_a_source_are_never_read_or_written() {
        let device = Device::flex();
        let mut sites = row(&[(0, 0), (0, 1)]);
        sites[0].width = 1;
        let structure = Structure::new(&config(Mask::Acausal, 0.0, 0.0), &sites, &device);
        let ones = Tensor::<3>::ones([1, 12, 4], &device).autodiff();
        let decoder = structure.decoder(ones).inner().into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(decoder[..4], [1.0, 0.0, 1.0, 1.0]);
        let encoder = structure.encoder(Tensor::<3>::ones([1, 4, 12], &device).autodiff()).inner();
        assert_eq!(encoder.into_data().try_into_vec::<f32>().unwrap()[12..24], [0.0; 12]);
    }

    #[test]
    fn latents_have_the_roles_of_their_mask_in_turn() {
        assert!(all(&config(Mask::Acausal, 0.0, 0.0)).iter().all(|role| role == "xxx>xxx"));
        assert_eq!(all(&config(Mask::Forward, 0.0, 0.0))[..4], ["x..>xxx", ".x.>.xx", "..x>..x", "x..>xxx"]);
        assert_eq!(all(&config(Mask::Window, 0.0, 0.0))[..3], ["xx.>xx.", ".xx>.xx", ".xx>.xx"]);
        assert!(all(&config(Mask::LastOnly, 0.0, 0.0)).iter().all(|role| role == "..x>xxx"));
    }

    #[test]
    fn dedicated_and_shared_latents_come_first() {
        let found = all(&config(Mask::Forward, 0.25, 1.0 / 6.0));
        assert_eq!(found[..6], ["x..>x..", "x..>x..", ".x.>.x.", ".x.>.x.", "..x>..x", "..x>..x"]);
        assert_eq!(found[6..9], ["xxx>xxx="; 3]);
        assert_eq!((found.len(), found[9].as_str()), (12, "x..>xxx"));
    }

    #[test]
    fn the_latents_of_a_block_have_one_role() {
        let config = CrosscoderConfig { variant: Variant::BlockTopK, ..config(Mask::Forward, 1.0 / 6.0, 0.0) };
        assert_eq!(all(&config)[..6], ["xxx>xxx=", "xxx>xxx=", "x..>xxx", "x..>xxx", ".x.>.xx", ".x.>.xx"]);
        assert_eq!(all(&config).len(), 12);
    }

    #[test]
    fn a_shared_decoder_moves_as_one() {
        let device = Device::flex();
        let structure = Structure::new(&config(Mask::Acausal, 1.0 / 12.0, 0.0), &row(&[(0, 0); 3]), &device);
        let values: Vec<f32> = (0..12 * 6).map(|i| i as f32).collect();
        let gradient = Tensor::<3>::from_data(TensorData::new(values, [1, 12, 6]), &device);
        let tied = structure.tied(gradient).into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(tied[..6], [6.0, 9.0, 6.0, 9.0, 6.0, 9.0], "0 + 2 + 4 and 1 + 3 + 5");
        assert_eq!(tied[6..12], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
    }
}
