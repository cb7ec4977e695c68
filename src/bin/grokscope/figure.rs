//! `figure`: columns of one or several runs over steps, as an SVG document.
//!
//! What a paper shows of three seeds is the middle and how far the others lie from it. With so few, quartiles would be made up
//! between the points, so the ground reaches from the least to the largest.

use super::{folder, say, shown};
use grokscope::measure::column;
use grokscope::plot::{Area, Axis, Curves, Ink, Picture, Scale, Series, Theme};
use grokscope::race::Spread;
use grokscope::record::{Archive, MetricRow, UserError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Columns of `metrics.csv`.
type Metric = (&'static str, fn(&MetricRow) -> f32);
const METRICS: [Metric; 5] = [
    ("train_loss", |row| row.train_loss),
    ("test_loss", |row| row.test_loss),
    ("train_accuracy", |row| row.train_accuracy),
    ("test_accuracy", |row| row.test_accuracy),
    ("weight_norm", |row| row.weight_norm),
];

/// CSS pixels of the document.
const SIZE: (u32, u32) = (960, 440);

/// Draws `columns` of the runs in `dirs` into `out`.
pub fn run(dirs: &[PathBuf], columns: &[String], log: (bool, bool), out: &Path) -> Result<(), UserError> {
    let runs: Vec<Archive> = dirs.iter().map(|dir| folder::read(dir)).collect::<Result<_, _>>()?;
    let mut lines = Vec::new();
    for name in columns {
        let spreads = over_runs(&runs, name)?;
        let middle: Vec<(f64, f64)> = spreads.iter().map(|(step, values)| (f64::from(*step), median(values))).collect();
        let ends = |values: &Vec<f64>| values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        let ground: Vec<(f64, f64, f64)> = spreads
            .iter()
            .map(|(step, values)| (f64::from(*step), ends(values)))
            .map(|(step, (low, high))| (step, low, high))
            .collect();
        lines.push((name.replace('_', " "), middle, ground));
    }
    let ink = |index: usize, name: &str| match name {
        _ if name.starts_with("train") => Ink::Train,
        _ if name.starts_with("test") => Ink::Test,
        _ => Ink::Source(u8::try_from(index).unwrap_or(u8::MAX)),
    };
    let all = || lines.iter().enumerate().map(|(index, (name, middle, ground))| (ink(index, name), name, middle, ground));
    let series: Vec<Series<'_>> = all().map(|(ink, label, points, _)| Series { label, ink, dashed: false, points }).collect();
    let areas: Vec<Area<'_>> = all().filter(|_| runs.len() > 1).map(|(ink, _, _, points)| Area { ink, points }).collect();
    let scale = |is_log| if is_log { Scale::Log } else { Scale::Linear };
    let figure = Picture::Curves(Curves {
        series: &series,
        x: Axis::count("step", scale(log.0)),
        y: Axis { scale: scale(log.1), ..Axis::linear(unit(columns)) },
        marks: &[],
        ticks: &[],
        cursor: None,
        bands: &[],
        areas: &areas,
    });
    let document = figure
        .to_svg(SIZE.0, SIZE.1, &Theme::light())
        .map_err(|error| UserError::new(format!("The figure could not be drawn ({error})"), "Choose other columns"))?;
    folder::write_file(out, document.as_bytes())?;
    say(&format!("{}: {} of {} runs", shown(out), columns.join(", "), runs.len()));
    Ok(())
}

/// Values of a column by step, at the steps that every run has.
fn over_runs(runs: &[Archive], name: &str) -> Result<BTreeMap<u32, Vec<f64>>, UserError> {
    let mut found: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for run in runs {
        let curve: Vec<(u32, f64)> = match METRICS.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => run.rows.iter().map(|row| (row.step, f64::from(value(row)))).collect(),
            None => run.measures.curve(name),
        };
        if curve.is_empty() {
            let metrics: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
            return Err(UserError::new(
                format!("\"{}\" has no column {name}", run.experiment.name),
                format!("Use {}, or take the measure first: grokscope measure", metrics.join(", ")),
            ));
        }
        for (step, value) in curve {
            found.entry(step).or_default().push(value);
        }
    }
    found.retain(|_, values| values.len() == runs.len());
    Ok(found)
}

fn median(values: &[f64]) -> f64 {
    Spread::of(values.to_vec()).map_or(f64::NAN, |spread| spread.median)
}

/// What the y axis says: the one column's label, or what all have in common.
fn unit(columns: &[String]) -> String {
    match columns {
        [one] => column(one).map_or_else(|| one.replace('_', " "), |(_, column)| column.label.to_owned()),
        _ if columns.iter().all(|name| name.ends_with("loss")) => "loss".to_owned(),
        _ if columns.iter().all(|name| name.ends_with("accuracy")) => "accuracy".to_owned(),
        _ => "value".to_owned(),
    }
}
