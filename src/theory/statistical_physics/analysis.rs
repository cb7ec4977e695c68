//! One analysis for spins and for networks, with bands over seeds, and a verdict that may be "not told".
//!
//! Every statement is made twice: from the seeds as they are, and from resamples of them, cell by cell. What resamples do not agree
//! on is not claimed. A transition is claimed if the peak of χ grows and curves
//! steepen with size beyond doubt; first-order if two phases coexist at
//! that peak and it grows as N; continuous if there is one phase, it grows more slowly, and all sizes collapse onto one curve.
//! Growth alone does not do: where each seed has a threshold of its own, N·Var(m) grows as N at every size and nothing sharpens.
//! Rejected: the sign of U₄ alone. It dips below 0 for any distribution with a long upper tail near 0, and does not dip where the
//! ordered phase weighs more than a third.

use super::super::spread::quantile;
use super::collapse::{Collapse, collapse};
use super::dip::{dip, p_value, uniform_dips};
use super::growth::{Growth, exponent, growth};
use super::locate::{Peak, crossing, peak};
use super::samples::{Curve, Series};
use crate::experiment::randomness::{Purpose, Stream};

/// Seeds below which no exponent and no order is told.
pub(super) const LEAST_SEEDS: usize = 20;
/// Sizes below which no exponent and no order is told.
pub(super) const LEAST_SIZES: usize = 3;
/// Resamples behind each band.
const RESAMPLES: usize = 200;
/// Resamples that are collapsed.
const COLLAPSES: usize = 60;
/// Mean squared distance, in standard errors, up to which curves count as one. 1 is expected; neighbouring lines and a common grid
/// leave it between ½ and 2.
pub(super) const COLLAPSED: f64 = 3.0;
/// Chance of a dip as deep from one phase below which two are claimed.
pub(super) const TWO_PHASES: f64 = 0.05;
/// Half-width of a band of κ that tells 1 from ½.
const TELLING: f64 = 0.25;

/// A number with its 95% band over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Banded {
    /// From all seeds.
    pub value: f64,
    /// 2.5% of resamples are below.
    pub low: f64,
    /// 2.5% of resamples are above.
    pub high: f64,
}

impl Banded {
    /// Of the number from all seeds and from resamples; NaN if a fifth of them do not have it.
    pub fn of(value: f64, resampled: &[f64]) -> Self {
        let finite: Vec<f64> = resampled.iter().copied().filter(|value| value.is_finite()).collect();
        if 5 * finite.len() < 4 * resampled.len() || !value.is_finite() {
            return Self { value: f64::NAN, low: f64::NAN, high: f64::NAN };
        }
        Self { value, low: quantile(&finite, 0.025), high: quantile(&finite, 0.975) }
    }
}

/// The peak of χ at one size, with bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BandedPeak {
    /// From all seeds.
    pub found: Peak,
    /// Band of its control.
    pub place: Banded,
    /// Band of its height.
    pub height: Banded,
}

/// Whether one size has two phases at its peak of χ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Phases {
    /// Hartigan's dip.
    pub dip: f64,
    /// Chance of one as deep from a uniform sample.
    pub p: f64,
}

/// What the sizes together say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Two phases coexist.
    First,
    /// One phase that changes without a jump.
    Continuous,
    /// Not shown to be a transition at all.
    Crossover,
    /// The signs contradict each other, or there is too little.
    Untold,
}

/// All that is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Analysis {
    /// What was analysed.
    pub series: Vec<Series>,
    /// Moments of the seeds as they are.
    pub curves: Vec<Curve>,
    /// Moments of each resample.
    pub resamples: Vec<Vec<Curve>>,
    /// Peak of χ by size.
    pub peaks: Vec<Option<BandedPeak>>,
    /// Crossings of U₄ of the smallest size and each other: neighbours differ by less than the noise of some tens of seeds.
    pub crossings: Vec<Banded>,
    /// Growth of the peak with κ's band, or why there is none.
    pub growth: Result<(Growth, Banded), String>,
    /// Best collapse with bands of x_c, β/ν and 1/ν, or why there is none.
    pub collapse: Result<(Collapse, [Banded; 3]), String>,
    /// Phases by size.
    pub phases: Vec<Option<Phases>>,
    /// The verdict.
    pub order: Order,
    /// Why.
    pub words: String,
}

