//! Repeats published numbers and writes the table that the README points to.
//!
//! It takes half an hour and its numbers belong to a machine and a build, so it is no test: the table says what came out, misses
//! included, and when a change of the code moves it, the difference stands in the commit.

use crate::bench::{processor, program};
use crate::command::{output, root};
use anyhow::{Context as _, Result};
use std::fs;
use std::process::Command;

const FILE: &str = "docs/reproduction.md";

const HEAD: &str = "# Published numbers, repeated here

Made by `cargo xtask reproduce` (`grokscope reproduce --only PART` repeats single rows). Each row is a preset of Grokscope, some with
a change, trained over the seeds 0 to 4 on the CPU engine. Steps are optimiser updates. *Band* is what was decided beforehand to
count as a repetition; *never* means that the date must not be reached within the budget. A date is the median over seeds; those
that were not reached count as later than all others. *Independent C program* stands for measurements made with a separate
program in single precision while Grokscope was planned, one to three seeds each. Misses are listed like hits.
";

const PLANTED_FILE: &str = "docs/planted.md";

const PLANTED_HEAD: &str = "# Crosscoders on planted data

Made by `cargo xtask reproduce` (`grokscope planted --only PART` repeats single rows): every sparsity rule and mask on data whose
features are known, x = Σ a·g·u + noise, so that a reader knows what a birth in a figure of this variant is worth. A feature counts
as found if a latent of its own has its direction (cosine above .9 where it is strongest) and is present exactly where it is (relative
norm of at least .5). *Birth error* is the mean distance, in checkpoints, between planted and found births. A feature that is
*weak at first* has a third of its strength there: a rule that shrinks shows less than .3. *L0* is to be compared with the true
mean number of active features, 1.9 with two checkpoints and 1.6 with six.
";

/// Runs everything (or the rows whose name contains `only`, without writing a file) and prints the table.
///
/// # Errors
/// If the command line does not build or a run fails.
pub fn run(only: Option<&str>) -> Result<()> {
    let program = program()?;
    let mut command = Command::new(&program);
    command.arg("reproduce");
    if let Some(part) = only {
        command.args(["--only", part]);
    }
    let table = output(command)?;
    println!("{table}");
    if only.is_none() {
        let machine = processor();
        let file = root().join(FILE);
        fs::create_dir_all(file.parent().unwrap_or(root()))?;
        fs::write(&file, format!("{HEAD}\nMachine: {machine}.\n\n{table}")).with_context(|| format!("cannot write {FILE}"))?;
        println!("Written to {FILE}");
        let mut command = Command::new(program);
        command.arg("planted");
        let table = output(command)?;
        println!("{table}");
        let text = format!("{PLANTED_HEAD}{table}");
        fs::write(root().join(PLANTED_FILE), text).with_context(|| format!("cannot write {PLANTED_FILE}"))?;
        println!("Written to {PLANTED_FILE}");
    }
    Ok(())
}
