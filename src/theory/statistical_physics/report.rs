//! Figures, numbers and evidence that spins and networks share.

use super::super::{Assumption, Drawing, Figure, Line, Number, Role, Scaled};
use super::analysis::{Analysis, Banded, COLLAPSED, LEAST_SEEDS, LEAST_SIZES, TWO_PHASES};
use super::collapse::scaled;
use super::landau::Landau;
use super::samples::Curve;

/// Bins of a histogram.
const BINS: usize = 20;
/// U₄ is drawn down to here: beside a sharp first-order transition it falls without bound, and the crossing would not be seen.
const LOWEST: f64 = -1.0;
/// A free energy above this many nats over its least value is not drawn: no seed was ever there.
const HIGHEST: f64 = 15.0;

/// Names of what is varied and of what is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// The control, with its unit.
    pub control: &'static str,
    /// The order parameter.
    pub order: &'static str,
}

/// Mean, U₄ and χ along the control, with 95% of resamples as ground, over the exact ones where they are known.
pub(super) fn curves(analysis: &Analysis, names: Names, exact: &[Curve], mark: Option<(f64, String)>) -> Vec<Figure> {
    let figure = |name: &str, caption: &str, y: Scaled, of: &dyn Fn(&Curve, usize) -> f64| {
        let mut lines = Vec::new();
        for (size, (series, curve)) in analysis.series.iter().zip(&analysis.curves).enumerate() {
            let name = series.name.as_str();
            // Both ends of a band have to be drawable.
            let is_drawn = |row: &(f64, f64, f64)| row.1.is_finite() && row.2.is_finite() && (row.1 > 0.0 || !y.is_log);
            let band: Vec<(f64, f64, f64)> = analysis.band(size, of).into_iter().filter(is_drawn).collect();
            let line = |curve: &Curve| (0..curve.points.len()).map(|i| (curve.points[i].0, of(curve, i))).collect::<Vec<_>>();
            let finite = |points: Vec<(f64, f64)>| points.into_iter().filter(|point| point.1.is_finite()).collect::<Vec<_>>();
            lines.push(Line::new(name, Role::Low, band.iter().map(|row| (row.0, row.1)).collect()));
            lines.push(Line::new(name, Role::High, band.iter().map(|row| (row.0, row.2)).collect()));
            if let Some(known) = exact.get(size) {
                lines.push(Line::new(name, Role::Predicted, finite(line(known))));
            }
            lines.push(Line::new(name, Role::Measured, finite(line(curve))));
        }
        let drawing = Drawing::Lines { x: Scaled::linear(names.control), y, lines, marks: mark.clone().into_iter().collect() };
        Figure { name: name.into(), caption: format!("{caption}. Ground: 95% of resamples over seeds"), drawing }
    };
    vec![
        figure(
            "cumulant",
            "Binder cumulant U₄ of m by size, drawn down to −1. At a continuous transition all sizes cross in one point; where two phases \
             coexist it dips below 0 beside it",
            Scaled::linear("U₄"),
            &|curve, i| if curve.points[i].1.binder < LOWEST { LOWEST } else { curve.points[i].1.binder },
        ),
        figure(
            "susceptibility",
            "N times the variance of m over seeds. Its peak grows as N at a first-order transition, more slowly at a continuous one, and \
             not at a crossover",
            Scaled::log("χ = N·Var(m)"),
            &Curve::susceptibility,
        ),
        figure("order", "Mean order parameter by size", Scaled::linear(format!("mean of m: {}", names.order)), &|curve, i| {
            curve.points[i].1.mean
        }),
    ]
}

/// P(m) at the transition of the largest size: histogram, fitted free energy, and the exact density where it is known.
pub(super) fn distribution(analysis: &Analysis, names: Names, fitted: Option<&Landau>, exact: Vec<(f64, f64)>) -> Option<Figure> {
    let (size, cell) = analysis.transition()?;
    let (series, cell) = (&analysis.series[size], &analysis.series[size].cells[cell]);
    let low = cell.values.iter().copied().fold(0.0, f64::min);
    let width = (1.0 - low) / BINS as f64;
    let mut bins = [0.0; BINS];
    for value in &cell.values {
        bins[(((value - low) / width) as usize).min(BINS - 1)] += 1.0 / (cell.values.len() as f64 * width);
    }
    let middle = |bin: usize| low + (bin as f64 + 0.5) * width;
    let mut lines = vec![Line::new("P(m)", Role::Measured, bins.iter().enumerate().map(|(bin, p)| (middle(bin), *p)).collect())];
    if !exact.is_empty() {
        lines.push(Line::new("P(m)", Role::Predicted, exact));
    }
    if let Some(fitted) = fitted {
        lines.push(Line::new("fitted", Role::Baseline, fitted.course.iter().map(|point| (point.0, point.2)).collect()));
    }
    let drawing = Drawing::Lines {
        x: Scaled::linear(format!("m: {}", names.order)),
        y: Scaled::linear("probability density"),
        lines,
        marks: Vec::new(),
    };
    let caption = format!(
        "How m is distributed over {} seeds where χ is highest, {} at {:.3}: two peaks are two phases. The thin line is \
         e^−F with the fitted polynomial F",
        cell.values.len(),
        series.name,
        cell.control
    );
    Some(Figure { name: "distribution".into(), caption, drawing })
}