impl Analysis {
    /// Of `series`, ascending in size, each with at least one cell and each cell with at least one seed. `is_whole`: no more cells
    /// will come.
    pub fn of(series: Vec<Series>, is_whole: bool, seed: u64) -> Self {
        let curves: Vec<Curve> = series.iter().map(Curve::of).collect();
        let mut stream = Stream::new(seed, Purpose::Theory, 1 << 32);
        let mut resample = || series.iter().map(|series| Curve::resampled(series, &mut stream)).collect::<Vec<_>>();
        let resamples: Vec<Vec<Curve>> = (0..RESAMPLES).map(|_| resample()).collect();
        let peaks: Vec<Option<BandedPeak>> = (0..series.len()).map(|size| banded_peak(size, &curves, &resamples)).collect();
        let crossings = (1..series.len()).map(|size| banded_crossing(size, &curves, &resamples)).collect();
        let missing = missing(&series, &peaks, is_whole);
        let growth = missing.clone().map_or_else(|| Ok(banded_growth(&curves, &resamples, &peaks)), Err);
        let collapse = missing.map_or_else(|| banded_collapse(&curves, &resamples, &peaks), Err);
        let phases =
            peaks.iter().zip(&series).map(|(peak, series)| peak.map(|peak| phases(&series.cells[peak.found.cell].values)));
        let phases: Vec<Option<Phases>> = phases.collect();
        let (order, words) = verdict(&growth, &collapse, phases.last().copied().flatten());
        Self { series, curves, resamples, peaks, crossings, growth, collapse, phases, order, words }
    }

    /// Band of a number of each cell of one size: (control, low, high).
    pub fn band(&self, size: usize, of: impl Fn(&Curve, usize) -> f64) -> Vec<(f64, f64, f64)> {
        let cell = |index: usize| {
            let values: Vec<f64> = self.resamples.iter().map(|curves| of(&curves[size], index)).collect();
            (self.curves[size].points[index].0, quantile(&values, 0.025), quantile(&values, 0.975))
        };
        (0..self.curves[size].points.len()).map(cell).collect()
    }

    /// Index of the largest size and of its cell with the highest χ.
    pub fn transition(&self) -> Option<(usize, usize)> {
        let size = self.series.len().checked_sub(1)?;
        Some((size, self.peaks[size]?.found.cell))
    }

    /// Least number of seeds in a cell.
    pub fn seeds(&self) -> usize {
        self.series.iter().flat_map(|series| &series.cells).map(|cell| cell.values.len()).min().unwrap_or(0)
    }

    /// Seeds with which κ's band would be ± ¼, narrow enough to tell N from √N: bands narrow as one over the root.
    pub fn seeds_to_tell(&self) -> Option<f64> {
        let (_, exponent) = self.growth.as_ref().ok()?;
        let half = 0.5 * (exponent.high - exponent.low) / TELLING;
        Some(libm::ceil(self.seeds() as f64 * half * half))
    }
}

fn banded_peak(size: usize, curves: &[Curve], resamples: &[Vec<Curve>]) -> Option<BandedPeak> {
    let found = peak(&curves[size])?;
    let (mut places, mut heights) = (Vec::new(), Vec::new());
    for resample in resamples {
        let again = peak(&resample[size]);
        places.push(again.map_or(f64::NAN, |peak| peak.control));
        heights.push(again.map_or(f64::NAN, |peak| peak.height));
    }
    Some(BandedPeak { found, place: Banded::of(found.control, &places), height: Banded::of(found.height, &heights) })
}

