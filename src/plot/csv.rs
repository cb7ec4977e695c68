//! A figure's numbers as a table for other programs.
//!
//! Somebody who doubts a picture, or wants it in their own paper, needs what was measured and not pixels: full precision, a point
//! as the decimal sign, no grouping of thousands, and an empty cell where there is no value. Names follow RFC 4180.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::race::{share_after, stairs};
use super::{Axis, Bars, Columns, Curves, Flow, HeatMap, Ink, Layer, Matrix, Polar, Race, Scatter, Slots, Stain};

/// Lines of cells.
struct Table(String);

impl Table {
    fn new(head: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.line(head.iter().copied());
        table
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            if cell.contains([',', '"', '\n', '\r']) {
                self.0.push('"');
                self.0.push_str(&cell.replace('"', "\"\""));
                self.0.push('"');
            } else {
                self.0.push_str(cell);
            }
        }
        self.0.push('\n');
    }
}

/// The shortest digits that read back as the same number; nothing where there is none. What was measured in single precision
/// keeps its own digits: 0.1 and not 0.10000000149011612.
fn number(value: f64) -> String {
    let single = value as f32;
    let is_plain = value == 0.0 || (1e-5..1e15).contains(&value.abs());
    match (f64::from(single) == value, is_plain) {
        _ if !value.is_finite() => String::new(),
        (true, true) => format!("{single}"),
        (true, false) => format!("{single:e}"),
        (false, true) => format!("{value}"),
        (false, false) => format!("{value:e}"),
    }
}

fn or<'a>(label: &'a str, otherwise: &'a str) -> &'a str {
    if label.is_empty() { otherwise } else { label }
}

/// What a column holds: name, colour, points.
type Line<'a> = (Cow<'a, str>, Ink, Cow<'a, [(f64, f64)]>);

/// Every line, and behind them the lower and the upper end of each spread, which is named after the line of its colour.
fn lines_of<'a>(curves: &Curves<'a>) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> =
        curves.series.iter().map(|series| (Cow::Borrowed(series.label), series.ink, Cow::Borrowed(series.points))).collect();
    for area in curves.areas {
        let of = curves.series.iter().find(|series| series.ink == area.ink && !series.label.is_empty());
        let named = |end: &str| Cow::Owned(of.map_or(end.to_owned(), |series| format!("{}, {end}", series.label)));
        let end = |value: fn(&(f64, f64, f64)) -> f64| area.points.iter().map(|point| (point.0, value(point))).collect();
        lines.push((named("lower end"), area.ink, Cow::Owned(end(|point| point.1))));
        lines.push((named("upper end"), area.ink, Cow::Owned(end(|point| point.2))));
    }
    lines
}

/// One column per line, joined on x; where a line has several values at one x, they stand on several lines.
pub(super) fn of_curves(curves: &Curves<'_>) -> String {
    let mut taken = BTreeSet::new();
    let mut head = vec![or(&curves.x.label, "x").to_owned()];
    let lines = lines_of(curves);
    for (label, ink, _) in &lines {
        let name = column(&curves.y, label);
        // A measured line and its original may share a name; on the chart they are told apart by colour.
        let told = if taken.contains(&name) { format!("{name} ({})", word(*ink)) } else { name };
        let mut unique = told.clone();
        let mut count = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{told} {count}");
            count += 1;
        }
        head.push(unique);
    }
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    let mut rest: Vec<std::iter::Peekable<_>> = lines
        .iter()
        .map(|(_, _, points)| points.iter().copied().filter(|point: &(f64, f64)| point.0.is_finite()).peekable())
        .collect();
    loop {
        let heads = rest.iter_mut().filter_map(|points| points.peek().map(|point| point.0));
        let Some(x) = heads.min_by(f64::total_cmp) else { break };
        let mut cells = vec![number(x)];
        for points in &mut rest {
            cells.push(points.next_if(|point| point.0 == x).map_or(String::new(), |point| number(point.1)));
        }
        table.line(cells.iter().map(String::as_str));
    }
    table.0
}

/// What a line shows, with the unit of its axis.
fn column(y: &Axis, label: &str) -> String {
    match (y.label.is_empty(), label.is_empty()) {
        (false, false) => format!("{}: {label}", y.label),
        (false, true) => y.label.clone(),
        (true, _) => or(label, "value").to_owned(),
    }
}

fn word(ink: Ink) -> String {
    match ink {
        Ink::Train => "train".into(),
        Ink::Test => "test".into(),
        Ink::Theory => "theory".into(),
        Ink::Baseline => "baseline".into(),
        Ink::Accent => "accent".into(),
        Ink::Neutral => "neutral".into(),
        Ink::Source(index) => format!("source {index}"),
    }
}

/// One line per cell of the matrix.
pub(super) fn of_heat_map(map: &HeatMap<'_>) -> String {
    let mut table = Table::new(&[or(&map.row_label, "row"), or(&map.column_label, "column"), "value"]);
    let named = |names: &Option<Vec<String>>, index: usize| match names.as_ref().and_then(|names| names.get(index)) {
        Some(name) => ungrouped(name),
        None => index.to_string(),
    };
    let of_columns = if map.column_names.is_none() && map.rows == map.columns { &map.row_names } else { &map.column_names };
    let columns: Vec<String> = (0..map.columns).map(|column| named(of_columns, column)).collect();
    for row in 0..map.rows {
        let name = named(&map.row_names, row);
        for (column, of_column) in columns.iter().enumerate() {
            let value = map.values.get(row * map.columns + column).map_or(String::new(), |&value| number(value.into()));
            table.line([name.as_str(), of_column, &value].into_iter());
        }
    }
    table.0
}

