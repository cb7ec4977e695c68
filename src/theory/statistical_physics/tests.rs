//! The panel and its survey as a whole: known answers are found, networks made of known answers too, and bad input is refused.

use super::super::{Ensemble, Member, Number, Outcome, Part, Survey, Theory};
use super::StatisticalPhysics;
use super::exact::Spins;
use super::networks::Networks;
use super::settings::{Control, OrderParameter, System};
use crate::experiment::randomness::{Purpose, Stream};
use crate::record::{MeasureTable, MetricRow};

fn number(outcome: &Outcome, name: &str) -> Number {
    outcome.numbers.iter().find(|number| number.name == name).unwrap_or_else(|| panic!("{name}")).clone()
}

fn small(system: System) -> StatisticalPhysics {
    StatisticalPhysics { system, sizes: vec![48, 96, 192], temperatures: 11, seeds: 96, ..StatisticalPhysics::default() }
}

#[test]
fn the_first_order_system_is_told_with_its_transition_inside_the_band() {
    let outcome = small(System::BlumeCapel).outcome().unwrap();
    assert!(outcome.headline.starts_with("First-order"), "{}", outcome.headline);
    assert_eq!(outcome.assumptions[0].holds, Some(true));
    let critical = number(&outcome, "critical");
    let (low, high) = critical.band.unwrap();
    let known = critical.expected.unwrap();
    assert!(low - 0.01 * known <= known && known <= high + 0.01 * known, "{critical:?}");
    assert!(number(&outcome, "least_cumulant").value < 0.2);
}

