//! The analysis on spins, where every answer is known: exact curves are the prediction, drawn samples the measurement.

use super::super::spread::fit;
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::StatisticalPhysics;
use super::analysis::{Analysis, Banded, Order, TWO_PHASES};
use super::collapse::collapse;
use super::dip::{dip, p_value, uniform_dips};
use super::exact::{Distribution, Spins, Transition};
use super::growth::exponent;
use super::landau::{Landau, borders, landau};
use super::locate::peak;
use super::report::{self, Names, banded};
use super::samples::{Cell, Curve, Series};
use super::settings::System;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;

const NAMES: Names = Names { control: "temperature T", order: "|magnetisation|" };
/// Samples of all cells together: bands draw each of them two hundred times.
const MOST_SAMPLES: usize = 20_000;
/// Numbers of seeds at which finding two phases is tried, and how often.
const TRIED: [usize; 4] = [8, 16, 32, 64];
const REPEATS: usize = 100;
/// Resamples behind the bands of a, b and c.
const REFITS: usize = 60;
const POWERS: [i32; 3] = [2, 4, 6];
/// How far the exponents of finite sizes may be off.
const CLOSE: f64 = 0.02;

/// A system drawn about its transition.
struct Drawn {
    spins: Spins,
    transition: Transition,
    /// `[size][temperature]`.
    exact: Vec<Vec<Distribution>>,
    curves: Vec<Curve>,
    analysis: Analysis,
    /// κ, 1/ν and β/ν of the infinite system: N·m² ~ N^κ and m ~ N^{−β/ν}, by Binder (1981) with β = ½ of mean-field theory, and by
    /// Fisher and Berker (1982) at a first-order transition.
    known: [f64; 3],
    /// The same from the exact curves of these sizes: what no number of seeds can mend.
    noiseless: [f64; 3],
}

/// The panel's answer.
///
/// # Errors
/// If there is no transition, or too many samples to resample.
pub(super) fn outcome(settings: &StatisticalPhysics) -> Result<Outcome, UserError> {
    let drawn = draw(settings)?;
    let analysis = &drawn.analysis;
    let fits = Fits::of(&drawn);
    let mark = (drawn.transition.temperature, "exact transition".to_owned());
    let mut figures = report::curves(analysis, NAMES, &drawn.curves, Some(mark));
    if let Some((size, cell)) = analysis.transition() {
        let at = fits.as_ref().and_then(|fits| fits.fitted.iter().find(|(index, _)| *index == cell));
        let known = density(&drawn.exact[size][cell]);
        figures.extend(report::distribution(analysis, NAMES, at.map(|(_, fitted)| fitted), known));
        if let Some(fits) = &fits {
            let named: Vec<(String, &Landau)> = fits
                .fitted
                .iter()
                .map(|(index, fit)| (format!("T = {:.3}", analysis.curves[size].points[*index].0), fit))
                .collect();
            let exact: Vec<Vec<(f64, f64)>> = fits.fitted.iter().map(|(index, _)| energy(&drawn.exact[size][*index])).collect();
            figures.push(report::free_energy(NAMES, &named, &exact));
        }
    }
    figures.extend(report::collapsed(analysis));
    figures.extend(report::growth(analysis));
    figures.push(seeds(settings));
    let known = if drawn.transition.jump > 0.0 { Order::First } else { Order::Continuous };
    let kind = if known == Order::First { "first-order" } else { "continuous" };
    Ok(Outcome {
        headline: format!("{} (in truth {kind}, at T = {:.4})", analysis.words, drawn.transition.temperature),
        figures,
        numbers: numbers(&drawn, fits.as_ref()),
        assumptions: assumptions(&drawn, fits.as_ref(), known, kind),
    })
}

