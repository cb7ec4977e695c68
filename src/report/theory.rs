//! A theory panel's figures as figures of the `plot` room, for the terminal and the page alike.
//!
//! Panels speak of predictions and measurements, `plot` of inks and dashes; if each door translated for itself, a prediction could
//! be dashed on the page and solid in the file. A picture borrows its points, so it is handed to a caller and not returned.

use crate::plot::{Area, Axis, Curves, HeatMap, Ink, Key, Mark, Palette, Picture, Scatter, Series, Stain, Stretch};
use crate::theory::{Drawing, Figure, Group, Line, Role, Scaled, Segment};

/// Hands over the picture of a figure.
pub fn with_picture<R>(figure: &Figure, show: impl FnOnce(&Picture<'_>) -> R) -> R {
    match &figure.drawing {
        Drawing::Lines { x, y, lines, marks } => with_lines((axis(x), axis(y)), lines, marks, show),
        Drawing::Points { x, y, groups, names, ringed, segments, equal } => {
            with_points((x, y), groups, (names, ringed), segments, *equal, show)
        }
        Drawing::Map { row_label, column_label, rows, columns, values, is_signed, kinds } => {
            let ends = |values: &[f64]| values.first().map(|first| short(*first)).zip(values.last().map(|last| short(*last)));
            let row_label = match ends(rows) {
                Some((first, last)) if rows.len() > 1 => format!("{row_label}: from {first} (bottom) to {last} (top)"),
                _ => row_label.clone(),
            };
            show(&Picture::HeatMap(HeatMap {
                rows: rows.len(),
                columns: columns.len(),
                values,
                range: (kinds.len() > 1).then(|| (0.0, (kinds.len() - 1) as f32)),
                palette: if *is_signed { Palette::Diverging } else { Palette::Sequential },
                row_label,
                column_label: column_label.clone(),
                column_names: Some(columns.iter().map(|value| short(*value)).collect()),
                row_names: Some(rows.iter().map(|value| short(*value)).collect()),
                selected_row: None,
                origin_top: false,
                caption_range: true,
            }))
        }
    }
}

/// Hands over the picture of measured − predicted, if the figure has a pair with more than one measured point.
pub fn with_residuals<R>(figure: &Figure, show: impl FnOnce(&Picture<'_>) -> R) -> Option<R> {
    let Drawing::Lines { x, y, lines, marks } = &figure.drawing else { return None };
    let found = figure.residuals();
    // A single difference is a number, and no curve to be drawn.
    if found.iter().all(|(_, points)| points.len() < 2) {
        return None;
    }
    // In the ink of the line that it is of.
    let role =
        |name: &str| lines.iter().find(|line| line.name == name && is_measured(line.role)).map_or(Role::Measured, |l| l.role);
    let mut differences: Vec<Line> = Vec::new();
    let ends = found.iter().flat_map(|(_, points)| points).map(|point| point.0);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    differences.push(Line::new("", Role::Predicted, vec![(low, 0.0), (high, 0.0)]));
    differences.extend(found.into_iter().map(|(name, points)| Line { role: role(&name), name, points }));
    let y = Axis::linear(format!("measured − predicted, {}", y.label));
    Some(with_lines((axis(x), y), &differences, marks, show))
}

/// One caption sentence, with what the numbers of a map of kinds stand for.
pub fn caption(figure: &Figure) -> String {
    match &figure.drawing {
        Drawing::Map { kinds, .. } if !kinds.is_empty() => {
            let named: Vec<String> = kinds.iter().enumerate().map(|(index, kind)| format!("{index} {kind}")).collect();
            format!("{}. Numbers stand for: {}", figure.caption.trim_end_matches('.'), named.join(", "))
        }
        _ => figure.caption.clone(),
    }
}

/// A number with at most four digits, as people write it: 0.25, 1200, 1e-5.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".into();
    }
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let before = if size == 0.0 { 0 } else { libm::floor(libm::log10(size)) as i32 + 1 };
    let text = format!("{value:.*}", (4 - before).max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn axis(scaled: &Scaled) -> Axis {
    if scaled.is_log { Axis::log(&scaled.label) } else { Axis::linear(&scaled.label) }
}

fn is_measured(role: Role) -> bool {
    matches!(role, Role::Measured | Role::Train | Role::Test)
}

/// Sources whose hue is not near that of a prediction.
const UNLIKE_THEORY: [u8; 5] = [0, 2, 3, 4, 5];

/// The ink of a role; a measured line's among several is its own.
fn ink(role: Role, source: Option<usize>) -> Ink {
    match role {
        Role::Predicted => Ink::Theory,
        Role::Train => Ink::Train,
        Role::Test => Ink::Test,
        Role::Baseline => Ink::Baseline,
        Role::Kind(index) => Ink::Source(index),
        Role::Measured | Role::Low | Role::High => {
            source.map_or(Ink::Accent, |index| Ink::Source(UNLIKE_THEORY[index % UNLIKE_THEORY.len()]))
        }
    }
}

/// A ground behind lines: its ink and (x, low, high).
type Spread = (Ink, Vec<(f64, f64, f64)>);

fn with_lines<R>((x, y): (Axis, Axis), lines: &[Line], marks: &[(f64, String)], show: impl FnOnce(&Picture<'_>) -> R) -> R {
    let measured: Vec<&str> = lines.iter().filter(|line| line.role == Role::Measured).map(|line| line.name.as_str()).collect();
    // A single measured line is the thing to look at; of several each has its own ink.
    let source = |name: &str| measured.iter().position(|known| *known == name).filter(|_| measured.len() > 1);
    let of = |role: Role, name: &str| lines.iter().find(|line| line.role == role && line.name == name);
    let partner = |name: &str| lines.iter().find(|line| is_measured(line.role) && line.name == name);
    let shown = || lines.iter().filter(|line| !matches!(line.role, Role::Low | Role::High));
    // Beside a prediction kinds have no hue like its own, nor one that a measured line has.
    let is_foretold = lines.iter().any(|line| line.role == Role::Predicted);
    let taken = if measured.len() > 1 { measured.len() } else { 0 };
    let ink_of = |line: &Line| match line.role {
        Role::Kind(kind) if is_foretold => Ink::Source(UNLIKE_THEORY[(taken + usize::from(kind)) % UNLIKE_THEORY.len()]),
        role => ink(role, source(&line.name)),
    };
    let labels: Vec<String> = shown()
        .map(|line| match line.role {
            Role::Predicted if partner(&line.name).is_some() => format!("{}, theory", line.name),
            _ => line.name.clone(),
        })
        .collect();
    let mut series: Vec<Series<'_>> = shown()
        .zip(&labels)
        .map(|(line, label)| Series {
            label,
            ink: ink_of(line),
            dashed: matches!(line.role, Role::Predicted | Role::Baseline),
            points: &line.points,
        })
        .collect();
    // Where not all names have room the first series keep theirs; and dashes over a solid line can still be seen.
    series.sort_by_key(|series| series.dashed);
    let spreads: Vec<Spread> = lines
        .iter()
        .filter(|line| line.role == Role::Low)
        .filter_map(|low| {
            let high = of(Role::High, &low.name)?;
            let role = partner(&low.name).or(of(Role::Predicted, &low.name)).map_or(Role::Measured, |line| line.role);
            let points = low.points.iter().zip(&high.points).map(|(low, high)| (low.0, low.1, high.1)).collect();
            Some((ink(role, source(&low.name)), points))
        })
        .collect();
    let areas: Vec<Area<'_>> = spreads.iter().map(|(ink, points)| Area { ink: *ink, points }).collect();
    let marks: Vec<Mark> = marks.iter().map(|(x, name)| Mark::date(*x, name)).collect();
    show(&Picture::Curves(Curves { series: &series, x, y, marks: &marks, ticks: &[], cursor: None, bands: &[], areas: &areas }))
}

fn with_points<R>(
    (x, y): (&str, &str),
    groups: &[Group],
    (names, ringed): (&[String], &[usize]),
    segments: &[Segment],
    equal: bool,
    show: impl FnOnce(&Picture<'_>) -> R,
) -> R {
    let points: Vec<(f64, f64)> = groups.iter().flat_map(|group| group.points.iter().copied()).collect();
    let inks: Vec<Ink> = groups.iter().flat_map(|group| group.points.iter().map(|_| ink(group.role, None))).collect();
    let stretch = |segment: &Segment| Stretch {
        from: segment.from,
        to: segment.to,
        ink: ink(segment.role, None),
        dashed: matches!(segment.role, Role::Predicted | Role::Baseline),
    };
    let stretches: Vec<Stretch> = segments.iter().map(stretch).collect();
    let named = groups.iter().filter(|group| !group.name.is_empty());
    let keys: Vec<Key<'_>> = named.map(|group| Key { ink: ink(group.role, None), label: &group.name }).collect();
    let with_ends = || points.iter().copied().chain(stretches.iter().flat_map(|stretch| [stretch.from, stretch.to]));
    let window = (!equal).then(|| (extent(with_ends().map(|point| point.0)), extent(with_ends().map(|point| point.1))));
    show(&Picture::Scatter(Scatter {
        points: &points,
        labels: names,
        stain: Stain::Inks(&inks),
        order: &[],
        closed: false,
        x_label: x.to_owned(),
        y_label: y.to_owned(),
        range: None,
        window,
        guides: &[],
        stretches: &stretches,
        keys: &keys,
        ringed,
    }))
}

/// The range of finite values with a little air.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let air = 0.06 * (high - low);
    if low < high { (low - air, high + air) } else { (low.min(0.0) - 1.0, high.max(0.0) + 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: Vec<Line>) -> Figure {
        let drawing =
            Drawing::Lines { x: Scaled::log("steps"), y: Scaled::linear("loss"), lines, marks: vec![(2.0, "now".into())] };
        Figure { name: "f".into(), caption: "c".into(), drawing }
    }

    fn pair() -> Figure {
        lines(vec![
            Line::new("loss", Role::Low, vec![(1.0, 0.5), (2.0, 1.0)]),
            Line::new("loss", Role::High, vec![(1.0, 1.5), (2.0, 3.0)]),
            Line::new("loss", Role::Predicted, vec![(1.0, 1.0), (3.0, 3.0)]),
            Line::new("loss", Role::Measured, vec![(1.0, 1.25), (2.0, 2.0)]),
        ])
    }

    #[test]
    fn predictions_are_dashed_in_the_ink_of_theory_and_measurements_are_solid_with_their_spread() {
        with_picture(&pair(), |picture| {
            let Picture::Curves(curves) = picture else { panic!("no curves") };
            let told: Vec<(&str, Ink, bool)> = curves.series.iter().map(|s| (s.label, s.ink, s.dashed)).collect();
            assert_eq!(told, [("loss", Ink::Accent, false), ("loss, theory", Ink::Theory, true)]);
            assert_eq!(curves.areas.len(), 1);
            assert_eq!((curves.areas[0].ink, curves.areas[0].points), (Ink::Accent, &[(1.0, 0.5, 1.5), (2.0, 1.0, 3.0)][..]));
            assert_eq!((curves.marks[0].x, curves.marks[0].label.as_str()), (2.0, "now"));
        });
    }

    #[test]
    fn several_measured_lines_have_inks_of_their_own_and_keep_them_among_residuals() {
        let figure = lines(
            ["a", "b"]
                .into_iter()
                .flat_map(|name| {
                    [Role::Predicted, Role::Measured].map(|role| Line::new(name, role, vec![(1.0, 1.0), (2.0, 2.0)]))
                })
                .collect(),
        );
        let inks = |picture: &Picture<'_>| {
            let Picture::Curves(curves) = picture else { panic!("no curves") };
            curves.series.iter().filter(|s| !s.dashed).map(|s| (s.label.to_owned(), s.ink)).collect::<Vec<_>>()
        };
        let expected = [("a".to_owned(), Ink::Source(0)), ("b".to_owned(), Ink::Source(2))];
        assert_eq!(with_picture(&figure, inks), expected);
        assert_eq!(with_residuals(&figure, inks).unwrap(), expected);
    }

    #[test]
    fn kinds_beside_a_prediction_have_neither_its_hue_nor_that_of_a_measured_line() {
        let kind = |index| Line::new(format!("kind {index}"), Role::Kind(index), vec![(1.0, 2.0), (2.0, 1.0)]);
        let inks = |picture: &Picture<'_>| {
            let Picture::Curves(curves) = picture else { panic!("no curves") };
            curves.series.iter().filter(|s| s.label.starts_with("kind")).map(|s| s.ink).collect::<Vec<_>>()
        };
        let alone = lines(vec![kind(0), kind(1)]);
        assert_eq!(with_picture(&alone, inks), [Ink::Source(0), Ink::Source(1)]);
        let measured = ["a", "b"].map(|name| Line::new(name, Role::Measured, vec![(1.0, 1.0), (2.0, 2.0)]));
        let foretold = Line::new("a", Role::Predicted, vec![(1.0, 1.0), (2.0, 2.0)]);
        let beside = lines(measured.into_iter().chain([foretold, kind(0), kind(1)]).collect());
        assert_eq!(with_picture(&beside, inks), [Ink::Source(3), Ink::Source(4)]);
    }

    #[test]
    fn residuals_are_drawn_about_zero_and_only_where_there_is_a_pair() {
        let csv = with_residuals(&pair(), |picture| picture.to_csv()).unwrap();
        assert!(csv.contains("1,0.25,") && csv.contains("2,0,"), "{csv}");
        let alone = lines(vec![Line::new("loss", Role::Measured, vec![(1.0, 1.0)])]);
        assert!(with_residuals(&alone, |_| ()).is_none());
        let theory = Line::new("loss", Role::Predicted, vec![(1.0, 1.0), (3.0, 3.0)]);
        let single = lines(vec![theory, Line::new("loss", Role::Measured, vec![(2.0, 1.5)])]);
        assert!(with_residuals(&single, |_| ()).is_none());
    }

    #[test]
    fn maps_begin_at_the_bottom_and_kinds_are_named_in_the_caption() {
        let drawing = Drawing::Map {
            row_label: "decay".into(),
            column_label: "rate".into(),
            rows: vec![0.1, 1.0],
            columns: vec![1e-5, 1e-4, 0.25],
            values: vec![0.0, 1.0, 2.0, f32::NAN, 1.0, 0.0],
            is_signed: false,
            kinds: ["confusion", "grokking", "comprehension"].map(String::from).to_vec(),
        };
        let figure = Figure { name: "phases".into(), caption: "Phases".into(), drawing };
        with_picture(&figure, |picture| {
            let Picture::HeatMap(map) = picture else { panic!("no map") };
            assert_eq!((map.rows, map.columns, map.range, map.origin_top), (2, 3, Some((0.0, 2.0)), false));
            assert_eq!(map.column_names.as_deref().unwrap(), ["1e-5", "1e-4", "0.25"]);
            assert_eq!(map.row_label, "decay: from 0.1 (bottom) to 1 (top)");
        });
        assert_eq!(caption(&figure), "Phases. Numbers stand for: 0 confusion, 1 grokking, 2 comprehension");
        assert!(with_residuals(&figure, |_| ()).is_none());
    }

    #[test]
    fn points_keep_their_names_and_segments_of_predictions_are_dashed() {
        let drawing = Drawing::Points {
            x: "x₁".into(),
            y: "x₂".into(),
            groups: vec![
                Group::new("measured", Role::Measured, vec![(0.0, 1.0)]),
                Group::new("predicted", Role::Predicted, vec![(2.0, 3.0)]),
                Group::new("", Role::Test, vec![(2.0, 1.0)]),
            ],
            names: vec!["first".into()],
            ringed: vec![1],
            segments: vec![Segment { role: Role::Predicted, from: (0.0, 0.0), to: (4.0, 4.0) }],
            equal: false,
        };
        let figure = Figure { name: "plane".into(), caption: String::new(), drawing };
        with_picture(&figure, |picture| {
            let Picture::Scatter(scatter) = picture else { panic!("no points") };
            assert_eq!((scatter.stain, scatter.ringed), (Stain::Inks(&[Ink::Accent, Ink::Theory, Ink::Test]), [1].as_slice()));
            assert_eq!(scatter.stretches, [Stretch { from: (0.0, 0.0), to: (4.0, 4.0), ink: Ink::Theory, dashed: true }]);
            assert_eq!(scatter.keys.iter().map(|key| key.label).collect::<Vec<_>>(), ["measured", "predicted"]);
            let ((left, right), (bottom, top)) = scatter.window.unwrap();
            assert!(left < 0.0 && right > 4.0 && bottom < 0.0 && top > 4.0);
        });
    }

    #[test]
    fn numbers_are_written_as_people_do() {
        let texts = [0.0, 0.25, 1.0, 1200.0, 123_456.0, 1e-5, -2.5e-7, 2e9, 0.1234567, 12.3456, 0.00162941, f64::NAN].map(short);
        assert_eq!(texts, ["0", "0.25", "1", "1200", "123456", "1e-5", "-2.5e-7", "2e9", "0.1235", "12.35", "0.001629", "–"]);
    }
}