#[test]
fn the_continuous_system_is_told_and_landaus_b_is_a_third() {
    let outcome = small(System::CurieWeiss).outcome().unwrap();
    assert!(outcome.headline.starts_with("Continuous"), "{}", outcome.headline);
    let b = number(&outcome, "landau_b");
    assert!((b.expected.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    let (low, high) = b.band.unwrap();
    assert!(low < 1.0 / 3.0 && 1.0 / 3.0 < high, "{b:?}");
}

#[test]
fn every_measured_curve_has_its_exact_one_and_lies_within_noise_of_it() {
    let outcome = small(System::CurieWeiss).outcome().unwrap();
    let order = outcome.figures.iter().find(|figure| figure.name == "order").unwrap();
    let residuals = order.residuals();
    assert_eq!(residuals.len(), 3);
    // |m| has a standard deviation of at most .3: six standard errors of 96 draws.
    assert!(residuals.iter().flat_map(|line| &line.1).all(|(_, off)| off.abs() < 0.2));
    let names: Vec<&str> = outcome.figures.iter().map(|figure| figure.name.as_str()).collect();
    for name in ["cumulant", "susceptibility", "distribution", "free_energy", "collapse", "growth", "seeds"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn too_few_seeds_refuse_the_claim_and_not_the_picture() {
    let outcome = StatisticalPhysics { seeds: 12, ..small(System::CurieWeiss) }.outcome().unwrap();
    assert!(outcome.headline.contains("12 seeds are too few"), "{}", outcome.headline);
    assert!(number(&outcome, "kappa").value.is_nan() && number(&outcome, "beta_over_nu").value.is_nan());
    assert_eq!(outcome.assumptions[0].holds, None);
    assert!(outcome.figures.iter().any(|figure| figure.name == "cumulant"));
}

#[test]
fn settings_without_an_answer_are_refused_with_a_remedy() {
    let one = StatisticalPhysics { sizes: vec![64, 64], ..StatisticalPhysics::default() };
    assert!(one.outcome().unwrap_err().cause.contains("one size"));
    let many = StatisticalPhysics { seeds: 1000, ..StatisticalPhysics::default() };
    let remedy = many.outcome().unwrap_err().remedy;
    assert_eq!(remedy, "Use at most 333");
    let composite = StatisticalPhysics { moduli: vec![11, 15], ..StatisticalPhysics::default() };
    assert_eq!(Networks::new(&composite).unwrap_err().remedy, "Use 13");
    let all = StatisticalPhysics { to: 5.0, ..StatisticalPhysics::default() };
    assert!(Networks::new(&all).unwrap_err().remedy.starts_with("Use at most 4.35"));
    let empty = StatisticalPhysics { from: 3.2, ..StatisticalPhysics::default() };
    assert!(Networks::new(&empty).unwrap_err().cause.contains("is not below"));
}

/// A network that has generalised by `accuracy` at its end, reached `jump` updates after memorising at 10 if it is above .95.
fn member(experiment: &crate::experiment::Experiment, accuracy: f64, jump: u32) -> Member {
    let row = |step: u32| MetricRow {
        step,
        train_loss: 0.0,
        test_loss: 0.1,
        train_accuracy: if step >= 10 { 1.0 } else { 0.0 },
        test_accuracy: if step >= 10 + jump { accuracy as f32 } else { 0.0 },
        weight_norm: 1.0,
        probe_accuracy: None,
    };
    let last = experiment.steps;
    let rows = (0..=last).filter(|step| experiment.logging.evaluates_at(*step, last)).map(row).collect();
    Member { experiment: experiment.clone(), rows, measures: MeasureTable::default() }
}

/// Drives a survey with accuracies drawn by `draw(p, place of the control from 0 to 1)`.
fn drive(settings: &StatisticalPhysics, mut draw: impl FnMut(u32, f64) -> f64) -> (Networks, Vec<Outcome>) {
    let mut survey = Networks::new(settings).unwrap();
    let mut outcomes = vec![survey.outcome()];
    let mut index = 0;
    while let Some(Part::Train(Ensemble { experiments, .. })) = survey.part() {
        let place = f64::from(index % settings.controls) / f64::from(settings.controls - 1);
        let members = experiments.iter().map(|experiment| {
            let accuracy = draw(experiment.task.modulus(), place).clamp(0.0, 1.0);
            member(experiment, accuracy, 20 + (experiment.seed % 7) as u32 * 5)
        });
        survey.take(members.collect()).unwrap();
        index += 1;
        if index % 8 == 0 {
            outcomes.push(survey.outcome());
        }
    }
    outcomes.push(survey.outcome());
    (survey, outcomes)
}

fn networks() -> StatisticalPhysics {
    StatisticalPhysics { controls: 8, ..StatisticalPhysics::default() }
}

#[test]
fn members_of_a_cell_differ_in_the_seed_alone_and_no_seed_is_used_twice() {
    let survey = Networks::new(&networks()).unwrap();
    let Some(Part::Train(first)) = survey.part() else { panic!() };
    assert_eq!((first.experiments.len(), first.measures.len()), (32, 0));
    let counts: Vec<_> = first.experiments.iter().map(crate::experiment::counts).collect();
    assert!(counts.iter().all(|rows| *rows == counts[0]) && counts[0].train > 0);
    // 1.6·11·log 11 = 42.2 of 121 rows.
    assert_eq!(counts[0].train, 42);
    let mut seeds = Vec::new();
    let mut survey = survey;
    while let Some(Part::Train(ensemble)) = survey.part() {
        seeds.extend(ensemble.experiments.iter().map(|experiment| experiment.seed));
        let members = ensemble.experiments.iter().map(|experiment| member(experiment, 0.5, 0)).collect();
        survey.take(members).unwrap();
    }
    let count = seeds.len();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!((count, seeds.len()), (3 * 8 * 32, count));
}

#[test]
fn networks_drawn_from_a_first_order_system_are_called_first_order_and_only_at_the_end() {
    let spins = Spins::BlumeCapel(0.49);
    let middle = spins.transition().unwrap().temperature;
    let mut stream = Stream::new(6, Purpose::Planted, 0);
    let (survey, outcomes) = drive(&networks(), |p, place| {
        let m = spins.distribution(p * p, middle * (1.12 - 0.24 * place)).draw(1, &mut stream)[0];
        // Chance is taken off again.
        m + (1.0 - m) / f64::from(p)
    });
    assert_eq!(outcomes[0].headline, "No network is trained yet");
    assert!(outcomes[1].headline.contains("8 of 24 ensembles"), "{}", outcomes[1].headline);
    let last = outcomes.last().unwrap();
    assert!(last.headline.starts_with("First-order"), "{}", last.headline);
    assert_eq!(survey.done(), 1.0);
    assert_eq!(number(last, "wells").value, 2.0);
    for name in ["survival", "hazard"] {
        assert!(last.figures.iter().any(|figure| figure.name == name), "{name}");
    }
}

#[test]
fn networks_whose_curves_do_not_steepen_are_no_transition() {
    // All sizes alike, with thresholds that differ from seed to seed.
    let mut stream = Stream::new(8, Purpose::Planted, 0);
    let (_, outcomes) = drive(&networks(), |p, place| {
        let m = 1.0 / (1.0 + libm::exp(-12.0 * (place - 0.6 - 0.03 * stream.normal())));
        m + (1.0 - m) / f64::from(p)
    });
    let last = outcomes.last().unwrap();
    assert!(last.headline.starts_with("No transition is shown"), "{}", last.headline);
    assert!(number(last, "kappa").value > 0.5 && number(last, "dip_p").value > 0.05);
    assert!(number(last, "over_independent_23").value > number(last, "over_independent_11").value);
}

#[test]
fn networks_that_broke_are_left_out_and_a_cell_of_them_ends_the_survey() {
    let mut survey = Networks::new(&networks()).unwrap();
    let Some(Part::Train(ensemble)) = survey.part() else { panic!() };
    let mut members: Vec<Member> = ensemble.experiments.iter().map(|experiment| member(experiment, 0.5, 0)).collect();
    members[3].rows.truncate(5);
    survey.take(members.clone()).unwrap();
    let lost = survey.outcome().assumptions.into_iter().find(|a| a.statement.contains("came to their end")).unwrap();
    assert_eq!((lost.holds, lost.evidence.starts_with("1 were")), (Some(false), true));
    members.iter_mut().for_each(|member| member.rows.truncate(5));
    assert!(survey.take(members).unwrap_err().cause.contains("0 came to their end"));
}

#[test]
fn a_measured_column_is_asked_for_where_it_is_the_order_parameter() {
    for order in [OrderParameter::MeanIpr, OrderParameter::Gini, OrderParameter::TrigExplained] {
        let (measure, column) = order.measured().unwrap();
        assert_eq!(crate::measure::column(column).unwrap().0.name, measure);
    }
    let settings = StatisticalPhysics {
        order_parameter: OrderParameter::TrigExplained,
        control: Control::WeightDecay,
        from: 1.0,
        to: 6.0,
        ..networks()
    };
    let survey = Networks::new(&settings).unwrap();
    let Some(Part::Train(ensemble)) = survey.part() else { panic!() };
    assert_eq!(ensemble.measures, ["trig_fit"]);
    assert_eq!(ensemble.experiments[0].optimizer.weight_decay, 1.0);
    assert!((crate::measure::measure("trig_fit").unwrap().applies)(&ensemble.experiments[0]).is_ok());
}
