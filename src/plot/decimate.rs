//! As many points as pixels can show, and the logged step nearest to the pointer.
//!
//! A canvas takes time per point: ten thousand steps on six charts would cost frames. Taking every n-th point was rejected
//! because it loses spikes, and counting in steps because it ruins logarithmic axes: columns are counted in the axis' own scale.

use super::Scale;

/// First, lowest, highest and last point of every pixel column, in their given order.
///
/// Points that are not finite break the line: a column with nothing else keeps one `(x, NaN)`. Points without a place on the
/// scale are left out, and of those beyond `x_range` only the nearest on each side stays, so that lines run to the edge.
/// At most `4 × columns + 2` points.
pub fn decimate(points: &[(f64, f64)], columns: usize, x_range: (f64, f64), scale: Scale) -> Vec<(f64, f64)> {
    let columns = columns.max(1);
    let mut kept = Vec::with_capacity(points.len().min(4 * columns + 2));
    let mut before = None;
    let mut column: Option<Column> = None;
    for (index, &(x, y)) in points.iter().enumerate() {
        let position = scale.position(x_range, x);
        if position.is_nan() {
            continue;
        }
        if position < 0.0 {
            before = Some(points[index]);
            continue;
        }
        if let Some(point) = before.take()
            && kept.is_empty()
        {
            kept.push(point);
        }
        if position > 1.0 {
            if let Some(column) = column.take() {
                column.keep(points, &mut kept);
            }
            kept.push((x, y));
            return kept;
        }
        let number = ((position * columns as f64) as usize).min(columns - 1);
        match &mut column {
            Some(open) if open.number == number => open.add(index, y),
            _ => {
                if let Some(full) = column.replace(Column::new(number, index, y)) {
                    full.keep(points, &mut kept);
                }
            }
        }
    }
    if let Some(column) = column {
        column.keep(points, &mut kept);
    }
    kept
}

struct Column {
    number: usize,
    gap: usize,
    finite: Option<[usize; 4]>,
    extremes: (f64, f64),
}

impl Column {
    fn new(number: usize, index: usize, y: f64) -> Self {
        let mut column = Self { number, gap: index, finite: None, extremes: (y, y) };
        column.add(index, y);
        column
    }

    fn add(&mut self, index: usize, y: f64) {
        if !y.is_finite() {
            return;
        }
        let Some([_, lowest, highest, last]) = &mut self.finite else {
            self.finite = Some([index; 4]);
            self.extremes = (y, y);
            return;
        };
        *last = index;
        if y < self.extremes.0 {
            (*lowest, self.extremes.0) = (index, y);
        }
        if y > self.extremes.1 {
            (*highest, self.extremes.1) = (index, y);
        }
    }

    fn keep(self, points: &[(f64, f64)], kept: &mut Vec<(f64, f64)>) {
        let Some([first, lowest, highest, last]) = self.finite else {
            kept.push((points[self.gap].0, f64::NAN));
            return;
        };
        let mut indices = [first, lowest.min(highest), lowest.max(highest), last];
        indices.sort_unstable();
        for (slot, &index) in indices.iter().enumerate() {
            if slot == 0 || indices[slot - 1] != index {
                kept.push(points[index]);
            }
        }
    }
}

/// The index of the point whose x is nearest to `x`; the earlier one where two are equally near. `points` ascend in x.
pub fn nearest_index(points: &[(f64, f64)], x: f64) -> Option<usize> {
    if x.is_nan() {
        return None;
    }
    let after = points.partition_point(|point| point.0 < x);
    match (after.checked_sub(1), points.get(after)) {
        (None, None) => None,
        (None, Some(_)) => Some(after),
        (Some(before), None) => Some(before),
        (Some(before), Some(next)) => Some(if next.0 - x < x - points[before].0 { after } else { before }),
    }
}