fn banded_crossing(size: usize, curves: &[Curve], resamples: &[Vec<Curve>]) -> Banded {
    let of = |curves: &[Curve]| {
        let (small, large) = (&curves[0], &curves[size]);
        let is_one_grid = small.points.iter().map(|point| point.0).eq(large.points.iter().map(|point| point.0));
        if is_one_grid { crossing(small, large).unwrap_or(f64::NAN) } else { f64::NAN }
    };
    let again: Vec<f64> = resamples.iter().map(|curves| of(curves)).collect();
    Banded::of(of(curves), &again)
}

/// What is missing for exponents, if anything.
fn missing(series: &[Series], peaks: &[Option<BandedPeak>], is_whole: bool) -> Option<String> {
    let seeds = series.iter().flat_map(|series| &series.cells).map(|cell| cell.values.len()).min().unwrap_or(0);
    if !is_whole {
        return Some("not all sizes and controls are done yet".into());
    }
    if seeds < LEAST_SEEDS {
        return Some(format!("{seeds} seeds are too few for a band over seeds; {LEAST_SEEDS} are needed"));
    }
    if series.len() < LEAST_SIZES {
        return Some(format!("{} sizes are too few for an exponent; {LEAST_SIZES} are needed", series.len()));
    }
    let outside = |(series, peak): (&Series, &Option<BandedPeak>)| {
        (!peak.is_some_and(|peak| peak.found.is_inside))
            .then(|| format!("the peak of χ at {} is not inside the range", series.name))
    };
    series.iter().zip(peaks).find_map(outside)
}

fn banded_growth(curves: &[Curve], resamples: &[Vec<Curve>], peaks: &[Option<BandedPeak>]) -> (Growth, Banded) {
    let height = |curve: &Curve| peak(curve).map_or(f64::NAN, |peak| peak.height);
    let logs = |size: usize| resamples.iter().map(move |curves| libm::log(height(&curves[size])));
    let deviation = |size: usize| {
        let count = resamples.len() as f64;
        let mean = logs(size).sum::<f64>() / count;
        libm::sqrt(logs(size).map(|log| (log - mean) * (log - mean)).sum::<f64>() / count)
    };
    let heights: Vec<(f64, f64, f64)> = (0..curves.len())
        .map(|size| (curves[size].size, peaks[size].map_or(f64::NAN, |peak| peak.found.height), deviation(size)))
        .collect();
    let found = growth(&heights);
    let again = |curves: &Vec<Curve>| exponent(&curves.iter().map(|curve| (curve.size, height(curve))).collect::<Vec<_>>());
    (found, Banded::of(found.exponent, &resamples.iter().map(again).collect::<Vec<_>>()))
}

fn banded_collapse(
    curves: &[Curve],
    resamples: &[Vec<Curve>],
    peaks: &[Option<BandedPeak>],
) -> Result<(Collapse, [Banded; 3]), String> {
    let largest = peaks.last().copied().flatten().map_or(f64::NAN, |peak| peak.found.control);
    let starts = [(0.02, 0.4), (0.02, 1.0), (0.25, 0.4), (0.25, 1.0)].map(|(beta, inverse_nu)| [largest, beta, inverse_nu]);
    let found = collapse(curves, &starts).ok_or("curves of different sizes do not overlap in scaled variables")?;
    let again: Vec<Option<Collapse>> =
        resamples.iter().take(COLLAPSES).map(|curves| collapse(curves, &[found.parameters()])).collect();
    let band = |index: usize| {
        let values: Vec<f64> = again.iter().map(|found| found.map_or(f64::NAN, |found| found.parameters()[index])).collect();
        Banded::of(found.parameters()[index], &values)
    };
    Ok((found, [0, 1, 2].map(band)))
}

fn phases(values: &[f64]) -> Phases {
    let dip = dip(values);
    Phases { dip, p: p_value(dip, &uniform_dips(values.len())) }
}

