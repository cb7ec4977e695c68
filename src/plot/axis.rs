//! What an axis is, which values it spans and where its numbers stand.
//!
//! A chart is read through its numbers: they must be round, spelled the same everywhere (1,000; 25%; 10⁻⁵) and never touch.
//! plotters' own ticks fit neither ln(1 + v) nor short charts, so ticks are chosen here: 1-2-5 on linear axes, decades on
//! logarithmic ones, as many as there is room for.

use super::Scale;
use super::scale::counts_from_zero;

/// How numbers are written along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberFormat {
    /// As many digits as the ticks need: 0.25, 1,000, 10⁻⁵.
    #[default]
    Plain,
    /// Whole numbers only: steps, frequencies.
    Count,
    /// A share of 1 as percent: 0.25 is 25%.
    Percent,
}

/// One axis of a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is measured, with its unit; may be empty.
    pub label: String,
    /// How values are spread.
    pub scale: Scale,
    /// Values at both ends; `None` fits the data. On a logarithmic y axis a lower end that is not positive gives way to the
    /// smallest positive value drawn.
    pub range: Option<(f64, f64)>,
    /// How its numbers are written.
    pub format: NumberFormat,
}

impl Axis {
    /// A linear axis that fits the data.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A logarithmic axis that fits the data.
    pub fn log(label: impl Into<String>) -> Self {
        Self { scale: Scale::Log, ..Self::linear(label) }
    }

    /// An axis of whole numbers.
    pub fn count(label: impl Into<String>, scale: Scale) -> Self {
        Self { scale, format: NumberFormat::Count, ..Self::linear(label) }
    }

    /// A linear axis from 0% to 100%.
    pub fn share(label: impl Into<String>) -> Self {
        Self { range: Some((0.0, 1.0)), format: NumberFormat::Percent, ..Self::linear(label) }
    }

    /// The range as a horizontal axis: exactly the given one or that of `values`.
    pub(super) fn span_x(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some(range) = self.range.filter(is_range) {
            return range;
        }
        match extent(values.filter(|&value| self.scale == Scale::Linear || value >= 0.0)) {
            Some((low, high)) if high > low => (low, high),
            Some((low, _)) => (low, low + 1.0),
            None => (0.0, 1.0),
        }
    }

    /// The range as a vertical axis: the given one, or that of `values` with a little air, from 0 where 0 is not far.
    pub(super) fn span_y(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let given = self.range.filter(is_range);
        match self.scale {
            Scale::Linear => given.unwrap_or_else(|| match extent(values) {
                None => (0.0, 1.0),
                Some((low, high)) if low == high => {
                    (low.min(2.0 * low).min(0.0), if high > 0.0 { 2.0 * high } else { f64::from(high == 0.0) })
                }
                Some((low, high)) => {
                    let air = 0.05 * (high - low);
                    (if low >= 0.0 && low < 0.5 * high { 0.0 } else { low - air }, high + air)
                }
            }),
            Scale::Log => {
                if let Some(range) = given
                    && range.0 > SMALLEST
                {
                    return range;
                }
                let seen = extent(values.filter(|&value| value > SMALLEST)).map(|(low, high)| {
                    let air = if low == high { 10f64.sqrt() } else { (high / low).powf(0.04) };
                    (low / air, high * air)
                });
                match (seen, given) {
                    (Some((low, _)), Some((_, high))) if low < high => (low, high),
                    (Some(seen), _) => seen,
                    (None, _) => (0.1, 1.0),
                }
            }
        }
    }
}

fn is_range(range: &(f64, f64)) -> bool {
    range.0 < range.1 && usable(range.0) && usable(range.1)
}

/// Below this, logarithms and powers of ten lose their digits.
const SMALLEST: f64 = 1e-300;

/// Values whose differences stay finite.
fn usable(value: f64) -> bool {
    value.abs() < 1e300
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|&value| usable(value)).fold(None, |seen, value| match seen {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// A place on an axis with its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Where it stands.
    pub value: f64,
    /// What is written beside it.
    pub label: String,
}

/// The ticks of an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ticks {
    /// With numbers.
    pub major: Vec<Tick>,
    /// Without: 2 to 9 between decades.
    pub minor: Vec<f64>,
}

