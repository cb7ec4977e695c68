//! Behaviour of whole figures on a recording backend.

use super::recorder::{Drawing, record};
use super::*;
use plotters::style::RGBColor;

const DESK: Surface = Surface { width_px: 1400, height_px: 640, pixel_ratio: 2.0, large: false };

type Points = Vec<(f64, f64)>;

fn grokking() -> (Points, Points) {
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    (0..1000)
        .map(|index| {
            let step = f64::from(index) * 10.0;
            let wobble = 0.01 * (step * 0.37).sin();
            let train = logistic((step - 150.0) / 40.0) + wobble * logistic((150.0 - step) / 100.0);
            ((step, train), (step, (0.03 + 0.97 * logistic((step - 6_000.0) / 500.0) + 0.3 * wobble).clamp(0.0, 1.0)))
        })
        .unzip()
}

fn series<'a>(label: &'a str, ink: Ink, points: &'a [(f64, f64)]) -> Series<'a> {
    Series { label, ink, dashed: false, points }
}

fn curves<'a>(series: &'a [Series<'a>], marks: &'a [Mark]) -> Curves<'a> {
    let (x, y) = (Axis::count("step", Scale::Linear), Axis::share("accuracy"));
    Curves { series, x, y, marks, ticks: &[], cursor: None, bands: &[], areas: &[] }
}

fn draw(surface: Surface, curves: &Curves<'_>) -> (Frame, Vec<Drawing>) {
    let (frame, drawings) = record(surface, |area| draw_curves(area, surface, &Theme::light(), curves));
    (frame.unwrap(), drawings)
}

fn words(drawings: &[Drawing]) -> Vec<&str> {
    drawings
        .iter()
        .filter_map(|drawing| if let Drawing::Text { words, .. } = drawing { Some(words.as_str()) } else { None })
        .collect()
}

fn rgb(RGBColor(red, green, blue): RGBColor) -> (u8, u8, u8) {
    (red, green, blue)
}

/// Every coordinate that a drawing touches, except where words end.
fn corners(drawing: &Drawing) -> Vec<(i32, i32)> {
    match drawing {
        Drawing::Fill { from, to, .. } => vec![*from, *to],
        Drawing::Path { points, .. } => points.clone(),
        Drawing::Area { corners, .. } => corners.clone(),
        Drawing::Dot { centre, .. } => vec![*centre],
        Drawing::Text { at, .. } => vec![*at],
    }
}

#[test]
fn a_frame_maps_pixels_to_values_and_back_on_both_scales() {
    for (x_scale, x) in [(Scale::Linear, (-3.0, 40.0)), (Scale::Log, (0.0, 20_000.0)), (Scale::Log, (0.5, 20_000.0))] {
        let frame = Frame { left: 40.0, top: 10.0, width: 613.0, height: 200.0, x, x_scale, y: (1e-6, 3.0), y_scale: Scale::Log };
        for share in [0.0, 0.013, 0.5, 0.77, 1.0] {
            let value = x.0 + share * (x.1 - x.0);
            let back = frame.x_at(frame.px_of_x(value));
            assert!((back - value).abs() <= 1e-9 * (x.1 - x.0), "{x_scale:?} {x:?}: {value} became {back}");
        }
        assert!((frame.px_of_x(x.0) - 40.0).abs() < 1e-9 && (frame.px_of_x(x.1) - 653.0).abs() < 1e-9);
        assert!((frame.px_of_y(3.0) - 10.0).abs() < 1e-9 && (frame.px_of_y(1e-6) - 210.0).abs() < 1e-9);
    }
}

#[test]
fn step_zero_has_a_place_on_a_logarithmic_axis() {
    let points: Vec<(f64, f64)> = [0.0, 1.0, 10.0, 1_000.0].iter().map(|&x| (x, 0.5)).collect();
    let all = [series("train", Ink::Train, &points)];
    let (frame, drawings) = draw(DESK, &Curves { x: Axis::count("step", Scale::Log), ..curves(&all, &[]) });
    assert_eq!(frame.px_of_x(0.0), frame.left);
    assert!(frame.px_of_x(1.0) > frame.left + 10.0);
    assert!(words(&drawings).contains(&"0"));
}

