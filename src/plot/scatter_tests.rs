//! Behaviour of points in a plane and of stretches behind lines on a recording backend.

use super::palette::cyclic;
use super::recorder::{Drawing, record};
use super::*;
use plotters::style::RGBColor;

const DESK: Surface = Surface { width_px: 1400, height_px: 640, pixel_ratio: 2.0, large: false };

fn rgb(RGBColor(red, green, blue): RGBColor) -> (u8, u8, u8) {
    (red, green, blue)
}

/// `count` residues on a circle, as frequency `k` of an embedding shows them.
fn ring(count: usize, k: usize) -> Vec<(f64, f64)> {
    (0..count).map(|r| ((r * k) as f64 / count as f64 * std::f64::consts::TAU).sin_cos()).map(|(s, c)| (c, s)).collect()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|index| index.to_string()).collect()
}

fn scatter(points: &[(f64, f64)]) -> Scatter<'_> {
    Scatter {
        points,
        labels: &[],
        stain: Stain::One(Ink::Accent),
        order: &[],
        closed: false,
        x_label: "cos part".into(),
        y_label: "sin part".into(),
        range: None,
        window: None,
        guides: &[],
        stretches: &[],
        keys: &[],
        ringed: &[],
    }
}

fn draw(surface: Surface, figure: &Scatter<'_>) -> (Frame, Vec<Drawing>) {
    let (frame, drawings) = record(surface, |area| draw_scatter(area, surface, &Theme::light(), figure));
    (frame.unwrap(), drawings)
}

type Dot = ((i32, i32), (u8, u8, u8));

fn dots(drawings: &[Drawing]) -> Vec<Dot> {
    let dot = |drawing: &Drawing| match drawing {
        Drawing::Dot { centre, color, .. } => Some((*centre, *color)),
        _ => None,
    };
    drawings.iter().filter_map(dot).collect()
}

fn words(drawings: &[Drawing]) -> Vec<&str> {
    drawings
        .iter()
        .filter_map(|drawing| if let Drawing::Text { words, .. } = drawing { Some(words.as_str()) } else { None })
        .collect()
}

#[test]
fn a_circle_stays_a_circle_on_every_shape_of_surface() {
    let points = ring(59, 1);
    for (width, height) in [(700, 320), (350, 260), (300, 900), (500, 500), (163, 701)] {
        for range in [None, Some(1.5)] {
            let surface = Surface::new(width * 2, height * 2, 2.0);
            let (frame, _) = draw(surface, &Scatter { range, ..scatter(&points) });
            let across = frame.px_of_x(1.0) - frame.px_of_x(-1.0);
            let down = frame.px_of_y(-1.0) - frame.px_of_y(1.0);
            assert!((across - down).abs() < 1e-6, "{width} by {height}: {across} across, {down} down");
            assert!(across > 0.5 * frame.width.min(frame.height), "the circle fills its plot: {across}");
        }
    }
}

#[test]
fn a_given_range_is_symmetric_and_does_not_follow_the_data() {
    let (small, large) = ([(0.1, 0.1)], [(0.9, -0.7), (0.1, 0.0)]);
    let of = |points: &[(f64, f64)]| draw(DESK, &Scatter { range: Some(1.0), ..scatter(points) }).0;
    let (before, after) = (of(&small), of(&large));
    assert_eq!(before, after);
    assert!((before.y.0 + 1.0).abs() < 1e-9 && (before.y.1 - 1.0).abs() < 1e-9, "{:?}", before.y);
    assert!((before.x.0 + before.x.1).abs() < 1e-9 && before.x.1 >= 1.0, "{:?}", before.x);
}

#[test]
fn residues_get_the_colours_of_a_ring_and_what_has_no_value_stays_grey() {
    let points = ring(8, 1);
    let shares: Vec<f64> = (0..7).map(|r| f64::from(r) / 8.0).collect();
    let (_, drawings) = draw(DESK, &Scatter { stain: Stain::Cyclic(&shares), ..scatter(&points) });
    let mut expected: Vec<_> = shares.iter().map(|&share| rgb(cyclic(share, false))).collect();
    expected.push(rgb(Theme::light().baseline));
    assert_eq!(dots(&drawings).into_iter().map(|dot| dot.1).collect::<Vec<_>>(), expected);
}

