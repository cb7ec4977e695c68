//! `crosscoder`.

use super::{folder, say, shown, train};
use grokscope::crosscoder::causal::{Band, CausalResult, Effect, Single, agreement_of, rank_agreement_of};
use grokscope::crosscoder::{CrosscoderConfig, CrosscoderResult, LatentClass, Null, Origin, SourceInfo, null_of, pick_sources};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, OtherRun};
use grokscope::record::{Archive, UserError};
use std::path::Path;

/// Fits `config` to the checkpoints of `run` and writes the result's files to `out`.
pub fn run(
    mut config: CrosscoderConfig,
    run: &Archive,
    others: Vec<OtherRun>,
    null: Null,
    engine: EngineWish,
    out: &Path,
) -> Result<(), UserError> {
    check_free(out)?;
    let saved: Vec<u32> = run.checkpoints.iter().map(|c| c.step).collect();
    if config.sources.is_empty() {
        config.sources = pick_sources(&run.rows, &saved)?;
    }
    // A configuration may name a null as well, and has no sources to take it of until they are picked.
    let null = if null == Null::None { config.null } else { null };
    config = null_of(&config, null);
    // Here, where all saved steps are known: the engine gets only those that are asked for and would name the nearest of them.
    config.validate(&run.experiment, &saved)?;
    let checkpoints = run.checkpoints.iter().filter(|c| config.sources.contains(&c.step)).cloned().collect();
    let steps = config.steps;
    answer(Command::Fit { config, experiment: run.experiment.clone(), checkpoints, others, engine }, steps, out)
}

/// Refuses a folder that has a result.
pub fn check_free(out: &Path) -> Result<(), UserError> {
    if out.join("summary.json").exists() {
        return Err(UserError::new(format!("{} already holds a result", shown(out)), "Name another folder or remove that one"));
    }
    Ok(())
}