#[test]
fn ten_thousand_points_become_few_and_keep_order_and_extremes() {
    let mut points: Vec<(f64, f64)> = (0..10_000).map(|index| (f64::from(index), (f64::from(index) * 0.7).sin())).collect();
    points[5_003].1 = 9.0;
    points[7_777].1 = -9.0;
    for scale in [Scale::Linear, Scale::Log] {
        let kept = decimate(&points, 600, (0.0, 9_999.0), scale);
        assert!(kept.len() <= 4 * 600, "{}", kept.len());
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "never reordered");
        assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[9_999]));
        assert!(kept.contains(&points[5_003]) && kept.contains(&points[7_777]));
    }
}

#[test]
fn decimation_on_a_logarithmic_axis_keeps_the_early_steps() {
    let points: Vec<(f64, f64)> = (0..10_000).map(|index| (f64::from(index), 1.0)).collect();
    let early = |scale| decimate(&points, 300, (0.0, 9_999.0), scale).iter().filter(|point| point.0 < 10.0).count();
    assert_eq!(early(Scale::Log), 10);
    assert_eq!(early(Scale::Linear), 1);
}

#[test]
fn a_long_gap_breaks_the_line_and_a_short_one_disappears_among_its_neighbours() {
    let gap = |from: i32, to: i32| {
        let points: Vec<(f64, f64)> =
            (0..1_000).map(|index| (f64::from(index), if (from..to).contains(&index) { f64::NAN } else { 1.0 })).collect();
        decimate(&points, 100, (0.0, 999.0), Scale::Linear).iter().filter(|point| point.1.is_nan()).count()
    };
    assert!(gap(300, 400) >= 1);
    assert_eq!(gap(305, 306), 0);
}

#[test]
fn decimation_of_a_zoomed_view_keeps_one_neighbour_on_each_side() {
    let points: Vec<(f64, f64)> = (0..100).map(|index| (f64::from(index), f64::from(index))).collect();
    let kept = decimate(&points, 50, (40.5, 43.5), Scale::Linear);
    assert_eq!(kept.iter().map(|point| point.0).collect::<Vec<_>>(), [40.0, 41.0, 42.0, 43.0, 44.0]);
}

#[test]
fn the_pointer_snaps_to_the_nearest_logged_step() {
    let points = [(0.0, 1.0), (10.0, 1.0), (20.0, 1.0)];
    let nearest = |x| nearest_index(&points, x);
    assert_eq!([nearest(-5.0), nearest(4.9), nearest(5.0), nearest(5.1), nearest(99.0)], [0, 0, 0, 1, 2].map(Some));
    assert_eq!((nearest_index(&[], 1.0), nearest(f64::NAN)), (None, None));
}

#[test]
fn names_stand_at_line_ends_in_the_colour_of_their_line_and_apart() {
    let (train, test) = grokking();
    let all = [series("train", Ink::Train, &train), series("test", Ink::Test, &test)];
    let (frame, drawings) = draw(DESK, &curves(&all, &[]));
    let mut heights = Vec::new();
    for (name, ink) in [("train", Ink::Train), ("test", Ink::Test)] {
        let found = drawings.iter().find_map(|drawing| match drawing {
            Drawing::Text { words, at, color, .. } if words == name => Some((*at, *color)),
            _ => None,
        });
        let (at, color) = found.unwrap();
        assert_eq!(color, rgb(Theme::light().ink(ink)));
        assert!(f64::from(at.0) > 2.0 * (frame.left + frame.width));
        heights.push(at.1);
    }
    assert!((heights[0] - heights[1]).abs() >= 2 * 18, "both end at 100%: {heights:?}");
}

#[test]
fn fonts_and_strokes_grow_with_the_pixel_ratio_and_the_layout_does_not_move() {
    let (train, _) = grokking();
    let all = [series("train", Ink::Train, &train)];
    let at = |ratio: f64| {
        let surface = Surface::new((700.0 * ratio) as u32, (320.0 * ratio) as u32, ratio);
        let (frame, drawings) = draw(surface, &curves(&all, &[]));
        let size = drawings.iter().find_map(|drawing| if let Drawing::Text { size, .. } = drawing { Some(*size) } else { None });
        let width =
            drawings.iter().find_map(|drawing| if let Drawing::Path { width, .. } = drawing { Some(*width) } else { None });
        (frame, size.unwrap(), width.unwrap())
    };
    let (one, two) = (at(1.0), at(2.0));
    assert!(one.1 >= 13.0);
    assert_eq!((one.1 * 2.0, one.2 * 2), (two.1, two.2));
    assert!((one.0.left - two.0.left).abs() <= 0.5 && (one.0.width - two.0.width).abs() <= 1.0);
}

