//! Where a result is from, if it is more than a fit to checkpoints of the run beside it.
//!
//! Without it a dictionary that somebody else fitted would be shown with settings that nobody asked for, and activations of a
//! network that was never here would be drawn over the inputs of whatever run is on the page. What is known of foreign rows
//! travels with the result, because no experiment can make them again.

use super::null::Null;
use super::result::CrosscoderResult;
use crate::experiment::Experiment;
use crate::record::UserError;
use crate::task::{Dataset, Row, Sizes};
use serde::{Deserialize, Serialize};

/// Something that came as a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Fitted here to activations of a network that is not.
    Activations(ForeignRows),
    /// Fitted elsewhere.
    Dictionary {
        /// Name of the file.
        file: String,
        /// How it was written, see `interop::Layout`.
        layout: String,
        /// Which latents fire, see `interop::Nonlinearity`.
        rule: String,
        /// What it was judged on, if that is not the run.
        on: Option<ForeignRows>,
    },
}

/// The file of activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignRows {
    /// Its name.
    pub file: String,
    /// Names of the sources, in order.
    pub names: Vec<String>,
    /// What it says of its rows.
    pub rows: KnownRows,
}

/// What is known of rows that no task made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KnownRows {
    /// Number of rows.
    pub count: usize,
    /// Class of each row, `[rows]`.
    pub labels: Option<Vec<u16>>,
    /// Inputs a and b of each row, `[rows]`.
    pub inputs: Option<Vec<(u16, u16)>>,
    /// Whether the network was trained on the row, `[rows]`.
    pub train_mask: Option<Vec<bool>>,
}

impl KnownRows {
    /// The rows as a data set. Without labels there is one class, without inputs there are no tokens, and without a mask all
    /// rows are training rows.
    pub fn dataset(&self) -> Dataset {
        let row = |index: usize| {
            let (a, b) = self.inputs.as_ref().and_then(|inputs| inputs.get(index)).copied().unwrap_or_default();
            Row { a, b, label: self.labels.as_ref().and_then(|labels| labels.get(index)).copied().unwrap_or_default() }
        };
        let rows: Vec<Row> = (0..self.count).map(row).collect();
        let train_mask = self.train_mask.clone().unwrap_or_else(|| vec![true; self.count]);
        let (train, test): (Vec<u32>, Vec<u32>) =
            (0..self.count as u32).partition(|&row| train_mask.get(row as usize).copied().unwrap_or(true));
        let largest = |value: fn(&Row) -> u16| rows.iter().map(value).max().map_or(1, |largest| u32::from(largest) + 1);
        let tokens = if self.inputs.is_some() { largest(|row| row.a.max(row.b)) } else { 0 };
        Dataset {
            sizes: Sizes { rows: self.count as u32, tokens, width: 0, classes: largest(|row| row.label) },
            operation: "external".into(),
            train_labels: train.iter().map(|&row| rows[row as usize].label).collect(),
            rows,
            train,
            test,
            train_mask,
            ..Dataset::default()
        }
    }
}

impl CrosscoderResult {
    /// The file whose rows this was judged on; `None` where they are those of the run.
    pub fn foreign_rows(&self) -> Option<&ForeignRows> {
        match self.origin.as_ref()? {
            Origin::Activations(rows) => Some(rows),
            Origin::Dictionary { on, .. } => on.as_ref(),
        }
    }

    /// The rows of its activations: those of the file, or those of the run's `experiment`.
    ///
    /// # Errors
    /// If the experiment has no rows.
    pub fn dataset(&self, experiment: &Experiment) -> Result<Dataset, UserError> {
        self.foreign_rows().map_or_else(|| Dataset::new(&experiment.task, experiment.seed), |of| Ok(of.rows.dataset()))
    }

    /// Why its settings and the run do not suffice to make it again; `None` if they do.
    pub fn beyond_its_settings(&self) -> Option<String> {
        let file = match &self.origin {
            Some(Origin::Activations(of)) => Some(&of.file),
            Some(Origin::Dictionary { file, .. }) => Some(file),
            None => None,
        };
        if let Some(file) = file {
            return Some(format!("the file {file}"));
        }
        if self.config.null == Null::Untrained {
            // Their sources are drawn and not read.
            return None;
        }
        let mut others: Vec<&str> =
            self.sources.iter().filter(|source| !source.is_own()).filter_map(|source| source.run.as_deref()).collect();
        others.dedup();
        (!others.is_empty()).then(|| format!("the further runs ({})", others.join(", ")))
    }

    /// Whether `other` was judged on the same rows, so that activations can be compared input by input.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        self.foreign_rows().map(|of| &of.rows) == other.foreign_rows().map(|of| &of.rows)
    }
}

/// A name for what came in `file`: its stem in lower case, with `-` for whatever a folder's name may not have.
pub fn name_after(file: &str) -> String {
    const LONGEST: usize = 32;
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file).split('.').next().unwrap_or_default().to_lowercase();
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(LONGEST).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "imported".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::super::fields::own_errors;
    use super::super::presets::crosscoder_presets;
    use super::*;

    #[test]
    fn names_of_files_become_names_of_folders() {
        for (file, name) in [
            ("Births (2).safetensors", "births-2"),
            ("C:\\fits\\weights.safetensors", "weights"),
            ("…", "imported"),
            ("sae_weights.safetensors", "sae-weights"),
        ] {
            assert_eq!(name_after(file), name);
        }
        let long = name_after(&"x".repeat(300));
        let config = crate::crosscoder::CrosscoderConfig { name: long, ..crosscoder_presets()[0].config.clone() };
        assert_eq!(own_errors(&config), []);
    }

    #[test]
    fn rows_of_different_files_are_not_compared() {
        let result = |count: usize| {
            let of = ForeignRows { file: "x".into(), names: Vec::new(), rows: KnownRows { count, ..KnownRows::default() } };
            let empty = serde_json::json!({"config": crosscoder_presets()[0].config, "sources": [], "curves": [],
                "explained_variance": [], "l0": 0, "l0_quantiles": [0, 0], "alive": 0, "shared": 0, "emergent": 0,
                "emergent_confirmed": 0, "vanished": 0, "residue_energy_share": 0, "latents": [], "wall_seconds": 0});
            let plain: CrosscoderResult = serde_json::from_value(empty).unwrap();
            CrosscoderResult { origin: (count > 0).then_some(Origin::Activations(of)), ..plain }
        };
        assert!(result(5).has_rows_of(&result(5)) && result(0).has_rows_of(&result(0)));
        assert!(!result(5).has_rows_of(&result(6)) && !result(5).has_rows_of(&result(0)));
        // What is known of the rows goes through a file.
        let json = serde_json::to_string(&result(5)).unwrap();
        assert_eq!(serde_json::from_str::<CrosscoderResult>(&json).unwrap(), result(5));
    }
}
