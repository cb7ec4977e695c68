//! Lines cut to the plot and into dashes.
//!
//! Backends neither clip nor dash: without this a zoomed curve would be drawn across its own axis and the page around it.

use super::Frame;

const FAR: f64 = 1e9;

/// The parts of a line inside the frame, as runs of connected points in CSS pixels. Points that are not finite break it.
pub(super) fn clip(points: &[(f64, f64)], frame: &Frame) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for &point in points {
        if !(point.0.is_finite() && point.1.is_finite()) {
            before = None;
            continue;
        }
        // So far outside that slopes inside do not change, and near enough that differences stay exact to a pixel.
        let point = (point.0.clamp(-FAR, FAR), point.1.clamp(-FAR, FAR));
        match before {
            None if segment(point, point, frame).is_some() => runs.push(vec![point]),
            None => {}
            Some(start) => {
                if let Some((from, to)) = segment(start, point, frame) {
                    match runs.last_mut() {
                        Some(run) if run.last() == Some(&from) && from == start => run.push(to),
                        _ => runs.push(vec![from, to]),
                    }
                }
            }
        }
        before = Some(point);
    }
    runs
}

/// The part of a segment inside the frame (Liang and Barsky, 1984).
fn segment(from: (f64, f64), to: (f64, f64), frame: &Frame) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    // Half a pixel of slack: values on the edge are inside, whatever rounding says.
    let (left, top) = (frame.left - 0.5, frame.top - 0.5);
    let (right, bottom) = (frame.left + frame.width + 0.5, frame.top + frame.height + 0.5);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (towards, distance) in [(-dx, from.0 - left), (dx, right - from.0), (-dy, from.1 - top), (dy, bottom - from.1)] {
        if towards == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            enter = enter.max(distance / towards);
        } else {
            leave = leave.min(distance / towards);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
    Some((if enter > 0.0 { at(enter) } else { from }, if leave < 1.0 { at(leave) } else { to }))
}

/// A line in dashes of `length` CSS pixels and gaps of the same; longer ones on lines so long that there would be more than 400.
pub(super) fn dashes(points: &[(f64, f64)], length: f64) -> Vec<Vec<(f64, f64)>> {
    let total: f64 = points.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
    let length = length.max(total / 800.0);
    let mut dashes = Vec::new();
    let Some(&first) = points.first() else { return dashes };
    let (mut open, mut rest) = (Some(vec![first]), length);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut distance = (to.0 - from.0).hypot(to.1 - from.1);
        while distance > rest {
            let share = rest / distance;
            from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            distance -= rest;
            match open.take() {
                Some(mut dash) => {
                    dash.push(from);
                    dashes.push(dash);
                }
                None => open = Some(vec![from]),
            }
            rest = length;
        }
        rest -= distance;
        if let Some(dash) = &mut open {
            dash.push(to);
        }
    }
    dashes.extend(open.filter(|dash| dash.len() > 1));
    dashes
}

#[cfg(test)]
mod tests {
    use super::super::Scale;
    use super::*;

    fn frame() -> Frame {
        let linear = Scale::Linear;
        Frame { left: 0.0, top: 0.0, width: 100.0, height: 100.0, x: (0.0, 1.0), x_scale: linear, y: (0.0, 1.0), y_scale: linear }
    }

    #[test]
    fn a_line_that_leaves_and_returns_is_two_runs_within_the_frame() {
        let runs = clip(&[(10.0, 50.0), (30.0, 150.0), (50.0, 50.0), (60.0, 50.0)], &frame());
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().flatten().all(|&(x, y)| (-0.5..=100.5).contains(&x) && (-0.5..=100.5).contains(&y)), "{runs:?}");
        assert_eq!(runs[1].last(), Some(&(60.0, 50.0)));
    }

    #[test]
    fn a_value_that_is_not_finite_breaks_the_line_and_a_lone_point_stays() {
        let runs = clip(&[(10.0, 10.0), (20.0, 10.0), (30.0, f64::NAN), (40.0, 10.0), (50.0, f64::NAN)], &frame());
        assert_eq!(runs, [vec![(10.0, 10.0), (20.0, 10.0)], vec![(40.0, 10.0)]]);
    }

    #[test]
    fn a_line_between_enormous_values_still_crosses_the_frame_in_finitely_many_dashes() {
        let runs = clip(&[(50.0, -1.5e308), (50.0, 1.5e308)], &frame());
        assert_eq!(runs.len(), 1);
        assert!((runs[0][0].1 + 0.5).abs() < 1e-3 && (runs[0][1].1 - 100.5).abs() < 1e-3, "{runs:?}");
        assert!(dashes(&runs[0], 6.0).len() < 20);
    }

    #[test]
    fn dashes_cover_half_of_a_line_and_are_few() {
        let covered = |dashes: &[Vec<(f64, f64)>]| -> f64 {
            dashes.iter().flat_map(|dash| dash.windows(2)).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum()
        };
        let straight = dashes(&[(0.0, 0.0), (120.0, 0.0)], 6.0);
        assert!((covered(&straight) - 60.0).abs() < 1e-9, "{straight:?}");
        let noisy: Vec<(f64, f64)> = (0..4_000).map(|index| (f64::from(index) / 10.0, f64::from(index % 2) * 100.0)).collect();
        assert!(dashes(&noisy, 6.0).len() <= 402);
    }
}
