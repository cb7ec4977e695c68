//! From stepped runs and the law to figures and numbers.

use super::super::spread::{Fit, fit};
use super::super::{Assumption, Drawing, Figure, Group, Line, Number, Outcome, Role, Scaled, Segment};
use super::NormLaw;
use super::law::{Band, Decay, NormPoint, fitted_factor, score};
use super::run::forecasts;
use super::system::{Problem, Run, Timed};
use crate::record::UserError;

/// One run of a decade.
struct Varied {
    value: f64,
    run: Run,
    timed: Timed,
    /// log(‖θ_mem‖²/‖θ_post‖²)/(lr·wd).
    law: f64,
    closed_form: f64,
}

impl Varied {
    fn delay(&self) -> f64 {
        self.timed.t_gen - self.timed.t_mem
    }
}

fn vary(settings: &NormLaw, first: u64, change: impl Fn(&mut Run, f64) -> f64) -> Result<Vec<Varied>, UserError> {
    let last = f64::from(settings.runs - 1);
    (0..settings.runs)
        .map(|index| {
            let mut run = settings.run();
            let value = change(&mut run, 2.0 * f64::from(index) / last - 1.0);
            let problem = Problem::new(run, settings.seed, first + u64::from(index));
            let timed = timed(settings, &problem, u64::MAX)?;
            let log = 2.0 * libm::log(timed.norm_mem / timed.norm_post);
            let closed_form = problem.predicted_t_gen() - problem.predicted_t_mem();
            Ok(Varied { value, run, timed, law: log / (run.learning_rate * run.weight_decay), closed_form })
        })
        .collect()
}

/// Runs `problem`; the limit is far beyond what the closed form says.
fn timed(settings: &NormLaw, problem: &Problem, every: u64) -> Result<Timed, UserError> {
    let limit = 3.0 * (problem.predicted_t_gen() + problem.predicted_t_mem()) + 1000.0;
    problem.run(every, limit as u64).ok_or_else(|| {
        UserError::new(
            format!("threshold: a run did not come to {} on fresh rows", settings.threshold),
            "Use a larger threshold or a smaller hidden share",
        )
    })
}

/// The panel's answer; settings have been checked.
///
/// # Errors
/// If a run does not generalise.
pub(super) fn outcome(settings: &NormLaw) -> Result<Outcome, UserError> {
    let problem = Problem::new(settings.run(), settings.seed, 0);
    let every = (settings.expected_steps() / 300.0).max(1.0) as u64;
    let main = timed(settings, &problem, every)?;
    let by_decay = vary(settings, 1000, |run, place| {
        run.weight_decay = NormLaw::varied(run.weight_decay, place);
        run.weight_decay
    })?;
    let by_rate = vary(settings, 2000, |run, place| {
        run.learning_rate = NormLaw::varied(run.learning_rate, place);
        run.learning_rate
    })?;
    let all = || by_decay.iter().chain(&by_rate);
    let factor = fitted_factor(&all().map(|run| (run.law, run.delay())).collect::<Vec<_>>());
    let line = |runs: &[Varied]| fit(&runs.iter().map(|run| (run.law / factor, run.delay())).collect::<Vec<_>>());
    let whole = fit(&all().map(|run| (run.law / factor, run.delay())).collect::<Vec<_>>());
    let error = all().map(|run| (run.delay() - run.closed_form).abs()).fold(0.0, f64::max);
    let bands = bands(settings, &main);

    let figures = vec![
        forecast(&main, &bands),
        course(&problem, &main),
        scatter(&by_decay, &by_rate, factor, whole),
        decade("weight_decay", "weight decay", &by_decay, factor),
        decade("learning_rate", "learning rate", &by_rate, factor),
    ];
    let mut numbers = vec![
        Number::found("factor", "Fitted factor κ in γ = κ·lr·wd", factor),
        Number::found("slope", "Slope of measured over predicted delays", whole.slope).expected(1.0),
        Number::found("r_squared_weight_decay", "R² over weight decays", line(&by_decay).r_squared),
        Number::found("r_squared_learning_rate", "R² over learning rates", line(&by_rate).r_squared),
        Number::found("closed_form_error", "Largest error of the closed form", error).unit("steps"),
        Number::found("delay", "Delay of the run, and by the closed form", main.t_gen - main.t_mem)
            .expected(problem.predicted_t_gen() - problem.predicted_t_mem())
            .unit("steps"),
    ];
    let halfway = bands.get(bands.len() / 2).map(|(_, band)| *band);
    if let Some(band) = halfway {
        numbers.push(
            Number::found("t_gen", "Fresh rows learned, with the band told halfway", main.t_gen)
                .expected(band.middle)
                .band(band.early, band.late)
                .unit("steps"),
        );
    }
    let inside = bands.iter().filter(|(_, band)| score(band, main.t_gen).is_inside).count();
    Ok(Outcome {
        headline: format!(
            "Over a decade of weight decays and one of learning rates the law, with one fitted factor {factor:.2}, explains \
             {:.1}% of the variance of the delays",
            100.0 * whole.r_squared
        ),
        figures,
        numbers,
        assumptions: assumptions(settings, &main, factor, (inside, bands.len()), &by_decay, &by_rate),
    })
}

