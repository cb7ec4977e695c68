//! Points in the plane with a side each: named sets, a drawn cloud, or the reader's own.
//!
//! Own points are text lines, so that a file, a link and a page on which points are dragged speak of the same thing.

use super::rows::{Rows, dot};
use super::settings::{DataSet, Separable};
use crate::experiment::FieldError;
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::UserError;
use crate::theory::{Handle, Touch};

/// Validation points per set.
pub(super) const VALIDATION: usize = 400;

/// A point, and whether its side is +.
type Sided = ((f64, f64), bool);

/// Most own points.
pub(super) const MOST_POINTS: usize = 200;

/// What is learned, and what it is judged on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// Points with their side: `true` is +.
    pub points: Vec<Sided>,
    /// y_n x_n of the points.
    pub rows: Rows,
    /// y x of the validation sample.
    pub validation: Rows,
    /// How the validation sample came about.
    pub validation_story: &'static str,
}

impl DataSet {
    /// The points of a named set; none for sets that are drawn or typed.
    fn named(self) -> &'static [Sided] {
        match self {
            Self::Asymmetric => &[((0.0, 2.0), true), ((1.5, 0.5), true)],
            Self::Figure => &[((0.5, 1.5), true), ((1.5, 0.5), true), ((-0.5, -1.5), false), ((-1.5, -0.5), false)],
            Self::Degenerate => &[((1.0, 0.0), true), ((1.0, 1.0), true)],
            Self::Lone => &[((1.0, 0.5), true), ((2.0, 1.5), true), ((3.0, -0.5), true), ((-0.5, -3.0), false)],
            Self::Inseparable => {
                &[((1.0, 0.5), true), ((0.6, -0.8), false), ((0.3, 1.0), false), ((-0.8, -0.6), false), ((1.2, -0.2), true)]
            }
            Self::Cloud | Self::Points => &[],
        }
    }
}

impl Data {
    /// The data of these settings.
    ///
    /// # Errors
    /// A line that is no point, or no points.
    pub(super) fn of(settings: &Separable) -> Result<Self, UserError> {
        let mut stream = Stream::new(settings.seed, Purpose::Theory, 0);
        let mut held_out = Stream::new(settings.seed, Purpose::Theory, 1);
        if settings.data == DataSet::Cloud {
            let turn = core::f64::consts::TAU * stream.uniform();
            let truth = [libm::cos(turn), libm::sin(turn)];
            let draw = |stream: &mut Stream, is_kept: &dyn Fn(f64) -> bool| loop {
                let x = (stream.normal(), stream.normal());
                let side = dot(&[x.0, x.1], &truth);
                if is_kept(side.abs()) {
                    return (x, side > 0.0);
                }
            };
            let gap = settings.cloud_margin;
            let points = (0..settings.cloud_size).map(|_| draw(&mut stream, &|distance| distance >= gap)).collect();
            let validation: Vec<_> = (0..VALIDATION).map(|_| draw(&mut held_out, &|distance| distance < gap)).collect();
            return Ok(Self::new(points, rows(&validation), "drawn in the gap at the boundary"));
        }
        let points = written(settings)?;
        let mut moved = |at: usize| {
            let ((x, y), side) = points[at % points.len()];
            ((x + settings.spread * held_out.normal(), y + settings.spread * held_out.normal()), side)
        };
        let validation: Vec<_> = (0..VALIDATION.next_multiple_of(points.len())).map(&mut moved).collect();
        let story = "training points moved by normal noise, with their side kept";
        Ok(Self::new(points.clone(), rows(&validation), story))
    }

    /// The points of these settings alone, where they are not drawn: named ones, or the reader's own.
    ///
    /// # Errors
    /// As [`Data::of`].
    pub(super) fn handles(settings: &Separable) -> Result<Vec<Handle>, UserError> {
        if settings.data == DataSet::Cloud {
            return Ok(Vec::new());
        }
        Ok(written(settings)?.into_iter().map(|(place, is_plus)| Handle { place, is_plus }).collect())
    }

    fn new(points: Vec<Sided>, validation: Rows, validation_story: &'static str) -> Self {
        Self { rows: rows(&points), points, validation, validation_story }
    }
}

/// Named points, or those of the lines.
fn written(settings: &Separable) -> Result<Vec<Sided>, UserError> {
    let points: Vec<Sided> = match settings.data {
        DataSet::Points => settings.points.iter().map(|line| point(line)).collect::<Result<_, _>>()?,
        named => named.named().to_vec(),
    };
    if points.is_empty() {
        return Err(refusal("There are no points", "Add some, e.g. 0 2 +; 1.5 0.5 +"));
    }
    Ok(points)
}

/// The settings after a hand was at a point: from then on the points are the reader's own.
///
/// # Errors
/// If there is no such point, it is put where none can be, or none would be left.
pub(super) fn touched(settings: &Separable, at: usize, touch: Touch) -> Result<Separable, UserError> {
    let mut all = Data::handles(settings)?;
    let count = all.len();
    let Some(handle) = all.get_mut(at) else { return Err(refusal("There is no such point", "Use one of those in the figure")) };
    match touch {
        Touch::Move(place) => handle.place = place,
        Touch::Flip => handle.is_plus = !handle.is_plus,
        Touch::Remove if count == 1 => return Err(refusal("The last point cannot be taken away", "Move it instead")),
        Touch::Remove => {
            all.remove(at);
        }
        Touch::Add if count >= MOST_POINTS => {
            return Err(refusal(format!("There are {count} points"), format!("Use at most {MOST_POINTS}")));
        }
        Touch::Add => {
            let Handle { place: (x, y), is_plus } = *handle;
            all.push(Handle { place: (x + 0.25, y + 0.25), is_plus });
        }
    }
    // Three digits: more than a hand can tell apart, and short in a link.
    let line = |handle: &Handle| {
        let short = |value: f64| libm::round(1000.0 * value) / 1000.0;
        format!("{} {} {}", short(handle.place.0), short(handle.place.1), if handle.is_plus { '+' } else { '-' })
    };
    let points: Vec<String> = all.iter().map(line).collect();
    points.iter().try_for_each(|line| point(line).map(drop))?;
    Ok(Separable { data: DataSet::Points, points, ..settings.clone() })
}

