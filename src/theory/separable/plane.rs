//! The plane of points, which separable and other data share.

use super::data::Data;
use super::rows::norm;
use crate::theory::{Drawing, Figure, Role, Segment};

/// Points by side, rings on `ringed`, directions as segments from the origin as long as the farthest point, and the boundary across
/// the first of them.
pub(super) fn of(data: &Data, ringed: &[usize], caption: &str, directions: &[(Role, &[f64])]) -> Figure {
    let reach = data.points.iter().map(|((x, y), _)| libm::hypot(*x, *y)).fold(0.0, f64::max);
    let of_side = |side: bool| data.points.iter().filter(|point| point.1 == side).map(|point| point.0).collect::<Vec<_>>();
    let rings: Vec<(f64, f64)> = ringed.iter().map(|&at| data.points[at].0).collect();
    let mut names = Vec::new();
    let mut groups = Vec::new();
    for (role, points, name) in
        [(Role::Kind(0), of_side(true), "+"), (Role::Kind(1), of_side(false), "−"), (Role::Baseline, rings, "support vector")]
    {
        if !points.is_empty() {
            names.extend(points.iter().map(|_| name.to_owned()));
            groups.push((role, points));
        }
    }
    let mut segments = Vec::new();
    for (at, (role, direction)) in directions.iter().enumerate() {
        let length = norm(direction);
        if length == 0.0 {
            continue;
        }
        let (x, y) = (reach * direction[0] / length, reach * direction[1] / length);
        if at == 0 {
            segments.push(Segment { role: Role::Baseline, from: (y, -x), to: (-y, x) });
        }
        segments.push(Segment { role: *role, from: (0.0, 0.0), to: (x, y) });
    }
    let drawing = Drawing::Points { x: "x₁".into(), y: "x₂".into(), groups, names, segments, equal: true };
    Figure { name: "plane".into(), caption: caption.into(), drawing }
}
