//! What became of groups: bands from the groups on the left to those on the right, as thick as what goes over.
//!
//! A matrix of counts has to be read number by number; here one looks at the emergent latents of one fit and follows them into the
//! classes of another. Bands have the colour of where they come from, and every group carries its name and its number, so that
//! nothing has to be looked up.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::labels::spread;
use super::pen::{Drawn, Pen};
use super::{Frame, Key, Scale, Surface, Theme};

/// Groups on two sides and what goes from one to the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow<'a> {
    /// What the left side is.
    pub left_label: String,
    /// What the right side is.
    pub right_label: String,
    /// Groups of the left side, the uppermost first.
    pub left: &'a [Key<'a>],
    /// Groups of the right side.
    pub right: &'a [Key<'a>],
    /// What goes over, `[left, right]` row-major; what is missing is 0.
    pub counts: &'a [u32],
}

impl Flow<'_> {
    /// What goes from a group of the left to one of the right.
    pub(super) fn count(&self, row: usize, column: usize) -> u32 {
        self.counts.get(row * self.right.len() + column).copied().unwrap_or(0)
    }

    fn totals(&self) -> [Vec<u32>; 2] {
        let (rows, columns) = (0..self.left.len(), 0..self.right.len());
        [
            rows.clone().map(|row| columns.clone().map(|column| self.count(row, column)).sum()).collect(),
            columns.map(|column| rows.clone().map(|row| self.count(row, column)).sum()).collect(),
        ]
    }
}

/// CSS pixels between two groups, and the width of a group's bar.
const GAP: f64 = 8.0;
const BAR: f64 = 12.0;
/// Points along the edge of a band.
const POINTS: usize = 24;

/// Draws the groups and bands; the frame spans everything between the outer edges of the bars, y counts from the bottom.
///
/// # Errors
/// Only what the backend reports; where nothing goes over it draws "no data yet".
pub fn draw_flow<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
    theme: &Theme,
    flow: &Flow<'_>,
) -> Result<Frame, DrawingAreaErrorKind<DB::ErrorType>> {
    area.fill(&theme.surface)?;
    let pen = Pen::new(area, surface);
    let totals = flow.totals();
    let all: u32 = totals[0].iter().sum();
    let named = |keys: &[Key<'_>], totals: &[u32]| -> Vec<String> {
        keys.iter()
            .zip(totals)
            .map(|(key, total)| if *total > 0 { format!("{} {total}", key.label) } else { String::new() })
            .collect()
    };
    let words = [named(flow.left, &totals[0]), named(flow.right, &totals[1])];
    let widest = |words: &[String]| words.iter().map(|name| pen.measure(name)).fold(0.0, f64::max) + 8.0;
    let [left_room, right_room] = [widest(&words[0]), widest(&words[1])];
    let top = pen.row() + 8.0;
    let width = surface.width() - left_room - right_room;
    let height = surface.height() - top - 4.0;
    let frame = Frame {
        left: pen.snap(left_room),
        top: pen.snap(top),
        width: width.max(1.0),
        height: height.max(1.0),
        x: (0.0, 1.0),
        x_scale: Scale::Linear,
        y: (0.0, f64::from(all.max(1))),
        y_scale: Scale::Linear,
    };
    if width < 4.0 * BAR || height < 3.0 * pen.font {
        return Ok(frame);
    }
    let half = surface.width() / 2.0 - 4.0;
    pen.text(&pen.fit(&flow.left_label, half), (0.0, 2.0), (HPos::Left, VPos::Top), theme.muted)?;
    pen.text(&pen.fit(&flow.right_label, half), (surface.width(), 2.0), (HPos::Right, VPos::Top), theme.muted)?;
    if all == 0 {
        let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
        pen.text("no data yet", middle, (HPos::Center, VPos::Center), theme.muted)?;
        return Ok(frame);
    }
    let sides = [stand(&totals[0], &frame), stand(&totals[1], &frame)];
    draw_bands(&pen, theme, &frame, flow, &sides)?;
    let bars = [frame.left, frame.left + frame.width - BAR];
    for (side, keys) in [flow.left, flow.right].into_iter().enumerate() {
        for (key, &(from, to)) in keys.iter().zip(&sides[side]).filter(|(_, (from, to))| to > from) {
            pen.fill((bars[side], from), (bars[side] + BAR, to), theme.ink(key.ink))?;
        }
        let shown: Vec<usize> = (0..keys.len()).filter(|&group| totals[side][group] > 0).collect();
        let middles: Vec<f64> = shown.iter().map(|&group| (sides[side][group].0 + sides[side][group].1) / 2.0).collect();
        let rows = spread(&middles, pen.row(), (0.0, surface.height()));
        for (&group, y) in shown.iter().zip(rows) {
            let (x, across) =
                if side == 0 { (frame.left - 6.0, HPos::Right) } else { (frame.left + frame.width + 6.0, HPos::Left) };
            pen.text(&words[side][group], (x, y), (across, VPos::Center), theme.text)?;
        }
    }
    Ok(frame)
}