/// Fitted free energies over m by name, with exact ones where they are known.
pub(super) fn free_energy(names: Names, fitted: &[(String, &Landau)], exact: &[Vec<(f64, f64)>]) -> Figure {
    let visible = |points: Vec<(f64, f64)>| points.into_iter().filter(|point| point.1 <= HIGHEST).collect::<Vec<_>>();
    let mut lines = Vec::new();
    for (index, (name, landau)) in fitted.iter().enumerate() {
        if let Some(exact) = exact.get(index) {
            lines.push(Line::new(name, Role::Predicted, visible(exact.clone())));
        }
        lines.push(Line::new(name, Role::Measured, visible(landau.course.iter().map(|point| (point.0, point.1)).collect())));
    }
    let drawing = Drawing::Lines {
        x: Scaled::linear(format!("m: {}", names.order)),
        y: Scaled::linear("F(m), nats above its least value"),
        lines,
        marks: Vec::new(),
    };
    let caption = "Free energy F = −log P(m) of the largest size about its transition, as a polynomial fitted by maximum likelihood, drawn \
                   up to 15 nats: two minima are two phases, and the rise between them is the barrier";
    Figure { name: "free_energy".into(), caption: caption.into(), drawing }
}

/// The best collapse.
pub(super) fn collapsed(analysis: &Analysis) -> Option<Figure> {
    let (found, _) = analysis.collapse.as_ref().ok()?;
    let all = scaled(&analysis.curves, found.parameters());
    let lines = analysis.series.iter().zip(all).enumerate().map(|(index, (series, points))| {
        Line::new(series.name.clone(), Role::Kind(index as u8), points.iter().map(|point| (point.0, point.1)).collect())
    });
    let drawing = Drawing::Lines {
        x: Scaled::linear(format!("(x − {:.4})·(N/N₀)^{:.2}", found.critical, found.inverse_nu)),
        y: Scaled::linear(format!("m·(N/N₀)^{:.2}", found.beta_over_nu)),
        lines: lines.collect(),
        marks: Vec::new(),
    };
    let caption = format!(
        "All sizes in scaled variables with the best exponents, N₀ the middle size: they are one curve if the mean squared distance in \
         standard errors, here {:.2}, is near 1",
        found.quality
    );
    Some(Figure { name: "collapse".into(), caption, drawing })
}

/// Height of χ's peak over size, with both laws.
pub(super) fn growth(analysis: &Analysis) -> Option<Figure> {
    let (law, _) = analysis.growth.as_ref().ok()?;
    let peaks = || analysis.curves.iter().zip(&analysis.peaks).filter_map(|(curve, peak)| Some((curve.size, (*peak)?)));
    let (level, half) = law.saturating;
    let line = |of: &dyn Fn(f64) -> f64| peaks().map(|(size, _)| (size, of(size))).collect::<Vec<_>>();
    let name = "peak of χ";
    let drawing = Drawing::Lines {
        x: Scaled::log("size N"),
        y: Scaled::log("highest χ"),
        lines: vec![
            Line::new(name, Role::Low, peaks().map(|(size, peak)| (size, peak.height.low)).collect()),
            Line::new(name, Role::High, peaks().map(|(size, peak)| (size, peak.height.high)).collect()),
            Line::new(name, Role::Predicted, line(&|size| libm::exp(law.log_factor + law.exponent * libm::log(size)))),
            Line::new(name, Role::Measured, peaks().map(|(size, peak)| (size, peak.found.height)).collect()),
            Line::new("saturating", Role::Baseline, line(&|size| libm::exp(level) / (1.0 + half / size))),
        ],
        marks: Vec::new(),
    };
    let caption = "The peak of χ by size, the power law fitted to it (dashed), and the best law that comes to a stop within these sizes (thin)";
    Some(Figure { name: "growth".into(), caption: caption.into(), drawing })
}

/// A number with its band, if it is had.
pub(super) fn banded(name: &str, label: &str, found: &Banded) -> Number {
    let number = Number::found(name, label, found.value);
    if found.low.is_finite() && found.high.is_finite() { number.band(found.low, found.high) } else { number }
}