/// As many round numbers on `range` as fit `room` CSS pixels, where a label takes `size_of(label)` and at least `gap` lies
/// between two.
pub(super) fn ticks(axis: &Axis, range: (f64, f64), room: f64, gap: f64, size_of: impl Fn(&str) -> f64) -> Ticks {
    let fits = |ticks: &[Tick]| {
        ticks.windows(2).all(|pair| {
            let distance = (axis.scale.position(range, pair[1].value) - axis.scale.position(range, pair[0].value)) * room;
            distance >= gap + (size_of(&pair[0].label) + size_of(&pair[1].label)) / 2.0
        })
    };
    if axis.scale == Scale::Log
        && let Some(ticks) = log_ticks(axis.format, range, &fits)
    {
        return ticks;
    }
    let major = (1..=6).rev().map(|count| linear_ticks(axis.format, range, count)).find(|ticks| fits(ticks));
    Ticks { major: major.unwrap_or_default(), minor: Vec::new() }
}

fn linear_ticks(format: NumberFormat, (low, high): (f64, f64), count: usize) -> Vec<Tick> {
    let rough = (high - low) / count as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let mut step = round_up(rough);
    if format == NumberFormat::Count {
        step = step.max(1.0);
    }
    // A hair of slack keeps 0.3 on an axis that ends at 0.3.
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let number = if last >= first { (last - first) as usize + 1 } else { 0 };
    (0..number.min(count + 2))
        .map(|index| {
            let value = (first + index as f64) * step;
            Tick { value, label: written(value, step, format) }
        })
        .collect()
}

/// The smallest of 1, 2, 5 × 10ⁿ that is not below `rough`.
fn round_up(rough: f64) -> f64 {
    let decade = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * decade).find(|&step| step >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * decade)
}

/// Decades, or 1-2-5 where there are few; `None` where fewer than two would stand, and linear ticks serve better.
fn log_ticks(format: NumberFormat, range: (f64, f64), fits: &impl Fn(&[Tick]) -> bool) -> Option<Ticks> {
    let from_zero = counts_from_zero(range);
    let lowest = if from_zero { 1.0 } else { range.0 };
    let (first, last) = ((lowest.log10() + 1e-9).floor() as i32, (range.1.log10() + 1e-9).floor() as i32);
    let inside = |value: f64| value >= range.0 * (1.0 - 1e-9) && value <= range.1 * (1.0 + 1e-9);
    let tick = |value: f64| Tick { value, label: written(value, value, format) };
    let zero = from_zero.then(|| Tick { value: 0.0, label: written(0.0, 1.0, format) });
    let select = |digits: &[f64], stride: i32| {
        let powers = (first..=last).filter(|power| power.rem_euclid(stride) == 0);
        let values = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)));
        let mut ticks: Vec<Tick> = values.filter(|&value| inside(value)).map(tick).collect();
        if let Some(zero) = &zero {
            // Zero always stays: what stands too close to it gives way.
            while !ticks.is_empty() && !fits(&[zero.clone(), ticks[0].clone()]) {
                ticks.remove(0);
            }
            ticks.insert(0, zero.clone());
        }
        ticks
    };
    let dense = (range.1 / lowest).log10() < 2.5;
    let mut candidates =
        dense.then(|| select(&[1.0, 2.0, 5.0], 1)).into_iter().chain((1..=20).map(|stride| select(&[1.0], stride)));
    let major = candidates.find(|ticks| fits(ticks)).filter(|ticks| ticks.len() >= 2)?;
    let minor = if last - first <= 6 {
        let all = (first..=last).flat_map(|power| (2..10).map(move |digit| f64::from(digit) * 10f64.powi(power)));
        all.filter(|&value| inside(value)).collect()
    } else {
        Vec::new()
    };
    Some(Ticks { major, minor })
}

