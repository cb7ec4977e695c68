//! Against published worked examples, closed forms and full enumeration.
//!
//! The published data are the remission times, in weeks, of 42 leukaemia patients (Freireich et al. 1963), which every text on
//! survival works through: 21 on 6-mercaptopurine, 12 of them censored, and 21 on placebo.

use super::*;

/// `(time, happened)` pairs.
fn observed(pairs: &[(u32, bool)]) -> Vec<Observation<u32>> {
    pairs.iter().map(|&(time, happened)| Observation { time, happened }).collect()
}

fn events(times: &[u32]) -> Vec<Observation<u32>> {
    times.iter().map(|&time| Observation { time, happened: true }).collect()
}

fn treated() -> Vec<Observation<u32>> {
    let mut all = events(&[6, 6, 6, 7, 10, 13, 16, 22, 23]);
    all.extend([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|time| Observation { time, happened: false }));
    all
}

fn placebo() -> Vec<Observation<u32>> {
    events(&[1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

#[test]
fn the_curve_and_its_standard_errors_are_those_of_the_textbooks() {
    let published = [
        (6, 21, 3, 0.857, 0.0764),
        (7, 17, 1, 0.807, 0.0869),
        (10, 15, 1, 0.753, 0.0963),
        (13, 12, 1, 0.690, 0.1068),
        (16, 11, 1, 0.627, 0.1141),
        (22, 7, 1, 0.538, 0.1282),
        (23, 6, 1, 0.448, 0.1346),
    ];
    let curve = kaplan_meier(&treated());
    assert_eq!(curve.len(), published.len());
    for (fall, (time, at_risk, events, share, error)) in curve.iter().zip(published) {
        assert_eq!((fall.time, fall.at_risk, fall.events), (time, at_risk, events));
        close(fall.share, share, 5e-4);
        close(fall.variance.sqrt(), error, 5e-5);
    }
}

#[test]
fn medians_and_restricted_means_are_those_of_the_textbooks() {
    let (treated, placebo) = (kaplan_meier(&treated()), kaplan_meier(&placebo()));
    assert_eq!((quantile(&treated, 0.5), quantile(&placebo, 0.5)), (Some(23), Some(8)));
    close(restricted_mean(&treated, 35), 23.29, 0.005);
    close(restricted_mean(&placebo, 35), 182.0 / 21.0, 1e-12);
}

#[test]
fn the_interval_with_early_censoring_is_brookmeyer_and_crowleys() {
    // From the table above: .690 − 1.96 · .1068 is the first at most ½, and .448 + 1.96 · .1346 is not.
    assert_eq!(median_interval(&treated()), MedianInterval { low: Some(13), high: None });
}

#[test]
fn the_log_rank_test_is_that_of_the_textbooks() {
    let test = log_rank(&treated(), &placebo()).unwrap();
    assert_eq!(test.observed, 9.0);
    close(test.expected, 19.25, 0.005);
    close(test.chi_squared, 16.79, 0.005);
    close(test.p, 4.17e-5, 1e-7);
    let swapped = log_rank(&placebo(), &treated()).unwrap();
    close(swapped.chi_squared, test.chi_squared, 1e-9);
    close(swapped.expected, 10.75, 0.005);
}

#[test]
fn without_censoring_everything_is_the_plain_statistic() {
    let times = [40u32, 10, 70, 20, 50, 30, 80, 60];
    let curve = kaplan_meier(&events(&times));
    for (index, fall) in curve.iter().enumerate() {
        let share = 1.0 - (index + 1) as f64 / 8.0;
        assert_eq!(fall.time, 10 * (index as u32 + 1));
        close(fall.share, share, 1e-12);
        close(fall.variance, share * (1.0 - share) / 8.0, 1e-12);
    }
    assert_eq!([0.25, 0.5, 0.75].map(|part| quantile(&curve, part)), [Some(20), Some(40), Some(60)]);
    close(restricted_mean(&curve, 300), 45.0, 1e-12);
    close(restricted_mean(&curve, 40), (10.0 + 20.0 + 30.0 + 5.0 * 40.0) / 8.0, 1e-12);
}

#[test]
fn runs_that_never_arrive_lift_the_median_and_in_the_end_remove_it() {
    let budget = 300;
    let arm = |arrived: &[u32]| -> Vec<Observation<u32>> {
        let outcome = |steps| Outcome { seed: 0, steps, seconds: None };
        let mut all: Vec<_> = arrived.iter().map(|&steps| outcome(Some(steps)).observed(budget)).collect();
        all.resize(8, outcome(None).observed(budget));
        all
    };
    let median = |arrived: &[u32]| quantile(&kaplan_meier(&arm(arrived)), 0.5);
    assert_eq!(median(&[10, 20, 30, 40, 50, 60]), Some(40));
    assert_eq!(median(&[10, 20, 30, 40]), Some(40));
    assert_eq!(median(&[10, 20, 30]), None);
    assert_eq!(median(&[]), None);
    close(restricted_mean(&kaplan_meier(&arm(&[])), budget), 300.0, 1e-12);
    assert_eq!(median_interval(&arm(&[10, 20, 30, 40])), MedianInterval { low: Some(10), high: None });
    assert_eq!(median(&[300; 8]), Some(300), "the last step of the budget counts");
}

/// Calls `check` with every way to divide `n` things in two.
fn divisions(n: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1u32 << n).map(move |bits| (0..n).map(|i| bits >> i & 1 == 1).collect())
}

#[test]
fn the_exact_interval_covers_the_median_as_often_as_it_says() {
    for n in 6..=14usize {
        let times: Vec<u32> = (1..=n as u32).collect();
        let MedianInterval { low: Some(low), high: Some(high) } = median_interval(&events(&times)) else {
            panic!("{n} runs bound the median");
        };
        assert_eq!(low + high, n as u32 + 1, "symmetric");
        // Each of n runs is below the median or not, all 2ⁿ ways alike; ranks low..=high cover it if at least `low` runs are
        // below and fewer than `high`.
        let coverage = |low: u32, high: u32| {
            let covered = divisions(n)
                .filter(|below| {
                    let below = below.iter().filter(|is_below| **is_below).count() as u32;
                    (low..high).contains(&below)
                })
                .count();
            covered as f64 / f64::from(1u32 << n)
        };
        assert!(coverage(low, high) >= 0.95, "{n}: {}", coverage(low, high));
        assert!(coverage(low + 1, high - 1) < 0.95, "{n}: a narrower one would do");
    }
}

#[test]
fn fewer_than_six_runs_do_not_bound_the_median() {
    for n in 0..6 {
        assert_eq!(median_interval(&events(&[10, 20, 30, 40, 50][..n])), MedianInterval::default());
    }
}

#[test]
fn the_sign_test_counts_all_flips_of_the_signs() {
    for n in 0..=10usize {
        for wins in 0..=n {
            let uneven = (2 * wins).abs_diff(n);
            let as_uneven = divisions(n).filter(|won| (2 * won.iter().filter(|w| **w).count()).abs_diff(n) >= uneven).count();
            let p = as_uneven as f64 / f64::from(1u32 << n);
            close(SignTest::new(wins as u32, (n - wins) as u32, 3).p, p, 1e-12);
        }
    }
    let p = [(8, 0), (7, 1), (5, 3), (4, 4)].map(|(wins, losses)| SignTest::new(wins, losses, 0).p);
    assert_eq!(p, [2.0 / 256.0, 18.0 / 256.0, 186.0 / 256.0, 1.0]);
    close(SignTest::new(64, 0, 0).p, 2.0f64.powi(-63), 1e-30);
    close(SignTest::new(40, 24, 0).p, 0.0599, 5e-4);
}

#[test]
fn a_pair_counts_only_if_its_order_is_known() {
    let event = |time| Observation { time, happened: true };
    let vain = |time| Observation { time, happened: false };
    let order = |arm, control| {
        let test = sign_test(&[(arm, control)]);
        (test.wins, test.losses, test.ties)
    };
    assert_eq!(order(event(10), event(20)), (1, 0, 0));
    assert_eq!(order(event(20), event(10)), (0, 1, 0));
    assert_eq!(order(event(10), event(10)), (0, 0, 1));
    assert_eq!(order(event(300), vain(300)), (1, 0, 0), "arriving with the last step beats not arriving");
    assert_eq!(order(vain(300), event(300)), (0, 1, 0));
    assert_eq!(order(vain(300), vain(300)), (0, 0, 1));
    assert_eq!(order(event(400), vain(300)), (0, 0, 1), "the other was given up before");
    assert_eq!(order(vain(300), event(400)), (0, 0, 1));
}

#[test]
fn each_table_of_the_log_rank_test_is_a_draw_without_replacement() {
    // Expected count and variance by enumerating which of those at risk are hit.
    let first = observed(&[(3, true), (5, true), (5, false), (8, true), (9, false)]);
    let second = observed(&[(2, true), (3, true), (5, true), (7, false), (8, true), (8, true), (11, true)]);
    let (mut expected, mut variance) = (0.0, 0.0);
    for time in [2, 3, 5, 8, 11] {
        let at_risk: Vec<bool> = first
            .iter()
            .map(|o| (o, true))
            .chain(second.iter().map(|o| (o, false)))
            .filter(|(o, _)| o.time >= time)
            .map(|(_, f)| f)
            .collect();
        let hits = first.iter().chain(&second).filter(|o| o.happened && o.time == time).count();
        let counts: Vec<f64> = divisions(at_risk.len())
            .filter(|hit| hit.iter().filter(|h| **h).count() == hits)
            .map(|hit| hit.iter().zip(&at_risk).filter(|(hit, ours)| **hit && **ours).count() as f64)
            .collect();
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        expected += mean;
        variance += counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / counts.len() as f64;
    }
    let test = log_rank(&first, &second).unwrap();
    assert_eq!(test.observed, 3.0);
    close(test.expected, expected, 1e-12);
    close(test.chi_squared, (3.0 - expected) * (3.0 - expected) / variance, 1e-12);
}

#[test]
fn the_log_rank_p_is_near_the_share_of_relabellings_that_look_as_good() {
    let first = observed(&[(62, true), (70, true), (81, true), (85, true), (96, true), (120, true), (300, false)]);
    let second = observed(&[(80, true), (99, true), (110, true), (130, true), (140, true), (300, false), (300, false)]);
    let all: Vec<Observation<u32>> = first.iter().chain(&second).copied().collect();
    let (mut as_good, mut total, mut sum) = (0, 0, 0.0);
    let found = log_rank(&first, &second).unwrap();
    for labels in divisions(all.len()).filter(|labels| labels.iter().filter(|l| **l).count() == first.len()) {
        let pick = |wanted: bool| -> Vec<_> { all.iter().zip(&labels).filter(|(_, l)| **l == wanted).map(|(o, _)| *o).collect() };
        let test = log_rank(&pick(true), &pick(false)).unwrap();
        as_good += usize::from(test.chi_squared >= found.chi_squared - 1e-9);
        sum += test.observed - test.expected;
        total += 1;
    }
    assert_eq!(total, 3432, "14 over 7");
    close(sum / f64::from(total), 0.0, 1e-9);
    close(found.p, as_good as f64 / f64::from(total), 0.03);
}

#[test]
fn nothing_to_compare_is_no_test() {
    assert_eq!(log_rank(&[], &[]), None);
    assert_eq!(log_rank(&observed(&[(300, false)]), &observed(&[(300, false)])), None);
    assert_eq!(log_rank(&events(&[5]), &[]), None);
    assert!(kaplan_meier(&[]).is_empty());
    assert_eq!(sign_test::<u32>(&[]), SignTest { wins: 0, losses: 0, ties: 0, p: 1.0 });
}

#[test]
fn holms_adjustment_is_that_of_the_worked_example() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        close(*found, expected, 1e-12);
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert_eq!(holm(&[]), [0.0; 0]);
}
