//! Behaviour of values around a circle and of small matrices on a recording backend.

use super::recorder::{Drawing, record};
use super::*;
use plotters::style::RGBColor;

const DESK: Surface = Surface { width_px: 800, height_px: 800, pixel_ratio: 2.0, large: false };

fn rgb(RGBColor(red, green, blue): RGBColor) -> (u8, u8, u8) {
    (red, green, blue)
}

fn words(drawings: &[Drawing]) -> Vec<&str> {
    drawings
        .iter()
        .filter_map(|drawing| if let Drawing::Text { words, .. } = drawing { Some(words.as_str()) } else { None })
        .collect()
}

fn polar(values: &[f32]) -> Polar<'_> {
    Polar { values, labels: &[], angle_label: "answer".into(), value_label: "mean activation".into() }
}

fn draw(surface: Surface, figure: &Polar<'_>) -> (Frame, Vec<Drawing>) {
    let (frame, drawings) = record(surface, |area| draw_polar(area, surface, &Theme::light(), figure));
    (frame.unwrap(), drawings)
}

/// Corners of the line in CSS pixels.
fn line(drawings: &[Drawing]) -> Vec<(f64, f64)> {
    let accent = rgb(Theme::light().accent);
    let found = drawings.iter().find_map(|drawing| match drawing {
        Drawing::Path { points, color, .. } if *color == accent => Some(points),
        _ => None,
    });
    found.unwrap().iter().map(|&(x, y)| (f64::from(x) / 2.0, f64::from(y) / 2.0)).collect()
}

#[test]
fn the_first_value_stands_at_the_top_and_the_others_follow_clockwise() {
    let (frame, drawings) = draw(DESK, &polar(&[4.0, 3.0, 2.0, 1.0]));
    let expected = [(0.0, 4.0), (3.0, 0.0), (0.0, -2.0), (-1.0, 0.0), (0.0, 4.0)];
    let line = line(&drawings);
    assert_eq!(line.len(), 5, "closed");
    for (found, (x, y)) in line.iter().zip(expected) {
        let wanted = (frame.px_of_x(x), frame.px_of_y(y));
        assert!((found.0 - wanted.0).abs() <= 1.0 && (found.1 - wanted.1).abs() <= 1.0, "{found:?} {wanted:?}");
    }
    assert!(drawings.iter().any(|drawing| matches!(drawing, Drawing::Area { .. })), "a whole turn is filled");
}

#[test]
fn the_circle_is_round_and_within_every_surface() {
    let values: Vec<f32> = (0..59).map(|place| 1.0 + (place as f32 / 9.0).sin()).collect();
    for (width, height) in [(700, 320), (330, 300), (300, 900), (60, 40), (1, 1)] {
        let surface = Surface::new(width * 2, height * 2, 2.0);
        let (frame, drawings) = draw(surface, &polar(&values));
        assert!((frame.width - frame.height).abs() < 1e-9 && frame.width > 0.0);
        for drawing in &drawings {
            if let Drawing::Path { points, .. } = drawing {
                let inside =
                    |point: &(i32, i32)| (0..=2 * width as i32).contains(&point.0) && (0..=2 * height as i32).contains(&point.1);
                assert!(points.iter().all(inside), "{width} by {height}: {points:?}");
            }
        }
    }
}

#[test]
fn names_on_the_rim_are_thinned_and_do_not_leave_the_surface() {
    let values = [1.0; 113];
    for (width, height) in [(560, 400), (330, 330)] {
        let surface = Surface::new(width * 2, height * 2, 2.0);
        let (_, drawings) = draw(surface, &polar(&values));
        let mut places = Vec::new();
        for drawing in &drawings {
            if let Drawing::Text { words, at, .. } = drawing
                && words.parse::<u32>().is_ok()
            {
                let half = 7.0 * 1.3 * words.len() as f64;
                let (x, y) = (f64::from(at.0) / 2.0, f64::from(at.1) / 2.0);
                assert!(
                    x - half > -2.0 && x + half < f64::from(width) + 2.0 && y > 0.0 && y < f64::from(height),
                    "{words} at {x}, {y}"
                );
                places.push((x, y));
            }
        }
        assert!((8..60).contains(&places.len()), "{places:?}");
        for (index, a) in places.iter().enumerate() {
            assert!(places[..index].iter().all(|b| (a.0 - b.0).hypot(a.1 - b.1) > 16.0), "{places:?}");
        }
    }
}

