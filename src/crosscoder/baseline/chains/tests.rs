//! Chains whose lives are known, in hand and in a fit's files.

use super::super::super::presets::crosscoder_preset;
use super::super::super::result::Latent;
use super::*;
use crate::record::NamedTensor;
use LatentClass::{Emergent, Rotated, Stable, Transient, Unclear, Vanished};

const ROWS: usize = 24;

/// A latent that fires on three rows of its own, `size` strong.
fn pulse(feature: usize, size: f32) -> Vec<f32> {
    (0..ROWS).map(|row| if row / 3 == feature { size + 0.1 * (row % 3) as f32 } else { 0.0 }).collect()
}

/// Latents `(feature, size, decoder)` of one source.
type Latents = Vec<(usize, f32, Vec<f32>)>;

fn matched(sources: &[Latents]) -> Result<Matched, UserError> {
    let values: Vec<Vec<Vec<f32>>> = sources.iter().map(|s| s.iter().map(|(f, size, _)| pulse(*f, *size)).collect()).collect();
    let latents: Vec<SourceLatents> = sources
        .iter()
        .zip(&values)
        .map(|(source, values)| SourceLatents {
            activations: values.iter().map(Vec::as_slice).collect(),
            decoders: source.iter().map(|latent| latent.2.as_slice()).collect(),
        })
        .collect();
    chains(&latents)
}

fn at(angle: f32) -> Vec<f32> {
    vec![angle.cos(), angle.sin()]
}

/// Features 0 to 5: there throughout, turning by a right angle, born at 1, gone after 1, in source 1 only, turning by .8 rad. A
/// latent of another scale and place stands for them in every source.
fn lives() -> Vec<Latents> {
    vec![
        vec![(0, 1.0, at(0.0)), (1, 1.0, at(0.0)), (3, 1.0, at(0.0)), (5, 1.0, at(0.0))],
        vec![(4, 2.0, at(0.0)), (5, 2.0, at(0.8)), (3, 2.0, at(0.0)), (2, 2.0, at(0.0)), (1, 2.0, at(1.57)), (0, 2.0, at(0.1))],
        vec![(2, 3.0, at(3.0)), (0, 3.0, at(0.2)), (5, 3.0, at(0.8)), (1, 3.0, at(1.57)), (7, 0.0, at(0.0))],
    ]
}

fn by_first(found: &Matched, first: u32, latent: u32) -> &Chain {
    found.chains.iter().find(|chain| chain.first == first && chain.latents[0] == latent).unwrap()
}

#[test]
fn chains_have_the_lives_of_their_features() {
    let mut sources = lives();
    // Silent latents are in no chain.
    sources[2][4].1 = -1.0;
    let found = matched(&sources).unwrap();
    assert_eq!((found.chains.len(), found.dead), (6, 1));
    for (first, latent, latents, class) in [
        (0, 0, vec![0, 5, 1], Stable),
        (0, 1, vec![1, 4, 3], Rotated),
        (0, 2, vec![2, 2], Vanished),
        (0, 3, vec![3, 1, 2], Unclear),
        (1, 0, vec![0], Transient),
        (1, 3, vec![3, 0], Emergent),
    ] {
        let chain = by_first(&found, first, latent);
        assert_eq!((&chain.latents, chain.class), (&latents, class));
        let presence: Vec<bool> = (0..3).map(|s| s >= first as usize && s < first as usize + latents.len()).collect();
        assert_eq!(chain.presence, presence);
        assert_eq!((chain.correlations.len(), chain.cosines.len()), (latents.len() - 1, latents.len() - 1));
        assert!(chain.correlations.iter().all(|r| *r > 0.99), "{chain:?}");
    }
    let cosines = &by_first(&found, 0, 1).cosines;
    assert!(cosines[0].unwrap() < 0.01 && cosines[1].unwrap() > 0.99, "{cosines:?}");
    for class in [Stable, Rotated, Vanished, Unclear, Transient, Emergent] {
        assert_eq!(found.count(class), 1, "{class:?}");
    }
    assert_eq!((found.count(LatentClass::Dead), found.classes.len()), (0, 6));
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Matched>(&text).unwrap(), found);
}

#[test]
fn without_a_common_width_there_is_no_direction_to_keep() {
    let sources = [vec![(0, 1.0, vec![1.0, 0.0])], vec![(0, 1.0, vec![1.0, 0.0, 0.0])]];
    let found = matched(&sources).unwrap();
    assert_eq!((found.chains[0].cosines[0], found.chains[0].class), (None, Unclear));
}