/// Upper and lower end of each group; all groups of a side and the gaps between them fill the frame.
fn stand(totals: &[u32], frame: &Frame) -> Vec<(f64, f64)> {
    let groups = totals.iter().filter(|total| **total > 0).count();
    let gaps = GAP.min(frame.height / (3.0 * groups.max(1) as f64));
    let all = f64::from(totals.iter().sum::<u32>().max(1));
    let scale = (frame.height - gaps * groups.saturating_sub(1) as f64) / all;
    let mut at = frame.top;
    let place = |&total: &u32| {
        let from = at;
        let to = from + scale * f64::from(total);
        at = if total > 0 { to + gaps } else { to };
        (from, to)
    };
    totals.iter().map(place).collect()
}

fn draw_bands<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    flow: &Flow<'_>,
    sides: &[Vec<(f64, f64)>; 2],
) -> Drawn<(), DB> {
    let totals = flow.totals();
    let part = |side: usize, group: usize, count: u32| {
        let (from, to) = sides[side][group];
        (to - from) * f64::from(count) / f64::from(totals[side][group].max(1))
    };
    let mut used = [vec![0.0; flow.left.len()], vec![0.0; flow.right.len()]];
    let (left, right) = (frame.left + BAR, frame.left + frame.width - BAR);
    for row in 0..flow.left.len() {
        for column in 0..flow.right.len() {
            let count = flow.count(row, column);
            if count == 0 {
                continue;
            }
            let (thick_left, thick_right) = (part(0, row, count), part(1, column, count));
            let (y0, y1) = (sides[0][row].0 + used[0][row], sides[1][column].0 + used[1][column]);
            used[0][row] += thick_left;
            used[1][column] += thick_right;
            let edge = |from: f64, to: f64| {
                (0..=POINTS).map(move |point| {
                    let share = point as f64 / POINTS as f64;
                    let eased = share * share * (3.0 - 2.0 * share);
                    (left + share * (right - left), from + eased * (to - from))
                })
            };
            let below: Vec<(f64, f64)> = edge(y0 + thick_left, y1 + thick_right).collect();
            let corners: Vec<(f64, f64)> = edge(y0, y1).chain(below.into_iter().rev()).collect();
            pen.area(&corners, theme.ink(flow.left[row].ink), 1.5 * theme.veil())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Ink;
    use super::super::recorder::{Drawing, record};
    use super::*;

    fn draw(counts: &[u32]) -> (Vec<Vec<(i32, i32)>>, Vec<String>) {
        let surface = Surface::new(600, 300, 1.0);
        let left = [Key { ink: Ink::Accent, label: "emergent" }, Key { ink: Ink::Baseline, label: "vanished" }];
        let right = [Key { ink: Ink::Accent, label: "emergent" }, Key { ink: Ink::Neutral, label: "not found" }];
        let (left_label, right_label) = ("this fit".into(), "other fit".into());
        let flow = Flow { left_label, right_label, left: &left, right: &right, counts };
        let (_, drawings) = record(surface, |area| draw_flow(area, surface, &Theme::light(), &flow).unwrap());
        let (mut bands, mut words) = (Vec::new(), Vec::new());
        for drawing in drawings {
            match drawing {
                Drawing::Area { corners, .. } => bands.push(corners),
                Drawing::Text { words: text, .. } => words.push(text),
                _ => {}
            }
        }
        (bands, words)
    }

    #[test]
    fn a_band_is_as_thick_as_what_goes_over() {
        let (bands, words) = draw(&[30, 10, 0, 20]);
        assert_eq!(bands.len(), 3, "nothing goes from vanished to emergent");
        let thick = |band: &[(i32, i32)]| f64::from(band[band.len() - 1].1 - band[0].1);
        assert!((thick(&bands[0]) / thick(&bands[1]) - 3.0).abs() < 0.1, "{bands:?}");
        assert!((thick(&bands[0]) / thick(&bands[2]) - 1.5).abs() < 0.1);
        assert!(bands[1][0].1 >= bands[0][bands[0].len() - 1].1, "bands of one group lie below each other");
        for expected in ["emergent 40", "vanished 20", "emergent 30", "not found 30", "this fit", "other fit"] {
            assert!(words.iter().any(|word| word == expected), "{expected} is missing in {words:?}");
        }
    }

    #[test]
    fn where_nothing_goes_over_it_says_so() {
        let (bands, words) = draw(&[]);
        assert!(bands.is_empty() && words.contains(&"no data yet".to_owned()));
    }
}
