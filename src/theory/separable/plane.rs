//! The plane of points, which separable and other data share.

use super::data::Data;
use super::rows::norm;
use crate::theory::{Drawing, Figure, Group, Role, Segment};

/// Points by side, rings on `ringed`, directions as segments from the origin as long as the farthest point, and the boundary across
/// the first of them.
pub(super) fn of(data: &Data, ringed: &[usize], caption: &str, directions: &[(Role, &[f64])]) -> Figure {
    let reach = data.points.iter().map(|((x, y), _)| libm::hypot(*x, *y)).fold(0.0, f64::max);
    // One side after the other.
    let of_side = |side: bool| (0..data.points.len()).filter(move |at| data.points[*at].1 == side);
    let order: Vec<usize> = of_side(true).chain(of_side(false)).collect();
    let names = order.iter().map(|at| if data.points[*at].1 { "+" } else { "−" }.to_owned()).collect();
    let group = |role, side| Group::new("", role, of_side(side).map(|at| data.points[at].0).collect());
    let groups = vec![group(Role::Kind(0), true), group(Role::Kind(2), false)];
    let ringed = (0..order.len()).filter(|place| ringed.contains(&order[*place])).collect();
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
    let drawing = Drawing::Points { x: "x₁".into(), y: "x₂".into(), groups, names, ringed, segments, equal: true };
    Figure { name: "plane".into(), caption: caption.into(), drawing }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{DataSet, Separable};
    use super::*;

    #[test]
    fn rings_follow_their_points_into_the_order_of_the_sides() {
        let points = ["0 1 -", "2 3 +", "4 5 -", "6 7 +"].map(str::to_owned).to_vec();
        let data = Data::of(&Separable { data: DataSet::Points, points, ..Separable::default() }).unwrap();
        let figure = of(&data, &[1, 2], "", &[]);
        let Drawing::Points { groups, ringed, .. } = figure.drawing else { panic!() };
        let drawn: Vec<(f64, f64)> = groups.into_iter().flat_map(|group| group.points).collect();
        assert_eq!(ringed.iter().map(|at| drawn[*at]).collect::<Vec<_>>(), [(2.0, 3.0), (4.0, 5.0)]);
    }
}