/// Exponents and what was decided by, in the order in which they are asked for. What is refused is NaN.
pub(super) fn numbers(analysis: &Analysis) -> Vec<Number> {
    let nothing = Banded { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    let (growth, delta) = analysis.growth.as_ref().map_or((nothing, f64::NAN), |(law, band)| (*band, law.delta_aic));
    let (quality, bands) = match &analysis.collapse {
        Ok((found, bands)) if found.quality <= COLLAPSED => (found.quality, *bands),
        // Exponents of curves that are not one curve mean nothing.
        Ok((found, _)) => (found.quality, [nothing; 3]),
        Err(_) => (f64::NAN, [nothing; 3]),
    };
    let crossing = analysis.crossings.last().copied().unwrap_or(nothing);
    let phases = analysis.phases.last().copied().flatten();
    let at = analysis.transition();
    let centred = at.map_or(f64::NAN, |(size, cell)| analysis.curves[size].points[cell].1.centred);
    let least = |curve: &Curve| {
        let values = curve.points.iter().map(|point| point.1.binder).filter(|value| value.is_finite());
        values.fold(f64::NAN, f64::min)
    };
    let again: Vec<f64> = analysis.resamples.iter().filter_map(|curves| curves.last()).map(least).collect();
    let dipped = Banded::of(analysis.curves.last().map_or(f64::NAN, least), &again);
    vec![
        banded("kappa", "κ: χ's peak grows as N^κ", &growth),
        banded("inverse_nu", "1/ν: curves steepen as N^(1/ν)", &bands[2]),
        banded("beta_over_nu", "β/ν: m at the transition falls as N^(−β/ν)", &bands[1]),
        banded("critical", "x_c of the best collapse", &bands[0]),
        banded("crossing", "Crossing of U₄ of the smallest and the largest size", &crossing),
        Number::found("collapse_quality", "S: mean squared distance of the collapse, in standard errors", quality),
        Number::found("delta_aic", "AIC of a peak that stops, less that of one that grows on", delta),
        Number::found("dip", "Dip of P(m) at the peak, largest size", phases.map_or(f64::NAN, |found| found.dip)),
        Number::found("dip_p", "Chance of such a dip from one phase", phases.map_or(f64::NAN, |found| found.p)),
        banded("least_cumulant", "Least U₄ of the largest size", &dipped),
        Number::found("centred_cumulant", "U₄ of m − ⟨m⟩ at the peak: ⅔ for two equal sharp phases", centred),
        Number::found("seeds_to_tell", "Seeds that would tell κ = 1 from ½", analysis.seeds_to_tell().unwrap_or(f64::NAN)),
    ]
}

/// What a verdict takes for granted.
pub(super) fn assumptions(analysis: &Analysis) -> Vec<Assumption> {
    let seeds = analysis.seeds();
    let enough = seeds >= LEAST_SEEDS && analysis.series.len() >= LEAST_SIZES;
    let refused = |why: &String| (None, format!("not told: {why}"));
    let (grows, growth) = match &analysis.growth {
        Ok((law, band)) => (
            Some(band.low > 0.0),
            format!(
                "κ = {:.2} [{:.2}, {:.2}]; a peak that stops has an AIC {:+.1} from it",
                band.value, band.low, band.high, law.delta_aic
            ),
        ),
        Err(why) => refused(why),
    };
    let (sharpens, steepening, collapses, quality) = match &analysis.collapse {
        Ok((found, [_, _, inverse])) => {
            let is_one = found.quality <= COLLAPSED;
            let words = if is_one {
                format!("1/ν = {:.2} [{:.2}, {:.2}]", inverse.value, inverse.low, inverse.high)
            } else {
                "not told: the sizes are not one curve in scaled variables".into()
            };
            let quality = format!("mean squared distance {:.2} standard errors, up to {COLLAPSED} counts as one", found.quality);
            (is_one.then_some(inverse.low > 0.0), words, Some(is_one), quality)
        }
        Err(why) => {
            let (nothing, words) = refused(why);
            (nothing, words.clone(), nothing, words)
        }
    };
    let by_size: Vec<String> = analysis
        .series
        .iter()
        .zip(&analysis.phases)
        .filter_map(|(series, found)| found.map(|found| format!("{}: dip {:.3}, p = {:.3}", series.name, found.dip, found.p)))
        .collect();
    let assumption = |statement: &str, holds, evidence| Assumption { statement: statement.into(), holds, evidence };
    vec![
        assumption(
            "There are enough seeds and sizes",
            Some(enough),
            format!("{seeds} seeds of {LEAST_SEEDS}, {} sizes of {LEAST_SIZES} at least", analysis.series.len()),
        ),
        assumption("The peak of χ grows with size", grows, growth),
        assumption("Curves steepen with size", sharpens, steepening),
        assumption("All sizes are one curve in scaled variables", collapses, quality),
        assumption(
            "Two phases coexist at the peak of the largest size",
            analysis.phases.last().copied().flatten().filter(|_| seeds >= LEAST_SEEDS).map(|found| found.p < TWO_PHASES),
            if by_size.is_empty() { "χ is 0 everywhere".into() } else { by_size.join("; ") },
        ),
    ]
}