#[test]
fn a_projector_gets_larger_words() {
    let size = |large| {
        let (_, drawings) = draw(Surface { large, ..DESK }, &curves(&[], &[]));
        drawings.iter().find_map(|drawing| if let Drawing::Text { size, .. } = drawing { Some(*size) } else { None }).unwrap()
    };
    assert!(size(true) > 1.3 * size(false));
}

#[test]
fn nothing_to_draw_is_said_quietly() {
    let holes = [(0.0, f64::NAN), (1.0, f64::INFINITY), (f64::NAN, 1.0)];
    for points in [&[][..], &holes[..]] {
        for scale in [Scale::Linear, Scale::Log] {
            let all = [series("train", Ink::Train, points)];
            let y = Axis { scale, ..Axis::linear("loss") };
            let (_, drawings) = draw(DESK, &Curves { x: Axis::count("step", scale), y, ..curves(&all, &[]) });
            assert!(words(&drawings).contains(&"no data yet"), "{scale:?}: {:?}", words(&drawings));
        }
    }
    let map = HeatMap { values: &[], rows: 0, columns: 0, ..heat_map(&[]) };
    let (_, drawings) = record(DESK, |area| draw_heat_map(area, DESK, &Theme::light(), &map).unwrap());
    assert!(words(&drawings).contains(&"no data yet"));
    let bars = Bars { values: &[f32::NAN], ..bars(&[], &[]) };
    let (_, drawings) = record(DESK, |area| draw_bars(area, DESK, &Theme::light(), &bars).unwrap());
    assert!(words(&drawings).contains(&"no data yet"));
}

#[test]
fn losses_of_zero_or_less_are_left_out_on_a_logarithmic_axis() {
    let points = [(0.0, 1.0), (1.0, 0.1), (2.0, 0.0), (3.0, -1.0), (4.0, 0.01), (5.0, 0.02)];
    let all = [series("train", Ink::Train, &points)];
    let (_, drawings) = draw(DESK, &Curves { y: Axis::log("loss"), ..curves(&all, &[]) });
    let lengths: Vec<usize> = drawings
        .iter()
        .filter_map(|drawing| if let Drawing::Path { points, .. } = drawing { Some(points.len()) } else { None })
        .collect();
    assert_eq!(lengths, [2, 2]);
}

#[test]
fn a_zoomed_line_stays_within_its_plot() {
    let (train, test) = grokking();
    let all = [series("", Ink::Train, &train), Series { dashed: true, ..series("", Ink::Test, &test) }];
    let zoomed = Curves {
        x: Axis { range: Some((5_003.0, 6_507.0)), ..Axis::count("step", Scale::Linear) },
        y: Axis { range: Some((0.1, 0.6)), ..Axis::share("accuracy") },
        ..curves(&all, &[])
    };
    let (frame, drawings) = draw(DESK, &zoomed);
    let paths: Vec<&Drawing> = drawings.iter().filter(|drawing| matches!(drawing, Drawing::Path { .. })).collect();
    assert!(paths.len() > 10, "dashes of the rising line");
    for (x, y) in paths.into_iter().flat_map(corners) {
        let (x, y) = (f64::from(x) / 2.0 - frame.left, f64::from(y) / 2.0 - frame.top);
        assert!((-1.0..=frame.width + 1.0).contains(&x) && (-1.0..=frame.height + 1.0).contains(&y), "{x} {y}");
    }
}

#[test]
fn moments_are_named_even_when_they_crowd() {
    let (train, _) = grokking();
    let all = [series("train", Ink::Train, &train)];
    let marks: Vec<Mark> = [("t_mem", 5_000.0), ("t_half", 5_100.0), ("t_gen", 5_200.0), ("beyond", 1e9)]
        .map(|(label, x)| Mark::date(x, label))
        .into();
    let (_, drawings) = draw(DESK, &curves(&all, &marks));
    for name in ["t_mem", "t_half", "t_gen"] {
        assert!(words(&drawings).contains(&name), "{:?}", words(&drawings));
    }
    assert!(!words(&drawings).contains(&"beyond"));
}

