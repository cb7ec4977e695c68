//! Races worth running first, each with its source and what to expect.
//!
//! A race of one's own needs a control, fair arms and a budget that separates them; these show how one is set up and answer
//! questions that people come with. What to expect is what was measured here; what was published on other networks is said to
//! be so.

use super::config::{Arm, Criterion, RACE_SCHEMA, RaceConfig};
use crate::experiment::{Experiment, preset, with_value};
use crate::record::UserError;
use std::sync::LazyLock;

/// A known race.
#[derive(Debug, Clone, PartialEq)]
pub struct RacePreset {
    /// Name on the command line.
    pub name: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// What is run.
    pub config: RaceConfig,
    /// Where the arms come from.
    pub source: &'static str,
    /// What others have found, or why nothing is known.
    pub expected: &'static str,
    /// What it costs.
    pub cost: &'static str,
}

/// All race presets.
pub fn race_presets() -> &'static [RacePreset] {
    &PRESETS
}

/// The race preset called `name`.
///
/// # Errors
/// An unknown name is answered with the list.
pub fn race_preset(name: &str) -> Result<&'static RacePreset, UserError> {
    race_presets().iter().find(|p| p.name == name).ok_or_else(|| {
        let all: Vec<&str> = race_presets().iter().map(|p| p.name).collect();
        UserError::new(format!("There is no race called \"{name}\""), format!("Use one of {}", all.join(", ")))
    })
}

/// A race preset as it is written down.
struct Row {
    name: &'static str,
    title: &'static str,
    question: &'static str,
    /// The experiment preset that the control derives from, and its changes.
    from: &'static str,
    edits: &'static [&'static str],
    arms: &'static [(&'static str, &'static [&'static str])],
    /// The arm with a matched control, if any.
    matched: &'static str,
    steps: u32,
    count_source: bool,
    measures: &'static [&'static str],
    source: &'static str,
    expected: &'static str,
    cost: &'static str,
}

/// Eight: the fewest with which all but one in agreement still has a p below .1, and all in agreement one below .01.
const SEEDS: std::ops::Range<u64> = 0..8;

static PRESETS: LazyLock<Vec<RacePreset>> = LazyLock::new(|| {
    // A row that cannot be made is left out; a test counts them.
    ROWS.iter().filter_map(|row| row.made().ok()).collect()
});

impl Row {
    fn made(&self) -> Result<RacePreset, UserError> {
        let mut experiment: Experiment = preset(self.from)?.experiment.clone();
        for (path, text) in self.edits.iter().filter_map(|edit| edit.split_once('=')) {
            experiment = with_value(&experiment, path, text)?;
        }
        let arm = |&(name, edits): &(&str, &[&str])| Arm {
            name: name.into(),
            edits: edits.iter().map(|edit| (*edit).to_owned()).collect(),
            matched_rate: name == self.matched,
        };
        Ok(RacePreset {
            name: self.name,
            title: self.title,
            question: self.question,
            config: RaceConfig {
                schema: RACE_SCHEMA,
                name: self.name.into(),
                experiment,
                arms: self.arms.iter().map(arm).collect(),
                seeds: SEEDS.collect(),
                steps: self.steps,
                count_source: self.count_source,
                criterion: Criterion::TGen,
                measures: self.measures.iter().map(|name| (*name).to_owned()).collect(),
            },
            source: self.source,
            expected: self.expected,
            cost: self.cost,
        })
    }
}

const ROWS: &[Row] = &[SPEED_UPS, WEIGHT_DECAY, DATA_ORDER, LENGTH, TRANSFER, EARLY_WARNING];

// Medians quoted below are updates until test accuracy .95 held, on the native CPU engine with seeds 0 to 7.