fn verdict(
    growth: &Result<(Growth, Banded), String>,
    collapse: &Result<(Collapse, [Banded; 3]), String>,
    phases: Option<Phases>,
) -> (Order, String) {
    let untold = |why: &str| (Order::Untold, format!("No order is told: {why}"));
    let (grown, quality, sharpened, phases) = match (growth, collapse, phases) {
        (Ok((_, grown)), Ok((found, [_, _, sharpened])), Some(phases)) => (grown, found.quality, sharpened, phases),
        (Err(why), ..) | (_, Err(why), _) => return untold(why),
        (.., None) => return untold("χ is 0 at the largest size"),
    };
    if !(grown.value.is_finite() && sharpened.value.is_finite()) {
        return untold("resamples do not agree on any exponent");
    }
    let rate = format!("the peak of χ grows as N^{:.2} [{:.2}, {:.2}]", grown.value, grown.low, grown.high);
    let steepens = format!("curves steepen as N^{:.2} [{:.2}, {:.2}]", sharpened.value, sharpened.low, sharpened.high);
    let (two, seen) = (phases.p < TWO_PHASES, format!("(dip {:.3}, p = {:.3})", phases.dip, phases.p));
    // Exponents of curves that are not one curve mean nothing.
    let is_one = quality <= COLLAPSED;
    if grown.low <= 0.0 || is_one && sharpened.low <= 0.0 {
        let words = if is_one { steepens } else { format!("the sizes do not collapse (S = {quality:.1})") };
        return (
            Order::Crossover,
            format!("No transition is shown: {rate}, and {words}; a smooth crossover has 0 in one of the exponents"),
        );
    }
    if !is_one {
        let many = if two { "two phases" } else { "one phase" };
        return untold(&format!(
            "{rate}, with {many} at the peak {seen}, but no exponents make one curve of all sizes (S = {quality:.1})"
        ));
    }
    match (two, grown.high >= 1.0) {
        (true, true) => {
            (Order::First, format!("First-order: two phases coexist at the peak {seen}, and {rate}; 1 is first-order"))
        }
        (false, false) => (
            Order::Continuous,
            format!("Continuous: one phase at the peak {seen}, {rate}, slower than N, and all sizes collapse"),
        ),
        (true, false) => untold(&format!("two phases at the peak {seen}, but {rate}, slower than N")),
        (false, true) => untold(&format!("{rate}, as if first-order, but there is one phase at the peak {seen}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact::Spins;
    use super::super::samples::Cell;
    use super::*;

    /// Draws of `spins` about their transition.
    fn drawn(spins: Spins, seeds: usize, seed: u64) -> Vec<Series> {
        let mut stream = Stream::new(seed, Purpose::Theory, 0);
        let middle = spins.transition().unwrap().temperature;
        let mut cell = |size: u32, index: u32| {
            let control = middle * (1.0 + 0.15 * (f64::from(index) / 6.0 - 1.0));
            Cell { control, values: spins.distribution(size, control).draw(seeds, &mut stream) }
        };
        [64, 128, 256]
            .map(|size| Series {
                size: f64::from(size),
                name: format!("N = {size}"),
                cells: (0..13).map(|index| cell(size, index)).collect(),
            })
            .to_vec()
    }

    #[test]
    fn both_orders_are_told_and_their_exponents_are_inside_their_bands() {
        for (spins, order, beta, inverse_nu) in
            [(Spins::CurieWeiss, Order::Continuous, 0.25, 0.5), (Spins::BlumeCapel(0.49), Order::First, 0.0, 1.0)]
        {
            let found = Analysis::of(drawn(spins, 128, 5), true, 5);
            assert_eq!(found.order, order, "{}", found.words);
            let (_, [critical, first, second]) = found.collapse.as_ref().unwrap();
            let known = spins.transition().unwrap().temperature;
            // Corrections to scaling beside the band over seeds.
            let within = |band: &Banded, known: f64, beside: f64| band.low - beside <= known && known <= band.high + beside;
            assert!(within(critical, known, 0.01 * known), "{critical:?} {known}");
            assert!(within(first, beta, 0.05) && within(second, inverse_nu, 0.05), "{first:?} {second:?}");
        }
    }

    #[test]
    fn a_smooth_crossover_with_as_steep_curves_is_not_called_a_transition() {
        let mut stream = Stream::new(9, Purpose::Theory, 0);
        let series = [64.0, 128.0, 256.0].map(|size| {
            let mut cell = |index: u32| {
                let x = f64::from(index) / 12.0;
                let (mean, slope) = (1.0 / (1.0 + libm::exp(20.0 * (x - 0.5))), libm::exp(-40.0 * (x - 0.5) * (x - 0.5)));
                let spread = 0.8 * libm::sqrt(slope / size);
                Cell { control: x, values: (0..64).map(|_| mean + spread * stream.normal()).collect() }
            };
            Series { size, name: format!("N = {size}"), cells: (0..13).map(&mut cell).collect() }
        });
        let found = Analysis::of(series.to_vec(), true, 1);
        assert_eq!(found.order, Order::Crossover, "{}", found.words);
    }

    #[test]
    fn seeds_with_thresholds_of_their_own_are_not_called_coexistence() {
        // Each seed jumps softly at its own place; the spread of places does not narrow with size.
        let mut stream = Stream::new(10, Purpose::Theory, 0);
        let series = [64.0, 128.0, 256.0].map(|size| {
            let mut cell = |index: u32| {
                let x = f64::from(index) / 12.0;
                let mut value = |_| 1.0 / (1.0 + libm::exp(10.0 * (x - 0.5 - 0.06 * stream.normal())));
                Cell { control: x, values: (0..64).map(&mut value).collect() }
            };
            Series { size, name: format!("N = {size}"), cells: (0..13).map(&mut cell).collect() }
        });
        let found = Analysis::of(series.to_vec(), true, 1);
        let (_, grown) = found.growth.clone().unwrap();
        assert!(grown.low > 0.6, "χ grows all the same: {grown:?}");
        assert_eq!(found.order, Order::Crossover, "{}", found.words);
    }

    #[test]
    fn a_transition_that_moves_to_and_fro_with_size_makes_no_one_curve_and_has_no_exponents() {
        let mut stream = Stream::new(11, Purpose::Theory, 0);
        let series = [(64.0, 0.4), (128.0, 0.65), (256.0, 0.5)].map(|(size, middle)| {
            let mut cell = |index: u32| {
                let x = f64::from(index) / 12.0;
                let mut value = |_| 1.0 / (1.0 + libm::exp(20.0 * (x - middle - 0.04 * stream.normal())));
                Cell { control: x, values: (0..64).map(&mut value).collect() }
            };
            Series { size, name: format!("N = {size}"), cells: (0..13).map(&mut cell).collect() }
        });
        let found = Analysis::of(series.to_vec(), true, 1);
        assert_eq!(found.order, Order::Untold, "{}", found.words);
        assert!(found.words.contains("no exponents make one curve"), "{}", found.words);
        let numbers = super::super::report::numbers(&found);
        assert!(
            numbers
                .iter()
                .filter(|n| ["inverse_nu", "beta_over_nu", "critical"].contains(&n.name.as_str()))
                .all(|n| n.value.is_nan())
        );
    }

    #[test]
    fn too_few_seeds_or_sizes_and_a_peak_at_the_edge_are_words_and_not_exponents() {
        let few = Analysis::of(drawn(Spins::CurieWeiss, 19, 1), true, 1);
        assert!(few.words.contains("19 seeds are too few") && few.growth.is_err() && few.collapse.is_err(), "{}", few.words);
        let two = Analysis::of(drawn(Spins::CurieWeiss, 30, 1)[..2].to_vec(), true, 1);
        assert!(two.words.contains("2 sizes are too few"), "{}", two.words);
        let mut edge = drawn(Spins::CurieWeiss, 30, 1);
        edge.iter_mut().for_each(|series| series.cells.truncate(4));
        assert!(Analysis::of(edge, true, 1).words.contains("not inside the range"));
        assert!(Analysis::of(drawn(Spins::CurieWeiss, 30, 1), false, 1).words.contains("not all"));
    }
}