/// Has the engine make the fit of `steps` updates that `ask` asks for, and writes the result's files to `out`.
pub fn answer(ask: Command, steps: u32, out: &Path) -> Result<(), UserError> {
    let bar = train::progress(u64::from(steps), "update");
    let (mut result, mut trouble): (Option<CrosscoderResult>, Option<UserError>) = (None, None);
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

/// Reads further runs, each `FOLDER` or `FOLDER@STEP,STEP`.
pub fn others(named: &[String]) -> Result<Vec<OtherRun>, UserError> {
    named.iter().map(|text| other(text)).collect()
}

fn other(text: &str) -> Result<OtherRun, UserError> {
    let (path, steps) = text.rsplit_once('@').map_or((text, None), |(path, steps)| (path, Some(steps)));
    let run = folder::read(Path::new(path))?;
    let saved: Vec<u32> = run.checkpoints.iter().map(|c| c.step).collect();
    let steps = match steps {
        None => pick_sources(&run.rows, &saved)?,
        Some(steps) => steps.split(',').map(|step| step.trim().parse()).collect::<Result<Vec<u32>, _>>().map_err(|_| {
            UserError::new(format!("\"{steps}\" are no steps"), "Write them as numbers with commas, e.g. @250,600,1000")
        })?,
    };
    if let Some(missing) = steps.iter().find(|step| !saved.contains(step)) {
        let nearest = saved.iter().min_by_key(|step| step.abs_diff(*missing)).copied().unwrap_or_default();
        return Err(UserError::new(format!("{path} saved no checkpoint at step {missing}"), format!("Use {nearest}")));
    }
    let checkpoints = run.checkpoints.into_iter().filter(|c| steps.contains(&c.step)).collect();
    Ok(OtherRun { name: format!("seed {}", run.experiment.seed), experiment: run.experiment, checkpoints })
}

/// Prints what a fit found.
pub fn print(result: &CrosscoderResult) {
    let steps: Vec<String> = result.sources.iter().map(SourceInfo::label).collect();
    let variance: Vec<String> = result.explained_variance.iter().map(|v| format!("{v:.3}")).collect();
    // No file says which inputs a dictionary was not fitted to.
    let over = if matches!(result.origin, Some(Origin::Dictionary { .. })) { "all inputs" } else { "held out" };
    say(&format!("sources {}  explained variance ({over}) {}  L0 {:.1}", steps.join(" / "), variance.join(" / "), result.l0));
    if !result.l0_per_source.is_empty() {
        let l0: Vec<String> = result.l0_per_source.iter().map(|v| format!("{v:.1}")).collect();
        say(&format!("L0 of each source {}", l0.join(" / ")));
    }
    say(&format!(
        "alive {}  shared {}  emergent {} ({} confirmed)  vanished {}  residue energy share {:.2}",
        result.alive, result.shared, result.emergent, result.emergent_confirmed, result.vanished, result.residue_energy_share
    ));
    if !result.predicted.is_empty() {
        let shares: Vec<String> = result.predicted.iter().map(|v| format!("{v:.3}")).collect();
        say(&format!("each source predicted from the others {}", shares.join(" / ")));
    }
    let [stable, rotated, transient, recurrent] =
        [LatentClass::Stable, LatentClass::Rotated, LatentClass::Transient, LatentClass::Recurrent]
            .map(|class| result.count(class));
    say(&format!(
        "of the shared {stable} stable, {rotated} rotated  transient {transient}  recurrent {recurrent}  twins {}",
        result.twins.len()
    ));
    let null = result.null();
    if let Some(judged) = null.judge(result) {
        let verdict = if judged.holds { "as it must be".to_owned() } else { format!("NOT as it must be: {}", null.otherwise()) };
        say(&format!("null ({}) must show {}", null.title(), null.must_show()));
        say(&format!("null shows {}: {verdict}", judged.found));
    }
    if let Some(causal) = &result.causal {
        print_causal(causal);
    }
    say(&format!("{:.1} s", result.wall_seconds));
}

/// What each class does to the test loss at each source, and what the last network makes of the first one's activation with it.
fn print_causal(causal: &CausalResult) {
    say(
        "| source | taken out | latents | test loss | with mean | resampled | as many others (95%) | as strong (95%) | moved as far (95%) |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    let upper = |band: Option<Band>| band.map_or("–".to_owned(), |band| format!("{:+.2e}", band.upper));
    for source in &causal.sources {
        for set in &source.sets {
            let rise = |effect: &Effect| format!("{:+.3}", effect.test_loss - source.clean.test_loss);
            say(&format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                source.label,
                set.class.name(),
                set.count,
                rise(&set.zero),
                rise(&set.mean),
                rise(&set.resample),
                upper(set.random),
                upper(set.matched),
                upper(set.moved)
            ));
        }
        let recovered =
            source.loss_recovered.map_or("– (the activation hardly matters)".to_owned(), |share| format!("{share:.4}"));
        let kl = source.spliced.kl.map_or("–".to_owned(), |kl| format!("{kl:.2e}"));
        say(&format!("{}: loss recovered by the reconstruction {recovered}, KL {kl} nats", source.label));
    }
    for attribution in &causal.attributions {
        let sum: f64 = attribution.effects.iter().map(|effect| f64::from(*effect)).sum();
        let singles: Vec<Single> = causal.singles.iter().filter(|single| single.source == attribution.source).copied().collect();
        let written = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        say(&format!(
            "source {}: attributions add up to {sum:+.3} nats, all latents are worth {:+.3}; against removing {} single ones: R² {}, rank correlation {}",
            attribution.source,
            attribution.of_all,
            singles.len(),
            written(agreement_of(&singles)),
            written(rank_agreement_of(&singles))
        ));
    }
    for swap in &causal.swaps {
        let kl = |kl: Option<f64>| kl.map_or("–".to_owned(), |kl| format!("{kl:.3}"));
        say(&format!(
            "{} {} latents given to the first network's activation: KL to the last {} nats, as many others {}",
            swap.count,
            swap.class.name(),
            kl(swap.effect.kl),
            kl(swap.random_kl.map(|(median, _)| median))
        ));
    }
}