const SPEED_UPS: Row = Row {
    name: "speed-ups",
    title: "Published speed-ups",
    question: "Which of the published ways to grok sooner beats AdamW, and which beats AdamW with a larger learning rate?",
    from: "quadratic-31",
    edits: &[],
    arms: &[
        ("AdamW, rate 0.03", &["optimizer.learning_rate=0.03"]),
        ("Grokfast-EMA", &["training.grokfast=ema", "training.grokfast_alpha=0.8", "training.grokfast_lambda=1"]),
        ("⊥Grad", &["training.orthogonal_gradient=true", "optimizer.learning_rate=0.005", "optimizer.weight_decay=0"]),
        ("Muon", &["optimizer.name=muon", "optimizer.learning_rate=0.3", "optimizer.weight_decay=0.5"]),
        ("norm clamp", &["training.norm_clamp=1.5", "optimizer.learning_rate=0.02", "optimizer.weight_decay=0"]),
    ],
    matched: "Grokfast-EMA",
    steps: 300,
    count_source: true,
    measures: &[],
    source: "Lee et al. 2024 (arXiv 2405.20233), Prieto et al. 2025 (arXiv 2501.04697), Jordan et al. 2024 (Muon), Liu et al. 2023 \
             (Omnigrok, arXiv 2210.01117). Rate, decay and filter of each arm are the best of a handful that were tried on two \
             seeds of the landing experiment",
    expected: "Measured, eight seeds, medians: control 106, rate .03 58, Grokfast 120, ⊥Grad 69, Muon 88, clamp 103, control at \
               twice the rate 73. A larger rate beats every method here. Published factors (50 for Grokfast, 1.5 for Muon) are \
               against other baselines, Grokfast's against Adam without weight decay",
    cost: "56 runs of 300 updates: about half a minute on one core natively, one or two in a browser",
};

const WEIGHT_DECAY: Row = Row {
    name: "weight-decay",
    title: "Weight decay",
    question: "Does twice the weight decay halve the wait?",
    from: "quadratic-31",
    edits: &[],
    arms: &[
        ("decay 1", &["optimizer.weight_decay=1"]),
        ("decay 2", &["optimizer.weight_decay=2"]),
        ("decay 10", &["optimizer.weight_decay=10"]),
        ("decay 20", &["optimizer.weight_decay=20"]),
    ],
    matched: "",
    steps: 700,
    count_source: true,
    measures: &[],
    source: "The landing experiment, whose decay is 5; the time of the grok goes as 1/decay in a middle window (Power et al. 2022, \
             arXiv 2201.02177; Nanda et al. 2023, arXiv 2301.05217)",
    expected: "Measured, eight seeds, medians: decay 1 554, 2 265, 5 (control) 106, 10 112; with 20 no run got there in 700 \
               updates. So the wait halves up to about 5 and no further",
    cost: "40 runs of 700 updates: about a minute on one core natively, two or more in a browser",
};

const DATA_ORDER: Row = Row {
    name: "data-order",
    title: "Order of the data",
    question: "Does it matter which half of the rows comes first?",
    from: "quadratic-31",
    edits: &[],
    arms: &[
        ("random half first", &["curriculum.share=0.5", "timeline=0-60 ramp curriculum.share 1"]),
        (
            "small numbers first",
            &["curriculum.share=0.5", "curriculum.order=small_first", "timeline=0-60 ramp curriculum.share 1"],
        ),
        ("diagonal first", &["curriculum.share=0.5", "curriculum.order=diagonal_first", "timeline=0-60 ramp curriculum.share 1"]),
        ("answer by answer", &["curriculum.share=0.5", "curriculum.order=label_first", "timeline=0-60 ramp curriculum.share 1"]),
    ],
    matched: "",
    steps: 300,
    count_source: true,
    measures: &[],
    source: "Curricula of Grokscope: half of the training rows at first, all of them after 60 updates; the control has all rows \
             from the start",
    expected: "No published comparison with seeds was found. Measured, eight seeds, medians: control 106, random half 128, small \
               numbers 110, diagonal 128, answer by answer 110. Compare the orders with \"random half first\": it has the same \
               number of rows at every step",
    cost: "40 runs of 300 updates: about half a minute on one core natively, a minute or more in a browser",
};

const LENGTH: Row = Row {
    name: "sparse-parity-length",
    title: "Short inputs first",
    question: "Does a parity on 10 bits teach the parity on 40?",
    from: "quadratic-31",
    edits: &[
        "task.operation=parity",
        "task.bits=40",
        "task.relevant=3",
        "task.samples=2000",
        "task.train_fraction=0.5",
        "model.activation=relu",
        "model.width=200",
        "model.bias=true",
        "loss=hinge",
        "optimizer.name=sgd",
        "optimizer.learning_rate=0.1",
        "optimizer.weight_decay=0.01",
        "batch_size=32",
        "logging.evaluate_every=50",
        "logging.checkpoint_every=2000",
    ],
    arms: &[
        ("10, then 40 bits", &["task.active_bits=10", "timeline=500 set task.active_bits 0"]),
        ("10, 20, then 40 bits", &["task.active_bits=10", "timeline=250 set task.active_bits 20; 500 set task.active_bits 0"]),
        ("few −1 at first", &["task.bias=0.2", "timeline=500 set task.bias 0.5"]),
    ],
    matched: "",
    steps: 8000,
    count_source: true,
    measures: &[],
    source: "A length curriculum on sparse parity (hidden 200, rate .1, decay .01, batches of 32, 1,000 rows; public code reports 20 \
             instead of 292 epochs on 50 bits); inputs with few −1 at first after Cornacchia and Mossel 2023 (arXiv 2301.13833)",
    expected: "Measured, eight seeds, medians: control 5,600 (two runs never), 10 then 40 bits 600, by way of 20 bits 550, few −1 \
               first 1,050. Only accuracies on the full inputs count, so no arm can arrive before 500",
    cost: "32 runs of 8,000 small updates: half a minute on one core natively, one or two in a browser",
};

