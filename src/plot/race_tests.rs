//! Behaviour of the race figure on a recording backend.

use super::recorder::{Drawing, record};
use super::*;
use plotters::style::RGBColor;

const DESK: Surface = Surface { width_px: 1400, height_px: 640, pixel_ratio: 2.0, large: false };

fn runner<'a>(label: &'a str, ink: Ink, falls: &'a [(f64, f64)], given_up: &'a [f64]) -> Runner<'a> {
    Runner { label, ink, dashed: false, falls, given_up }
}

fn race<'a>(runners: &'a [Runner<'a>]) -> Race<'a> {
    Race { runners, x: Axis::count("step", Scale::Linear), waiting: "seeds that have not yet grokked".into(), end: 300.0 }
}

fn draw(surface: Surface, race: &Race<'_>) -> (Frame, Vec<Drawing>) {
    let (frame, drawings) = record(surface, |area| draw_race(area, surface, &Theme::light(), race));
    (frame.unwrap(), drawings)
}

fn rgb(RGBColor(red, green, blue): RGBColor) -> (u8, u8, u8) {
    (red, green, blue)
}

fn color_of(ink: Ink) -> (u8, u8, u8) {
    rgb(Theme::light().ink(ink))
}

/// Upright ticks in the colour of `ink`, as (x, centre y) in CSS pixels. Neither grid nor axes use these colours.
fn ticks(drawings: &[Drawing], ink: Ink) -> Vec<(f64, f64)> {
    drawings
        .iter()
        .filter_map(|drawing| match drawing {
            Drawing::Fill { from, to, color } if *color == color_of(ink) => {
                Some((f64::from(from.0 + to.0) / 4.0, f64::from(from.1 + to.1) / 4.0))
            }
            _ => None,
        })
        .collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1.0
}

#[test]
fn a_curve_is_level_until_a_run_arrives_and_falls_upright_there() {
    let falls = [(60.0, 0.75), (90.0, 0.5), (120.0, 0.25)];
    let runners = [runner("Muon", Ink::Source(0), &falls, &[300.0])];
    let (frame, drawings) = draw(DESK, &race(&runners));
    let path = drawings
        .iter()
        .find_map(|drawing| match drawing {
            Drawing::Path { points, color, .. } if *color == color_of(Ink::Source(0)) => Some(points.clone()),
            _ => None,
        })
        .unwrap();
    let path: Vec<(f64, f64)> = path.into_iter().map(|(x, y)| (f64::from(x) / 2.0, f64::from(y) / 2.0)).collect();
    for pair in path.windows(2) {
        let (across, down) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        assert!(near(across, 0.0) || near(down, 0.0), "a slope from {:?} to {:?}", pair[0], pair[1]);
        assert!(across >= 0.0 && down >= 0.0, "it goes right and down");
    }
    let corner = |x: f64, share: f64| {
        let (x, y) = (frame.px_of_x(x), frame.px_of_y(share));
        path.iter().any(|point| near(point.0, x) && near(point.1, y))
    };
    assert!(corner(0.0, 1.0) && corner(60.0, 1.0) && corner(60.0, 0.75) && corner(120.0, 0.25) && corner(300.0, 0.25));
    assert_eq!(frame.y, (0.0, 1.0));
}

#[test]
fn each_curve_is_named_at_its_end_in_its_colour() {
    let (fast, slow) = ([(40.0, 0.5), (50.0, 0.0)], [(200.0, 0.5)]);
    let runners = [runner("control", Ink::Baseline, &slow, &[300.0]), runner("Muon", Ink::Source(1), &fast, &[])];
    let (frame, drawings) = draw(DESK, &race(&runners));
    for (name, ink, share) in [("control", Ink::Baseline, 0.5), ("Muon", Ink::Source(1), 0.0)] {
        let (at, color) = drawings
            .iter()
            .find_map(|drawing| match drawing {
                Drawing::Text { words, at, color, .. } if words == name => Some((*at, *color)),
                _ => None,
            })
            .unwrap();
        assert_eq!(color, color_of(ink));
        assert!(f64::from(at.0) / 2.0 > frame.left + frame.width, "beside the plot");
        assert!(near(f64::from(at.1) / 2.0, frame.px_of_y(share)), "{name} at the height of its end");
    }
}

#[test]
fn where_all_arrive_the_names_stand_in_the_order_of_speed() {
    let (fast, slow) = ([(40.0, 0.0)], [(200.0, 0.0)]);
    let runners = [runner("fast", Ink::Source(0), &fast, &[]), runner("slow", Ink::Source(1), &slow, &[])];
    let (_, drawings) = draw(DESK, &race(&runners));
    let height = |name: &str| {
        drawings.iter().find_map(|drawing| match drawing {
            Drawing::Text { words, at, .. } if words == name => Some(at.1),
            _ => None,
        })
    };
    assert!(height("slow").unwrap() < height("fast").unwrap(), "the slower stands above, as its curve does");
}

#[test]
fn runs_given_up_together_can_be_counted() {
    let falls = [(60.0, 0.625)];
    let given_up = [100.0, 300.0, 300.0, 300.0, 300.0];
    let runners = [runner("a", Ink::Source(0), &falls, &given_up), runner("b", Ink::Source(1), &[], &[300.0; 8])];
    let (frame, drawings) = draw(DESK, &race(&runners));
    let (first, second) = (ticks(&drawings, Ink::Source(0)), ticks(&drawings, Ink::Source(1)));
    assert_eq!((first.len(), second.len()), (5, 8));
    assert!(first.iter().all(|tick| near(tick.1, frame.px_of_y(0.625))), "on the curve: {first:?}");
    assert!(first.iter().any(|tick| near(tick.0, frame.px_of_x(100.0))));
    assert!(near(second[0].0, frame.px_of_x(300.0)) && near(second[0].1, frame.top), "{second:?}");
    let mut places: Vec<f64> = second.iter().map(|tick| tick.0).collect();
    places.sort_by(f64::total_cmp);
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 3.0), "{places:?}");
}

