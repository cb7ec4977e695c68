//! What is taken away from the page: documents that other programs read, and numbers that read back as they were.

use super::recorder::record;
use super::*;

/// The cells of a CSV text (RFC 4180).
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            letter => cell.push(letter),
        }
    }
    assert!(cell.is_empty() && line.is_empty() && !quoted, "the last line is not ended");
    let head = lines.first().map_or(0, Vec::len);
    assert!(lines.iter().all(|line: &Vec<String>| line.len() == head), "lines differ in length: {csv}");
    lines
}

fn series<'a>(label: &'a str, ink: Ink, points: &'a [(f64, f64)]) -> Series<'a> {
    Series { label, ink, dashed: false, points }
}

fn curves<'a>(series: &'a [Series<'a>]) -> Curves<'a> {
    let (x, y) = (Axis::count("step", Scale::Linear), Axis::log("loss (nats)"));
    Curves { series, x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &[] }
}

fn map(values: &[f32]) -> HeatMap<'_> {
    HeatMap {
        rows: 2,
        columns: 3,
        values,
        range: None,
        palette: Palette::Diverging,
        row_label: "neuron".into(),
        column_label: "step".into(),
        column_names: Some(["0", "1,000", "20,000"].map(String::from).into()),
        row_names: None,
        selected_row: None,
        origin_top: true,
        caption_range: true,
    }
}

/// One of every figure, with names that need care.
fn with_pictures(check: impl Fn(&Picture<'_>, &[&str])) {
    let line = [(0.0, 4.5), (10.0, 0.1), (20.0, f64::NAN), (30.0, 1e-7)];
    let all = [series("test <b> & \"c\"", Ink::Test, &line), series("train", Ink::Train, &line)];
    let marks = [Mark::date(10.0, "memorised"), Mark::event(20.0, "decay → 0")];
    let bands = [Band { from: 0.0, to: 30.0, label: "clean-up".into(), ink: Ink::Theory }];
    let spread = [(0.0, 2.0, 5.0), (10.0, 0.05, 0.2), (20.0, f64::NAN, 1.0)];
    let areas = [Area { ink: Ink::Test, points: &spread }];
    let figure = Curves { areas: &areas, marks: &marks, bands: &bands, ticks: &[0.0, 10.0], cursor: Some(10.0), ..curves(&all) };
    check(
        &Picture::Curves(figure),
        &["test &lt;b&gt; &amp; \"c\"", "train", "memorised", "decay → 0", "clean-up", "step", "loss (nats)"],
    );
    check(&Picture::Curves(curves(&[])), &["no data yet", "step"]);
    let values = [0.5, -1.0, f32::NAN, 2.0, f32::INFINITY, 0.0];
    check(&Picture::HeatMap(map(&values)), &["neuron", "step", "1,000"]);
    let bars = Bars {
        values: &[0.1, f32::NAN, 0.9],
        first_index: 1,
        x_label: "frequency k".into(),
        y_label: "share of energy".into(),
        highlight: &[3],
    };
    check(&Picture::Bars(bars), &["frequency k", "share of energy", "3"]);
    let falls = [(60.0, 0.75), (90.0, 0.25)];
    let runners = [Runner { label: "Muon", ink: Ink::Source(1), dashed: false, falls: &falls, given_up: &[300.0] }];
    let x = Axis::count("step", Scale::Linear);
    check(
        &Picture::Race(Race { runners: &runners, x, waiting: "seeds that wait".into(), end: 300.0 }),
        &["Muon", "seeds that wait"],
    );
    let (points, labels) = ([(1.0, 0.0), (f64::NAN, 0.0), (-1.0, 0.5)], ["zero", "one", "two"].map(String::from));
    let scatter = Scatter {
        points: &points,
        labels: &labels,
        stain: Stain::Cyclic(&[0.0, 0.3, f64::NAN]),
        order: &[0, 1, 2],
        closed: true,
        x_label: "cos part".into(),
        y_label: "sin part".into(),
        range: None,
        window: None,
        guides: &[],
        stretches: &[],
        keys: &[],
        ringed: &[0],
    };
    check(&Picture::Scatter(scatter), &["zero", "two", "cos part", "sin part"]);
    let keys = [Key { ink: Ink::Accent, label: "emergent" }, Key { ink: Ink::Source(1), label: "vanished" }];
    let groups = Scatter {
        points: &points,
        labels: &labels,
        stain: Stain::Inks(&[Ink::Source(1), Ink::Accent, Ink::Accent]),
        order: &[],
        closed: false,
        x_label: "ν others".into(),
        y_label: "ν error".into(),
        range: None,
        window: Some(((-2.0, 2.0), (-0.25, 1.25))),
        guides: &[Guide::X(0.5, "in other latents"), Guide::Y(0.2, "shrunk"), Guide::X(9.0, "outside")],
        stretches: &[],
        keys: &keys,
        ringed: &[],
    };
    check(&Picture::Scatter(groups), &["emergent", "vanished", "in other latents", "shrunk", "zero", "ν error"]);
    let layers = [
        Layer { label: "emergent", ink: Ink::Accent, values: &[0.0, 12.0] },
        Layer { label: "transient, late", ink: Ink::Source(4), values: &[3.0, f64::NAN] },
    ];
    let y = Axis::count("births", Scale::Linear);
    let x = Axis::count("step", Scale::Log);
    let edges = [(250.0, 600.0), (600.0, 1_000.0)];
    let slots = Slots::Edges(&edges);
    let columns =
        Columns { slots, layers: &layers, beside: false, numbered: true, x, y, guides: &[Guide::X(700.0, "understood")] };
    check(&Picture::Columns(columns.clone()), &["emergent", "transient, late", "births", "step", "12", "understood"]);
    let names = ["600 resid_post".to_owned(), "1,000".to_owned()];
    let named = Columns { slots: Slots::Names(&names), beside: true, x: Axis::linear("checkpoint"), ..columns };
    check(&Picture::Columns(named), &["600 resid_post", "1,000", "checkpoint", "3"]);
    let (left, right) = (&keys[..], [keys[1], Key { ink: Ink::Baseline, label: "not found" }]);
    let flow = Flow { left_label: "this fit".into(), right_label: "seed 1".into(), left, right: &right, counts: &[3, 0, 1, 2] };
    check(&Picture::Flow(flow), &["emergent 3", "vanished 4", "not found 2", "this fit", "seed 1"]);
}

/// Fails unless every element is closed in order and every attribute is quoted; returns the texts of the `text` elements.
fn texts_of_well_formed(svg: &str) -> Vec<String> {
    let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), svg);
    while let Some(start) = rest.find('<') {
        let between = &rest[..start];
        for entity in between.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;"].iter().any(|known| entity.starts_with(known)), "a bare & in {between:?}");
        }
        if open.last() == Some(&"text") && !between.is_empty() {
            texts.push(between.to_owned());
        }
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<') && tag.matches('"').count() % 2 == 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    texts
}