fn heat_map(values: &[f32]) -> HeatMap<'_> {
    HeatMap {
        rows: 4,
        columns: 6,
        values,
        range: None,
        palette: Palette::Sequential,
        row_label: "latent".into(),
        column_label: "source".into(),
        column_names: None,
        row_names: None,
        selected_row: None,
        origin_top: true,
        caption_range: false,
    }
}

fn bars<'a>(values: &'a [f32], highlight: &'a [u32]) -> Bars<'a> {
    Bars { values, first_index: 1, x_label: "frequency".into(), y_label: "power".into(), highlight }
}

#[test]
fn cells_of_equal_colour_are_one_rectangle() {
    let fills = |values: &[f32]| {
        let (_, drawings) = record(DESK, |area| draw_heat_map(area, DESK, &Theme::light(), &heat_map(values)).unwrap());
        drawings.iter().filter(|drawing| matches!(drawing, Drawing::Fill { .. })).count()
    };
    let flat = fills(&[1.0; 24]);
    let mut spotted = [1.0f32; 24];
    (spotted[8], spotted[9], spotted[20]) = (5.0, 5.0, f32::NAN);
    assert_eq!(flat, 2, "the surface and the commonest shade");
    assert_eq!(fills(&spotted), flat + 2, "one run of two cells and one blank");
}

#[test]
fn a_matrix_finer_than_the_screen_is_reduced_and_keeps_its_peaks() {
    let mut values = vec![0.0f32; 3 * 5_000];
    values[5_000 + 2_501] = -7.0;
    let map = HeatMap { rows: 3, columns: 5_000, palette: Palette::Diverging, ..heat_map(&values) };
    let (_, drawings) = record(DESK, |area| draw_heat_map(area, DESK, &Theme::light(), &map).unwrap());
    let lowest = rgb(Palette::Diverging.shades(false)[0]);
    let peaks: Vec<&Drawing> =
        drawings.iter().filter(|drawing| matches!(drawing, Drawing::Fill { color, .. } if *color == lowest)).collect();
    assert_eq!(peaks.len(), 1);
    assert!(drawings.len() < 100, "{}", drawings.len());
}

#[test]
fn a_grid_finds_the_cell_under_the_pointer_in_both_orientations() {
    let values: Vec<f32> = (0u8..24).map(f32::from).collect();
    for origin_top in [true, false] {
        let map = HeatMap { origin_top, ..heat_map(&values) };
        let (grid, drawings) = record(DESK, |area| draw_heat_map(area, DESK, &Theme::light(), &map).unwrap());
        let (x, y) = (grid.left + grid.width * 5.5 / 6.0, grid.top + grid.height * 0.5 / 4.0);
        assert_eq!(grid.cell_at(x, y), Some((if origin_top { 0 } else { 3 }, 5)));
        assert_eq!(grid.cell_at(grid.left - 1.0, y), None);
        assert_eq!(grid.cell_at(x, grid.top + grid.height + 1.0), None);
        // The cell drawn there has the shade of the value that the pointer reads.
        let (row, column) = grid.cell_at(x, y).unwrap();
        let share = f64::from(values[row * 6 + column]) / 23.0;
        let expected = rgb(Palette::Sequential.shades(false)[(share * 63.0).round() as usize]);
        let (px, py) = ((x * 2.0) as i32, (y * 2.0) as i32);
        let drawn = drawings.iter().rev().find_map(|drawing| match drawing {
            Drawing::Fill { from, to, color } if (from.0..to.0).contains(&px) && (from.1..to.1).contains(&py) => Some(*color),
            _ => None,
        });
        assert_eq!(drawn, Some(expected));
    }
}

#[test]
fn highlighted_bars_are_coloured_and_numbered() {
    let values: Vec<f32> = (1..=56u8).map(|k| if matches!(k, 5 | 17 | 18) { 1.0 } else { 0.05 }).collect();
    let (frame, drawings) = record(DESK, |area| draw_bars(area, DESK, &Theme::light(), &bars(&values, &[5, 17, 18])).unwrap());
    let accent = rgb(Theme::light().accent);
    let coloured: Vec<f64> = drawings
        .iter()
        .filter_map(|drawing| match drawing {
            Drawing::Fill { from, to, color } if *color == accent => Some(frame.x_at(f64::from(from.0 + to.0) / 4.0)),
            _ => None,
        })
        .collect();
    assert_eq!(coloured.iter().map(|x| x.round()).collect::<Vec<_>>(), [5.0, 17.0, 18.0]);
    assert!(words(&drawings).contains(&"5"));
}

