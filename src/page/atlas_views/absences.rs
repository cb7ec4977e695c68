//! Is a small norm an absence? All latents of the fit at once, in the plane of the two ν.

use super::cloud::{Cloud, cloud};
use super::inks::{ink_of, keys_of};
use super::label_of;
use crate::crosscoder::views::{AbsencePoint, absence_plane};
use crate::crosscoder::{CrosscoderResult, DECOUPLED_FROM, LatentClass, REAL_ABSENCE_BELOW};
use crate::page::chart::figure;
use crate::page::store::Lab;
use crate::plot::Guide;
use leptos::prelude::*;
use std::sync::Arc;

/// The most that an axis shows. What lies beyond stands at the edge.
const ENDS: (f64, f64) = (-0.25, 1.25);
/// The least that it shows, so that both thresholds are always there.
const LEAST: (f64, f64) = (-0.1, 0.6);
/// The thresholds of `absence.rs`, with the words of the latent's card.
const GUIDES: [Guide<'static>; 2] =
    [Guide::X(DECOUPLED_FROM as f64, "in other latents →"), Guide::Y(REAL_ABSENCE_BELOW as f64, "shrunk ↑")];

pub(super) fn view(lab: Lab, fit: Arc<CrosscoderResult>) -> AnyView {
    let plane = absence_plane(&fit);
    let classes: Vec<LatentClass> = plane.points.iter().map(|point| point.class).collect();
    let inside = |nu: f32| f64::from(nu).clamp(ENDS.0, ENDS.1);
    let beyond = plane.points.iter().filter(|p| [p.nu_r, p.nu_epsilon].into_iter().any(|nu| inside(nu) != f64::from(nu))).count();
    let window = |of: fn(&AbsencePoint) -> f32| {
        let nus = plane.points.iter().map(|point| inside(of(point)));
        nus.fold(LEAST, |(low, high), nu| ((nu - 0.05).clamp(ENDS.0, low), (nu + 0.05).clamp(high, ENDS.1)))
    };
    let window = (window(|point| point.nu_r), window(|point| point.nu_epsilon));
    let told = plane.points.iter().map(|point| {
        let step = fit.sources.get(point.source).map_or_else(String::new, label_of);
        format!(
            "latent {}, {}, absent at step {step}: ν error {:.2}, ν others {:.2}",
            point.latent,
            point.class.name(),
            point.nu_epsilon,
            point.nu_r
        )
    });
    let in_corner = plane.points.iter().filter(|point| point.is_confirmed()).count();
    let mut notes = vec![format!("{in_corner} of {} absences are in the corner that counts as absent.", plane.points.len())];
    if beyond > 0 {
        notes.push(format!("{beyond} lie beyond the axes and stand at their edge."));
    }
    if plane.undefined > 0 {
        notes.push(format!("For {} a ν is not defined.", plane.undefined));
    }
    notes.push("Click a point, or use the arrow keys.".into());
    let points = Cloud {
        id: "fit-absences",
        label: format!("Latents by ν error and ν others where they are called absent. {}", notes[0]),
        latents: plane.points.iter().map(|point| point.latent).collect(),
        points: plane.points.iter().map(|point| (inside(point.nu_r), inside(point.nu_epsilon))).collect(),
        told: told.collect(),
        x_label: "ν others: carried by other latents".into(),
        y_label: "ν error: left in the reconstruction error".into(),
        window: Some(window),
        guides: &GUIDES,
    };
    let colours = move || {
        let keys = keys_of(&classes).into_iter().map(|key| (key.ink, key.label.to_owned()));
        (classes.iter().map(|class| ink_of(*class)).collect(), keys.collect())
    };
    figure("Are the absences real?", ().into_any(), cloud(lab, fit, points, colours), notes.join(" ").into_any())
}