#[test]
fn a_saved_figure_is_a_well_formed_document_with_its_words_as_text_and_no_number_that_is_none() {
    with_pictures(|picture, wanted| {
        for theme in [Theme::light(), Theme::dark()] {
            for (width, height) in [(700, 320), (350, 260), (1, 1), (0, 0)] {
                let svg = picture.to_svg(width, height, &theme).unwrap();
                let texts = texts_of_well_formed(&svg);
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                assert!(svg.contains(&format!("viewBox=\"0 0 {width} {height}\"")), "{svg}");
                if width == 700 {
                    for word in wanted {
                        assert!(texts.iter().any(|text| text == word), "{word:?} is not among {texts:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_saved_figure_keeps_the_font_size_and_the_places_that_the_figure_was_laid_out_with() {
    with_pictures(|picture, _| {
        let surface = Svg::surface(700, 320);
        let (place, _) = record(surface, |area| picture.draw(area, surface, &Theme::light()).unwrap());
        assert!(picture.to_svg(700, 320, &Theme::light()).unwrap().contains("font-size=\"14\""));
        let (left, width) = match place {
            Place::Plot(frame) => (frame.left, frame.width),
            Place::Grid(grid) => (grid.left, grid.width),
        };
        assert!(left + width <= 700.0 && width > 350.0);
        assert_ne!(place.frame().is_some(), place.grid().is_some());
    });
}

#[test]
fn a_saved_figure_stands_on_the_surface_of_its_appearance() {
    with_pictures(|picture, _| {
        for (theme, surface) in [(Theme::light(), "#ffffff"), (Theme::dark(), "#191d23")] {
            let svg = picture.to_svg(700, 320, &theme).unwrap();
            let first = svg.lines().nth(1).unwrap();
            assert!(first.contains("width=\"700\" height=\"320\"") && first.contains(surface), "{first}");
        }
    });
}

#[test]
fn the_numbers_of_curves_are_joined_on_x_and_read_back() {
    let train = [(0.0, 0.1), (10.0, 1.0 / 3.0), (20.0, 1e-12), (30.0, f64::NAN), (1e7, 2.5e20)];
    let test = [(0.0, f64::from(0.1f32)), (20.0, 5.0), (20.0, 6.0), (25.0, f64::INFINITY)];
    let all = [series("train", Ink::Train, &train), series("test", Ink::Test, &test)];
    let table = cells(&Picture::Curves(curves(&all)).to_csv());
    assert_eq!(table[0], ["step", "loss (nats): train", "loss (nats): test"]);
    let xs: Vec<f64> = table[1..].iter().map(|line| line[0].parse().unwrap()).collect();
    assert_eq!(xs, [0.0, 10.0, 20.0, 20.0, 25.0, 30.0, 1e7]);
    for (column, points) in [(1, &train[..]), (2, &test[..])] {
        let read: Vec<(f64, f64)> = table[1..]
            .iter()
            .filter(|line| !line[column].is_empty())
            .map(|line| (line[0].parse().unwrap(), line[column].parse().unwrap()))
            .collect();
        let finite: Vec<(f64, f64)> = points.iter().copied().filter(|point| point.1.is_finite()).collect();
        assert_eq!(read.len(), finite.len(), "{read:?}");
        for (read, meant) in read.iter().zip(finite) {
            assert!(read.0 == meant.0 && (read.1 == meant.1 || read.1 as f32 == meant.1 as f32), "{read:?} for {meant:?}");
        }
    }
    assert_eq!(table[1][2], "0.1", "a number of single precision has its own digits");
    assert_eq!(table[2][1].parse::<f64>().unwrap(), 1.0 / 3.0);
}

#[test]
fn columns_of_one_name_are_told_apart_and_nameless_ones_are_called_after_the_axis() {
    let line = [(0.0, 1.0)];
    let all = [
        series("original", Ink::Test, &line),
        series("original", Ink::Train, &line),
        series("original", Ink::Train, &line),
        series("", Ink::Test, &line),
    ];
    let head = |y: Axis| cells(&Picture::Curves(Curves { y, ..curves(&all) }).to_csv()).remove(0);
    assert_eq!(head(Axis::linear("")), ["step", "original", "original (train)", "original (train) 2", "value"]);
    assert_eq!(head(Axis::linear("loss, mean"))[4], "loss, mean");
}

#[test]
fn the_numbers_of_a_heat_map_name_row_and_column_of_every_cell() {
    let values = [0.5, -1.0, f32::NAN, 2.0, 1e-9, 0.1];
    let table = cells(&Picture::HeatMap(map(&values)).to_csv());
    assert_eq!(table[0], ["neuron", "step", "value"]);
    assert_eq!(table.len(), 7);
    assert_eq!(table[2], ["0", "1000", "-1"]);
    assert_eq!(table[3], ["0", "20000", ""]);
    for (line, value) in table[1..].iter().zip(values).filter(|(_, value)| value.is_finite()) {
        assert_eq!(line[2].parse::<f32>().unwrap(), value);
    }
    let named = HeatMap { row_names: Some(vec!["latent 7".into(), "latent 3, shared".into()]), ..map(&values) };
    let table = cells(&Picture::HeatMap(named).to_csv());
    assert_eq!((table[1][0].as_str(), table[4][0].as_str()), ("latent 7", "latent 3, shared"));
    let names = Some(vec!["latent 7".into(), "latent 3".into()]);
    let square = HeatMap { columns: 2, column_names: None, row_names: names, ..map(&values) };
    let table = cells(&Picture::HeatMap(square).to_csv());
    assert_eq!(table[2], ["latent 7", "latent 3", "-1"], "the columns of a square matrix are its rows");
}

#[test]
fn the_numbers_of_bars_points_and_races_read_back() {
    with_pictures(|picture, _| {
        let table = cells(&picture.to_csv());
        match picture {
            Picture::Bars(bars) => {
                assert_eq!(table[0], ["frequency k", "share of energy"]);
                assert_eq!(table[1..].iter().map(|line| line[0].as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
                assert_eq!(table[1][1].parse::<f32>().unwrap(), bars.values[0]);
                assert_eq!(table[2][1], "");
            }
            Picture::Scatter(scatter) if !scatter.keys.is_empty() => {
                assert_eq!(table[0], ["label", "ν others", "ν error", "group"]);
                assert_eq!((table[1][3].as_str(), table[3][3].as_str()), ("vanished", "emergent"));
            }
            Picture::Columns(columns) => match columns.slots {
                Slots::Edges(_) => {
                    assert_eq!(table[0], ["step, from", "step, to", "births: emergent", "births: transient, late"]);
                    assert_eq!(table[1..], [["250", "600", "0", "3"], ["600", "1000", "12", ""]]);
                }
                Slots::Names(_) => assert_eq!(table[2], ["1000", "12", ""]),
            },
            Picture::Flow(_) => {
                assert_eq!(table[0], ["this fit", "seed 1", "count"]);
                assert_eq!(
                    table[1..],
                    [["emergent", "vanished", "3"], ["vanished", "vanished", "1"], ["vanished", "not found", "2"]]
                );
            }
            Picture::Scatter(scatter) => {
                assert_eq!(table[0], ["label", "cos part", "sin part"]);
                assert_eq!(table[1], ["zero", "1", "0"]);
                assert_eq!(table[2], ["one", "", "0"]);
                assert_eq!(table[3][2].parse::<f64>().unwrap(), scatter.points[2].1);
            }
            Picture::Race(_) => {
                assert_eq!(table[0], ["runner", "step", "seeds that wait", "event"]);
                assert_eq!(table[1], ["Muon", "60", "0.75", "arrived"]);
                assert_eq!(table[3], ["Muon", "300", "0.25", "given up"]);
            }
            _ => assert!(!table[0].is_empty()),
        }
    });
}
