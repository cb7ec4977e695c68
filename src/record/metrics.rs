//! The curves as CSV: the one file of a run that every other program reads.
//!
//! Numbers are written with the fewest digits that read back to the same f32, so a file loses nothing. Rejected: a CSV crate,
//! because the columns are fixed and hold no quotes.

use super::{MetricRow, UserError};
use std::fmt::Write as _;

/// The header line of `metrics.csv`.
pub const METRICS_HEADER: &str = "step,train_loss,test_loss,train_accuracy,test_accuracy,weight_norm";

/// Column of runs with a probe.
const PROBE: &str = "probe_accuracy";

/// `metrics.csv`: [`METRICS_HEADER`] and a line per row; runs with a probe have one more column, `probe_accuracy`.
pub fn metrics_csv(rows: &[MetricRow]) -> String {
    let has_probe = rows.iter().any(|row| row.probe_accuracy.is_some());
    let mut text = METRICS_HEADER.to_owned();
    if has_probe {
        let _ = write!(text, ",{PROBE}");
    }
    text.push('\n');
    for r in rows {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{}",
            r.step, r.train_loss, r.test_loss, r.train_accuracy, r.test_accuracy, r.weight_norm
        );
        if has_probe {
            let _ = write!(text, ",{}", r.probe_accuracy.map(|a| a.to_string()).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// Reads `metrics.csv`. Columns may stand in any order and others may be among them.
///
/// # Errors
/// Names the line and what is wrong with it; steps must ascend.
pub fn metrics_from_csv(text: &str) -> Result<Vec<MetricRow>, UserError> {
    let remedy = "Export the run again, or correct the line";
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines.next().map_or_else(Vec::new, |(_, line)| line.trim().split(',').map(str::trim).collect());
    let mut at = [0usize; 6];
    for (slot, name) in at.iter_mut().zip(METRICS_HEADER.split(',')) {
        *slot = header.iter().position(|column| *column == name).ok_or_else(|| {
            UserError::new(format!("metrics.csv, line 1: the column {name} is missing"), format!("Start with {METRICS_HEADER}"))
        })?;
    }
    let probe = header.iter().position(|column| *column == PROBE);
    let mut rows: Vec<MetricRow> = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let broken = |what: String| UserError::new(format!("metrics.csv, line {}: {what}", index + 1), remedy);
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != header.len() {
            return Err(broken(format!("{} columns instead of {}", cells.len(), header.len())));
        }
        let number = |column: usize| {
            let cell = cells[at[column]];
            cell.parse::<f32>().map_err(|_| broken(format!("\"{cell}\" is no number")))
        };
        let step = cells[at[0]].parse::<u32>().map_err(|_| broken(format!("\"{}\" is no step", cells[at[0]])))?;
        if rows.last().is_some_and(|last| last.step >= step) {
            return Err(broken(format!("step {step} does not follow the step before")));
        }
        rows.push(MetricRow {
            step,
            train_loss: number(1)?,
            test_loss: number(2)?,
            train_accuracy: number(3)?,
            test_accuracy: number(4)?,
            weight_norm: number(5)?,
            probe_accuracy: probe
                .map(|column| cells[column])
                .filter(|cell| !cell.is_empty())
                .map(|cell| cell.parse::<f32>().map_err(|_| broken(format!("\"{cell}\" is no number"))))
                .transpose()?,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<MetricRow> {
        let row = |step, x: f32| MetricRow {
            step,
            train_loss: x,
            test_loss: x * 3.0,
            train_accuracy: 0.1,
            test_accuracy: 1.0 / 3.0,
            weight_norm: 33.5 + x,
            probe_accuracy: None,
        };
        vec![row(0, 4.077_537), row(1, 1e-30), row(20, f32::MIN_POSITIVE), row(21, f32::INFINITY)]
    }

    #[test]
    fn a_file_reads_back_to_the_same_bits() {
        assert_eq!(metrics_from_csv(&metrics_csv(&rows())).unwrap(), rows());
        assert_eq!(metrics_from_csv(&metrics_csv(&[])).unwrap(), []);
        let lost = MetricRow { train_loss: f32::NAN, ..rows()[0] };
        assert!(metrics_from_csv(&metrics_csv(&[lost])).unwrap()[0].train_loss.is_nan());
    }

    #[test]
    fn other_columns_and_orders_are_read() {
        let text = "weight_norm,step,train_loss,note,test_loss,train_accuracy,test_accuracy\n5,7,1,x,2,.5,.25\n";
        let row = metrics_from_csv(text).unwrap()[0];
        assert_eq!((row.step, row.weight_norm, row.test_loss, row.test_accuracy), (7, 5.0, 2.0, 0.25));
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = |old: &str, new: &str| metrics_from_csv(&metrics_csv(&rows()).replacen(old, new, 1)).unwrap_err().cause;
        assert!(broken("33.5", "x").contains("line 3"), "{}", broken("33.5", "x"));
        assert!(broken("\n20,", "\n1,").contains("line 4"));
        assert!(broken("\n1,", "\n1,,").contains("7 columns"));
        assert!(broken("test_loss", "loss").contains("test_loss is missing"));
        assert!(metrics_from_csv("").is_err());
    }
}