const TRANSFER: Row = Row {
    name: "transfer",
    title: "Addition helps subtraction",
    question: "Is a network that has learned to add sooner at subtracting?",
    from: "quadratic-31",
    edits: &["task.operation=sub"],
    arms: &[
        (
            "first layer of a grokked adder",
            &["stage.use=transplant", "stage.source=task.operation=add", "stage.steps=200", "stage.tensors=w_in"],
        ),
        (
            "first layer of a memorising adder",
            &["stage.use=transplant", "stage.source=task.operation=add", "stage.steps=20", "stage.tensors=w_in"],
        ),
        (
            "both layers of a grokked adder",
            &["stage.use=transplant", "stage.source=task.operation=add", "stage.steps=200", "stage.tensors=all"],
        ),
    ],
    matched: "",
    steps: 300,
    count_source: false,
    measures: &[],
    source: "Transfer of grokked embeddings between operations, after Furuta et al. 2024 (arXiv 2402.16726)",
    expected: "Measured, eight seeds, medians: control 112, grokked adder's first layer 41, memorising adder's 81, both layers 46. \
               On transformers frozen grokked modules are reported to help only some pairs of tasks. The adder's own updates are \
               not counted: the question is what it is worth once it is there",
    cost: "32 runs of 300 updates and 24 short ones before them: about half a minute on one core natively",
};

const EARLY_WARNING: Row = Row {
    name: "early-warning",
    title: "Early warning",
    question: "Which measure says beforehand that a network will understand, and stays quiet when it will not?",
    from: "quadratic-31",
    edits: &["logging.checkpoint_every=10"],
    arms: &[("too little data", &["task.train_fraction=0.15"]), ("no decay", &["optimizer.weight_decay=0"])],
    matched: "",
    steps: 300,
    count_source: true,
    measures: &["descent", "spectrum", "restricted_loss", "key_neurons", "trig_fit", "norms", "margin", "ranks", "probes"],
    source: "Protocol of Grokscope: an alarm may be raised by at most a tenth of the runs that never grok, and only its first \
             crossing counts. Two kinds of controls, so that a measure cannot pass by telling data sets or norms apart",
    expected: "Measured, eight seeds, medians of the lead (share of the wait that was still to come): participation ratio of the \
               input weights .80 and of the neurons .84, read-out of a − b .81 and of a + b .72, cosines in the logits .72, mean \
               margin of the test rows .32. Norm of the weights, norm of the gradient and training margins warned of nothing, as \
               in the one public comparison of such rules, where every rule on the norm failed",
    cost: "24 runs of 300 updates, and nine measures at each of their 37 checkpoints: about a minute on one core natively, two or \
           three in a browser",
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_race_preset_can_be_made_and_run() {
        for row in ROWS {
            if let Err(error) = row.made() {
                panic!("{}: {error}", row.name);
            }
        }
        assert_eq!(race_presets().len(), ROWS.len());
        for preset in race_presets() {
            if let Err(errors) = preset.config.validate() {
                panic!("{}: {errors:?}", preset.name);
            }
        }
    }

    #[test]
    fn every_edit_of_an_arm_changes_what_is_run() {
        for RacePreset { name, config, .. } in race_presets() {
            let entrants = config.entrants().unwrap();
            let runs: Vec<Experiment> = entrants
                .iter()
                .map(|e| Experiment { name: String::new(), ..config.experiments(e).unwrap()[0].clone() })
                .collect();
            for (index, run) in runs.iter().enumerate() {
                assert!(!runs[..index].contains(run), "{name}: \"{}\" is the same as another", entrants[index].name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_unknown_ones_are_answered_with_the_list() {
        let names: HashSet<&str> = race_presets().iter().map(|p| p.name).collect();
        assert_eq!(names.len(), race_presets().len());
        assert!(race_preset("speed").unwrap_err().remedy.contains("speed-ups"));
        assert_eq!(race_preset("transfer").unwrap().name, "transfer");
    }
}