/// What the band would have been at each moment from memorising to generalising: `(now, band)`.
fn bands(settings: &NormLaw, main: &Timed) -> Vec<(f64, Band)> {
    let decay = Decay::new(settings.learning_rate, settings.weight_decay);
    let history: Vec<NormPoint> =
        main.moments.iter().map(|moment| NormPoint { step: moment.step as f64, norm: moment.norm }).collect();
    forecasts(&history, main.t_mem, main.t_gen, &decay)
}

fn figure(name: &str, caption: impl Into<String>, x: Scaled, y: Scaled, lines: Vec<Line>, marks: Vec<(f64, String)>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks } }
}

fn marks(main: &Timed) -> Vec<(f64, String)> {
    vec![(main.t_mem, "memorised".into()), (main.t_gen, "generalised".into())]
}

fn forecast(main: &Timed, bands: &[(f64, Band)]) -> Figure {
    let line = |of: fn(&Band) -> f64| -> Vec<(f64, f64)> {
        bands.iter().map(|(now, band)| (*now, of(band))).filter(|(_, at)| at.is_finite()).collect()
    };
    let name = "fresh rows learned";
    let lines = vec![
        Line::new("earliest", Role::Baseline, line(|band| band.early)),
        Line::new("latest", Role::Baseline, line(|band| band.late)),
        Line::new(name, Role::Predicted, line(|band| band.middle)),
        Line::new(name, Role::Measured, bands.iter().map(|(now, _)| (*now, main.t_gen)).collect()),
    ];
    let caption = "When fresh rows will be learned, told from the norm while the run is going, and when they were. The band is that of \
                   the factor, 1 to 2, and of the extrapolated norm";
    figure("forecast", caption, Scaled::linear("step at which it is told"), Scaled::linear("step"), lines, Vec::new())
}

fn course(problem: &Problem, main: &Timed) -> Figure {
    // Step 0 has no place on a logarithmic axis.
    let moments = || main.moments.iter().filter(|moment| moment.step > 0);
    let at = |step: u64| problem.predicted(step as f64);
    let (train, test, norm) = ("loss on training rows", "loss on fresh rows", "squared norm");
    let lines = vec![
        Line::new(train, Role::Train, moments().map(|m| (m.step as f64, m.train_loss)).collect()),
        Line::new(test, Role::Test, moments().map(|m| (m.step as f64, m.test_loss)).collect()),
        Line::new(norm, Role::Measured, moments().map(|m| (m.step as f64, m.norm * m.norm)).collect()),
        Line::new(train, Role::Predicted, moments().map(|m| (m.step as f64, at(m.step).0)).collect()),
        Line::new(test, Role::Predicted, moments().map(|m| (m.step as f64, at(m.step).1)).collect()),
        Line::new(norm, Role::Predicted, moments().map(|m| (m.step as f64, at(m.step).2 * at(m.step).2)).collect()),
    ];
    let caption = "The run, step by step, over the closed form: losses over the targets' variance, and the squared norm over that of the \
                   teacher. Training rows are learned at once, fresh rows when the start has decayed";
    figure("course", caption, Scaled::log("step"), Scaled::log("loss, squared norm"), lines, marks(main))
}

