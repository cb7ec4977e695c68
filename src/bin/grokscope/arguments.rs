//! What may be asked at the terminal. The comments here are the help that it prints.

use clap::{Parser, Subcommand, ValueEnum};
use grokscope::engine::capability::EngineWish;
use std::path::PathBuf;

/// A laboratory for grokking: runs experiments, fits crosscoders, checks fingerprints.
#[derive(Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    /// What is to be done.
    pub command: Task,
}

#[derive(Subcommand)]
pub enum Task {
    /// List the presets, or print one as JSON
    Presets {
        /// Preset to print
        name: Option<String>,
    },
    /// Print the JSON Schema of an experiment or a crosscoder fit
    Schema {
        /// Which format
        #[arg(default_value = "experiment")]
        format: Format,
    },
    /// Train, and write the run to a folder
    Run {
        #[command(flatten)]
        asked: Asked,
        /// Make this many updates instead of the experiment's
        #[arg(long)]
        steps: Option<u32>,
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Train again and compare with the fingerprint of a run's folder
    Verify {
        /// Folder of a run
        dir: PathBuf,
    },
    /// Fit a crosscoder to the checkpoints of a run
    Crosscoder {
        #[command(flatten)]
        asked: Asked,
        /// Folder of the run
        #[arg(long)]
        run: PathBuf,
        /// A further run of the same inputs, as FOLDER or FOLDER@STEP,STEP; without steps they are picked from its curves
        #[arg(long)]
        also: Vec<String>,
        /// Make a null of it, where nothing of the kind is to be found: repeated (the default), shuffled_pairs, untrained or
        /// permuted_labels
        #[arg(long, value_name = "KIND", num_args = 0..=1, require_equals = true, default_missing_value = "repeated")]
        null: Option<String>,
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Train, fit a crosscoder with its controls, and write the report: the whole story by one command
    Atlas {
        #[command(flatten)]
        asked: Asked,
        /// Seed of the fits
        #[arg(long, default_value_t = 0)]
        fit_seed: u64,
        /// Make every null, not only the repeated checkpoint
        #[arg(long)]
        nulls: bool,
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Set fits of one run on one frontier of error against sparsity, with principal components and plane waves
    Frontier {
        /// Folders of the fits, of the same checkpoints
        #[arg(required = true)]
        fits: Vec<PathBuf>,
    },
    /// Fit a crosscoder to activations of any network, from a safetensors file (docs/python.md)
    External {
        #[command(flatten)]
        asked: Asked,
        /// File with one tensor per source
        #[arg(long)]
        activations: PathBuf,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Say of a dictionary from elsewhere what a fit would say, on a run or on activations from a file
    Dictionary {
        #[command(flatten)]
        asked: Asked,
        /// Folder of a fit, or a safetensors file in one of the known layouts
        #[arg(long)]
        dictionary: PathBuf,
        /// Folder of the run that it is put on
        #[arg(long, required_unless_present = "activations", conflicts_with = "activations")]
        run: Option<PathBuf>,
        /// File with one tensor per source that it is put on instead
        #[arg(long)]
        activations: Option<PathBuf>,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a dictionary as one SAELens folder per source
    Saelens {
        /// Folder of a fit, or a safetensors file in one of the known layouts
        dictionary: PathBuf,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Print an experiment's share link
    Link {
        /// Experiment file (JSON), or the folder of a run
        file: PathBuf,
    },
    /// Print the experiment in a share link
    Open {
        /// The link, or the part after #
        link: String,
    },
    /// Pack a run's folder into one archive
    Export {
        /// Folder of a run
        dir: PathBuf,
        /// Archive to write, NAME.grok.zip
        archive: PathBuf,
    },
    /// Unpack an archive into a folder
    Import {
        /// Archive to read
        archive: PathBuf,
        /// Folder to write
        dir: PathBuf,
    },
    /// Train a run again with a change at one of its steps: the same up to there, another from there on
    Branch {
        /// Folder of the run
        dir: PathBuf,
        /// Step at which the change is made
        #[arg(long)]
        at: u32,
        /// The change, e.g. "set optimizer.weight_decay 0"; can be repeated
        #[arg(long = "change", required = true, value_name = "CHANGE")]
        changes: Vec<String>,
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Compare a control with its arms over seeds
    Race {
        /// Race file (JSON)
        #[arg(required_unless_present = "preset", conflicts_with = "preset")]
        file: Option<PathBuf>,
        /// Start from a preset; `grokscope races` lists them
        #[arg(long)]
        preset: Option<String>,
        /// Measures to take of every run; all runs then make the whole budget
        #[arg(long, value_delimiter = ',')]
        measures: Vec<String>,
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
        /// Folder to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Take measures of every checkpoint of a run; adds measures.csv and measures.json to its folder
    Measure {
        /// Folder of a run
        dir: PathBuf,
        /// Only these measures; all that read weights and activations by default
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Those that ask for gradients hundreds of times too
        #[arg(long, conflicts_with = "only")]
        all: bool,
    },
    /// Which measure says beforehand that a run will generalise, over seeds and against controls that never do
    Forewarn {
        #[command(flatten)]
        asked: Asked,
        /// What makes the controls never generalise; can be repeated
        #[arg(long, default_value = "optimizer.weight_decay=0", value_name = "PATH=VALUE")]
        never: Vec<String>,
        /// Runs, and controls
        #[arg(long, default_value_t = 8)]
        seeds: u64,
    },
    /// Draw columns of one or several runs over steps into an SVG document
    Figure {
        /// Folders of runs; with several, the line is their median and the ground reaches from the least to the largest
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
        /// Columns of metrics.csv or measures.csv
        #[arg(long, value_delimiter = ',', default_value = "train_loss,test_loss")]
        columns: Vec<String>,
        /// Logarithmic steps
        #[arg(long)]
        log_x: bool,
        /// Logarithmic values
        #[arg(long)]
        log_y: bool,
        /// Document to write, NAME.svg
        #[arg(long)]
        out: PathBuf,
    },
    /// List the theory panels, or compute one: what an equation says, held against a measurement
    Theory {
        /// Panel to compute
        name: Option<String>,
        /// Change one setting; can be repeated
        #[arg(long = "set", value_name = "PATH=VALUE", requires = "name")]
        set: Vec<String>,
        /// Work the panel's survey out instead: phase planes and ensembles, which take minutes
        #[arg(long, requires = "name")]
        survey: bool,
        /// Ask of a run instead: which panels speak of it, why the others do not, and what they say
        #[arg(long, conflicts_with = "name")]
        run: Option<PathBuf>,
        /// Where networks of a survey train
        #[arg(long, value_enum, default_value = "cpu")]
        engine: Wish,
        /// Folder to write: outcome.json, numbers.csv, and each figure and its residuals as SVG and CSV
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// List the measures, or say what one is
    Measures {
        /// Measure to explain
        name: Option<String>,
    },
    /// List the races, or print one as JSON
    Races {
        /// Race to print
        name: Option<String>,
    },
    /// Repeat published numbers over several seeds and print a table
    Reproduce {
        /// Only rows whose name or preset contains this
        #[arg(long)]
        only: Option<String>,
        /// Seeds per row instead of five
        #[arg(long)]
        seeds: Option<u64>,
    },
    /// Compare fits with other seeds: whether they find the same latents, and give them the same class
    Agree {
        /// Folders of fits; the first is compared with the others
        #[arg(required = true, num_args = 2..)]
        fits: Vec<PathBuf>,
    },
    /// Write a fit as one self-contained HTML page: what was born when, how sure, what it does, what could still be wrong
    Report {
        /// Folder of the run
        run: PathBuf,
        /// Folder of the fit; with more of them, the others are its controls: a null fit, other seeds
        #[arg(long = "fit", required = true)]
        fits: Vec<PathBuf>,
        /// Document to write, NAME.html
        #[arg(long)]
        out: PathBuf,
    },
    /// Fit every crosscoder variant to data whose features are known, and print what each finds
    Planted {
        /// Seeds per row
        #[arg(long, default_value_t = 3)]
        seeds: u64,
        /// Only variants whose name contains this
        #[arg(long)]
        only: Option<String>,
    },
    /// Time an update of each preset on this machine
    Bench {
        /// Engine
        #[arg(long, default_value = "cpu")]
        engine: Wish,
    },
}

#[derive(clap::Args)]
pub struct Asked {
    /// Configuration file (JSON)
    #[arg(required_unless_present = "preset", conflicts_with = "preset")]
    pub file: Option<PathBuf>,
    /// Start from a preset
    #[arg(long)]
    pub preset: Option<String>,
    /// Change one value; can be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Experiment,
    Crosscoder,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Wish {
    Cpu,
    Gpu,
}

impl From<Wish> for EngineWish {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Cpu => Self::Cpu,
            Wish::Gpu => Self::Gpu,
        }
    }
}
