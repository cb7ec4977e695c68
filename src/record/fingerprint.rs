//! One short hash over what was asked and what came out, so that two runs on two machines can be compared by eye.
//!
//! A chain of SHA-256: first over the experiment's compact JSON with an empty name, then over the previous hash and one
//! checkpoint at a time, so that a run that went on after a crash ends with the same fingerprint. Metrics are left out: they
//! follow from the weights. The logging schedule is in, because it decides which checkpoints there are.

use super::{UserError, Weights};
use crate::experiment::{Experiment, edit};
use sha2::{Digest, Sha256};

/// A fingerprint under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Starts with the experiment. Its `name` does not count, nor its timeline: its lines are added as they take effect, so that a
    /// change made by hand in the middle of a run and its replay from a link agree.
    pub fn new(experiment: &Experiment) -> Self {
        let unnamed = Experiment { name: String::new(), timeline: Vec::new(), ..experiment.clone() };
        Self(Sha256::digest(edit::json(&unnamed).to_string()).into())
    }

    /// Adds the checkpoint of `step`. Call in ascending order of steps; the order of the tensors does not matter.
    ///
    /// Hashed after the previous hash, all little-endian: step u32; per tensor, by name: length of the name u32, name, number
    /// of axes u32, sizes u32, values f32.
    pub fn add(&mut self, step: u32, weights: &Weights) {
        let mut hash = Sha256::new_with_prefix(self.0);
        hash.update(step.to_le_bytes());
        let mut tensors: Vec<_> = weights.tensors.iter().collect();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        for tensor in tensors {
            hash.update((tensor.name.len() as u32).to_le_bytes());
            hash.update(&tensor.name);
            hash.update((tensor.shape.len() as u32).to_le_bytes());
            for size in &tensor.shape {
                hash.update((*size as u32).to_le_bytes());
            }
            let bytes: Vec<u8> = tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        self.0 = hash.finalize().into();
    }

    /// Adds the lines of the timeline that took effect from `from` on and before `to`: call before [`Fingerprint::add`] of `to`,
    /// with the checkpoint before as `from`. Lines that no checkpoint follows leave no trace in the weights and do not count.
    pub fn add_lines(&mut self, experiment: &Experiment, from: u32, to: u32) {
        for entry in experiment.entries().iter().filter(|entry| (from..to).contains(&entry.from)) {
            self.0 = Sha256::new_with_prefix(self.0).chain_update(entry.to_string()).finalize().into();
        }
    }

    /// The fingerprint so far: 16 hex digits.
    pub fn hex(&self) -> String {
        self.0.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// The whole chain so far, for a resume point: 64 hex digits.
    pub fn state(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Goes on from [`Fingerprint::state`].
    ///
    /// # Errors
    /// If `state` is not 64 hex digits.
    pub fn from_state(state: &str) -> Result<Self, UserError> {
        let mut chain = [0u8; 32];
        let is_hex = state.len() == 64 && state.bytes().all(|b| b.is_ascii_hexdigit());
        for (i, byte) in chain.iter_mut().enumerate() {
            let digits = state.get(2 * i..2 * i + 2).filter(|_| is_hex);
            *byte = digits
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| UserError::new("The resume point holds no fingerprint", "Start from the beginning"))?;
        }
        Ok(Self(chain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{preset, with_value};
    use crate::record::NamedTensor;

    fn weights(values: &[f32]) -> Weights {
        let tensor =
            |name: &str, values: &[f32]| NamedTensor { name: name.into(), shape: vec![values.len()], values: values.into() };
        Weights { tensors: vec![tensor("w_out", &values[..1]), tensor("w_in", &values[1..])] }
    }

    fn of(path: &str, text: &str, checkpoints: &[(u32, &[f32])]) -> String {
        let experiment = with_value(&preset("quadratic-31").unwrap().experiment, path, text).unwrap();
        let mut fingerprint = Fingerprint::new(&experiment);
        checkpoints.iter().for_each(|(step, values)| fingerprint.add(*step, &weights(values)));
        fingerprint.hex()
    }

    #[test]
    fn a_name_does_not_count_and_everything_else_does() {
        let base = of("name", "quadratic-31", &[(0, &[1.0, 2.0, 3.0])]);
        assert_eq!(base.len(), 16);
        assert_eq!(of("name", "mine", &[(0, &[1.0, 2.0, 3.0])]), base);
        assert_ne!(of("seed", "1", &[(0, &[1.0, 2.0, 3.0])]), base);
        assert_ne!(of("logging.checkpoint_every", "6", &[(0, &[1.0, 2.0, 3.0])]), base);
        assert_ne!(of("seed", "0", &[(1, &[1.0, 2.0, 3.0])]), base);
        assert_ne!(of("seed", "0", &[(0, &[1.0, 2.0, 3.000_000_2])]), base);
        assert_ne!(of("seed", "0", &[(0, &[1.0, 2.0, 3.0]), (1, &[1.0, 2.0, 3.0])]), base);
    }

    #[test]
    fn the_order_of_tensors_does_not_count() {
        let experiment = &preset("quadratic-31").unwrap().experiment;
        let (mut one, mut other) = (Fingerprint::new(experiment), Fingerprint::new(experiment));
        let mut turned = weights(&[1.0, 2.0]);
        one.add(3, &turned);
        turned.tensors.reverse();
        other.add(3, &turned);
        assert_eq!(one.hex(), other.hex());
    }

    #[test]
    fn a_chain_that_was_interrupted_ends_the_same() {
        let mut whole = Fingerprint::new(&preset("quadratic-31").unwrap().experiment);
        whole.add(0, &weights(&[1.0, 2.0]));
        let mut resumed = Fingerprint::from_state(&whole.state()).unwrap();
        whole.add(1, &weights(&[1.5, 2.5]));
        resumed.add(1, &weights(&[1.5, 2.5]));
        assert_eq!(resumed.hex(), whole.hex());
        for broken in ["", "00", &"é".repeat(32), &"+1".repeat(32), &"0".repeat(65)] {
            assert!(Fingerprint::from_state(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        // Reference: Python's hashlib over the JSON and struct.pack of the documented fields.
        assert_eq!(of("seed", "0", &[(0, &[1.0, 2.0, 3.0])]), "391b69c9cac8ab39");
    }
}
