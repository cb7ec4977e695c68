//! What can be told of a fit on one page: what was born when, how sure, what it does to the loss, and what could still be wrong.
//!
//! A screenshot of a heat-map travels without its null and its controls, and is believed. So the report is one file with all of
//! them, and its last section is written from the numbers too: what was not checked is said, not left out. It needs neither a
//! server nor this program to be read.

mod doubts;
mod page;
#[cfg(test)]
mod tests;
pub mod theory;

pub use doubts::doubts;

use crate::crosscoder::causal::{Attribution, Band, CausalResult, Effect, SetEffect, Single, SourceEffects, rank_agreement_of};
use crate::crosscoder::{Absence, CrosscoderConfig, CrosscoderResult, Judged, LatentClass, Null, agreement};
use crate::plot::{Axis, Curves, HeatMap, Ink, Mark, Palette, Picture, Scale, Series};
use crate::record::{Archive, MetricRow, UserError};
use page::Page;

/// CSS pixels of a figure.
const WIDTH: u32 = 860;

/// Draws a figure as an SVG document of so many CSS pixels.
pub type Draw<'a> = dyn Fn(&Picture<'_>, u32, u32) -> String + 'a;

/// The report on the first of `fits`, all of the run in `archive`, as a self-contained HTML document. The others are its controls:
/// a null fit, and fits with other seeds.
///
/// # Errors
/// If there is no fit.
pub fn report(archive: &Archive, fits: &[CrosscoderResult], draw: &Draw<'_>) -> Result<String, UserError> {
    let Some(fit) = fits.first() else {
        return Err(UserError::new("There is nothing to report on", "Fit a crosscoder first"));
    };
    let mut page = Page::new(&format!("{}: what was born", archive.experiment.name));
    page.lead(&summary(fit));
    page.facts(&facts(archive, fit));
    page.heading("When");
    page.figure(&lifetimes(archive, fit, draw), "Loss on the training and the test rows, and at each compared checkpoint the latents that are there from it on and those seen there for the last time.");
    let order = ordered(fit);
    let values: Vec<f32> = order.iter().flat_map(|latent| fit.latents[*latent as usize].relative.clone()).collect();
    page.figure(
        &draw(&Picture::HeatMap(heat_map(fit, &order, &values)), WIDTH, 520),
        "Every latent (rows, by class and birth) at every checkpoint: its decoder norm relative to its largest. Emergent ones are pale on the left and strong on the right.",
    );
    page.table(&["class", "latents", "confirmed absences", "shrunk", "in other latents"], &classes(fit));
    page.heading("How sure");
    page.list(&certainty(fit, fits)?);
    let nulls = nulls(fits);
    if !nulls.is_empty() {
        page.table(
            &["null", "fit", "it must show", "it shows", "as it must", "what it means"],
            &nulls.iter().map(of_null).collect::<Vec<_>>(),
        );
    }
    if fits.len() > 1 {
        page.table(
            &[
                "fit",
                "rule",
                "explained variance, least",
                "active latents",
                "born (confirmed)",
                "in all checkpoints",
                "of them turned",
                "vanished",
            ],
            &fits.iter().map(beside).collect::<Vec<_>>(),
        );
    }
    page.heading("What it does");
    match &fit.causal {
        Some(causal) => {
            page.table(
                &["step", "without", "latents", "test loss", "as many others (95%)", "as strong (95%)", "moved as far (95%)"],
                &effects(causal),
            );
            page.list(&swaps(causal));
            page.list(&attributions(fit, causal));
        }
        None => page.text("Nothing was taken out of the network: fit again with that switched on."),
    }
    page.heading("What could still be wrong");
    page.list(&doubts(archive, fits));
    page.heading("Again");
    page.code(&archive.experiment.to_json());
    page.code(&fit.config.to_json());
    Ok(page.finish())
}

/// The nulls among the other fits, each with what it shows.
fn nulls(fits: &[CrosscoderResult]) -> Vec<(&CrosscoderResult, Null, Judged)> {
    let judged = |fit| Some((fit, CrosscoderResult::null(fit), CrosscoderResult::null(fit).judge(fit)?));
    fits.iter().skip(1).filter_map(judged).collect()
}

/// A null in one row.
fn of_null((fit, null, judged): &(&CrosscoderResult, Null, Judged)) -> Vec<String> {
    let means = if judged.holds { String::new() } else { null.otherwise().to_owned() };
    vec![
        null.title().to_owned(),
        fit.config.name.clone(),
        null.must_show().to_owned(),
        judged.found.clone(),
        if judged.holds { "yes" } else { "no" }.to_owned(),
        means,
    ]
}

