//! A set of latents tried by hand: taken out at every checkpoint in three ways, and pushed along, each beside what chance does.
//!
//! One latent of a clean network is hardly ever missed, so a question about single ones has one answer; a reader wants to take out
//! *these*, say all that fire for even answers, and see. The controls are those of the classes (`probes.rs`), drawn in the same way,
//! because any fifty latents less do something. Steering adds the same vector on every input and is compared with random vectors of
//! its length. Rejected: the code times α, which is a removal of another size and not a push.

use super::super::result::{CrosscoderResult, LatentClass};
use super::super::source::Source;
use super::insert::{Anatomy, Insert, Replacement};
use super::probes::{CONTROLS, distinct, matched_set, random_set};
use super::{Band, Effect, band};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use serde::{Deserialize, Serialize};

/// Strengths of steering α, in units of what the set contributes where it fires.
pub const STRENGTHS: [f32; 6] = [-1.0, 0.5, 1.0, 2.0, 4.0, 8.0];
/// Random vectors beside each strength.
pub const ASIDE: usize = 5;

/// Whose vectors are added when a set is steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// Each latent's vector at its home, the checkpoint where it is strongest: what the later network would be told.
    #[default]
    Home,
    /// Each latent's vector at the checkpoint that is steered.
    Here,
}

/// Which latents, and whose vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetQuestion {
    /// The latents, ascending, each once.
    pub latents: Vec<u32>,
    /// Whose vectors are added.
    pub along: Along,
}

/// One pass to make.
#[derive(Debug, Clone, PartialEq)]
pub struct SetProbe {
    /// Index of the source whose network goes on.
    pub source: usize,
    /// What is put in.
    pub insert: Insert,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Clean,
    Without(Replacement),
    Random,
    Matched,
    Moved,
    /// Index into [`STRENGTHS`].
    Steered(usize),
    Aside(usize),
}

impl SetProbe {
    /// Whether it is the network as it is.
    pub fn is_clean(&self) -> bool {
        self.role == Role::Clean
    }

    /// Whether what is answered is wanted, and not only how well.
    pub fn wants_answers(&self) -> bool {
        matches!(self.role, Role::Steered(_))
    }
}

/// How the network answers with the set's vector added on every input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteeredSet {
    /// α.
    pub strength: f32,
    /// Loss and accuracy.
    pub effect: Effect,
    /// Share of all inputs that are answered with each class `[classes]`.
    pub answered: Vec<f32>,
    /// Rise of the test loss with random vectors of the same length.
    pub aside: Option<Band>,
}

/// What a set does at one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAtSource {
    /// Index of the source in the fit.
    pub source: u32,
    /// The network as it is.
    pub clean: Effect,
    /// Without the set, nothing in its place.
    pub zero: Effect,
    /// With its mean.
    pub mean: Effect,
    /// With that of another input.
    pub resample: Effect,
    /// Rise of the test loss without as many other latents, drawn at random; `None` if there are not so many.
    pub random: Option<Band>,
    /// The same with latents about as strong.
    pub matched: Option<Band>,
    /// Rise of the test loss when the activation is moved as far, in random directions.
    pub moved: Option<Band>,
    /// By strength; empty where the vectors do not fit, because their home is another hook.
    pub steered: Vec<SteeredSet>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetTrial {
    /// What was asked.
    pub question: SetQuestion,
    /// One per distinct source of the fit's own run.
    pub sources: Vec<SetAtSource>,
}

/// The passes that answer `question`, at those sources where `can_intervene`.
///
/// # Errors
/// If the set is empty or names a latent that does not exist or never fires.
pub fn set_probes(
    fit: &CrosscoderResult,
    anatomy: &Anatomy,
    question: &SetQuestion,
    can_intervene: &[bool],
) -> Result<Vec<SetProbe>, UserError> {
    let is_alive = |latent: &u32| fit.latents.get(*latent as usize).is_some_and(|latent| latent.class != LatentClass::Dead);
    let set = &question.latents;
    if let Some(latent) = set.iter().find(|latent| !is_alive(latent)) {
        return Err(UserError::new(format!("Latent {latent} never fires in this fit"), "Leave it out"));
    }
    if set.is_empty() {
        return Err(UserError::new("No latent is chosen", "Choose at least one"));
    }
    let others: Vec<u32> =
        fit.latents.iter().map(|latent| latent.index).filter(|i| is_alive(i) && set.binary_search(i).is_err()).collect();
    let mut all = Vec::new();
    for source in distinct(&anatomy.sources).into_iter().filter(|source| can_intervene[*source]) {
        let mut add = |role, insert| all.push(SetProbe { source, insert, role });
        add(Role::Clean, Insert::Clean);
        for how in [Replacement::Zero, Replacement::Mean, Replacement::Resample] {
            add(Role::Without(how), Insert::Without(set.clone(), how));
        }
        for draw in 0..CONTROLS as u32 {
            add(Role::Moved, Insert::Moved { latents: set.clone(), draw });
        }
        if others.len() >= set.len() {
            let energies = anatomy.energies(source);
            let mut stream = Stream::new(fit.config.seed, Purpose::Measure, 1 << 40 | source as u64);
            for _ in 0..CONTROLS {
                add(Role::Random, Insert::Without(random_set(&others, set.len(), &mut stream), Replacement::Zero));
                add(Role::Matched, Insert::Without(matched_set(&others, set, &energies, &mut stream), Replacement::Zero));
            }
        }
        let Some(vector) = push(fit, anatomy, question, source) else { continue };
        let length = libm::sqrt(vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum());
        let mut stream = Stream::new(fit.config.seed, Purpose::Measure, 1 << 41 | source as u64);
        for (index, strength) in STRENGTHS.into_iter().enumerate() {
            add(Role::Steered(index), Insert::Shifted(vector.iter().map(|v| strength * v).collect()));
            for _ in 0..ASIDE {
                let direction = stream.normals(vector.len(), 1.0);
                let norm = libm::sqrt(direction.iter().map(|v| f64::from(*v) * f64::from(*v)).sum());
                let scale = (f64::from(strength) * length / norm.max(f64::MIN_POSITIVE)) as f32;
                add(Role::Aside(index), Insert::Shifted(direction.into_iter().map(|v| scale * v).collect()));
            }
        }
    }
    Ok(all)
}