#[test]
fn no_surface_is_too_small_and_no_number_too_strange() {
    let wild = [(f64::NEG_INFINITY, 1.0), (-1.0, f64::MIN), (0.0, f64::MAX), (1.0, 1e-320), (f64::NAN, 2.0), (1e308, 3.0)];
    let wild_cells = [f32::NAN, f32::MAX, f32::MIN, f32::INFINITY, 0.0, -0.0, 1e-40, 3.0];
    let marks = [Mark::date(f64::NAN, "never")];
    for (width_px, height_px) in [(0, 0), (1, 1), (3, 500), (500, 3), (90, 60), (350, 260)] {
        for pixel_ratio in [1.0, 2.5, f64::NAN, 0.0] {
            let surface = Surface::new(width_px, height_px, pixel_ratio);
            for scale in [Scale::Linear, Scale::Log] {
                let all = [Series { dashed: true, ..series("wild", Ink::Source(200), &wild) }];
                let y = Axis { scale, range: Some((f64::NAN, 1.0)), ..Axis::linear("loss") };
                let figure = Curves {
                    x: Axis::count("step", scale),
                    y,
                    ticks: &[f64::NAN, 1.0],
                    cursor: Some(f64::NAN),
                    ..curves(&all, &marks)
                };
                let (frame, _) = draw(surface, &figure);
                assert!(frame.width >= 1.0 && frame.x_at(3.0).is_finite());
            }
            let map = HeatMap { rows: 2, columns: 4, caption_range: true, selected_row: Some(9), ..heat_map(&wild_cells) };
            let missing = HeatMap { values: &wild_cells[..3], palette: Palette::Diverging, ..map.clone() };
            record(surface, |area| {
                draw_heat_map(area, surface, &Theme::dark(), &map).unwrap();
                draw_heat_map(area, surface, &Theme::dark(), &missing).unwrap();
                draw_bars(area, surface, &Theme::dark(), &bars(&wild_cells, &[1, 2])).unwrap();
            });
        }
    }
}

#[test]
fn nothing_is_drawn_beside_the_surface() {
    let (train, test) = grokking();
    let all = [series("train", Ink::Train, &train), series("a name that is far too long for this chart", Ink::Test, &test)];
    let marks = [Mark::date(0.0, "start of training"), Mark::event(9_990.0, "end of training")];
    let surface = Surface::new(700, 520, 2.0);
    let (_, drawings) = draw(surface, &curves(&all, &marks));
    for (x, y) in drawings.iter().flat_map(corners) {
        assert!((0..=700).contains(&x) && (0..=520).contains(&y), "{x} {y}");
    }
}

