//! Planted dictionaries whose classes, ν and scores are known.

use super::super::absence::Absence;
use super::super::explained_variance::explained_variance;
use super::super::planted::{Kind, PlantedConfig, plant};
use super::super::source::Place;
use super::*;
use crate::task::{Row, Sizes};

const P: u16 = 7;
const D: usize = 4;
const M: usize = 4;

/// Latent 0 reads a + b = 3, latent 1 reads a = 2, latent 2 reads b < 3, latent 3 is silent.
fn code(a: u16, b: u16) -> [f32; M] {
    [f32::from((a + b) % P == 3), f32::from(a == 2), f32::from(b < 3), 0.0]
}

/// a + b modulo 7, trained where a < 3.
fn grid() -> Dataset {
    let rows: Vec<Row> = (0..P).flat_map(|a| (0..P).map(move |b| Row { a, b, label: (a + b) % P })).collect();
    let train_mask: Vec<bool> = rows.iter().map(|row| row.a < 3).collect();
    let (train, test) = (0..49).partition(|&row: &u32| train_mask[row as usize]);
    let sizes = Sizes { rows: 49, tokens: 7, width: 0, classes: 7 };
    Dataset { sizes, rows, train, test, train_mask, ..Dataset::default() }
}

/// One direction per latent, so that truth and dictionary are sizes `[source][latent]`.
struct Case {
    sources: Vec<Source>,
    codes: Codes,
    decoders: Vec<Vec<f32>>,
    biases: Vec<Vec<f32>>,
    data: Dataset,
    held: Vec<u32>,
}

impl Case {
    fn new(truth: &[[f32; M]], dictionary: &[[f32; M]]) -> Self {
        let data = grid();
        let bias = |source: usize| vec![3.0, -1.0, 0.5, source as f32];
        let x = |source: usize| {
            let row = |row: &Row| {
                let codes = code(row.a, row.b);
                let bias = bias(source);
                (0..D).map(|k| bias[k] + codes[k] * truth[source][k]).collect::<Vec<_>>()
            };
            data.rows.iter().flat_map(row).collect()
        };
        let decoder = |sizes: &[f32; M]| {
            let mut values = vec![0.0; M * D];
            (0..M).for_each(|k| values[k * D + k] = sizes[k]);
            values
        };
        Self {
            sources: (0..truth.len())
                .map(|s| Source { step: s as u32, width: D, values: x(s), place: Place::default() })
                .collect(),
            codes: Codes::shared(data.rows.iter().flat_map(|row| code(row.a, row.b)).collect()),
            decoders: dictionary.iter().map(decoder).collect(),
            biases: (0..truth.len()).map(bias).collect(),
            held: (0..49).step_by(2).collect(),
            data,
        }
    }

    fn input(&self) -> AnalysisInput<'_> {
        AnalysisInput {
            sources: &self.sources,
            codes: &self.codes,
            decoders: &self.decoders,
            biases: &self.biases,
            data: &self.data,
            held: &self.held,
        }
    }
}

fn close(found: &[Option<f32>], expected: &[f32]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(nu, e)| nu.is_some_and(|nu| (nu - e).abs() < 1e-5))
}

#[test]
fn true_births_and_deaths_are_confirmed() {
    let sizes = [[0.0, 2.0, 1.5, 1.0], [1.0, 2.0, 0.0, 1.0]];
    let found = analyse(&Case::new(&sizes, &sizes).input()).unwrap();
    let classes: Vec<_> = found.latents.iter().map(|l| l.class).collect();
    assert_eq!(classes, [LatentClass::Emergent, LatentClass::Stable, LatentClass::Vanished, LatentClass::Dead]);
    assert!(close(&found.latents[0].nu_epsilon, &[0.0, 1.0]), "{:?}", found.latents[0]);
    assert!(close(&found.latents[1].nu_epsilon, &[1.0, 1.0]), "{:?}", found.latents[1]);
    assert!(close(&found.latents[2].nu_epsilon, &[1.0, 0.0]), "{:?}", found.latents[2]);
    assert_eq!(found.latents[3].nu_epsilon, [None, None]);
    assert_eq!(found.latents.iter().map(|l| l.confirmed).collect::<Vec<_>>(), [true, false, true, false]);
    assert_eq!((found.alive, found.shared, found.emergent, found.emergent_confirmed, found.vanished), (3, 1, 1, 1, 1));
    assert!(found.explained_variance.iter().all(|ev| (ev - 1.0).abs() < 1e-6), "{:?}", found.explained_variance);
    // Directions are orthogonal, so nothing stands for an absent latent.
    assert!(close(&found.latents[0].nu_r, &[0.0, 1.0]), "{:?}", found.latents[0]);
    let absences: Vec<_> = found.latents.iter().map(|l| l.absences.clone()).collect();
    let (truly, present) = (Some(Absence::Confirmed), None);
    assert_eq!(absences[..3], [vec![truly, present], vec![present, present], vec![present, truly]]);
    let lives: Vec<_> = found.latents.iter().map(|l| (l.birth, l.death, l.lifespan)).collect();
    assert_eq!(lives, [(Some(1), None, 0.5), (None, None, 1.0), (None, Some(0), 0.5), (None, None, 0.0)]);
    assert_eq!(found.twins, []);
}