/// Σ_i f̄_i·D_i `[d]`, f̄_i the mean code of latent i where it fires at its home, whatever its sign, D_i its vector there or here; `None` where a home is
/// another hook, whose vectors mean nothing here.
fn push(fit: &CrosscoderResult, anatomy: &Anatomy, question: &SetQuestion, source: usize) -> Option<Vec<f32>> {
    let width = anatomy.sources[source].width;
    let layer = |source: &Source| source.place.layer;
    let latents = fit.latents.len();
    let mut vector = vec![0f32; width];
    for &latent in &question.latents {
        let home = fit.latents[latent as usize].home();
        let of = if question.along == Along::Home { home } else { source };
        if layer(anatomy.sources.get(of)?) != layer(&anatomy.sources[source]) {
            return None;
        }
        let codes = anatomy.codes.of(home).iter().skip(latent as usize).step_by(latents);
        let (count, sum) = codes.filter(|f| **f != 0.0).fold((0, 0.0), |(n, sum), f| (n + 1, sum + f64::from(f.abs())));
        let mean = (sum / f64::from(count.max(1))) as f32;
        let direction = anatomy.decoders[of].get(latent as usize * width..(latent as usize + 1) * width)?;
        vector.iter_mut().zip(direction).for_each(|(v, d)| *v += mean * d);
    }
    Some(vector)
}

/// Sorts the effects of `probes` (and, of those that want them, the answers `[classes]`) into a result.
pub fn summarise_set(question: SetQuestion, probes: &[SetProbe], effects: &[(Effect, Vec<f32>)]) -> SetTrial {
    let made = || probes.iter().zip(effects);
    let mut places: Vec<usize> = made().map(|(probe, _)| probe.source).collect();
    places.dedup();
    let sources = places
        .into_iter()
        .map(|source| {
            let of = |role: Role| {
                made()
                    .filter(move |(probe, _)| probe.source == source && probe.role == role)
                    .map(|(_, (effect, answers))| (*effect, answers))
            };
            let one = |role| of(role).next().map(|(effect, _)| effect).unwrap_or_default();
            let clean = one(Role::Clean);
            let rises = |role| band(of(role).map(|(effect, _)| effect.test_loss - clean.test_loss).collect());
            let steered = STRENGTHS.into_iter().enumerate().filter_map(|(index, strength)| {
                let (effect, answered) = of(Role::Steered(index)).next()?;
                Some(SteeredSet { strength, effect, answered: answered.clone(), aside: rises(Role::Aside(index)) })
            });
            SetAtSource {
                source: source as u32,
                clean,
                zero: one(Role::Without(Replacement::Zero)),
                mean: one(Role::Without(Replacement::Mean)),
                resample: one(Role::Without(Replacement::Resample)),
                random: rises(Role::Random),
                matched: rises(Role::Matched),
                moved: rises(Role::Moved),
                steered: steered.collect(),
            }
        })
        .collect();
    SetTrial { question, sources }
}

#[cfg(test)]
mod tests {
    use super::super::super::codes::Codes;
    use super::super::super::source::Place;
    use super::super::super::test_fits::{fit, latent};
    use super::*;