#[test]
fn a_gap_opens_the_line_and_nothing_is_no_data() {
    let (_, drawings) = draw(DESK, &polar(&[1.0, 2.0, f32::NAN, 3.0, 1.0]));
    assert!(!drawings.iter().any(|drawing| matches!(drawing, Drawing::Area { .. })));
    assert_eq!(line(&drawings).len(), 2);
    for values in [&[][..], &[f32::NAN; 3]] {
        assert!(words(&draw(DESK, &polar(values)).1).contains(&"no data yet"), "{values:?}");
    }
    // Silent everywhere is a point, not an absence.
    assert!(!words(&draw(DESK, &polar(&[0.0; 5])).1).contains(&"no data yet"));
}

#[test]
fn a_circle_is_listed_by_the_names_of_its_places() {
    let labels: Vec<String> = [1, 3, 2].map(|label: i32| label.to_string()).into();
    let figure = Picture::Polar(Polar { labels: &labels, ..polar(&[0.5, f32::NAN, 2.0]) });
    assert_eq!(figure.to_csv(), "answer,mean activation\n1,0.5\n3,\n2,2\n");
    let svg = figure.to_svg(300, 300, &Theme::light()).unwrap();
    assert!(svg.contains("<polyline") && svg.contains("mean activation"));
}

fn steps() -> Vec<String> {
    ["250", "600", "1,000"].map(str::to_owned).into()
}

fn matrix<'a>(names: &'a [String], values: &'a [f32]) -> Matrix<'a> {
    Matrix {
        row_names: names,
        column_names: names,
        values,
        range: (-1.0, 1.0),
        palette: Palette::Diverging,
        label: "checkpoint at step".into(),
        decimals: 2,
    }
}

const COSINES: [f32; 9] = [1.0, 0.25, f32::NAN, 0.25, 1.0, -0.125, f32::NAN, -0.125, 1.0];

#[test]
fn every_cell_carries_its_number_and_every_row_and_column_its_name() {
    let names = steps();
    let (grid, drawings) = record(DESK, |area| draw_matrix(area, DESK, &Theme::light(), &matrix(&names, &COSINES)));
    let found = words(&drawings);
    let count = |word: &str| found.iter().filter(|known| **known == word).count();
    assert_eq!((count("1.00"), count("0.25"), count("–"), count("-0.12"), count("1,000")), (3, 2, 2, 2, 2), "{found:?}");
    let grid = grid.unwrap();
    let cell = |row: f64, column: f64| grid.cell_at(grid.left + grid.width * column, grid.top + grid.height * row);
    assert_eq!((cell(0.1, 0.9), cell(0.9, 0.1)), (Some((0, 2)), Some((2, 0))));
}

#[test]
fn numbers_read_on_their_cells() {
    fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
        let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05
    }
    let names = vec![String::from("1")];
    for theme in [Theme::light(), Theme::dark()] {
        for palette in [Palette::Diverging, Palette::Sequential] {
            for step in 0..=20u8 {
                let values = [f32::from(step) / 10.0 - 1.0];
                let figure = Matrix { palette, ..matrix(&names, &values) };
                let (_, drawings) = record(DESK, |area| draw_matrix(area, DESK, &theme, &figure));
                let cell =
                    drawings.iter().rev().find_map(|d| if let Drawing::Fill { color, .. } = d { Some(*color) } else { None });
                let number = drawings.iter().find_map(|d| match d {
                    Drawing::Text { words, color, .. } if words.contains('.') => Some(*color),
                    _ => None,
                });
                let (a, b) = (luminance(cell.unwrap()), luminance(number.unwrap()));
                assert!(a.max(b) / a.min(b) >= 3.0, "{values:?} {palette:?} dark {}: {}", theme.is_dark, a.max(b) / a.min(b));
            }
        }
    }
}

#[test]
fn a_matrix_is_listed_cell_by_cell_and_small_or_empty_ones_are_drawn_without_panic() {
    let names = steps();
    let csv = Picture::Matrix(matrix(&names, &COSINES)).to_csv();
    assert!(csv.starts_with("row,column,checkpoint at step\n250,250,1\n250,600,0.25\n250,1000,\n"), "{csv}");
    for (width, height) in [(1, 1), (80, 40), (200, 30)] {
        let surface = Surface::new(width, height, 1.0);
        assert!(record(surface, |area| draw_matrix(area, surface, &Theme::dark(), &matrix(&names, &COSINES))).0.is_ok());
    }
    let (_, drawings) = record(DESK, |area| draw_matrix(area, DESK, &Theme::light(), &matrix(&[], &[])));
    assert_eq!(words(&drawings), ["no data yet"]);
}