/// One sentence.
fn summary(fit: &CrosscoderResult) -> String {
    let steps: Vec<String> = fit.sources.iter().map(|source| source.label()).collect();
    if let Some(judged) = fit.null().judge(fit) {
        let null = fit.null();
        let verdict = if judged.holds { "It does".to_owned() } else { format!("It does not: {}", null.otherwise()) };
        return format!("A null: {}. It must show {}. It shows {}. {verdict}.", null.title(), null.must_show(), judged.found);
    }
    format!(
        "Between the checkpoints {} a crosscoder of {} latents finds {} that were born, {} of them confirmed by Latent Scaling, and {} that vanished; {} are there in all checkpoints, of which {} turned their direction.",
        steps.join(", "),
        fit.latents.len(),
        fit.emergent,
        fit.emergent_confirmed,
        fit.vanished,
        fit.shared,
        fit.count(LatentClass::Rotated)
    )
}

fn facts(archive: &Archive, fit: &CrosscoderResult) -> Vec<(String, String)> {
    let summary = archive.summary.as_ref();
    let date = |step: Option<u32>| step.map_or("never".to_owned(), |step| step.to_string());
    let explained: Vec<String> = fit.explained_variance.iter().map(|ev| format!("{ev:.3}")).collect();
    vec![
        ("Memorised at".into(), date(summary.and_then(|s| s.t_mem))),
        ("Understood at".into(), date(summary.and_then(|s| s.t_gen))),
        (
            "Run".into(),
            summary.map_or(String::new(), |s| {
                format!("seed {}, {}, fingerprint {}", archive.experiment.seed, s.engine, s.fingerprint)
            }),
        ),
        ("Fit".into(), format!("{} at {}, seed {}", fit.config.variant.name(), fit.config.hook.name(), fit.config.seed)),
        ("Explained variance, held out".into(), explained.join(" / ")),
        ("Active latents per input".into(), format!("{:.1}", fit.l0)),
        ("Residue features, share of the last checkpoint's decoder energy".into(), format!("{:.2}", fit.residue_energy_share)),
    ]
}

/// Loss curves with births and last sightings.
fn lifetimes(archive: &Archive, fit: &CrosscoderResult, draw: &Draw<'_>) -> String {
    let points = |value: fn(&MetricRow) -> f32| -> Vec<(f64, f64)> {
        archive.rows.iter().map(|row| (f64::from(row.step), f64::from(value(row)))).collect()
    };
    let marks: Vec<Mark> = if matches!(fit.null(), Null::Repeated | Null::Untrained) {
        // They have no time in which anything could be born.
        Vec::new()
    } else {
        fit.lifetimes().into_iter().map(|(step, words)| Mark::event(f64::from(step), words)).collect()
    };
    let (train, test) = (points(|row| row.train_loss), points(|row| row.test_loss));
    let line = |label, ink, points| Series { label, ink, dashed: false, points };
    let figure = Picture::Curves(Curves {
        series: &[line("test", Ink::Test, &test[..]), line("train", Ink::Train, &train[..])],
        x: Axis::count("step", Scale::Linear),
        y: Axis::log("loss"),
        marks: &marks,
        ticks: &[],
        cursor: None,
        bands: &[],
        areas: &[],
    });
    draw(&figure, WIDTH, 320)
}

/// Living latents by class, birth and strength.
fn ordered(fit: &CrosscoderResult) -> Vec<u32> {
    let rank = |class: LatentClass| LatentClass::ALL.iter().position(|known| *known == class);
    let mut living: Vec<_> = fit.latents.iter().filter(|latent| latent.class != LatentClass::Dead).collect();
    let strongest = |norms: &[f32]| norms.iter().copied().fold(0.0, f32::max);
    living.sort_by(|a, b| {
        (rank(a.class), a.birth).cmp(&(rank(b.class), b.birth)).then(strongest(&b.norms).total_cmp(&strongest(&a.norms)))
    });
    living.into_iter().map(|latent| latent.index).collect()
}

fn heat_map<'a>(fit: &CrosscoderResult, order: &[u32], values: &'a [f32]) -> HeatMap<'a> {
    HeatMap {
        rows: order.len(),
        columns: fit.sources.len(),
        values,
        range: Some((0.0, 1.0)),
        palette: Palette::Sequential,
        row_label: "latents".into(),
        column_label: "checkpoint at step".into(),
        column_names: Some(fit.sources.iter().map(|source| source.label()).collect()),
        row_names: None,
        selected_row: None,
        origin_top: true,
        caption_range: true,
    }
}

fn classes(fit: &CrosscoderResult) -> Vec<Vec<String>> {
    LatentClass::ALL
        .into_iter()
        .filter(|class| fit.count(*class) > 0)
        .map(|class| {
            let verdicts = |wanted: Absence| {
                let of = fit.latents.iter().filter(|latent| latent.class == class).flat_map(|latent| &latent.absences);
                of.filter(|absence| **absence == Some(wanted)).count().to_string()
            };
            vec![
                class.name().to_owned(),
                fit.count(class).to_string(),
                verdicts(Absence::Confirmed),
                verdicts(Absence::Shrunk),
                verdicts(Absence::Decoupled),
            ]
        })
        .collect()
}

