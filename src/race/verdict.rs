//! A race in words.
//!
//! Left to a table of p values, readers pick the winner by eye. These sentences claim only what the tests carry: a difference
//! needs the paired sign test, adjusted for the number of arms, and "no difference shown" is not "no difference". Runs that did
//! not arrive are always named.

use super::result::{ArmResult, RaceResult};
use super::statistics::SignTest;
use crate::measure::delay::delay;
use crate::record::MetricRow;

/// Largest p of a claim.
const LEVEL: f64 = 0.05;
/// Prices of an update that differ by less are within what a busy machine adds.
const SAME_PRICE: f64 = 0.25;

impl RaceResult {
    /// What can be said of an arm, one fragment each, without trailing periods: the comparison with the control, its price in
    /// seconds where an update costs more or less, the median, the runs that did not arrive or did not stay. Empty if there is no such arm.
    pub fn verdict(&self, arm: usize) -> Vec<String> {
        let (Some(found), Some(control)) = (self.arms.get(arm), self.arms.first()) else { return Vec::new() };
        let mut said = Vec::new();
        if let Some(test) = found.sign_test {
            said.push(self.compared(&test, found.adjusted_p.unwrap_or(test.p)));
            said.extend(price(found, control));
        }
        said.push(self.median(found));
        if found.source_steps > 0 {
            let counted = if self.config.count_source { "counted" } else { "not counted" };
            said.push(format!("the {} updates of its source are {counted}", thousands(found.source_steps)));
        }
        let missing = found.outcomes.len() as u32 - found.reached;
        if missing > 0 {
            let budget = thousands(self.config.steps);
            said.push(format!("{missing} of {} runs did not reach it within {budget} steps", found.outcomes.len()));
        }
        let lost = self.lost(found);
        if lost > 0 {
            said.push(format!("{lost} of {} runs had lost it again at their last evaluation", found.outcomes.len()));
        }
        said
    }

    fn compared(&self, test: &SignTest, adjusted: f64) -> String {
        let (wins, losses) = (test.wins, test.losses);
        let (word, count) = if wins >= losses { ("faster", wins) } else { ("slower", losses) };
        if wins + losses == 0 {
            return "no difference shown: no seed tells it from the control".into();
        }
        let undecided = if test.ties > 0 { format!(", {} undecided", test.ties) } else { String::new() };
        let split = format!("{word} in {count} of {} seeds{undecided}, {}", test.pairs(), p_value(test.p));
        if adjusted < LEVEL {
            split
        } else if test.p < LEVEL {
            let arms = self.arms.len() - 1;
            format!("no difference shown: {split}, which is not beyond chance among {arms} arms ({})", p_value(adjusted))
        } else if SignTest::new(wins + losses, 0, 0).p >= LEVEL {
            format!("no difference shown: {split}; fewer than 6 decided seeds cannot show one")
        } else {
            format!("no difference shown: {split}")
        }
    }

    /// Runs that met the criterion and do not meet it at the end: late collapse, which a first crossing hides.
    fn lost(&self, arm: &ArmResult) -> usize {
        let holds = |row: &MetricRow| self.config.criterion.of(&delay(std::slice::from_ref(row), true)).is_some();
        arm.outcomes.iter().zip(&arm.final_rows).filter(|(outcome, row)| outcome.steps.is_some() && !holds(row)).count()
    }

    fn median(&self, arm: &ArmResult) -> String {
        let Some(median) = arm.censored_median else {
            return "fewer than half of the runs reached it, so there is no median".into();
        };
        let steps = thousands(median);
        match (arm.ci.low, arm.ci.high) {
            (Some(low), Some(high)) => format!("median {steps} steps (95% interval {} to {})", thousands(low), thousands(high)),
            (Some(low), None) => format!("median {steps} steps (95% interval from {}, without an upper end)", thousands(low)),
            _ => format!("median {steps} steps (too few runs for an interval)"),
        }
    }
}

/// What an update costs beside the control's, and what that makes of the medians.
fn price(arm: &ArmResult, control: &ArmResult) -> Option<String> {
    let ratio = arm.ms_per_update / control.ms_per_update;
    if !ratio.is_finite() || ratio <= 0.0 || (ratio - 1.0).abs() < SAME_PRICE {
        return None;
    }
    let times = if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") };
    let price = format!("an update took {times} times as long");
    Some(match (arm.median_seconds(), control.median_seconds()) {
        (Some(ours), Some(theirs)) => {
            format!("{price}, which makes the median {} s against {} s", seconds(ours), seconds(theirs))
        }
        _ => price,
    })
}

/// Seconds with two significant digits, or whole ones.
fn seconds(seconds: f64) -> String {
    let decimals = (1.0 - libm::floor(libm::log10(seconds))).clamp(0.0, 6.0) as usize;
    format!("{seconds:.decimals$}")
}

/// p as papers write it: `p = .008`, `p = .73`, `p < .001`.
fn p_value(p: f64) -> String {
    if p < 0.001 {
        return "p < .001".into();
    }
    let decimals = if p < 0.1 { 3 } else { 2 };
    let digits = format!("{p:.decimals$}");
    let digits = digits.trim_end_matches('0');
    match digits.strip_prefix("0.") {
        Some(rest) => format!("p = .{rest}"),
        None => format!("p = {}", digits.trim_end_matches('.')),
    }
}

/// 1234567 as 1,234,567.
fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_papers() {
        let written = [0.0078125, 0.7265625, 1.0, 0.0001, 0.07, 0.1, 0.0625, 0.999].map(p_value);
        assert_eq!(written, ["p = .008", "p = .73", "p = 1", "p < .001", "p = .07", "p = .1", "p = .062", "p = 1"]);
        assert_eq!([0.0123, 0.4, 1.25, 17.0, 312.4].map(seconds), ["0.012", "0.40", "1.2", "17", "312"]);
        assert_eq!([0, 999, 2_000, 1_234_567].map(thousands), ["0", "999", "2,000", "1,234,567"]);
    }
}
