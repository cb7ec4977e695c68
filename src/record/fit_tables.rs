//! A fit's latents and curves as CSV, for spreadsheets and scripts that would otherwise have to walk the JSON.
//!
//! They are written beside `summary.json` and never read back, so that the two cannot disagree.

use crate::crosscoder::{CrosscoderResult, GridDescriptors};
use core::fmt::Write as _;
use serde::Serialize;

/// One line per latent. Columns are only ever added behind the others; births and deaths are indices of sources.
pub(super) fn latents_csv(result: &CrosscoderResult) -> String {
    let mut text = String::from("index,class,confirmed,density,density_train,density_test,eta_a,eta_b,eta_sum,eta_difference");
    let per_source = |text: &mut String, prefix: &str| {
        for (i, source) in result.sources.iter().enumerate() {
            // The place keeps columns apart when one step is read several times.
            let _ = write!(text, ",{prefix}_{i}_step_{}", source.step);
        }
    };
    ["norm", "relative", "nu_epsilon"].into_iter().for_each(|prefix| per_source(&mut text, prefix));
    text.push_str(",birth,death,lifespan,largest_rise,train_selectivity,memorisation,concentration,peak_residue,bump_width");
    ["nu_r", "absence"].into_iter().for_each(|prefix| per_source(&mut text, prefix));
    text.push_str(",answer_share,class_function_share,representation,representation_share");
    text.push('\n');
    for l in &result.latents {
        let eta = &l.eta_squared;
        let _ = write!(text, "{},{},{}", l.index, named(l.class), l.confirmed);
        for value in [l.density, l.density_train, l.density_test, eta.a, eta.b, eta.sum, eta.difference] {
            let _ = write!(text, ",{value}");
        }
        for value in l.norms.iter().chain(&l.relative) {
            let _ = write!(text, ",{value}");
        }
        for value in &l.nu_epsilon {
            let _ = write!(text, ",{}", or_empty(*value));
        }
        let _ = write!(text, ",{},{},{}", or_empty(l.birth), or_empty(l.death), l.lifespan);
        let _ = write!(text, ",{},{}", or_empty(l.largest_rise), or_empty(l.train_selectivity));
        let of_grid = |value: fn(&GridDescriptors) -> f32| or_empty(l.grid.as_ref().map(value));
        let peak = or_empty(l.grid.map(|grid| grid.peak_residue));
        let _ = write!(
            text,
            ",{},{},{peak},{}",
            of_grid(|g| g.memorisation),
            of_grid(|g| g.concentration),
            of_grid(|g| g.bump_width)
        );
        // Results of earlier versions have neither.
        for source in 0..result.sources.len() {
            let _ = write!(text, ",{}", or_empty(l.nu_r.get(source).copied().flatten()));
        }
        for source in 0..result.sources.len() {
            let _ = write!(text, ",{}", l.absences.get(source).copied().flatten().map(named).unwrap_or_default());
        }
        let group = l.group.as_ref();
        let strongest = group.and_then(|group| group.strongest.as_ref());
        let _ = write!(
            text,
            ",{},{},{},{}",
            or_empty(group.map(|g| g.answer)),
            or_empty(group.map(|g| g.class_function)),
            or_empty(strongest.map(|s| &s.label)),
            or_empty(strongest.map(|s| s.share))
        );
        text.push('\n');
    }
    text
}

fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The name of a unit variant in JSON.
fn named<T: Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// One line per row of the live curves.
pub(super) fn curves_csv(result: &CrosscoderResult) -> String {
    let mut text = String::from("step,loss,l0,dead_share");
    for (i, source) in result.sources.iter().enumerate() {
        let _ = write!(text, ",explained_variance_{i}_step_{}", source.step);
    }
    text.push('\n');
    for row in &result.curves {
        let _ = write!(text, "{},{},{},{}", row.step, row.loss, row.l0, row.dead_share);
        for value in &row.explained_variance {
            let _ = write!(text, ",{value}");
        }
        text.push('\n');
    }
    text
}