fn draw(settings: &StatisticalPhysics) -> Result<Drawn, UserError> {
    let spins = match settings.system {
        System::CurieWeiss => Spins::CurieWeiss,
        System::BlumeCapel => Spins::BlumeCapel(settings.crystal_field),
    };
    let transition = spins.transition().ok_or_else(|| {
        UserError::new(
            format!("crystal_field: with Δ = {} nothing orders at any temperature", settings.crystal_field),
            "Use at most 0.498",
        )
    })?;
    let mut sizes = settings.sizes.clone();
    sizes.dedup();
    if sizes.len() < 2 {
        return Err(UserError::new(
            "sizes: one size has nothing to be compared with",
            "Use at least two, better four: 64,128,256,512",
        ));
    }
    let cells = sizes.len() * settings.temperatures as usize;
    if cells * settings.seeds as usize > MOST_SAMPLES {
        return Err(UserError::new(
            format!("seeds: {} samples in each of {cells} cells take too long to resample", settings.seeds),
            format!("Use at most {}", MOST_SAMPLES / cells),
        ));
    }
    let last = f64::from(settings.temperatures - 1);
    let temperature = |index: u32| transition.temperature * (1.0 + settings.span * (2.0 * f64::from(index) / last - 1.0));
    let temperatures: Vec<f64> = (0..settings.temperatures).map(temperature).collect();
    let along = |size: &u32| temperatures.iter().map(|t| spins.distribution(*size, *t)).collect::<Vec<_>>();
    let exact: Vec<Vec<Distribution>> = sizes.iter().map(along).collect();
    let mut stream = Stream::new(settings.seed, Purpose::Theory, 0);
    let count = settings.seeds as usize;
    let mut series = Vec::new();
    let mut curves = Vec::new();
    for (size, row) in sizes.iter().zip(&exact) {
        let cells = row.iter().zip(&temperatures).map(|(exact, t)| Cell { control: *t, values: exact.draw(count, &mut stream) });
        series.push(Series { size: f64::from(*size), name: format!("N = {size}"), cells: cells.collect() });
        let points = row.iter().zip(&temperatures).map(|(exact, t)| (*t, exact.moments(count as f64))).collect();
        curves.push(Curve { size: f64::from(*size), points });
    }
    let analysis = Analysis::of(series, true, settings.seed);
    let known = if transition.jump > 0.0 { [1.0, 1.0, 0.0] } else { [0.5, 0.5, 0.25] };
    let peaks: Option<Vec<(f64, f64)>> = curves.iter().map(|curve| Some((curve.size, peak(curve)?.height))).collect();
    let [critical, beta, inverse] = [transition.temperature, known[2], known[1]];
    let collapsed = collapse(&curves, &[[critical, beta, inverse]]);
    let noiseless = [
        peaks.map_or(f64::NAN, |peaks| exponent(&peaks)),
        collapsed.map_or(f64::NAN, |found| found.inverse_nu),
        collapsed.map_or(f64::NAN, |found| found.beta_over_nu),
    ];
    Ok(Drawn { spins, transition, exact, curves, analysis, known, noiseless })
}

/// Densities of |m|: the states of m = 0 have half a cell.
fn density(exact: &Distribution) -> Vec<(f64, f64)> {
    let spacing = exact.states.get(1).map_or(1.0, |second| second.0 - exact.states[0].0);
    exact.states.iter().map(|(m, p)| (*m, if *m == 0.0 { 2.0 } else { 1.0 } * p / spacing)).collect()
}

/// −log of the density above its least value.
fn energy(exact: &Distribution) -> Vec<(f64, f64)> {
    let density = density(exact);
    let most = density.iter().map(|point| point.1).fold(0.0, f64::max);
    density.iter().map(|(m, p)| (*m, -libm::log(p / most))).collect()
}

/// Landau's free energy fitted about the transition of the largest size.
struct Fits {
    /// (cell, fit to the samples).
    fitted: Vec<(usize, Landau)>,
    /// a, b, c per spin at the peak, with bands.
    coefficients: [Banded; 3],
    /// Where the ordered phase ends and where both weigh the same, by the samples and by the exact distributions; NaN if b ≥ 0.
    borders: [(Banded, f64); 2],
    /// Barrier in nats, with its band, and the exact one.
    barrier: (Banded, f64),
}