    /// Two sources of width 2; four latents, the last of them dead; latent 0 is at home in the second source.
    fn world() -> (CrosscoderResult, Anatomy) {
        let classes = [LatentClass::Emergent, LatentClass::Stable, LatentClass::Stable, LatentClass::Dead];
        let norms = [[0.5, 2.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0]];
        let result = fit(&[0, 10], classes.iter().zip(&norms).map(|(class, norms)| latent(*class, norms)).collect());
        let codes = Codes::shared(vec![1.0, 0.0, 2.0, 0.0, 3.0, 4.0, 0.0, 0.0]);
        let decoders = vec![vec![0.5, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0], vec![0.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]];
        let source = |step| Source { step, width: 2, values: vec![5.0, 6.0, 7.0, 8.0], place: Place::default() };
        (result, Anatomy { sources: vec![source(0), source(10)], codes, decoders, biases: vec![vec![0.0; 2]; 2] })
    }

    fn question(latents: &[u32], along: Along) -> SetQuestion {
        SetQuestion { latents: latents.to_vec(), along }
    }

    #[test]
    fn a_set_is_taken_out_and_steered_with_controls_of_its_size_and_length() {
        let (result, anatomy) = world();
        let probes = set_probes(&result, &anatomy, &question(&[0], Along::Home), &[true; 2]).unwrap();
        let of = |source: usize, role: Role| {
            probes.iter().filter(|p| p.source == source && p.role == role).map(|p| p.insert.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(0, Role::Without(Replacement::Zero)), [Insert::Without(vec![0], Replacement::Zero)]);
        for role in [Role::Random, Role::Matched] {
            let drawn = of(0, role);
            assert_eq!(drawn.len(), CONTROLS);
            assert!(
                drawn
                    .iter()
                    .all(|insert| matches!(insert, Insert::Without(set, _) if set.len() == 1 && [1, 2].contains(&set[0])))
            );
        }
        assert_eq!(of(1, Role::Moved).len(), CONTROLS);
        // Its mean code is 2, its vector at home (0, 2): at both checkpoints α = 1 adds (0, 4).
        assert_eq!(
            (of(0, Role::Steered(2)), of(1, Role::Steered(2))),
            (vec![Insert::Shifted(vec![0.0, 4.0])], vec![Insert::Shifted(vec![0.0, 4.0])])
        );
        let aside = of(0, Role::Aside(3));
        assert_eq!(aside.len(), ASIDE);
        for insert in aside {
            let Insert::Shifted(v) = insert else { panic!() };
            assert!((libm::hypotf(v[0], v[1]) - 8.0).abs() < 1e-4, "as long as twice the push");
        }
        // With the vectors of the checkpoint itself.
        let here = set_probes(&result, &anatomy, &question(&[0], Along::Here), &[true; 2]).unwrap();
        let first = here.iter().find(|p| p.role == Role::Steered(2)).unwrap();
        assert_eq!(first.insert, Insert::Shifted(vec![1.0, 0.0]));
    }

    #[test]
    fn what_cannot_be_asked_is_refused_and_what_cannot_be_drawn_is_left_out() {
        let (result, mut anatomy) = world();
        let ask = |anatomy: &Anatomy, latents: &[u32]| set_probes(&result, anatomy, &question(latents, Along::Home), &[true; 2]);
        assert!(ask(&anatomy, &[]).unwrap_err().cause.contains("No latent"));
        assert!(ask(&anatomy, &[3]).unwrap_err().cause.contains("never fires"));
        assert!(ask(&anatomy, &[9]).is_err());
        // Two of three living latents: there are no two others.
        assert!(ask(&anatomy, &[0, 1]).unwrap().iter().all(|probe| !matches!(probe.role, Role::Random | Role::Matched)));
        // The home of latent 0 is another hook than the first source.
        anatomy.sources[1].place.layer = 1;
        let probes = ask(&anatomy, &[0]).unwrap();
        assert!(probes.iter().filter(|p| p.wants_answers()).all(|p| p.source == 1));
    }

    #[test]
    fn effects_find_their_places() {
        let (result, anatomy) = world();
        let question = question(&[0], Along::Home);
        let probes = set_probes(&result, &anatomy, &question, &[false, true]).unwrap();
        // The loss of pass n is n: everything is told apart.
        let effects: Vec<(Effect, Vec<f32>)> =
            (0..probes.len()).map(|n| (Effect { test_loss: n as f64, ..Effect::default() }, vec![n as f32])).collect();
        let found = summarise_set(question, &probes, &effects);
        assert_eq!(found.sources.len(), 1);
        let at = &found.sources[0];
        assert_eq!(
            (at.source, at.clean.test_loss, at.zero.test_loss, at.mean.test_loss, at.resample.test_loss),
            (1, 0.0, 1.0, 2.0, 3.0)
        );
        // Twenty moves follow, 4 to 23.
        assert_eq!(at.moved.unwrap(), Band { median: 13.0, upper: 22.0 });
        assert_eq!(at.steered.len(), STRENGTHS.len());
        let place = |role| probes.iter().position(|p| p.role == role).unwrap();
        assert_eq!(at.steered[4].answered, [place(Role::Steered(4)) as f32]);
        assert_eq!(at.steered[4].aside.unwrap().median, (place(Role::Aside(4)) + 2) as f64);
    }
}