#[test]
fn a_dot_stands_where_half_of_the_runs_have_arrived_and_only_then() {
    let (half, fewer) = ([(60.0, 0.75), (90.0, 0.25)], [(60.0, 0.75)]);
    let dots = |falls: &[(f64, f64)]| {
        let runners = [runner("a", Ink::Source(0), falls, &[])];
        let (frame, drawings) = draw(DESK, &race(&runners));
        let centres: Vec<(f64, f64)> = drawings
            .iter()
            .filter_map(|drawing| match drawing {
                Drawing::Dot { centre, color, .. } if *color == color_of(Ink::Source(0)) => {
                    Some((f64::from(centre.0) / 2.0, f64::from(centre.1) / 2.0))
                }
                _ => None,
            })
            .collect();
        (frame, centres)
    };
    let (frame, found) = dots(&half);
    assert_eq!(found.len(), 1);
    assert!(near(found[0].0, frame.px_of_x(90.0)) && near(found[0].1, frame.px_of_y(0.5)));
    assert!(dots(&fewer).1.is_empty());
}

#[test]
fn without_runners_the_figure_says_so() {
    let (_, drawings) = draw(DESK, &race(&[]));
    let says = |drawing: &Drawing| matches!(drawing, Drawing::Text { words, .. } if words == "no data yet");
    assert!(drawings.iter().any(says));
}

#[test]
fn no_surface_is_too_small_and_no_number_too_strange() {
    let wild = [(f64::NAN, 1.0), (10.0, f64::NAN), (20.0, f64::INFINITY), (1e308, 0.0)];
    for (width_px, height_px) in [(0, 0), (1, 1), (3, 500), (500, 3), (90, 60), (350, 260)] {
        for scale in [Scale::Linear, Scale::Log] {
            for end in [300.0, 0.0, f64::NAN, f64::INFINITY] {
                let surface = Surface::new(width_px, height_px, 1.0);
                let runners = [runner("wild", Ink::Source(200), &wild, &[f64::NAN, 1.0, 1.0, f64::INFINITY])];
                let (frame, _) = draw(surface, &Race { x: Axis::count("step", scale), end, ..race(&runners) });
                assert!(frame.width >= 1.0);
            }
        }
    }
}

#[test]
fn nothing_is_drawn_beside_the_surface() {
    let falls = [(0.0, 0.9), (300.0, 0.1)];
    let many: Vec<Runner<'_>> =
        (0..17).map(|i| runner("an arm with a long name", Ink::Source(i), &falls, &[300.0; 64])).collect();
    let (_, drawings) = draw(DESK, &race(&many));
    for drawing in &drawings {
        let corners = match drawing {
            Drawing::Fill { from, to, .. } => vec![*from, *to],
            Drawing::Path { points, .. } => points.clone(),
            Drawing::Area { corners, .. } => corners.clone(),
            Drawing::Dot { centre, .. } => vec![*centre],
            Drawing::Text { at, .. } => vec![*at],
        };
        assert!(corners.iter().all(|&(x, y)| (0..=1400).contains(&x) && (0..=640).contains(&y)), "{drawing:?}");
    }
}

/// Writes sample races into `$FIGURES` as SVG, to be looked at.
#[test]
#[ignore = "for eyes: FIGURES=DIR cargo test --features figures samples_of_the_race -- --ignored"]
fn samples_of_the_race_figure() {
    let folder = std::path::PathBuf::from(std::env::var_os("FIGURES").unwrap());
    let falls = |times: &[f64]| -> Vec<(f64, f64)> {
        times.iter().enumerate().map(|(index, &time)| (time, 1.0 - (index + 1) as f64 / 8.0)).collect()
    };
    let control = falls(&[105.0, 110.0, 112.0, 115.0, 118.0, 121.0, 128.0, 133.0]);
    let muon = falls(&[58.0, 61.0, 62.0, 66.0, 67.0, 70.0, 71.0, 80.0]);
    let filter = falls(&[52.0, 55.0, 60.0, 62.0, 63.0, 71.0, 95.0, 99.0]);
    let clamp = falls(&[188.0, 210.0, 250.0, 290.0, 297.0]);
    let never: [(f64, f64); 0] = [];
    let runners = [
        runner("control", Ink::Baseline, &control, &[]),
        runner("Grokfast-EMA", Ink::Source(0), &filter, &[]),
        runner("Muon", Ink::Source(1), &muon, &[]),
        runner("norm clamp", Ink::Source(2), &clamp, &[300.0; 3]),
        runner("⊥Grad", Ink::Source(3), &never, &[300.0; 8]),
    ];
    for (name, theme) in [("race_light", Theme::light()), ("race_dark", Theme::dark())] {
        for (width, height, large) in [(700, 320, false), (350, 260, false), (900, 420, true)] {
            let surface = Surface { large, ..Svg::surface(width, height) };
            let svg = Picture::Race(race(&runners)).svg_on(surface, &theme, |svg| svg).unwrap();
            std::fs::write(folder.join(format!("{name}_{width}.svg")), svg).unwrap();
        }
    }
}