fn scatter(by_decay: &[Varied], by_rate: &[Varied], factor: f64, whole: Fit) -> Figure {
    let points = |runs: &[Varied]| runs.iter().map(|run| (run.law / factor, run.delay())).collect::<Vec<_>>();
    let most = by_decay.iter().chain(by_rate).map(|run| run.law / factor).fold(0.0, f64::max);
    let names = |runs: &[Varied], what: &str| runs.iter().map(|run| format!("{what} {:.4}", run.value)).collect::<Vec<_>>();
    let drawing = Drawing::Points {
        x: "predicted delay (steps)".into(),
        y: "measured delay (steps)".into(),
        groups: vec![
            Group::new("weight decay varied", Role::Kind(0), points(by_decay)),
            Group::new("learning rate varied", Role::Kind(2), points(by_rate)),
        ],
        names: [names(by_decay, "weight decay"), names(by_rate, "learning rate")].concat(),
        ringed: Vec::new(),
        segments: vec![
            Segment { role: Role::Predicted, from: (0.0, 0.0), to: (most, most) },
            Segment { role: Role::Baseline, from: (0.0, whole.intercept), to: (most, whole.intercept + whole.slope * most) },
        ],
        equal: true,
    };
    let caption = format!(
        "Measured over predicted delays of single runs with the fitted factor {factor:.2}: weight decay varied, then learning rate; the \
         diagonal is the law, the thin line the best straight one"
    );
    Figure { name: "law".into(), caption, drawing }
}

fn decade(name: &str, label: &str, runs: &[Varied], factor: f64) -> Figure {
    let line = |of: &dyn Fn(&Varied) -> f64| runs.iter().map(|run| (run.value, of(run))).collect::<Vec<_>>();
    let lines = vec![
        Line::new("delay", Role::Predicted, line(&|run| run.law / factor)),
        Line::new("delay", Role::Measured, line(&Varied::delay)),
        Line::new("closed form", Role::Baseline, line(&|run| run.closed_form)),
    ];
    let caption = format!(
        "Steps from memorising to generalising over the {label}: single runs, the law with its fitted factor, and the closed form"
    );
    figure(name, caption, Scaled::log(label), Scaled::log("steps"), lines, Vec::new())
}

fn assumptions(
    settings: &NormLaw,
    main: &Timed,
    factor: f64,
    (inside, told): (usize, usize),
    by_decay: &[Varied],
    by_rate: &[Varied],
) -> Vec<Assumption> {
    let all = || by_decay.iter().chain(by_rate);
    let worst = all()
        .map(|run| run.delay() / (run.law / factor) - 1.0)
        .fold(0.0, |worst: f64, e| if e.abs() > worst.abs() { e } else { worst });
    let share = main.norm_post * main.norm_post / (main.norm_mem * main.norm_mem);
    let product = all().map(|run| run.run.learning_rate * run.run.weight_decay).fold(0.0, f64::max);
    // Where the test loss has come to its threshold, with the plateau as unit: log(1/threshold) more than the law has.
    let exact = libm::log(1.0 / (settings.threshold - settings.hidden));
    vec![
        Assumption {
            statement: "Nearly all of the norm at memorising is of no use".into(),
            holds: Some(share < 0.05),
            evidence: format!("{:.2}% of the squared norm is left in the end", 100.0 * share),
        },
        Assumption {
            statement: "One factor fits all runs".into(),
            holds: Some(worst.abs() < 0.1),
            evidence: format!(
                "Single delays lie at most {:+.1}% from the law with factor {factor:.2}. Pure decay has factor 2 and adds about {exact:.1} to the \
                 logarithm, for the threshold; that is what the factor hides",
                100.0 * worst
            ),
        },
        Assumption {
            statement: "Decay per step is small".into(),
            holds: Some(product < 0.05),
            evidence: format!("lr·wd is at most {product:.4}, so log(1 − lr·wd) is −lr·wd to {:.2}%", 50.0 * product),
        },
        Assumption {
            statement: "The time can be told while the run is going".into(),
            holds: if told == 0 { None } else { Some(inside == told) },
            evidence: format!("It lay inside {inside} of {told} bands told between memorising and generalising"),
        },
        Assumption {
            statement: "The loss does not pull on what decays".into(),
            holds: Some(true),
            evidence: "No training row shows those directions here; in a network every row may".into(),
        },
    ]
}