#[test]
fn shrinkage_that_looks_like_a_birth_is_not_confirmed() {
    // Planted at .3 in the first source; the penalty left nothing of it there and .8 of it in the last.
    // Closed form: β_first = .3 and β_last = .8 + .2 = 1.
    let truth = [[0.3, 2.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
    for shrunk in [0.0, 0.05] {
        let case = Case::new(&truth, &[[shrunk, 2.0, 0.0, 0.0], [0.8, 2.0, 0.0, 0.0]]);
        let found = analyse(&case.input()).unwrap();
        assert_eq!(found.latents[0].class, LatentClass::Emergent);
        assert!(close(&found.latents[0].nu_epsilon, &[0.3, 1.0]), "{:?}", found.latents[0]);
        assert_eq!((found.emergent, found.emergent_confirmed), (1, 0));
        assert_eq!(found.latents[0].absences, [Some(Absence::Shrunk), None]);
    }
}

#[test]
fn a_birth_that_another_latent_carried_before_is_decoupled_and_its_twin() {
    // In the first source the feature belongs to latent 3, in the last to latent 0: one feature of strength `early`, then 1.
    for (early, verdict) in [(1.0, Absence::Decoupled), (0.4, Absence::Confirmed)] {
        let truth = [[early, 2.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
        let mut case = Case::new(&truth, &[[0.0, 2.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]]);
        let mut codes = case.codes.union();
        codes.chunks_exact_mut(M).for_each(|codes| codes[3] = codes[0]);
        case.codes = Codes::shared(codes);
        case.decoders[0][3 * D] = early;
        let found = analyse(&case.input()).unwrap();
        let latent = &found.latents[0];
        assert!(close(&latent.nu_epsilon, &[0.0, 1.0]) && close(&latent.nu_r, &[early, 1.0]), "{latent:?}");
        assert_eq!((latent.class, latent.confirmed), (LatentClass::Emergent, true));
        assert_eq!(latent.absences, [Some(verdict), None]);
        let pairs: Vec<_> = found.twins.iter().map(|twins| (twins.latents, twins.homes)).collect();
        assert_eq!(pairs, [([3, 0], [0, 1])]);
    }
}

#[test]
fn a_constant_added_to_the_activations_changes_neither_nu() {
    let truth = [[0.3, 2.0, 1.0, 0.0], [1.0, 2.0, 0.5, 0.0]];
    let plain = Case::new(&truth, &[[0.0, 1.8, 0.9, 0.0], [0.8, 2.0, 0.5, 0.0]]);
    let mut moved = Case::new(&truth, &[[0.0, 1.8, 0.9, 0.0], [0.8, 2.0, 0.5, 0.0]]);
    moved.sources[0].values.iter_mut().for_each(|x| *x += 64.0);
    moved.biases[0].iter_mut().for_each(|b| *b += 64.0);
    let (plain, moved) = (analyse(&plain.input()).unwrap(), analyse(&moved.input()).unwrap());
    for (one, other) in plain.latents.iter().zip(&moved.latents).take(3) {
        let values = |nus: &[Option<f32>]| nus.iter().copied().flatten().collect::<Vec<_>>();
        assert!(
            close(&one.nu_epsilon, &values(&other.nu_epsilon)) && close(&one.nu_r, &values(&other.nu_r)),
            "{one:?} {other:?}"
        );
    }
}

#[test]
fn shared_counts_stable_and_rotated_latents_and_those_between() {
    let sizes = [[1.0, 2.0, 1.0, 0.0], [1.0, 2.0, 1.0, 0.0]];
    let mut case = Case::new(&sizes, &sizes);
    // Latent 1 turns by a right angle, latent 2 by arccos .6.
    (case.decoders[1][D + 1], case.decoders[1][D + 3]) = (0.0, 2.0);
    (case.decoders[1][2 * D + 2], case.decoders[1][2 * D + 3]) = (0.6, 0.8);
    let found = analyse(&case.input()).unwrap();
    let classes: Vec<_> = found.latents.iter().map(|l| l.class).collect();
    assert_eq!(classes, [LatentClass::Stable, LatentClass::Rotated, LatentClass::Unclear, LatentClass::Dead]);
    assert_eq!(found.shared, 3);
    assert!(close(&found.latents[2].cosines, &[1.0, 0.6, 0.6, 1.0]), "{:?}", found.latents[2].cosines);
}

#[test]
fn planted_lives_get_their_class_their_birth_and_their_death() {
    let kinds = [Kind::Shared, Kind::Rotated, Kind::Emergent, Kind::Vanished, Kind::Transient, Kind::WeakEarly];
    let features = kinds.map(|kind| (kind, 6)).to_vec();
    let planted =
        plant(&PlantedConfig { seed: 1, sources: 6, width: 64, rows: 49 * 49, density: 0.04, noise: 0.01, features }).unwrap();
    let rows: Vec<Row> = (0..49).flat_map(|a| (0..49).map(move |b| Row { a, b, label: (a + b) % 49 })).collect();
    let data = Dataset { sizes: Sizes { rows: 49 * 49, tokens: 49, width: 0, classes: 49 }, rows, ..Dataset::default() };
    let decoder = |s: usize| planted.features.iter().flat_map(move |f| f.directions[s].iter().map(move |u| u * f.strength[s]));
    let decoders: Vec<Vec<f32>> = (0..6).map(|s| decoder(s).collect()).collect();
    let biases = vec![vec![0.0; 64]; 6];
    let input = AnalysisInput {
        sources: &planted.sources,
        codes: &Codes::shared(planted.activations.clone()),
        decoders: &decoders,
        biases: &biases,
        data: &Dataset { train_mask: vec![false; data.rows.len()], ..data },
        held: &[0],
    };
    let found = analyse(&input).unwrap();
    for (latent, feature) in found.latents.iter().zip(&planted.features) {
        let class = match feature.kind {
            Kind::Shared => LatentClass::Stable,
            Kind::Rotated => LatentClass::Rotated,
            Kind::Emergent => LatentClass::Emergent,
            Kind::Vanished => LatentClass::Vanished,
            Kind::Transient => LatentClass::Transient,
            // Planted right on the threshold of absence.
            Kind::WeakEarly => LatentClass::Unclear,
        };
        assert_eq!(latent.class, class, "{latent:?}");
        let stay = |g: &f32| *g > 0.9;
        let birth = feature.strength.iter().position(stay).filter(|first| *first > 0);
        let death = feature.strength.iter().rposition(stay).filter(|last| *last < 5);
        assert_eq!((latent.birth, latent.death), (birth.map(|s| s as u32), death.map(|s| s as u32)), "{:?}", latent.relative);
        let verdicts = latent.absences.iter().zip(&feature.strength);
        assert!(verdicts.clone().all(|(verdict, &g)| *verdict == (g < 0.1).then_some(Absence::Confirmed)), "{latent:?}");
        assert!(latent.grid.is_some_and(|grid| grid.memorisation > 0.8), "random firing is a function of none of the four");
    }
    assert_eq!((found.shared, found.emergent, found.emergent_confirmed, found.vanished), (12, 6, 6, 6));
    assert_eq!(found.twins, []);
}

#[test]
fn scaling_is_taken_against_the_source_with_the_largest_norm() {
    let sizes = [[0.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [1.5, 2.0, 0.0, 0.0]];
    let found = analyse(&Case::new(&sizes, &sizes).input()).unwrap();
    assert!(close(&found.latents[0].nu_epsilon, &[0.0, 1.0, 0.75]), "{:?}", found.latents[0]);
}

#[test]
fn a_latent_that_is_not_in_the_data_has_no_nu() {
    let found = analyse(&Case::new(&[[0.0; M]; 2], &[[0.0; M], [1.0, 0.0, 0.0, 0.0]]).input()).unwrap();
    assert_eq!(found.latents[0].nu_epsilon, [None, None]);
    assert!(!found.latents[0].confirmed && found.emergent == 1);
}

#[test]
fn explained_variance_is_the_one_definition() {
    let case = Case::new(&[[0.3, 2.0, 1.0, 0.0], [1.0; M]], &[[0.0, 1.8, 1.0, 0.0], [0.9; M]]);
    let found = analyse(&case.input()).unwrap();
    for (s, source) in case.sources.iter().enumerate() {
        let decode = |&row: &u32| {
            let Row { a, b, .. } = case.data.rows[row as usize];
            let codes = code(a, b);
            (0..D).map(|k| case.biases[s][k] + codes[k] * case.decoders[s][k * D + k]).collect::<Vec<_>>()
        };
        let x_hat: Vec<f32> = case.held.iter().flat_map(decode).collect();
        let x: Vec<f32> = case.held.iter().flat_map(|&row| source.values[row as usize * D..][..D].to_vec()).collect();
        let expected = explained_variance(&x, &x_hat, D) as f32;
        assert!((found.explained_variance[s] - expected).abs() < 1e-5 && expected < 0.999);
    }
}

#[test]
fn grid_scores_have_their_closed_form() {
    let sizes = [[0.0, 2.0, 1.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
    let case = Case::new(&sizes, &sizes);
    let found = analyse(&case.input()).unwrap();
    let [sum, first, second, dead] = &found.latents[..] else { panic!("four latents") };
    assert!((sum.eta_squared.sum - 1.0).abs() < 1e-6 && sum.eta_squared.a < 1e-6);
    assert!((first.eta_squared.a - 1.0).abs() < 1e-6 && (second.eta_squared.b - 1.0).abs() < 1e-6);
    assert!((sum.density - 1.0 / 7.0).abs() < 1e-6);
    // a = 2 is one of the three trained values of a, and none of the four others.
    assert!((first.density_train - 1.0 / 3.0).abs() < 1e-6 && first.density_test < 1e-6);
    // Density 1/3 against 0; the residue fires alike on both sides.
    assert!((first.train_selectivity.unwrap() - 1.0).abs() < 1e-6 && sum.train_selectivity.unwrap().abs() < 1e-6);
    assert!((sum.grid.unwrap().share_sum - 1.0).abs() < 1e-6 && (first.grid.unwrap().share_a - 1.0).abs() < 1e-6);
    assert_eq!((sum.grid.unwrap().peak_residue, dead.grid, dead.train_selectivity), (3, None, None));
    assert!(dead.density < 1e-9 && dead.eta_squared == crate::measure::EtaSquared::default());
    // Energy in the last source: 7 inputs of size 1 for the residue, 7 of size 2² for a = 2.
    assert!((found.residue_energy_share - 7.0 / 35.0).abs() < 1e-6);
    let active = |&row: &u32| case.codes.of(0)[row as usize * M..][..M].iter().sum::<f32>();
    let mean = case.held.iter().map(active).sum::<f32>() / case.held.len() as f32;
    assert!((found.l0 - mean).abs() < 1e-6);
    assert_eq!(found.l0_quantiles, [0.0, 2.0]);
    assert_eq!(found.activations[49..98].iter().sum::<f32>(), 7.0, "latent 1 fires on the seven inputs with a = 2");
    assert_eq!(found.activations[49 + 2 * 7], 1.0);
}

#[test]
fn broken_fits_are_refused() {
    let sizes = [[1.0; M]; 2];
    let mut diverged = Case::new(&sizes, &sizes);
    diverged.decoders[1][0] = f32::NAN;
    assert!(analyse(&diverged.input()).unwrap_err().cause.contains("diverged"));
    let mut short = Case::new(&sizes, &sizes);
    let mut codes = short.codes.union();
    codes.pop();
    short.codes = Codes::shared(codes);
    assert!(analyse(&short.input()).unwrap_err().cause.contains("do not match"));
}

#[test]
fn a_latent_behind_a_shut_gate_is_absent_whatever_its_decoder() {
    // Both latents have the same vectors everywhere, but the second source lets latent 1 through on no input.
    let sizes = [[1.0, 1.0, 0.0, 0.0]; 2];
    let mut case = Case::new(&[[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], &sizes);
    let open = case.codes.union();
    let mut shut = open.clone();
    shut.chunks_exact_mut(M).for_each(|codes| codes[1] = 0.0);
    case.codes = Codes::per_source(vec![open.clone(), shut]);
    let found = analyse(&case.input()).unwrap();
    assert_eq!((found.latents[0].class, found.latents[1].class), (LatentClass::Stable, LatentClass::Vanished));
    assert_eq!(found.latents[1].norms, [1.0, 0.0]);
    assert!(found.latents[1].confirmed, "the error of the second source holds nothing of it");
    assert!(found.explained_variance.iter().all(|ev| (ev - 1.0).abs() < 1e-6), "{:?}", found.explained_variance);
    assert_eq!(found.l0_per_source.len(), 2);
    assert!(found.l0_per_source[0] > found.l0_per_source[1]);
    assert_eq!(found.activations, analyse(&Case::new(&sizes, &sizes).input()).unwrap().activations);

    // A gate that lets half of the energy through leaves the root of a half of the norm.
    let mut half = open.clone();
    let rows: Vec<usize> = (0..49).filter(|row| open[row * M + 1] > 0.0).collect();
    rows.iter().skip(1).step_by(2).for_each(|row| half[row * M + 1] = 0.0);
    case.codes = Codes::per_source(vec![open, half]);
    let share = rows.len().div_ceil(2) as f32 / rows.len() as f32;
    let norms = &analyse(&case.input()).unwrap().latents[1].norms;
    assert!((norms[1] - share.sqrt()).abs() < 1e-6, "{norms:?}");
}

#[test]
fn a_life_is_told_within_one_hook_of_one_run() {
    // Three checkpoints at a narrow hook, then three at one whose activations are a hundred times larger and wider.
    let truth = [[0.0, 1.0, 1.0, 0.0], [0.5, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]];
    let narrow = Case::new(&truth, &truth);
    let mut case = Case::new(&[truth, truth].concat(), &[truth, truth].concat());
    for s in 3..6 {
        let wide = |values: &[f32]| -> Vec<f32> {
            values.chunks_exact(D).flat_map(|v| v.iter().map(|x| 100.0 * x).chain([0.0, 0.0]).collect::<Vec<_>>()).collect()
        };
        case.sources[s].values = wide(&case.sources[s].values);
        case.sources[s].width = D + 2;
        case.sources[s].place = Place { run: 0, layer: 1 };
        case.decoders[s] = wide(&case.decoders[s]);
        case.biases[s] = wide(&case.biases[s]);
    }
    // Latent 2 is in the narrow hook only.
    (3..6).for_each(|s| case.decoders[s][2 * (D + 2)..3 * (D + 2)].fill(0.0));
    let (found, alone) = (analyse(&case.input()).unwrap(), analyse(&narrow.input()).unwrap());
    for (both, one) in found.latents.iter().zip(&alone.latents) {
        assert_eq!(both.class, one.class, "latent {}", one.index);
    }
    assert_eq!(found.latents[0].class, LatentClass::Emergent);
    assert_eq!(found.latents[2].class, LatentClass::Vanished);
    assert_eq!(found.latents[2].relative[3..], [0.0; 3]);
    // Equal as a share of the activations' norm: both places hold latent 1 as strongly, although raw norms differ by a hundred.
    assert!(found.latents[1].relative.iter().all(|r| (r - 1.0).abs() < 1e-5), "{:?}", found.latents[1].relative);
    assert!(found.latents[1].cosines[3].is_none(), "directions of two spaces have no cosine");
    let lives: Vec<Option<u32>> = found.latents[..2].iter().map(|latent| latent.birth).collect();
    assert!(lives[0] == Some(1) || lives[0] == Some(4), "{lives:?}");
    assert!(found.latents[2].nu_epsilon[3].is_none() && found.latents[2].nu_epsilon[2].is_some());
}

#[test]
fn latents_are_described_by_the_group_or_by_the_grid_of_the_task() {
    let group = crate::task::Structure::parse("S3").unwrap().group();
    let rows: Vec<Row> =
        (0..6).flat_map(|a| (0..6).map(move |b| (a, b))).map(|(a, b)| Row { a, b, label: group.product(a, b) }).collect();
    let sizes = Sizes { rows: 36, tokens: 6, width: 0, classes: 6 };
    let data = Dataset { sizes, test: (0..36).collect(), train_mask: vec![false; 36], rows, ..Dataset::default() };
    let even = |row: &Row| f32::from(u8::from(group.even[usize::from(row.label)]));
    let codes: Vec<f32> = data.rows.iter().map(even).collect();
    let source = Source { step: 0, width: 1, values: codes.iter().map(|f| 2.0 * f).collect(), place: Place::default() };
    let (decoders, biases, held) = (vec![vec![2.0]], vec![vec![0.0]], vec![0, 5, 9]);
    let input = AnalysisInput {
        sources: &[source],
        codes: &Codes::shared(codes.clone()),
        decoders: &decoders,
        biases: &biases,
        data: &data,
        held: &held,
    };
    let found = analyse(&input).unwrap().latents.remove(0);
    let strongest = found.group.unwrap().strongest.unwrap();
    assert_eq!((strongest.label.as_str(), found.grid), ("d=1 #1", None));

    let sizes = [[1.0, 2.0, 1.0, 0.0]; 2];
    let residues = analyse(&Case::new(&sizes, &sizes).input()).unwrap().latents.remove(0);
    assert!(residues.group.is_none() && residues.grid.is_some());
}
