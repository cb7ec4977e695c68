//! Behaviour of marked moments and of dashed references on a recording backend.

use super::recorder::{Drawing, record};
use super::*;
use plotters::style::RGBColor;

const DESK: Surface = Surface { width_px: 1400, height_px: 640, pixel_ratio: 2.0, large: false };

/// A line that rises halfway through 10,000 steps.
fn rising() -> Vec<(f64, f64)> {
    (0..1000).map(|index| f64::from(index) * 10.0).map(|x| (x, 1.0 / (1.0 + (-(x - 5_000.0) / 500.0).exp()))).collect()
}

fn draw(surface: Surface, series: &[Series<'_>], marks: &[Mark]) -> (Frame, Vec<Drawing>) {
    let (x, y) = (Axis::count("step", Scale::Linear), Axis::share("accuracy"));
    let figure = Curves { series, x, y, marks, ticks: &[], cursor: None, bands: &[], areas: &[] };
    let (frame, drawings) = record(surface, |area| draw_curves(area, surface, &Theme::light(), &figure));
    (frame.unwrap(), drawings)
}

fn rgb(RGBColor(red, green, blue): RGBColor) -> (u8, u8, u8) {
    (red, green, blue)
}

#[test]
fn a_change_is_told_from_a_date_by_its_colour_and_crosses_the_whole_plot() {
    let train = rising();
    let all = [Series { label: "train", ink: Ink::Train, dashed: false, points: &train }];
    let marks = [Mark::date(300.0, "memorised"), Mark::event(4_000.0, "Weight decay → 0")];
    let (frame, drawings) = draw(DESK, &all, &marks);
    for (mark, ink) in marks.iter().zip([Ink::Baseline, Ink::Accent]) {
        let line = drawings.iter().any(|drawing| match drawing {
            Drawing::Fill { from, to, color } => {
                let (middle, height) = (f64::from(from.0 + to.0) / 4.0, f64::from(to.1 - from.1) / 2.0);
                *color == rgb(Theme::light().ink(ink))
                    && (middle - frame.px_of_x(mark.x)).abs() <= 1.0
                    && (height - frame.height).abs() <= 1.0
            }
            _ => false,
        });
        assert!(line, "{mark:?}");
    }
    let color = |name: &str| {
        drawings.iter().find_map(|drawing| match drawing {
            Drawing::Text { words, color, .. } if words == name => Some(*color),
            _ => None,
        })
    };
    assert_eq!(color("Weight decay → 0"), Some(rgb(Theme::light().accent)));
    assert_eq!(color("memorised"), Some(rgb(Theme::light().text)));
}

#[test]
fn the_name_of_a_change_never_outgrows_a_narrow_plot() {
    let marks = [Mark::event(9_000.0, "Order of the training rows → small numbers first, one after another")];
    let train = rising();
    let all = [Series { label: "train", ink: Ink::Train, dashed: false, points: &train }];
    let (frame, drawings) = draw(Surface::new(700, 520, 2.0), &all, &marks);
    let (words, at) = drawings
        .iter()
        .find_map(|drawing| match drawing {
            Drawing::Text { words, at, .. } if words.starts_with("Order") => Some((words, f64::from(at.0) / 2.0)),
            _ => None,
        })
        .unwrap();
    assert!(words.ends_with('…'), "{words}");
    // The narrowest letters are about a third of the font's size wide.
    assert!(at >= frame.left && at + 14.0 / 3.0 * words.chars().count() as f64 <= frame.left + frame.width, "{words} at {at}");
}

#[test]
fn dashes_are_thinner_than_what_was_measured() {
    let line = rising();
    let now = Series { label: "now", ink: Ink::Train, dashed: false, points: &line };
    let all = [now, Series { label: "original", ink: Ink::Test, dashed: true, ..now }];
    let (_, drawings) = draw(DESK, &all, &[]);
    let stroke = |ink: Ink| {
        drawings.iter().find_map(|drawing| match drawing {
            Drawing::Path { color, width, .. } if *color == rgb(Theme::light().ink(ink)) => Some(*width),
            _ => None,
        })
    };
    assert!(stroke(Ink::Test).unwrap() < stroke(Ink::Train).unwrap());
}