fn rows(points: &[Sided]) -> Rows {
    let signed = points.iter().flat_map(|&((x, y), side)| if side { [x, y] } else { [-x, -y] });
    Rows::new(2, signed.collect())
}

fn refusal(cause: impl Into<String>, remedy: impl Into<String>) -> UserError {
    FieldError::new("points", cause, remedy).into()
}

/// Reads "x y label"; the label is +, -, 1, +1 or -1.
fn point(line: &str) -> Result<Sided, UserError> {
    let words: Vec<&str> = line.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect();
    let refuse = || refusal(format!("\"{line}\" is no point"), "Write x, y and the side, e.g. 1.5 0.5 +");
    let [x, y, side] = words[..] else { return Err(refuse()) };
    let number = |word: &str| word.parse::<f64>().ok().filter(|value| value.is_finite());
    let (Some(x), Some(y)) = (number(x), number(y)) else { return Err(refuse()) };
    let side = match side {
        "+" | "1" | "+1" => true,
        "-" | "−" | "-1" => false,
        _ => return Err(refuse()),
    };
    let length = libm::hypot(x, y);
    if length == 0.0 {
        return Err(refusal("A point at the origin is on no side of any line through it", "Move it, e.g. to 0.1 0.1"));
    }
    if !(1e-3..=1e3).contains(&length) {
        let scale = length.clamp(1e-3, 1e3) / length;
        return Err(refusal(
            format!("\"{line}\" is {length} from the origin"),
            format!("Use 0.001 to 1000, e.g. {} {}", x * scale, y * scale),
        ));
    }
    Ok(((x, y), side))
}

#[cfg(test)]
mod tests {
    use super::super::margin::{Separation, separate};
    use super::*;

    #[test]
    fn lines_are_points_and_others_are_refused_by_name() {
        assert_eq!(point("1.5 .5 +"), Ok(((1.5, 0.5), true)));
        assert_eq!(point(" -1, 2  -1"), Ok(((-1.0, 2.0), false)));
        for line in ["", "1 2", "1 2 3", "a 2 +", "inf 0 +", "0 0 +", "1e9 0 +"] {
            assert!(point(line).is_err_and(|e| e.cause.contains("points")), "{line}");
        }
    }

    #[test]
    fn named_sets_are_as_separable_as_they_say() {
        for data in [DataSet::Asymmetric, DataSet::Figure, DataSet::Degenerate, DataSet::Lone, DataSet::Cloud] {
            let found = Data::of(&Separable { data, ..Separable::default() }).unwrap();
            assert!(matches!(separate(&found.rows), Separation::Separable(_)), "{data:?}");
        }
        let found = Data::of(&Separable { data: DataSet::Inseparable, ..Separable::default() }).unwrap();
        assert!(matches!(separate(&found.rows), Separation::Inseparable { .. }));
        let Separation::Separable(lone) =
            separate(&Data::of(&Separable { data: DataSet::Lone, ..Separable::default() }).unwrap().rows)
        else {
            panic!()
        };
        assert_eq!(lone.on_margin.len(), 1);
    }

    #[test]
    fn a_touched_point_makes_all_of_them_own_points() {
        let start = Separable::default();
        let moved = touched(&start, 1, Touch::Move((1.0, 0.123_456))).unwrap();
        assert_eq!((moved.data, moved.points.as_slice()), (DataSet::Points, &["0 2 +".to_owned(), "1 0.123 +".to_owned()][..]));
        let flipped = touched(&moved, 0, Touch::Flip).unwrap();
        assert_eq!(flipped.points, ["0 2 -", "1 0.123 +"]);
        let more = touched(&flipped, 0, Touch::Add).unwrap();
        assert_eq!(more.points[2], "0.25 2.25 -");
        let fewer = touched(&touched(&more, 0, Touch::Remove).unwrap(), 0, Touch::Remove).unwrap();
        assert_eq!(fewer.points, ["0.25 2.25 -"]);
        assert!(touched(&fewer, 0, Touch::Remove).is_err());
        assert!(touched(&fewer, 0, Touch::Move((0.0, 0.0001))).is_err(), "a point at the origin");
        assert!(touched(&fewer, 1, Touch::Flip).is_err());
        let cloud = Separable { data: DataSet::Cloud, ..start };
        assert_eq!(Data::handles(&cloud), Ok(Vec::new()));
    }

    #[test]
    fn a_cloud_keeps_its_gap_and_its_validation_does_not() {
        let settings = Separable { data: DataSet::Cloud, cloud_margin: 0.4, ..Separable::default() };
        let data = Data::of(&settings).unwrap();
        let Separation::Separable(best) = separate(&data.rows) else { panic!() };
        assert!(best.margin() >= 0.4);
        assert!(data.validation.smallest_margin(&best.direction) < 0.0);
        assert_eq!(data, Data::of(&settings).unwrap());
        assert_ne!(data, Data::of(&Separable { seed: 1, ..settings }).unwrap());
    }
}