/// Writes sample figures into `$FIGURES` as one HTML page per appearance, to be looked at.
#[test]
#[ignore = "for eyes: FIGURES=DIR cargo test --features figures samples -- --ignored"]
fn samples_of_every_figure() {
    let folder = std::path::PathBuf::from(std::env::var_os("FIGURES").unwrap());
    let (train, test) = grokking();
    let loss = |accuracy: &[(f64, f64)]| -> Vec<(f64, f64)> {
        accuracy.iter().map(|&(x, y)| (x, 4.0 * (1.02 - y).max(0.0) * (-x / 3_000.0).exp() + 3e-4)).collect()
    };
    let (train_loss, test_loss) = (loss(&train), loss(&test));
    let theory: Vec<(f64, f64)> = train.iter().map(|&(x, _)| (x, 1.0 / (1.0 + (-(x - 5_500.0) / 800.0).exp()))).collect();
    let now: Vec<(f64, f64)> = test[..400].to_vec();
    let marks = [("t_mem", 290.0), ("t_half", 6_000.0), ("t_gen 7,500", 7_500.0)].map(|(label, x)| Mark::date(x, label));
    let checkpoints: Vec<f64> = (0..40).map(|index| f64::from(index) * 250.0).collect();
    let waves: Vec<f32> =
        (0..59 * 59).map(|index| ((index % 59) as f32 * 0.53).cos() * ((index / 59) as f32 * 0.32).sin()).collect();
    let sparse: Vec<f32> =
        (0..64 * 5).map(|index| if (index * 7919) % 11 < 3 { ((index * 31) % 17) as f32 / 17.0 } else { 0.0 }).collect();
    let spectrum: Vec<f32> = (1..=56)
        .map(|k| match k {
            5 => 0.9,
            17 => 0.7,
            18 => 0.65,
            40 => 0.3,
            _ => 0.02 + 0.01 * (k % 3) as f32,
        })
        .collect();

    let bands = [
        Band { from: 0.0, to: 1_500.0, label: "memorisation".into(), ink: Ink::Train },
        Band { from: 1_500.0, to: 6_000.0, label: "circuit formation".into(), ink: Ink::Theory },
        Band { from: 6_000.0, to: f64::INFINITY, label: "clean-up".into(), ink: Ink::Accent },
    ];
    let residues: Vec<String> = (0..59).map(|residue| residue.to_string()).collect();
    let hues: Vec<f64> = (0..59).map(|residue| f64::from(residue) / 59.0).collect();
    let ring: Vec<(f64, f64)> = (0..59)
        .map(|residue| (f64::from(residue * 5) / 59.0 * std::f64::consts::TAU, 1.0 + 0.08 * f64::from(residue * 37 % 11) / 11.0))
        .map(|(angle, length)| (length * angle.cos(), length * angle.sin()))
        .collect();
    // 5 · 12 ≡ 1 (mod 59).
    let order: Vec<usize> = (0..59).map(|step| step * 12 % 59).collect();

    for (name, theme) in [("light", Theme::light()), ("dark", Theme::dark())] {
        let RGBColor(red, green, blue) = theme.background;
        let mut page = format!(
            "<meta charset='utf-8'><body style='margin:8px;background:rgb({red},{green},{blue});display:flex;flex-wrap:wrap;gap:8px'>"
        );
        for (width, height, large) in [(700, 320, false), (350, 260, false), (900, 420, true)] {
            let surface = Surface { large, ..Svg::surface(width, height) };
            let drawn = |picture: Picture<'_>| picture.svg_on(surface, &theme, |svg| svg).unwrap();
            let accuracy = [
                series("train", Ink::Train, &train),
                series("test", Ink::Test, &test),
                Series { dashed: true, ..series("theory", Ink::Theory, &theory) },
            ];
            let losses = [series("train", Ink::Train, &train_loss), series("test", Ink::Test, &test_loss)];
            let running = [series("train", Ink::Train, &train[..400]), series("test", Ink::Test, &now)];
            let log_x = Axis::count("step (logarithmic)", Scale::Log);
            let figures = [
                Curves { ticks: &checkpoints, ..curves(&accuracy, &marks) },
                Curves { x: log_x.clone(), y: Axis::log("loss (nats)"), cursor: Some(2_000.0), ..curves(&losses, &marks[..1]) },
                Curves {
                    x: Axis { range: Some((0.0, 10_000.0)), ..Axis::count("step", Scale::Linear) },
                    ..curves(&running, &[])
                },
                Curves { bands: &bands, ..curves(&accuracy, &[]) },
                curves(&[], &[]),
            ];
            for figure in figures {
                page += &drawn(Picture::Curves(figure));
            }
            let names = ["step 0", "step 290", "step 2,000", "step 6,000", "step 10,000"].map(String::from).to_vec();
            let maps = [
                HeatMap {
                    rows: 59,
                    columns: 59,
                    palette: Palette::Diverging,
                    row_label: "neuron".into(),
                    column_label: "frequency".into(),
                    caption_range: true,
                    ..heat_map(&waves)
                },
                HeatMap {
                    rows: 64,
                    columns: 5,
                    column_names: Some(names),
                    caption_range: true,
                    selected_row: Some(20),
                    ..heat_map(&sparse)
                },
            ];
            for map in maps {
                page += &drawn(Picture::HeatMap(map));
            }
            page += &drawn(Picture::Bars(bars(&spectrum, &[5, 17, 18, 40])));
            page += &drawn(Picture::Scatter(Scatter {
                points: &ring,
                labels: &residues,
                stain: Stain::Cyclic(&hues),
                order: &order,
                closed: true,
                x_label: "cos part of frequency 5".into(),
                y_label: "sin part".into(),
                range: None,
                window: None,
                guides: &[],
                stretches: &[],
                keys: &[],
                ringed: &[7],
            }));
        }
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