/// What a resample says of them.
struct Refit {
    coefficients: [f64; 3],
    ends: [f64; 2],
    barrier: f64,
}

impl Fits {
    fn of(drawn: &Drawn) -> Option<Self> {
        let (size, cell) = drawn.analysis.transition()?;
        let series = &drawn.analysis.series[size];
        let cells: Vec<usize> = (cell.checked_sub(1)?..=cell + 1).filter(|index| *index < series.cells.len()).collect();
        let fit_seeds = |values: &[f64]| {
            let weight = 1.0 / values.len() as f64;
            landau(&values.iter().map(|m| (*m, weight)).collect::<Vec<_>>(), [0.0, 1.0], &POWERS)
        };
        let fitted: Vec<(usize, Landau)> =
            cells.iter().map(|index| Some((*index, fit_seeds(&series.cells[*index].values)?))).collect::<Option<_>>()?;
        let exactly: Vec<Landau> =
            cells.iter().map(|index| landau(&drawn.exact[size][*index].states, [0.0, 1.0], &POWERS)).collect::<Option<_>>()?;
        let middle = cells.iter().position(|index| *index == cell)?;
        let temperatures: Vec<f64> = cells.iter().map(|index| series.cells[*index].control).collect();
        let ends = |fits: &[&Landau]| [0, 1].map(|which| border(&temperatures, fits, series, which));
        let mut stream = Stream::new(0, Purpose::Theory, 1 << 33);
        let mut again: Vec<Option<Refit>> = Vec::new();
        for _ in 0..REFITS {
            let mut resample = |index: &usize| {
                let values = &series.cells[*index].values;
                let drawn: Vec<f64> = values.iter().map(|_| values[stream.below(values.len() as u64) as usize]).collect();
                fit_seeds(&drawn)
            };
            let fits: Option<Vec<Landau>> = cells.iter().map(&mut resample).collect();
            again.push(fits.and_then(|fits| {
                let ends = ends(&fits.iter().collect::<Vec<_>>());
                Some(Refit { coefficients: fits[middle].even(series.size)?, ends, barrier: fits[middle].wells().barrier })
            }));
        }
        let own = fitted[middle].1.even(series.size)?;
        let own_ends = ends(&fitted.iter().map(|(_, fit)| fit).collect::<Vec<_>>());
        let exact_ends = ends(&exactly.iter().collect::<Vec<_>>());
        let band = |value: f64, of: &dyn Fn(&Refit) -> f64| {
            Banded::of(value, &again.iter().map(|refit| refit.as_ref().map_or(f64::NAN, of)).collect::<Vec<_>>())
        };
        Some(Self {
            coefficients: [0, 1, 2].map(|i| band(own[i], &|refit| refit.coefficients[i])),
            borders: [0, 1].map(|i| (band(own_ends[i], &|refit| refit.ends[i]), exact_ends[i])),
            barrier: (
                band(fitted[middle].1.wells().barrier, &|refit| refit.barrier),
                exact_barrier(&energy(&drawn.exact[size][cell])),
            ),
            fitted,
        })
    }
}

/// The temperature at which a passes the border `which` of [`borders`], on the line through the fits at `temperatures`; NaN outside
/// the range that was drawn.
fn border(temperatures: &[f64], fits: &[&Landau], series: &Series, which: usize) -> f64 {
    let beyond = |(t, landau): (&f64, &&Landau)| {
        let [a, b, c] = landau.even(series.size)?;
        Some((*t, a - borders(b, c)?[which]))
    };
    let points: Option<Vec<(f64, f64)>> = temperatures.iter().zip(fits).map(beyond).collect();
    points.map_or(f64::NAN, |points| {
        let line = fit(&points);
        let at = -line.intercept / line.slope;
        let reaches = |cell: Option<&Cell>, side: f64| cell.is_some_and(|cell| (cell.control - at) * side >= 0.0);
        if reaches(series.cells.first(), -1.0) && reaches(series.cells.last(), 1.0) { at } else { f64::NAN }
    })
}

