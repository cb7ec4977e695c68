//! Spreads behind lines: quartiles over seeds, an interval of a prediction.
//!
//! Dashed lines above and below say the same, but with three arms nobody sees which belong together; and error bars hide that a
//! spread goes on between its points. An area is transparent, since where two overlap is what one wants to know.

use plotters::prelude::DrawingBackend;

use super::pen::{Drawn, Pen};
use super::{Frame, Ink, Scale, Theme};

/// A spread over x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area<'a> {
    /// What its colour stands for.
    pub ink: Ink,
    /// (x, low, high), ascending in x. A point that is not finite breaks it; on a logarithmic axis an end that is not positive
    /// lies at the bottom of the plot.
    pub points: &'a [(f64, f64, f64)],
}

impl Area<'_> {
    /// Its ends as points, for the range of an axis of `scale`.
    pub(super) fn ends(&self, scale: Scale) -> impl Iterator<Item = (f64, f64)> {
        let has_place = move |y: f64| y.is_finite() && (scale == Scale::Linear || y > 0.0);
        self.points.iter().flat_map(|&(x, low, high)| [(x, low), (x, high)]).filter(move |(_, y)| has_place(*y))
    }
}

/// Fills the areas; to be called before lines are drawn.
pub(super) fn draw_areas<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    theme: &Theme,
    frame: &Frame,
    areas: &[Area<'_>],
) -> Drawn<(), DB> {
    let bottom = frame.top + frame.height;
    let place = |x: f64, y: f64| {
        let down = frame.px_of_y(y);
        (frame.px_of_x(x), if down.is_finite() { down.clamp(frame.top, bottom) } else { bottom })
    };
    for area in areas {
        let is_shown = |point: &&(f64, f64, f64)| point.0 >= frame.x.0 && point.0 <= frame.x.1;
        let points: Vec<&(f64, f64, f64)> = area.points.iter().filter(is_shown).collect();
        for run in points.split(|point| !(point.1.is_finite() && point.2.is_finite())).filter(|run| run.len() > 1) {
            let above = run.iter().map(|&&(x, _, high)| place(x, high));
            let below = run.iter().rev().map(|&&(x, low, _)| place(x, low));
            pen.area(&above.chain(below).collect::<Vec<_>>(), theme.ink(area.ink), theme.veil())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::recorder::{Drawing, record};
    use super::super::{Axis, Curves, Surface, draw_curves};
    use super::*;

    fn draw(y: Axis, x: Axis, points: &[(f64, f64, f64)]) -> (Frame, Vec<Vec<(i32, i32)>>) {
        let surface = Surface::new(800, 400, 1.0);
        let areas = [Area { ink: Ink::Test, points }];
        let figure = Curves { series: &[], x, y, marks: &[], ticks: &[], cursor: None, bands: &[], areas: &areas };
        let (frame, drawings) = record(surface, |area| draw_curves(area, surface, &Theme::light(), &figure).unwrap());
        let areas = drawings.into_iter().filter_map(|drawing| match drawing {
            Drawing::Area { corners, opacity, .. } if opacity < 0.5 => Some(corners),
            _ => None,
        });
        (frame, areas.collect())
    }

    #[test]
    fn a_spread_lies_between_its_ends_and_a_gap_divides_it() {
        let points =
            [(0.0, 1.0, 2.0), (1.0, 1.0, 4.0), (2.0, f64::NAN, 4.0), (3.0, 1.0, 2.0), (4.0, 0.0, 3.0), (5.0, 0.0, f64::NAN)];
        let (frame, areas) = draw(Axis::linear("y"), Axis::linear("x"), &points);
        assert_eq!(areas.len(), 2);
        let at = |x: f64, y: f64| (frame.px_of_x(x).round() as i32, frame.px_of_y(y).round() as i32);
        assert_eq!(areas[0], [at(0.0, 2.0), at(1.0, 4.0), at(1.0, 1.0), at(0.0, 1.0)]);
        assert!(frame.y.0 <= 0.0 && frame.y.1 >= 4.0, "the axis holds both ends");
    }

    #[test]
    fn on_a_logarithmic_axis_what_is_not_positive_lies_at_the_bottom() {
        let (frame, areas) = draw(Axis::log("y"), Axis::linear("x"), &[(0.0, 0.0, 1.0), (1.0, 0.1, 1.0)]);
        let bottom = (frame.top + frame.height).round() as i32;
        assert_eq!(areas[0][3].1, bottom);
        assert!(areas[0].iter().all(|corner| corner.1 <= bottom && corner.1 >= frame.top as i32));
    }

    #[test]
    fn what_lies_outside_a_given_range_is_not_drawn() {
        let x = Axis { range: Some((0.0, 1.0)), ..Axis::linear("x") };
        let (frame, areas) = draw(Axis::linear("y"), x, &[(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (5.0, 0.0, 1.0)]);
        assert!(areas[0].iter().all(|corner| f64::from(corner.0) <= frame.left + frame.width + 1.0));
        assert_eq!(areas[0].len(), 4);
    }
}
