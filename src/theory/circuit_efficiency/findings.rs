//! From the networks of the survey to figures, numbers and what they say of the account.
//!
//! With fewer than three seeds, or before the end, everything is drawn and nothing is claimed.

use super::super::spread::{self, fit};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::reading::{Arm, Bands, CLAIM, NO_RULE, Reading, Record, curve, logs, read, rule_cost};
use super::survey::DEGREE;
use std::cell::RefCell;

/// Test accuracies that are neither memory nor the rule.
const HALF_WAY: core::ops::RangeInclusive<f64> = NO_RULE..=0.9;
/// Change of the test accuracy over a quarter of the updates from which a network is still on its way; noise is below a hundredth.
const MOVING: f64 = 0.02;
/// Accuracy of guessing among the 31 answers.
const CHANCE: f64 = 1.0 / 31.0;

/// All that is known after `taken` of `planned` parts.
pub(super) fn outcome(records: &[Record], taken: usize, planned: usize) -> Outcome {
    let mut seeds: Vec<u64> = records.iter().map(|record| record.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let all = read(records, &seeds);
    let figures = [loops(records, &seeds, &all), norms(records, &seeds, &all)].into_iter().flatten().collect();
    if taken < planned {
        let headline =
            format!("{taken} of {planned} parts are trained; what the loop and the norms say of each other comes at the end");
        return Outcome { headline, figures, ..Outcome::default() };
    }
    let bands = Bands { records, seeds: &seeds, known: RefCell::default() };
    Outcome { headline: headline(&all), figures, numbers: numbers(&all, &bands), assumptions: assumptions(records, &all, &bands) }
}

fn headline(all: &Reading) -> String {
    let rows = |rows: Option<f64>| rows.map_or("no number of".into(), |rows| format!("{rows:.0}"));
    format!(
        "Test accuracy passes ½ at {} rows from scratch and at {} after grokking, a loop of {:.3} accuracy × decades; memory's norm passes \
         the rule's at {} rows",
        rows(all.up),
        rows(all.down),
        all.area.unwrap_or(f64::NAN),
        rows(all.crossing)
    )
}

fn numbers(all: &Reading, bands: &Bands<'_>) -> Vec<Number> {
    let number = |name: &str, label: &str, of: fn(&Reading) -> Option<f64>| {
        let found = Number::found(name, label, of(all).unwrap_or(f64::NAN));
        match bands.of(of) {
            Some((low, high)) => found.band(low, high),
            None => found,
        }
    };
    let against = |number: Number| match all.crossing {
        Some(rows) => number.expected(rows),
        None => number,
    };
    vec![
        number("loop_area", "Area of the loop", |reading| reading.area).unit("accuracy × decades"),
        number("critical_norms", "Rows at which memory's norm is the rule's", |reading| reading.crossing).unit("rows"),
        against(number("critical_up", "Rows at which accuracy passes ½ from scratch, beside the norms", |reading| reading.up))
            .unit("rows"),
        against(number("critical_down", "Rows at which accuracy passes ½ after grokking, beside the norms", |reading| {
            reading.down
        }))
        .unit("rows"),
        number("memory_growth", "Growth of memory's norm, d log P_M / d log D", |reading| reading.memory_slope),
        number("rule_growth", "Growth of the rule's norm, d log P_G / d log D", |reading| reading.rule_slope).expected(0.0),
        number("rule_norm", "Norm of the rule at a margin of 1", |reading| reading.rule),
        number("label_bias", "Cost of memorising true labels over random ones, less 1", |reading| reading.label_bias)
            .expected(0.0),
        number(
            "kept",
            "Cost after grokking over that from scratch, less 1, with the fewest rows that keep the rule",
            |reading| reading.kept,
        ),
    ]
}

/// Ground and line of an arm: mean, and 10% to 90% over seeds.
fn lines(records: &[Record], arm: Arm, name: &str, seeds: &[u64], of: impl Fn(&Record) -> f64) -> Vec<Line> {
    let line = curve(records, arm, seeds, &of);
    let end = |high: bool| -> Vec<(f64, f64)> {
        let values = |rows: f64| -> Vec<f64> {
            records.iter().filter(|r| r.arm == arm && f64::from(r.rows) == rows).map(&of).filter(|v| v.is_finite()).collect()
        };
        let ends = |rows: f64| spread::band(&values(rows));
        line.iter().map(|(rows, _)| (*rows, if high { ends(*rows).1 } else { ends(*rows).0 })).collect()
    };
    vec![Line::new(name, Role::Low, end(false)), Line::new(name, Role::High, end(true)), Line::new(name, Role::Measured, line)]
}

/// A figure over the training rows, of what there is already.
fn figure(name: &str, caption: String, y: Scaled, mut lines: Vec<Line>) -> Option<Figure> {
    lines.retain(|line| !line.points.is_empty());
    let drawing = |lines| Drawing::Lines { x: Scaled::log("training rows"), y, lines, marks: Vec::new() };
    (!lines.is_empty()).then(|| Figure { name: name.into(), caption, drawing: drawing(lines) })
}

fn loops(records: &[Record], seeds: &[u64], all: &Reading) -> Option<Figure> {
    let mut drawn = Vec::new();
    let ends = records.iter().map(|record| f64::from(record.rows));
    let (least, most) = ends.fold((f64::INFINITY, 0.0_f64), |(least, most), rows| (least.min(rows), most.max(rows)));
    if let Some(rows) = all.crossing.filter(|rows| (least..=most).contains(rows)) {
        drawn.push(Line::new("by the norms", Role::Predicted, vec![(least, CHANCE), (rows, CHANCE), (rows, 1.0), (most, 1.0)]));
    }
    drawn.extend(lines(records, Arm::Down, "after grokking", seeds, |record| record.accuracy));
    drawn.extend(lines(records, Arm::Up, "from scratch", seeds, |record| record.accuracy));
    let caption = "Test accuracy of real networks over their training rows, mean and 10% to 90% over seeds: from scratch, and after a network that had \
                   grokked with half of the pairs lost the others. Dashed is the step where memory's norm passes the rule's; between the \
                   lines is the loop";
    figure("network-loop", caption.into(), Scaled::linear("test accuracy"), drawn)
}

fn norms(records: &[Record], seeds: &[u64], all: &Reading) -> Option<Figure> {
    let mut drawn = lines(records, Arm::Memory, "memory", seeds, |record| record.cost);
    drawn.extend(lines(records, Arm::Up, "the rule", seeds, rule_cost));
    let memory = curve(records, Arm::Memory, seeds, |record| record.cost);
    if let Some(law) = (memory.len() > 2).then(|| fit(&logs(&memory))) {
        let points = memory.iter().map(|(rows, _)| (*rows, libm::exp(law.intercept + law.slope * libm::log(*rows))));
        drawn.push(Line::new("memory", Role::Predicted, points.collect()));
    }
    if let (Some(level), Some(&(least, _)), Some(most)) = (all.rule, memory.first(), records.iter().map(|r| r.rows).max()) {
        drawn.push(Line::new("the rule", Role::Predicted, vec![(least, level), (f64::from(most), level)]));
    }
    let no_rule = |record: &Record| if record.accuracy < NO_RULE { record.cost } else { f64::NAN };
    drawn.push(Line::new("true labels, no rule", Role::Kind(4), curve(records, Arm::Up, seeds, no_rule)));
    drawn.push(Line::new("after losing rows", Role::Kind(3), curve(records, Arm::Down, seeds, |record| record.cost)));
    let caption = format!(
        "Norm of all weights that a mean margin of 1 on the training rows takes, ‖θ‖/margin^(1/{DEGREE:.0}): random labels with a power law, networks \
         from scratch that have found the rule with their median, others that have not, and grokked ones after losing rows. Where the first \
         two cross is D_crit"
    );
    figure("network-norms", caption, Scaled::log("norm at a margin of 1"), drawn)
}

fn assumptions(records: &[Record], all: &Reading, bands: &Bands<'_>) -> Vec<Assumption> {
    let claims = bands.seeds.len() >= CLAIM;
    let few = format!("{} seeds, of at least {CLAIM} that a claim takes", bands.seeds.len());
    let claimed = |statement: &str, holds: Option<bool>, evidence: String| Assumption {
        statement: statement.into(),
        holds: holds.filter(|_| claims),
        evidence: if claims { evidence } else { format!("{evidence}; {few}") },
    };
    let told = |value: Option<f64>| value.map_or("not found".into(), |value| format!("{value:.3}"));
    let memory = bands.of(|reading| reading.memory_slope);
    let rule = all.rule_slope.zip(all.memory_slope);
    let lost = bands.of(|reading| reading.area);
    let between = all.crossing.zip(all.up.zip(all.down));
    let kept = bands.of(|reading| reading.kept);
    let bias = bands.of(|reading| reading.label_bias);
    let percent = |value: Option<f64>| value.map_or("not found".into(), |value| format!("{:+.2}%", 100.0 * value));
    // P_M higher by the bias is the rule's with fewer rows.
    let moved = all
        .crossing
        .zip(all.memory_slope.zip(all.label_bias))
        .map(|(rows, (slope, bias))| rows * libm::pow(1.0 + bias, -1.0 / slope));
    // Where the sizes are too far apart to tell, nothing is claimed.
    let jumps = between.zip(all.reach).and_then(|((rows, (up, down)), (from, to))| match rows {
        rows if (down.min(up)..=down.max(up)).contains(&rows) => Some(true),
        rows if rows < from || rows > to => Some(false),
        _ => None,
    });
    let networks = || records.iter().filter(|record| record.arm != Arm::Memory && record.accuracy.is_finite());
    let half_way = networks().filter(|record| HALF_WAY.contains(&record.accuracy)).count();
    let at_rest = networks().filter(|record| HALF_WAY.contains(&record.accuracy) && record.moved.abs() < MOVING).count();
    let broken = records.iter().filter(|record| !record.accuracy.is_finite()).count();
    vec![
        claimed(
            "Memory costs more norm with more rows",
            memory.map(|(low, _)| low > 0.0),
            format!("its norm grows as the rows to the power {}", told(all.memory_slope)),
        ),
        claimed(
            "The rule costs the same with more rows",
            rule.map(|(rule, memory)| rule.abs() < 0.25 * memory.abs()),
            format!("its norm grows to the power {}; below a quarter of memory's it counts as the same", told(all.rule_slope)),
        ),
        claimed(
            "A network that has grokked keeps more than one from scratch finds",
            lost.map(|(low, _)| low > 0.0),
            format!("the loop's area is {}", told(all.area)),
        ),
        claimed(
            "Accuracy jumps where the norms cross",
            jumps,
            match between {
                Some((rows, (up, down))) => format!(
                    "{rows:.0} rows by the norms; ½ is passed at {down:.0} downward and at {up:.0} upward, {}",
                    all.reach.map_or(String::new(), |(from, to)| format!("and surely between {from:.0} and {to:.0}"))
                ),
                None => "one of the crossings was not found".into(),
            },
        ),
        claimed(
            "Random labels cost memory what true ones do",
            bias.map(|(low, high)| low <= 0.0 && high >= 0.0),
            format!(
                "true ones cost {} where the rule is not found, which would move the crossing to {} rows",
                percent(all.label_bias),
                moved.map_or("no number of".into(), |rows| format!("{rows:.0}"))
            ),
        ),
        claimed(
            "Where a grokked network keeps the rule and one from scratch does not find it, the rule is the cheaper",
            kept.and_then(|(low, high)| if high < 0.0 { Some(true) } else { (low > 0.0).then_some(false) }),
            format!("with the fewest such rows the grokked ones cost {} against those from scratch", percent(all.kept)),
        ),
        claimed(
            "One circuit takes all, as it must with logits that grow as the norm to the power 3",
            (at_rest > 0).then_some(false),
            format!(
                "{half_way} of {} networks ended between {} and {}, {at_rest} of them at rest (less than {MOVING} in the last quarter)",
                networks().count(),
                HALF_WAY.start(),
                HALF_WAY.end()
            ),
        ),
        Assumption {
            statement: "The decay is an L2 penalty".into(),
            holds: Some(false),
            evidence: "the networks decay by AdamW, which divides the gradient but not the decay by the gradient's size".into(),
        },
        Assumption {
            statement: "Every network ended whole".into(),
            holds: Some(broken == 0),
            evidence: format!("{broken} of {} broke off", records.len()),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::reading::UNDERSTOOD;
    use super::*;

    const ROWS: [u32; 6] = [144, 184, 233, 297, 378, 481];

    /// Memory costs 10·(D/100)^½, a hundredth more with true labels, and the rule 17: they cross at 289. Accuracy steps at `up` and `down`, half-way at rest if asked for.
    fn planted(seeds: u64, up: f64, down: f64, half_way: bool) -> Vec<Record> {
        let mut records = Vec::new();
        for (place, seed) in (0..seeds).flat_map(|seed| (0..ROWS.len()).map(move |place| (place, seed))) {
            let rows = ROWS[place];
            let shift = 1.0 + 0.01 * (seed as f64 - 0.5 * (seeds - 1) as f64);
            let step = |at: f64| if f64::from(rows) >= at * shift { 1.0 } else { 0.03 };
            let accuracy = |at: f64| if half_way && rows == 233 { 0.6 } else { step(at) };
            let memory = 10.0 * libm::sqrt(f64::from(rows) / 100.0) * shift;
            let cost = |accuracy: f64| if accuracy >= UNDERSTOOD { 17.0 * shift } else { 1.01 * memory };
            let mut push = |arm: Arm, accuracy: f64, cost: f64| {
                records.push(Record { arm, rows, seed, accuracy, moved: 0.0, cost });
            };
            push(Arm::Up, accuracy(up), cost(accuracy(up)));
            if place < 5 {
                push(Arm::Down, accuracy(down), cost(accuracy(down)));
                push(Arm::Memory, CHANCE, memory);
            }
        }
        records
    }

    fn number<'a>(outcome: &'a Outcome, name: &str) -> &'a Number {
        outcome.numbers.iter().find(|number| number.name == name).unwrap()
    }

    fn holds(outcome: &Outcome, word: &str) -> Option<bool> {
        outcome.assumptions.iter().find(|assumption| assumption.statement.contains(word)).unwrap().holds
    }

    #[test]
    fn planted_norms_and_steps_are_read_off_again() {
        let outcome = outcome(&planted(3, 350.0, 200.0, false), 16, 16);
        let close = |name: &str, value: f64, within: f64| {
            let found = number(&outcome, name);
            assert!((found.value - value).abs() < within, "{found:?}");
            let (low, high) = found.band.unwrap();
            assert!(low <= found.value && found.value <= high, "{found:?}");
        };
        close("memory_growth", 0.5, 1e-9);
        close("rule_growth", 0.0, 1e-9);
        close("rule_norm", 17.0, 1e-9);
        close("critical_norms", 289.0, 1e-6);
        close("label_bias", 0.01, 1e-9);
        close("kept", 17.0 / (10.1 * libm::sqrt(2.33)) - 1.0, 1e-9);
        // Between the sizes on either side, half-way in the logarithm: .03 to 1.
        close("critical_up", libm::sqrt(297.0 * 378.0), 6.0);
        close("critical_down", libm::sqrt(184.0 * 233.0), 4.0);
        // .97 from 184/233 to 297/378, by trapezoids.
        let expected = 0.97 * libm::log10(libm::sqrt(297.0 * 378.0) / libm::sqrt(184.0 * 233.0));
        close("loop_area", expected, 1e-9);
        for (word, expected) in
            [("Memory", true), ("The rule", true), ("keeps", true), ("jumps", true), ("Random", false), ("cheaper", false)]
        {
            assert_eq!(holds(&outcome, word), Some(expected), "{word}");
        }
        assert_eq!(holds(&outcome, "takes all"), None);
        assert_eq!(outcome.figures[1].residuals().len(), 2);
    }

    #[test]
    fn a_loop_away_from_the_crossing_and_networks_at_rest_half_way_contradict_the_account() {
        let outcome = outcome(&planted(4, 240.0, 170.0, true), 16, 16);
        assert_eq!(holds(&outcome, "jumps"), Some(false));
        assert_eq!(holds(&outcome, "takes all"), Some(false));
    }

    #[test]
    fn two_seeds_and_unfinished_surveys_claim_nothing_but_are_drawn() {
        let records = planted(2, 350.0, 200.0, true);
        let few = outcome(&records, 16, 16);
        assert!(few.assumptions.iter().take(7).all(|a| a.holds.is_none() && a.evidence.contains("2 seeds")));
        assert!(few.numbers.iter().all(|number| number.band.is_none()));
        let early = outcome(&records[..3], 1, 16);
        assert!(early.numbers.is_empty() && early.assumptions.is_empty() && early.figures.len() == 2);
        let none = outcome(&[], 0, 16);
        assert!(none.headline.contains("0 of 16") && none.figures.is_empty());
    }

    #[test]
    fn networks_that_broke_off_are_left_out_and_counted() {
        let mut records = planted(3, 350.0, 200.0, false);
        records[0] = Record { accuracy: f64::NAN, cost: f64::NAN, ..records[0] };
        let outcome = outcome(&records, 16, 16);
        assert_eq!(holds(&outcome, "whole"), Some(false));
        assert!((number(&outcome, "critical_norms").value - 289.0).abs() < 1.0);
    }
}