/// Rise from the shallower of two minima of an exact F to the top between them; 0 for one minimum.
fn exact_barrier(energy: &[(f64, f64)]) -> f64 {
    let Some((low, _)) = energy.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)) else { return 0.0 };
    // From the deepest point outwards: how far F falls again after its highest point so far.
    let fall = |points: &mut dyn Iterator<Item = f64>| {
        let (mut top, mut most) = (0.0_f64, 0.0_f64);
        points.for_each(|f| {
            top = top.max(f);
            most = most.max(top - f);
        });
        most
    };
    let right = fall(&mut energy[low..].iter().map(|point| point.1));
    let left = fall(&mut energy[..=low].iter().rev().map(|point| point.1));
    right.max(left)
}

fn numbers(drawn: &Drawn, fits: Option<&Fits>) -> Vec<Number> {
    let analysis = &drawn.analysis;
    let [kappa, inverse, beta] = drawn.known;
    let largest = drawn.curves.last();
    let least = largest.map(|curve| curve.points.iter().map(|point| point.1.binder).fold(f64::INFINITY, f64::min));
    let centred = analysis.transition().map(|(size, cell)| drawn.curves[size].points[cell].1.centred);
    let expected = |name: &str| match name {
        "kappa" => Some(kappa),
        "inverse_nu" => Some(inverse),
        "beta_over_nu" => Some(beta),
        "critical" | "crossing" => Some(drawn.transition.temperature),
        "collapse_quality" => Some(1.0),
        "least_cumulant" => least,
        "centred_cumulant" => centred,
        _ => None,
    };
    let mut all: Vec<Number> = report::numbers(analysis)
        .into_iter()
        .map(|number| match expected(&number.name) {
            Some(value) => number.expected(value),
            None => number,
        })
        .collect();
    for (((name, symbol), value), known) in
        [("kappa", "κ"), ("inverse_nu", "1/ν"), ("beta_over_nu", "β/ν")].iter().zip(drawn.noiseless).zip(drawn.known)
    {
        let label = format!("{symbol} without noise, at these sizes");
        all.push(Number::found(format!("{name}_exact"), label, value).expected(known));
    }
    let Some((fits, (size, cell))) = fits.zip(analysis.transition()) else { return all };
    let known = drawn.spins.landau(analysis.curves[size].points[cell].0);
    for ((name, label), (found, known)) in
        [("landau_a", "Landau's a per spin at the peak"), ("landau_b", "Landau's b"), ("landau_c", "Landau's c")]
            .iter()
            .zip(fits.coefficients.iter().zip(known))
    {
        all.push(banded(name, label, found).expected(known));
    }
    all.push(banded("barrier", "Barrier between two phases", &fits.barrier.0).expected(fits.barrier.1).unit("nats"));
    if drawn.transition.jump > 0.0 {
        let known = [drawn.spins.spinodal().unwrap_or(f64::NAN), drawn.transition.temperature];
        let names =
            [("spinodal", "The ordered phase ends, by a, b and c"), ("coexistence", "Both phases weigh the same, by a, b and c")];
        for (((name, label), (found, exact)), known) in names.into_iter().zip(fits.borders).zip(known) {
            all.push(banded(name, label, &found).expected(known));
            all.push(Number::found(format!("{name}_exact"), format!("{label}, fitted without noise"), exact).expected(known));
        }
    }
    all
}