#[test]
fn weak_correlations_and_constants_make_no_chain() {
    let rows = |f: fn(usize) -> f32| (0..ROWS).map(f).collect::<Vec<f32>>();
    // Half of the first fires with the second: closed form of two indicators of 12 and 6 rows, .577.
    let (half, quarter, constant) =
        (rows(|row| f32::from(u8::from(row < 12))), rows(|row| f32::from(u8::from(row < 6))), rows(|_| 0.3));
    let decoder = [1.0];
    let source =
        |values: &[&'static [f32]]| SourceLatents { activations: values.to_vec(), decoders: vec![&decoder; values.len()] };
    let leaked: Vec<&'static [f32]> = [half, quarter, constant].into_iter().map(|values| &*values.leak()).collect();
    assert_eq!(chains(&[source(&leaked[..1]), source(&leaked[1..2])]).unwrap().chains.len(), 2);
    assert_eq!(chains(&[source(&leaked[2..]), source(&leaked[2..])]).unwrap().chains.len(), 2);
    assert_eq!(chains(&[source(&leaked[..1]), source(&leaked[..1])]).unwrap().chains.len(), 1);
}

#[test]
fn sources_that_cannot_be_matched_are_refused() {
    assert!(matched(&lives()[..1]).unwrap_err().cause.contains("no neighbour"));
    let values = [vec![1.0, 0.0], vec![1.0, 0.0, 0.0]];
    let source = |place: usize| SourceLatents { activations: vec![&values[place]], decoders: vec![&values[0]] };
    assert!(chains(&[source(0), source(1)]).unwrap_err().cause.contains("same inputs"));
}

/// A fit of two sources of width 2 whose latents read and write as told, one feature each.
fn fit(latents: &[(usize, [bool; 2], [bool; 2])]) -> CrosscoderResult {
    let m = latents.len();
    let mut encoder = vec![0.0; 2 * 2 * m];
    let mut decoder = vec![0.0; 2 * m * 2];
    for (index, (_, reads, writes)) in latents.iter().enumerate() {
        for source in 0..2 {
            encoder[(source * 2 + 1) * m + index] = f32::from(u8::from(reads[source]));
            decoder[(source * m + index) * 2 + 1] = 0.5 * f32::from(u8::from(writes[source]));
        }
    }
    let tensor = |name: &str, shape: Vec<usize>, values| NamedTensor { name: name.into(), shape, values };
    let tensors = vec![tensor("encoder.weight", vec![2, 2, m], encoder), tensor("decoder.weight", vec![2, m, 2], decoder)];
    let source = |step| serde_json::json!({"step": step, "width": 2, "scale": 1, "gamma": 0});
    let config = &crosscoder_preset("births").unwrap().config;
    let plain = serde_json::json!({"config": config, "sources": [source(10), source(20)], "curves": [],
        "explained_variance": [0.9, 0.8], "l0": 3, "l0_quantiles": [0, 0], "alive": 0, "shared": 0, "emergent": 0,
        "emergent_confirmed": 0, "vanished": 0, "residue_energy_share": 0, "latents": vec![Latent::default(); m],
        "wall_seconds": 0});
    CrosscoderResult {
        activations: latents.iter().flat_map(|(feature, ..)| pulse(*feature, 1.0)).collect(),
        weights: Weights { tensors }.to_safetensors(None).unwrap(),
        ..serde_json::from_value(plain).unwrap()
    }
}

const FIRST: [bool; 2] = [true, false];
const SECOND: [bool; 2] = [false, true];

#[test]
fn a_fit_with_one_autoencoder_per_source_is_matched_under_its_own_indices() {
    let latents =
        [(0, FIRST, FIRST), (1, FIRST, FIRST), (2, FIRST, FIRST), (2, SECOND, SECOND), (3, SECOND, SECOND), (0, SECOND, SECOND)];
    let mut with_unused = latents.to_vec();
    with_unused.push((4, SECOND, [false; 2]));
    let found = chains_of(&fit(&with_unused)).unwrap();
    let lists: Vec<_> = found.chains.iter().map(|chain| (chain.latents.clone(), chain.class)).collect();
    assert_eq!(lists, [(vec![0, 5], Stable), (vec![1], Vanished), (vec![2, 3], Stable), (vec![4], Emergent)]);
    assert_eq!(found.dead, 1, "it writes to no source");
}

#[test]
fn a_narrower_source_has_no_direction_in_common_although_its_file_is_filled_up() {
    let mut narrow = fit(&[(0, FIRST, FIRST), (0, SECOND, SECOND)]);
    assert_eq!(chains_of(&narrow).unwrap().chains[0].class, Stable);
    narrow.sources[0].width = 1;
    // The one activation that is left has to be written for the latent to live.
    let mut weights = Weights::from_safetensors(&narrow.weights).unwrap();
    weights.tensors.iter_mut().filter(|t| t.name == "decoder.weight").for_each(|t| t.values.swap(0, 1));
    narrow.weights = weights.to_safetensors(None).unwrap();
    let chain = &chains_of(&narrow).unwrap().chains[0];
    assert_eq!((chain.latents.as_slice(), chain.cosines[0], chain.class), (&[0, 1][..], None, Unclear));
}

#[test]
fn fits_without_an_autoencoder_per_source_are_refused() {
    for latents in [[(0, FIRST, FIRST), (1, FIRST, [true; 2])], [(0, FIRST, FIRST), (1, [true; 2], SECOND)]] {
        let error = chains_of(&fit(&latents)).unwrap_err();
        assert!(error.cause.contains("Latent 1 ") && error.remedy.contains("1/2"), "{error}");
    }
    let whole = fit(&[(0, FIRST, FIRST), (1, SECOND, SECOND)]);
    let without = |change: fn(&mut CrosscoderResult)| {
        let mut fit = whole.clone();
        change(&mut fit);
        chains_of(&fit).unwrap_err().cause
    };
    assert!(without(|fit| fit.activations.clear()).contains("no activations"));
    assert!(without(|fit| fit.weights.clear()).contains("or weights"));
    assert!(without(|fit| drop(fit.latents.pop())).contains("not those of its 1 latents"));
}
