//! `crosscoder`.

use super::{folder, say, shown, train};
use grokscope::crosscoder::{CrosscoderConfig, CrosscoderResult, LatentClass, null_of, pick_sources};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::record::{Archive, UserError};
use std::path::Path;

/// Fits `config` to the checkpoints of `run` and writes the result's files to `out`.
pub fn run(mut config: CrosscoderConfig, run: &Archive, null: bool, engine: EngineWish, out: &Path) -> Result<(), UserError> {
    if out.join("summary.json").exists() {
        return Err(UserError::new(format!("{} already holds a result", shown(out)), "Name another folder or remove that one"));
    }
    let saved: Vec<u32> = run.checkpoints.iter().map(|c| c.step).collect();
    if config.sources.is_empty() {
        config.sources = pick_sources(&run.rows, &saved)?;
    }
    if null {
        config = null_of(&config);
    }
    let checkpoints = run.checkpoints.iter().filter(|c| config.sources.contains(&c.step)).cloned().collect();
    let bar = train::progress(u64::from(config.steps), "update");
    let (mut result, mut trouble): (Option<CrosscoderResult>, Option<UserError>) = (None, None);
    let ask = Command::Fit { config, experiment: run.experiment.clone(), checkpoints, engine };
    converse(vec![ask], Vec::new(), |event| match event {
        Event::FitProgress { row, .. } => bar.set_position(u64::from(row.step)),
        Event::FitDone(outcome) => result = Some((*outcome).into()),
        Event::Error(error) | Event::Crashed(error) => {
            trouble.get_or_insert(error);
        }
        _ => {}
    });
    bar.finish_and_clear();
    let result = match (result, trouble) {
        (Some(result), None) => result,
        (_, Some(error)) => return Err(error),
        (None, None) => {
            return Err(UserError::new("The engine ended without a result", "Try the other engine"));
        }
    };
    folder::write(out, result.to_files()?)?;
    print(&result);
    Ok(())
}

fn print(result: &CrosscoderResult) {
    let steps: Vec<String> = result.sources.iter().map(|s| s.step.to_string()).collect();
    let variance: Vec<String> = result.explained_variance.iter().map(|v| format!("{v:.3}")).collect();
    say(&format!("sources {}  explained variance (held out) {}  L0 {:.1}", steps.join(" / "), variance.join(" / "), result.l0));
    say(&format!(
        "alive {}  shared {}  emergent {} ({} confirmed)  vanished {}  residue energy share {:.2}",
        result.alive, result.shared, result.emergent, result.emergent_confirmed, result.vanished, result.residue_energy_share
    ));
    let [stable, rotated, transient, recurrent] =
        [LatentClass::Stable, LatentClass::Rotated, LatentClass::Transient, LatentClass::Recurrent]
            .map(|class| result.count(class));
    say(&format!(
        "of the shared {stable} stable, {rotated} rotated  transient {transient}  recurrent {recurrent}  twins {}",
        result.twins.len()
    ));
    say(&format!("{:.1} s", result.wall_seconds));
}
