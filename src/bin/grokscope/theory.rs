//! `theory`: what an equation says of a system, held against a measurement, as words, numbers and figures.

use super::{folder, progress, say, shown};
use grokscope::engine::capability::EngineWish;
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event};
use grokscope::experiment::parse_assignment;
use grokscope::plot::{Picture, Theme};
use grokscope::record::UserError;
use grokscope::report::theory::{caption, short, with_picture, with_residuals};
use grokscope::theory::{Assumption, Number, Outcome, RunView, panel, panels, speaks_of};
use std::path::Path;

/// CSS pixels of a figure, and of its residuals.
const SIZE: (u32, u32) = (860, 440);
const RESIDUALS: (u32, u32) = (860, 260);

/// Lists the panels with their questions.
pub fn list() {
    for panel in panels() {
        say(&format!("{:<16} {}", panel.about.name, panel.about.question));
    }
}

/// Computes a panel with changed settings, or with an engine its survey, prints what came out and writes it into `out`.
pub fn run(name: &str, set: &[String], survey: Option<EngineWish>, out: Option<&Path>) -> Result<(), UserError> {
    let panel = panel(name)?;
    let mut settings = (panel.start)();
    for assignment in set {
        let (path, value) = parse_assignment(assignment)?;
        settings = (panel.with)(&settings, path, value)?;
    }
    let outcome = match survey {
        None => (panel.outcome)(&settings)?,
        Some(engine) => surveyed(name, settings.to_string(), engine)?,
    };
    print(&outcome);
    let record = serde_json::json!({ "panel": name, "settings": settings, "is_survey": survey.is_some(), "outcome": outcome });
    out.map_or(Ok(()), |out| keep(out, &record, &outcome))
}

/// Works a survey out.
fn surveyed(name: &str, settings: String, engine: EngineWish) -> Result<Outcome, UserError> {
    let bar = progress(1000, "‰");
    let (mut found, mut trouble) = (None, None);
    converse(vec![Command::Survey { number: 0, panel: name.to_owned(), settings, engine }], Vec::new(), |event| match event {
        Event::Survey { done, outcome, .. } => {
            bar.set_position((1000.0 * done) as u64);
            found = Some(outcome);
        }
        Event::SurveyProgress { words, .. } => bar.set_message(words),
        Event::SurveyRefused(_, error) | Event::Error(error) | Event::Crashed(error) => trouble = Some(error),
        _ => {}
    });
    bar.finish_and_clear();
    match (trouble, found) {
        (Some(error), _) => Err(error),
        (None, Some(found)) => Ok(found),
        (None, None) => Err(UserError::new("The survey ended without a result", "Run it again")),
    }
}

/// Says which panels speak of a run and why the others do not, and holds those that say something of single runs against it.
pub fn of_run(dir: &Path, out: Option<&Path>) -> Result<(), UserError> {
    let run = folder::read(dir)?;
    let verdicts = speaks_of(&run.experiment);
    for verdict in &verdicts {
        say(&format!("{} {:<16} {}", if verdict.speaks { '✓' } else { '–' }, verdict.panel, verdict.why));
    }
    let view = RunView { experiment: &run.experiment, rows: &run.rows, measures: &run.measures };
    for verdict in verdicts.iter().filter(|verdict| verdict.speaks) {
        let panel = panel(verdict.panel)?;
        let Some(of_run) = panel.of_run else { continue };
        say("");
        say(&format!("# {}", panel.about.title));
        match of_run(&view) {
            Ok(outcome) => {
                print(&outcome);
                let record = serde_json::json!({ "panel": verdict.panel, "run": shown(dir), "outcome": outcome });
                if let Some(out) = out {
                    keep(&out.join(verdict.panel), &record, &outcome)?;
                }
            }
            // One panel that has nothing to say yet is no reason to keep the others from speaking.
            Err(error) => say(&format!("{}. {}.", error.cause.trim_end_matches('.'), error.remedy.trim_end_matches('.'))),
        }
    }
    Ok(())
}

/// Writes an outcome, its numbers, figures and residuals into `out`.
fn keep(out: &Path, record: &serde_json::Value, outcome: &Outcome) -> Result<(), UserError> {
    // Text keys and derived serialisers only: this cannot fail.
    write(out, "outcome.json", &format!("{record:#}\n"))?;
    write(out, "numbers.csv", &numbers_csv(&outcome.numbers))?;
    for figure in &outcome.figures {
        let (svg, csv) = with_picture(figure, |picture| (drawn(picture, SIZE), picture.to_csv()));
        write(out, &format!("{}.svg", figure.name), &svg?)?;
        write(out, &format!("{}.csv", figure.name), &csv)?;
        let residuals = with_residuals(figure, |picture| (drawn(picture, RESIDUALS), picture.to_csv()));
        if let Some((svg, csv)) = residuals {
            write(out, &format!("{}-residuals.svg", figure.name), &svg?)?;
            write(out, &format!("{}-residuals.csv", figure.name), &csv)?;
        }
    }
    say(&format!("{}: outcome.json, numbers.csv and {} figures", shown(out), outcome.figures.len()));
    Ok(())
}

fn write(out: &Path, name: &str, text: &str) -> Result<(), UserError> {
    folder::write_file(&out.join(name), text.as_bytes())
}

fn drawn(picture: &Picture<'_>, (width, height): (u32, u32)) -> Result<String, UserError> {
    picture
        .to_svg(width, height, &Theme::light())
        .map_err(|error| UserError::new(format!("The figure could not be drawn ({error})"), "Choose other settings"))
}

fn print(outcome: &Outcome) {
    say(&format!("{}.", outcome.headline.trim_end_matches('.')));
    say("");
    say("| number | value | expected | difference | band |");
    say("|---|---|---|---|---|");
    for number in &outcome.numbers {
        let of = |value: Option<f64>| value.map_or("–".to_owned(), short);
        let band = number.band.map_or("–".to_owned(), |(low, high)| format!("{} to {}", short(low), short(high)));
        let unit = if number.unit.is_empty() { String::new() } else { format!(" ({})", number.unit) };
        let difference = number.expected.map(|expected| number.value - expected);
        say(&format!(
            "| {}{unit} | {} | {} | {} | {band} |",
            number.label,
            short(number.value),
            of(number.expected),
            of(difference)
        ));
    }
    say("");
    for Assumption { statement, holds, evidence } in &outcome.assumptions {
        let sign = match holds {
            Some(true) => '✓',
            Some(false) => '✗',
            None => '?',
        };
        say(&format!("{sign} {statement}: {evidence}"));
    }
    for figure in &outcome.figures {
        say("");
        say(&format!("{}: {}.", figure.name, caption(figure).trim_end_matches('.')));
    }
}

/// One line per number, in full precision; an empty cell where there is none.
fn numbers_csv(numbers: &[Number]) -> String {
    let mut table = "name,value,expected,difference,low,high,unit\n".to_owned();
    let cell = |value: Option<f64>| value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string());
    for number in numbers {
        let cells = [
            number.name.clone(),
            cell(Some(number.value)),
            cell(number.expected),
            cell(number.expected.map(|expected| number.value - expected)),
            cell(number.band.map(|band| band.0)),
            cell(number.band.map(|band| band.1)),
            format!("\"{}\"", number.unit.replace('"', "\"\"")),
        ];
        table.push_str(&cells.join(","));
        table.push('\n');
    }
    table
}