/// What speaks for the fit: held-out inputs and other seeds.
fn certainty(fit: &CrosscoderResult, fits: &[CrosscoderResult]) -> Result<Vec<String>, UserError> {
    let mut said = vec![format!(
        "{} of {} births are confirmed by Latent Scaling: the error of the first checkpoint does not hold them.",
        fit.emergent_confirmed, fit.emergent
    )];
    let seeds: Vec<CrosscoderResult> = seeds(fits).cloned().collect();
    if seeds.len() > 1 {
        for found in agreement(&seeds)?.iter().filter(|found| found.class == LatentClass::Emergent) {
            said.push(format!(
                "Of {} emergent latents {:.0}% are found again by {} fits with other seeds, {:.0}% with the same class.",
                found.count,
                100.0 * found.found,
                seeds.len() - 1,
                100.0 * found.same_class
            ));
        }
    }
    Ok(said)
}

/// A fit in one row.
fn beside(fit: &CrosscoderResult) -> Vec<String> {
    let least = fit.explained_variance.iter().copied().fold(f32::INFINITY, f32::min);
    vec![
        fit.config.name.clone(),
        fit.config.variant.name().to_owned(),
        format!("{least:.3}"),
        format!("{:.1}", fit.l0),
        format!("{} ({})", fit.emergent, fit.emergent_confirmed),
        fit.shared.to_string(),
        fit.count(LatentClass::Rotated).to_string(),
        fit.vanished.to_string(),
    ]
}

/// What gradients say of single latents, and how far that can be trusted.
fn attributions(fit: &CrosscoderResult, causal: &CausalResult) -> Vec<String> {
    let told = |attribution: &Attribution| {
        let source = attribution.source;
        let label = fit.sources.get(source as usize).map_or_else(String::new, |source| source.label());
        let sum: f64 = attribution.effects.iter().map(|effect| f64::from(*effect)).sum();
        let singles: Vec<Single> = causal.singles.iter().filter(|single| single.source == source).copied().collect();
        let ranks = rank_agreement_of(&singles).map_or("–".to_owned(), |rank| format!("{rank:.2}"));
        format!(
            "At step {label} integrated gradients give all latents together {sum:+.3} nats of the test loss, and without them it changes by {:+.3}. Over {} latents taken out one by one, the sizes agree in rank by {ranks}.",
            attribution.of_all,
            singles.len()
        )
    };
    causal.attributions.iter().map(told).collect()
}

/// The first fit and those that differ from it in nothing but the seed.
fn seeds(fits: &[CrosscoderResult]) -> impl Iterator<Item = &CrosscoderResult> {
    let like = fits.first().map(|fit| &fit.config);
    fits.iter().filter(move |other| {
        like.is_some_and(|like| {
            let same = CrosscoderConfig { seed: like.seed, name: like.name.clone(), probe: like.probe, ..other.config.clone() };
            same == *like && !other.activations.is_empty()
        })
    })
}

fn effects(causal: &CausalResult) -> Vec<Vec<String>> {
    let upper = |band: Option<Band>| band.map_or("–".to_owned(), |band| format!("{:+.4}", band.upper));
    let of_source = |source: &SourceEffects| {
        let rise = |effect: &Effect| format!("{:+.4}", effect.test_loss - source.clean.test_loss);
        let row = |set: &SetEffect| {
            vec![
                if source.label.is_empty() { source.step.to_string() } else { source.label.clone() },
                set.class.name().to_owned(),
                set.count.to_string(),
                rise(&set.zero),
                upper(set.random),
                upper(set.matched),
                upper(set.moved),
            ]
        };
        source.sets.iter().map(row).collect::<Vec<_>>()
    };
    causal.sources.iter().flat_map(of_source).collect()
}

fn swaps(causal: &CausalResult) -> Vec<String> {
    let (Some(first), Some(last)) = (causal.sources.first(), causal.sources.last()) else { return Vec::new() };
    causal
        .swaps
        .iter()
        .filter_map(|swap| {
            let others = swap.random_kl.map_or_else(String::new, |(median, _)| format!(" (as many others: {median:.3})"));
            Some(format!(
                "{} {} latents given to the activation of step {}: the network of step {} then answers {:.1}% of the test pairs, {:.3} nats from what it says of its own{others}.",
                swap.count,
                swap.class.name(),
                first.step,
                last.step,
                100.0 * swap.effect.test_accuracy,
                swap.effect.kl?
            ))
        })
        .collect()
}