/// How often the dip finds two phases, by seeds: rightly in Blume–Capel, wrongly in Curie–Weiss.
fn seeds(settings: &StatisticalPhysics) -> Figure {
    let first = Spins::BlumeCapel(if settings.crystal_field > 0.47 { settings.crystal_field } else { 0.49 });
    let (small, large) = (settings.sizes.first().copied().unwrap_or(64), settings.sizes.last().copied().unwrap_or(512));
    let uniform = TRIED.map(uniform_dips);
    let mut lines = Vec::new();
    for (spins, name) in [(first, "two phases"), (Spins::CurieWeiss, "one phase")] {
        for size in [small, large] {
            let exact = at_peak(spins, size, settings.span);
            let mut stream = Stream::new(settings.seed, Purpose::Theory, (2 << 32) + u64::from(size));
            let points = TRIED.iter().zip(&uniform).map(|(count, uniform)| {
                let found = (0..REPEATS).filter(|_| p_value(dip(&exact.draw(*count, &mut stream)), uniform) < TWO_PHASES).count();
                (*count as f64, found as f64 / REPEATS as f64)
            });
            let role = Role::Kind(u8::from(spins == Spins::CurieWeiss));
            lines.push(Line::new(format!("{name}, N = {size}"), role, points.collect()));
        }
    }
    let drawing = Drawing::Lines {
        x: Scaled::log("seeds"),
        y: Scaled::linear("share of trials that find two phases"),
        lines,
        marks: Vec::new(),
    };
    let caption = format!(
        "How many seeds it takes to see coexistence: share of {REPEATS} trials in which the dip of P(m) at the peak of χ has p < {TWO_PHASES}, in \
         a first-order system, where it should, and in a continuous one, where it should not"
    );
    Figure { name: "seeds".into(), caption, drawing }
}

/// P(|m|) at the temperature of the highest χ.
fn at_peak(spins: Spins, size: u32, span: f64) -> Distribution {
    let middle = spins.transition().map_or(1.0, |found| found.temperature);
    let tried = (0..=20).map(|i| spins.distribution(size, middle * (1.0 + span * (f64::from(i) / 10.0 - 1.0))));
    let variance = |exact: &Distribution| exact.moments(1.0).variance;
    tried.max_by(|a, b| variance(a).total_cmp(&variance(b))).unwrap_or_else(|| spins.distribution(size, middle))
}

fn assumptions(drawn: &Drawn, fits: Option<&Fits>, known: Order, kind: &str) -> Vec<Assumption> {
    let analysis = &drawn.analysis;
    let mut all = vec![Assumption {
        statement: format!("The verdict is the known one: {kind}"),
        holds: (analysis.order != Order::Untold).then_some(analysis.order == known),
        evidence: analysis.words.clone(),
    }];
    all.extend(report::assumptions(analysis));
    if let Some((fits, (size, cell))) = fits.zip(analysis.transition()) {
        let series = drawn.spins.landau(analysis.curves[size].points[cell].0);
        let words = ["a", "b", "c"].iter().zip(fits.coefficients.iter().zip(series)).map(|(name, (found, known))| {
            format!("{name} = {:.2} [{:.2}, {:.2}] against {known:.2}", found.value, found.low, found.high)
        });
        all.push(Assumption {
            statement: "The fitted polynomial is Landau's series about m = 0".into(),
            holds: Some(fits.coefficients.iter().zip(series).all(|(found, known)| found.low <= known && known <= found.high)),
            evidence: words.collect::<Vec<_>>().join("; "),
        });
    }
    let off = drawn.noiseless.iter().zip(drawn.known).map(|(found, known)| (found - known).abs()).fold(0.0, f64::max);
    let [kappa, inverse, beta] = drawn.noiseless;
    all.push(Assumption {
        statement: "Exponents of these sizes are those of the infinite system".into(),
        holds: Some(off < CLOSE),
        evidence: format!("without noise they are κ = {kappa:.2}, 1/ν = {inverse:.2} and β/ν = {beta:.2}, at most {off:.2} off"),
    });
    all
}