#[test]
fn names_touch_neither_points_nor_each_other_and_stand_outside_a_ring() {
    for count in [7, 59, 113] {
        let (points, labels) = (ring(count, 1), numbers(count));
        let figure = Scatter { labels: &labels, x_label: String::new(), y_label: String::new(), ..scatter(&points) };
        let surface = Surface::new(800, 800, 2.0);
        let (frame, drawings) = draw(surface, &figure);
        let middle = (frame.px_of_x(0.0) * 2.0, frame.px_of_y(0.0) * 2.0);
        let radius = (frame.px_of_x(1.0) - frame.px_of_x(0.0)) * 2.0;
        let named: Vec<(i32, i32)> = drawings
            .iter()
            .filter_map(|drawing| match drawing {
                Drawing::Text { words, at, color, .. } if *color == rgb(Theme::light().text) => {
                    assert!(labels.contains(words));
                    Some(*at)
                }
                _ => None,
            })
            .collect();
        assert!(named.len() >= count.min(20), "{} of {count} are named", named.len());
        if count == 113 {
            assert!(named.len() < count, "113 numbers have no room");
        }
        let outside = |at: &&(i32, i32)| (f64::from(at.0) - middle.0).hypot(f64::from(at.1) - middle.1) > radius;
        assert!(named.iter().all(|at| outside(&at)), "{named:?} around {middle:?}");
        for (index, a) in named.iter().enumerate() {
            for b in &named[..index] {
                assert!((a.0 - b.0).abs() + (a.1 - b.1).abs() >= 14, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn the_line_of_a_frequency_visits_its_points_in_order_and_returns() {
    // 3 · 4 ≡ 1 (mod 11): steps of 4 walk around the circle of frequency 3.
    let points = ring(11, 3);
    let order: Vec<usize> = (0..11).map(|step| step * 4 % 11).collect();
    let figure = Scatter { order: &order, closed: true, ..scatter(&points) };
    let (frame, drawings) = draw(DESK, &figure);
    let path = drawings.iter().find_map(|drawing| match drawing {
        Drawing::Path { points, width, .. } => Some((points.clone(), *width)),
        _ => None,
    });
    let (path, width) = path.unwrap();
    let expected: Vec<(i32, i32)> = order
        .iter()
        .chain([&0])
        .map(|&index| (frame.px_of_x(points[index].0) * 2.0, frame.px_of_y(points[index].1) * 2.0))
        .map(|(x, y)| (x.round() as i32, y.round() as i32))
        .collect();
    assert_eq!(path, expected);
    assert_eq!(width, 2, "one CSS pixel");
    let side = |pair: &[(i32, i32)]| f64::from(pair[1].0 - pair[0].0).hypot(f64::from(pair[1].1 - pair[0].1));
    let sides: Vec<f64> = path.windows(2).map(side).collect();
    assert!(sides.iter().all(|length| (length - sides[0]).abs() < 3.0), "a regular polygon: {sides:?}");
    let open = draw(DESK, &Scatter { closed: false, ..figure }).1;
    assert!(open.iter().any(|drawing| matches!(drawing, Drawing::Path { points, .. } if points.len() == 11)));
}

#[test]
fn the_pointer_finds_the_nearest_point_and_none_far_away() {
    let points = [(0.0, 0.0), (1.0, 1.0), (f64::NAN, 0.0), (-1.0, 0.5)];
    let (frame, _) = draw(DESK, &scatter(&points));
    for index in [0, 1, 3] {
        let (x, y) = (frame.px_of_x(points[index].0), frame.px_of_y(points[index].1));
        assert_eq!(nearest_point(&frame, &points, (x + 3.0, y - 3.0), 12.0), Some(index));
        assert!((frame.x_at(x) - points[index].0).abs() < 1e-9 && (frame.y_at(y) - points[index].1).abs() < 1e-9);
    }
    assert_eq!(nearest_point(&frame, &points, (frame.left, frame.top), 12.0), None);
    assert_eq!(nearest_point(&frame, &[], (0.0, 0.0), f64::INFINITY), None);
}

#[test]
fn a_chosen_point_is_ringed() {
    let points = ring(5, 1);
    let plain = dots(&draw(DESK, &scatter(&points)).1).len();
    let ringed = dots(&draw(DESK, &Scatter { ringed: &[2], ..scatter(&points) }).1);
    assert_eq!(ringed.len(), plain + 2);
    assert!(ringed.iter().any(|dot| dot.1 == rgb(Theme::light().text)));
}

#[test]
fn points_outside_a_given_range_are_not_drawn_beside_the_plot() {
    let points = [(0.0, 0.0), (50.0, 0.0), (0.0, -50.0)];
    let figure = Scatter { range: Some(1.0), order: &[0, 1, 2], closed: true, ..scatter(&points) };
    let (frame, drawings) = draw(DESK, &figure);
    assert_eq!(dots(&drawings).len(), 1);
    for drawing in &drawings {
        if let Drawing::Path { points, .. } = drawing {
            for &(x, y) in points {
                let (x, y) = (f64::from(x) / 2.0 - frame.left, f64::from(y) / 2.0 - frame.top);
                assert!((-1.0..=frame.width + 1.0).contains(&x) && (-1.0..=frame.height + 1.0).contains(&y), "{x} {y}");
            }
        }
    }
}

#[test]
fn nothing_to_draw_is_said_and_no_number_is_too_strange() {
    for points in [&[][..], &[(f64::NAN, 1.0)], &[(f64::INFINITY, f64::NEG_INFINITY)]] {
        let (_, drawings) = draw(DESK, &scatter(points));
        assert!(words(&drawings).contains(&"no data yet"), "{points:?}");
    }
    let wild = [(0.0, 1e-320), (f64::MAX, f64::MIN), (f64::NAN, 0.0), (1e140, -1e140), (3.0, 3.0)];
    for points in [&wild[..], &[(5.0, 5.0)], &[(0.0, 0.0), (0.0, 0.0)]] {
        for (width_px, height_px) in [(0, 0), (1, 1), (3, 500), (500, 3), (90, 60), (350, 260)] {
            for pixel_ratio in [1.0, 2.5, f64::NAN, 0.0] {
                for range in [None, Some(f64::NAN), Some(0.0), Some(-1.0), Some(2.0)] {
                    let labels = numbers(2);
                    let figure = Scatter { range, labels: &labels, order: &[0, 9, 1], closed: true, ..scatter(points) };
                    let (frame, _) = draw(Surface::new(width_px, height_px, pixel_ratio), &figure);
                    assert!(frame.width >= 1.0 && frame.x_at(3.0).is_finite());
                }
            }
        }
    }
}

/// Two lines over 1,000 steps, with stretches behind them.
fn with_bands(x: Axis, bands: &[Band]) -> (Frame, Vec<Drawing>) {
    let line: Vec<(f64, f64)> = (0..=100).map(|index| (f64::from(index) * 10.0, f64::from(index) / 100.0)).collect();
    let series = [Series { label: "test", ink: Ink::Test, dashed: false, points: &line }];
    let y = Axis::share("accuracy");
    let figure = Curves { series: &series, x, y, marks: &[], ticks: &[], cursor: None, bands, areas: &[] };
    let (frame, drawings) = record(DESK, |area| draw_curves(area, DESK, &Theme::light(), &figure));
    (frame.unwrap(), drawings)
}

fn band(from: f64, to: f64, label: &str, ink: Ink) -> Band {
    Band { from, to, label: label.into(), ink }
}

#[test]
fn a_stretch_is_a_pale_ground_behind_everything_with_its_name_inside_at_the_top() {
    let bands = [
        band(-100.0, 200.0, "memorisation", Ink::Train),
        band(200.0, 700.0, "circuit formation", Ink::Theory),
        band(700.0, f64::INFINITY, "clean-up", Ink::Accent),
    ];
    let (frame, drawings) = with_bands(Axis::count("step", Scale::Linear), &bands);
    for (band, (from, to)) in bands.iter().zip([(0.0, 200.0), (200.0, 700.0), (700.0, 1_000.0)]) {
        let ground = rgb(Theme::light().pale(band.ink));
        let place = drawings.iter().position(|drawing| matches!(drawing, Drawing::Fill { color, .. } if *color == ground));
        let Drawing::Fill { from: corner, to: opposite, .. } = drawings[place.unwrap()] else { panic!("a ground") };
        let near = |pixel: i32, wanted: f64| (f64::from(pixel) / 2.0 - wanted).abs() <= 1.0;
        assert!(near(corner.0, frame.px_of_x(from)) && near(opposite.0, frame.px_of_x(to)), "{band:?}: {corner:?} {opposite:?}");
        assert!(near(corner.1, frame.top) && near(opposite.1, frame.top + frame.height));
        let grid = drawings.iter().position(|d| matches!(d, Drawing::Fill { color, .. } if *color == rgb(Theme::light().grid)));
        let line = drawings.iter().position(|drawing| matches!(drawing, Drawing::Path { .. }));
        assert!(place < grid && place < line, "the ground lies behind grid and line");
        let at = drawings.iter().find_map(|drawing| match drawing {
            Drawing::Text { words, at, .. } if *words == band.label => Some((f64::from(at.0) / 2.0, f64::from(at.1) / 2.0)),
            _ => None,
        });
        let at = at.unwrap_or_else(|| panic!("{:?} in {:?}", band.label, words(&drawings)));
        assert!(at.0 > frame.px_of_x(from) && at.0 < frame.px_of_x(to));
        assert!(at.1 >= frame.top && at.1 < frame.top + 20.0);
    }
}

#[test]
fn the_name_of_a_narrow_stretch_is_shortened_and_that_of_a_sliver_left_out() {
    let bands = [band(0.0, 110.0, "memorisation", Ink::Train), band(110.0, 125.0, "circuit formation", Ink::Theory)];
    let (_, drawings) = with_bands(Axis::count("step", Scale::Linear), &bands);
    assert!(words(&drawings).iter().any(|word| word.starts_with("memo") && word.ends_with('…')), "{:?}", words(&drawings));
    assert!(!words(&drawings).iter().any(|word| word.starts_with('c')), "{:?}", words(&drawings));
}

#[test]
fn stretches_without_a_place_leave_the_picture_as_it_was() {
    for scale in [Scale::Linear, Scale::Log] {
        let x = Axis { range: Some((1.0, 1_000.0)), ..Axis::count("step", scale) };
        let none = with_bands(x.clone(), &[]).1;
        let strange = [(f64::NAN, 5.0), (5.0, f64::NAN), (9.0, 3.0), (2_000.0, 3_000.0), (-5.0, 0.5), (4.0, 4.0)];
        let bands = strange.map(|(from, to)| band(from, to, "nowhere", Ink::Test));
        assert_eq!(with_bands(x.clone(), &bands).1, none);
        assert_eq!(with_bands(x, &[band(0.0, 400.0, "early", Ink::Test)]).1.len(), none.len() + 2);
    }
}

#[test]
fn thresholds_cross_the_plot_and_nothing_is_written_over_their_names() {
    let crowd: Vec<(f64, f64)> =
        (0..40).map(|index| (f64::from(index % 8) / 20.0 - 0.1, 0.2 + f64::from(index / 8) / 40.0)).collect();
    let labels = numbers(crowd.len());
    let guides = [Guide::X(0.5, "in other latents"), Guide::Y(0.2, "shrunk"), Guide::Y(7.0, "outside")];
    let window = Some(((-0.1, 1.0), (-0.1, 0.6)));
    let figure = Scatter { labels: &labels, guides: &guides, window, ..scatter(&crowd) };
    let (frame, drawings) = draw(DESK, &figure);
    assert_eq!((frame.x, frame.y), ((-0.1, 1.0), (-0.1, 0.6)), "each axis shows what it was asked for");
    let written = words(&drawings);
    assert!(written.contains(&"shrunk") && written.contains(&"in other latents") && !written.contains(&"outside"));
    let shrunk = (frame.left + 4.0, frame.px_of_y(0.2) - 20.0);
    let pixels = |(x, y): (i32, i32)| (f64::from(x) / 2.0, f64::from(y) / 2.0);
    for drawing in &drawings {
        if let Drawing::Text { words, at, .. } = drawing
            && labels.contains(words)
        {
            let (x, y) = pixels(*at);
            assert!(x > shrunk.0 + 40.0 || (y - shrunk.1 - 9.0).abs() > 9.0, "{words} at {x}, {y} stands on a name");
        }
    }
}

#[test]
fn straight_lines_lie_behind_the_points_and_are_cut_at_the_plot() {
    let points = [(-1.0, -1.0), (1.0, 1.0)];
    let stretch = |dashed| [Stretch { from: (-9.0, 0.0), to: (9.0, 0.0), ink: Ink::Theory, dashed }];
    let count = |stretches: &[Stretch]| {
        let (frame, drawings) = draw(DESK, &Scatter { range: Some(1.0), stretches, ..scatter(&points) });
        let theory = rgb(Theme::light().theory);
        let paths = drawings.iter().filter_map(|drawing| match drawing {
            Drawing::Path { points, color, .. } if *color == theory => Some(points.clone()),
            _ => None,
        });
        let paths: Vec<_> = paths.collect();
        let inside = |point: &(i32, i32)| {
            let x = f64::from(point.0) / 2.0;
            x >= frame.left - 1.0 && x <= frame.left + frame.width + 1.0
        };
        assert!(paths.iter().flatten().all(inside));
        paths.len()
    };
    assert_eq!((count(&[]), count(&stretch(false))), (0, 1));
    assert!(count(&stretch(true)) > 10);
    let lines = stretch(false);
    let csv = Picture::Scatter(Scatter { stretches: &lines, ..scatter(&points) }).to_csv();
    assert!(csv.contains("line 1 from,-9,0\nline 1 to,9,0\n"), "{csv}");
}
