//! Where names go when the lines they name come together.
//!
//! Training and test curves end at the same height in every successful run, so labels at line ends would be printed on top of
//! each other exactly when the run succeeds. A legend was rejected: it sends the eye back and forth.

/// Centres of labels of `height` as near to `wanted` as they can be (least squares) without overlapping or leaving
/// `top..bottom`. Order of height is kept; equal heights keep their order. The caller sees to it that they fit.
pub(super) fn spread(wanted: &[f64], height: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));

    // With the k-th label shifted up by k heights, "no overlap" becomes "not descending", and the nearest such sequence is the
    // one that averages every descending run (pool adjacent violators).
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (rank, &index) in order.iter().enumerate() {
        pools.push((wanted[index] - rank as f64 * height, 1));
        while let [.., (before, count), (after, more)] = pools[..]
            && before > after
        {
            pools.pop();
            pools.pop();
            let total = count + more;
            pools.push(((before * count as f64 + after * more as f64) / total as f64, total));
        }
    }
    let lowest = top + height / 2.0;
    let highest = (bottom - height / 2.0 - wanted.len().saturating_sub(1) as f64 * height).max(lowest);
    let mut centres = vec![0.0; wanted.len()];
    let shifted = pools.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count));
    for (rank, (value, &index)) in shifted.zip(&order).enumerate() {
        centres[index] = value.clamp(lowest, highest) + rank as f64 * height;
    }
    centres
}

/// Rows for labels of the given centres and widths within `left..right`: for each its row (0 first) and left edge, or `None`
/// where it fits in none of `rows`. Labels are moved inwards at the ends; otherwise they stay centred.
pub(super) fn stack(labels: &[(f64, f64)], rows: usize, gap: f64, (left, right): (f64, f64)) -> Vec<Option<(usize, f64)>> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| labels[a].0.total_cmp(&labels[b].0));
    let mut ends = vec![f64::NEG_INFINITY; rows];
    let mut placed = vec![None; labels.len()];
    for index in order {
        let (centre, width) = labels[index];
        let start = (centre - width / 2.0).min(right - width).max(left);
        if let Some(row) = ends.iter().position(|&end| start >= end + gap) {
            ends[row] = start + width;
            placed[index] = Some((row, start));
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_converging_lines_do_not_overlap_and_stay_inside() {
        for wanted in [vec![10.0, 10.0], vec![10.0, 10.5, 11.0, 90.0], vec![100.0; 5], vec![0.0, 0.0, 99.0, 100.0]] {
            let mut centres = spread(&wanted, 18.0, (0.0, 100.0));
            centres.sort_by(f64::total_cmp);
            assert!(centres.windows(2).all(|pair| pair[1] - pair[0] >= 18.0 - 1e-9), "{wanted:?} {centres:?}");
            assert!(centres[0] >= 9.0 - 1e-9 && centres[centres.len() - 1] <= 91.0 + 1e-9, "{wanted:?} {centres:?}");
        }
    }

    #[test]
    fn labels_with_room_stay_at_their_lines_and_keep_their_order() {
        assert_eq!(spread(&[80.0, 20.0], 18.0, (0.0, 100.0)), [80.0, 20.0]);
        let near = spread(&[52.0, 50.0], 18.0, (0.0, 100.0));
        assert_eq!(near, [60.0, 42.0], "moved apart equally, the upper stays above");
    }

    #[test]
    fn names_of_nearby_moments_take_a_second_row() {
        let placed = stack(&[(50.0, 40.0), (60.0, 40.0), (195.0, 40.0)], 2, 4.0, (0.0, 200.0));
        assert_eq!(placed, [Some((0, 30.0)), Some((1, 40.0)), Some((0, 160.0))]);
        assert_eq!(stack(&[(50.0, 40.0), (60.0, 40.0)], 1, 4.0, (0.0, 200.0))[1], None);
    }
}