/// A number with the digits that a distance of `step` to its neighbours needs.
pub(super) fn written(value: f64, step: f64, format: NumberFormat) -> String {
    let (value, step, unit) =
        if format == NumberFormat::Percent { (value * 100.0, step * 100.0, "%") } else { (value, step, "") };
    let step = step.abs();
    if value != 0.0 && (value.abs() >= 1e7 || step < 0.99e-3) {
        return format!("{}{unit}", in_powers(value));
    }
    let decimals = if step > 0.0 { (-(step.log10() + 1e-9).floor()).clamp(0.0, 6.0) as usize } else { 0 };
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, rest) =
        digits.split_once('.').map_or((digits.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let is_zero = digits.chars().all(|digit| matches!(digit, '0' | '.'));
    format!("{}{grouped}{rest}{unit}", if value < 0.0 && !is_zero { "−" } else { "" })
}

/// 10⁻⁵, 2×10⁷, 2.5×10⁻⁴.
fn in_powers(value: f64) -> String {
    let scientific = format!("{:.1e}", value.abs());
    let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    let power: String = power
        .chars()
        .map(|digit| match digit {
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            _ => '⁻',
        })
        .collect();
    let sign = if value < 0.0 { "−" } else { "" };
    if digits == "1" { format!("{sign}10{power}") } else { format!("{sign}{digits}×10{power}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, range: (f64, f64), room: f64) -> Vec<String> {
        ticks(axis, range, room, 10.0, |label| 8.0 * label.chars().count() as f64)
            .major
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn linear_ticks_are_one_two_five_and_thin_out_when_room_is_short() {
        let axis = Axis::linear("loss");
        assert_eq!(labels(&axis, (0.0, 1.0), 600.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&axis, (0.0, 1.0), 110.0), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(&axis, (-0.3, 0.3), 300.0), ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]);
    }

    #[test]
    fn numbers_are_written_with_commas_percent_signs_and_powers() {
        assert_eq!(written(20_000.0, 5_000.0, NumberFormat::Count), "20,000");
        assert_eq!(written(0.25, 0.25, NumberFormat::Percent), "25%");
        assert_eq!(written(1e-5, 1e-5, NumberFormat::Plain), "10⁻⁵");
        assert_eq!(written(-2e8, 1e8, NumberFormat::Plain), "−2×10⁸");
        assert_eq!(written(-0.0, 0.1, NumberFormat::Plain), "0.0");
    }

    #[test]
    fn logarithmic_steps_begin_at_zero_and_go_by_decades() {
        let axis = Axis::count("step", Scale::Log);
        assert_eq!(labels(&axis, (0.0, 20_000.0), 800.0), ["0", "1", "10", "100", "1,000", "10,000"]);
        let short = labels(&axis, (0.0, 20_000.0), 200.0);
        assert_eq!(short.first().map(String::as_str), Some("0"));
        assert!(short.len() < 6, "{short:?}");
    }

    #[test]
    fn a_logarithmic_axis_within_one_decade_still_has_two_numbers() {
        assert!(labels(&Axis::log("loss"), (3.1, 4.2), 400.0).len() >= 2);
        assert_eq!(labels(&Axis::log("loss"), (0.3, 6.0), 400.0), ["0.5", "1", "2", "5"]);
    }

    #[test]
    fn whole_numbers_have_no_fractions_between_them() {
        assert_eq!(labels(&Axis::count("k", Scale::Linear), (0.5, 3.5), 600.0), ["1", "2", "3"]);
    }

    #[test]
    fn a_logarithmic_y_axis_ignores_values_that_are_not_positive() {
        let (low, high) = Axis::log("loss").span_y([0.0, -1.0, f64::NAN, 0.01, 1.0].into_iter());
        assert!(low > 0.005 && low < 0.01 && high > 1.0, "{low} {high}");
        let asked = Axis { range: Some((0.0, 5.0)), ..Axis::log("loss") };
        assert!(asked.span_y([0.01, 1.0].into_iter()).0 > 0.0);
    }

    #[test]
    fn ranges_of_nothing_one_value_and_infinities_are_never_empty() {
        for axis in [Axis::linear(""), Axis::log("")] {
            for values in [&[][..], &[0.0], &[3.0], &[-3.0], &[f64::NAN, f64::INFINITY], &[f64::MAX, f64::MIN]] {
                for (low, high) in [axis.span_x(values.iter().copied()), axis.span_y(values.iter().copied())] {
                    assert!(low < high && (high - low).is_finite(), "{axis:?} {values:?}: {low}..{high}");
                }
            }
        }
    }
}