/// A number without the commas that people need in it; other names as they are.
fn ungrouped(name: &str) -> String {
    let plain: String = name.chars().filter(|&letter| letter != ',').collect();
    let is_number = !plain.is_empty() && plain.chars().all(|letter| letter.is_ascii_digit());
    if is_number { plain } else { name.to_owned() }
}

/// One line per bar.
pub(super) fn of_bars(bars: &Bars<'_>) -> String {
    let mut table = Table::new(&[or(&bars.x_label, "index"), or(&bars.y_label, "value")]);
    for (index, &value) in bars.values.iter().enumerate() {
        let index = (bars.first_index + index).to_string();
        table.line([index.as_str(), &number(value.into())].into_iter());
    }
    table.0
}

/// One line per fall of a curve and per run that was given up, with the share that still waits after it.
pub(super) fn of_race(race: &Race<'_>) -> String {
    let mut table = Table::new(&["runner", or(&race.x.label, "x"), or(&race.waiting, "share"), "event"]);
    for runner in race.runners {
        let corners = stairs(runner.falls, race.end);
        let arrived = runner.falls.iter().map(|&(x, share)| (x, share, "arrived"));
        let given_up = runner.given_up.iter().map(|&x| (x, share_after(&corners, x), "given up"));
        for (x, share, event) in arrived.chain(given_up) {
            table.line([runner.label, &number(x), &number(share), event].into_iter());
        }
    }
    table.0
}

/// One line per cell, named by its row and column.
pub(super) fn of_matrix(matrix: &Matrix<'_>) -> String {
    let mut table = Table::new(&["row", "column", or(&matrix.label, "value")]);
    for (row, row_name) in matrix.row_names.iter().enumerate() {
        for (column, column_name) in matrix.column_names.iter().enumerate() {
            let value = matrix.values.get(row * matrix.column_names.len() + column);
            let value = value.map_or(String::new(), |&value| number(value.into()));
            table.line([ungrouped(row_name).as_str(), &ungrouped(column_name), &value].into_iter());
        }
    }
    table.0
}

/// One line per place.
pub(super) fn of_polar(polar: &Polar<'_>) -> String {
    let mut table = Table::new(&[or(&polar.angle_label, "place"), or(&polar.value_label, "value")]);
    for (place, &value) in polar.values.iter().enumerate() {
        let name = polar.labels.get(place).cloned().unwrap_or_else(|| place.to_string());
        table.line([name.as_str(), &number(value.into())].into_iter());
    }
    table.0
}

/// One line per point, and two per straight line behind them; with what its colour stands for, where that has a name.
pub(super) fn of_scatter(scatter: &Scatter<'_>) -> String {
    let mut head = vec!["label", or(&scatter.x_label, "x"), or(&scatter.y_label, "y")];
    let inks = if let Stain::Inks(inks) = scatter.stain { inks } else { &[] };
    let has_groups = !inks.is_empty() && !scatter.keys.is_empty();
    if has_groups {
        head.push("group");
    }
    let mut table = Table::new(&head);
    for (index, &(x, y)) in scatter.points.iter().enumerate() {
        let label = scatter.labels.get(index).map_or("", String::as_str);
        let group = inks.get(index).and_then(|ink| scatter.keys.iter().find(|key| key.ink == *ink)).map_or("", |key| key.label);
        let (x, y) = (number(x), number(y));
        table.line([label, &x, &y].into_iter().chain(has_groups.then_some(group)));
    }
    for (index, stretch) in scatter.stretches.iter().enumerate() {
        for (end, (x, y)) in [("from", stretch.from), ("to", stretch.to)] {
            let (label, x, y) = (format!("line {} {end}", index + 1), number(x), number(y));
            table.line([label.as_str(), &x, &y].into_iter().chain(has_groups.then_some("")));
        }
    }
    table.0
}

/// One line per column, with its stretch or its name and one cell per group.
pub(super) fn of_columns(columns: &Columns<'_>) -> String {
    let x = or(&columns.x.label, "x");
    let names: Vec<String> = columns.layers.iter().map(|layer| column(&columns.y, layer.label)).collect();
    let (from, to) = (format!("{x}, from"), format!("{x}, to"));
    let place = match columns.slots {
        Slots::Edges(_) => vec![from.as_str(), &to],
        Slots::Names(_) => vec![x],
    };
    let mut table = Table::new(&place.into_iter().chain(names.iter().map(String::as_str)).collect::<Vec<_>>());
    let mut line = |place: Vec<String>, index: usize| {
        let value = |layer: &Layer<'_>| layer.values.get(index).map_or(String::new(), |value| number(*value));
        let cells: Vec<String> = place.into_iter().chain(columns.layers.iter().map(value)).collect();
        table.line(cells.iter().map(String::as_str));
    };
    match columns.slots {
        Slots::Edges(edges) => {
            edges.iter().enumerate().for_each(|(index, (from, to))| line(vec![number(*from), number(*to)], index));
        }
        Slots::Names(names) => names.iter().enumerate().for_each(|(index, name)| line(vec![ungrouped(name)], index)),
    }
    table.0
}

/// One line per pair of names between which something flows.
pub(super) fn of_flow(flow: &Flow<'_>) -> String {
    let mut table = Table::new(&[or(&flow.left_label, "from"), or(&flow.right_label, "to"), "count"]);
    for (row, from) in flow.left.iter().enumerate() {
        for (column, to) in flow.right.iter().enumerate() {
            let count = flow.count(row, column);
            if count > 0 {
                table.line([from.label, to.label, &count.to_string()].into_iter());
            }
        }
    }
    table.0
}
