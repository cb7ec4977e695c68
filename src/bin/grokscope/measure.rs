//! `measure` and `measures`.

use super::{folder, say, train};
use grokscope::engine::converse;
use grokscope::engine::message::{Command, Event, MeasureOrder};
use grokscope::measure::{Cost, Measure, measure, measures, measures_for};
use grokscope::record::{Archive, MeasureTable, UserError, Value, measure_files};
use std::path::Path;

/// Measures every checkpoint in the folder `dir` and writes what was found beside them.
pub fn run(dir: &Path, only: &[String], all: bool) -> Result<(), UserError> {
    let archive = folder::read(dir)?;
    let cost = if all { Cost::Sampling } else { Cost::Forward };
    let chosen: Vec<&str> = if only.is_empty() {
        measures_for(&archive.experiment, cost).into_iter().map(|measure| measure.name).collect()
    } else {
        only.iter().map(|name| measure(name).map(|measure| measure.name)).collect::<Result<_, _>>()?
    };
    let found = take(&archive, &chosen)?;
    let mut table = archive.measures;
    table.keys = found.keys.clone().or(table.keys);
    for (step, values) in &found.rows {
        table.add(*step, values.clone());
    }
    folder::write(dir, measure_files(&table)?)?;
    if let Some((step, keys)) = &found.keys {
        let keys: Vec<String> = keys.iter().map(u32::to_string).collect();
        say(&format!("key components, by the logits of step {step}: {}", keys.join(", ")));
    }
    let Some((step, last)) = found.rows.last_key_value() else { return Ok(()) };
    say(&format!("at step {step}:"));
    for (name, value) in last {
        match value {
            Value::Number(number) => say(&format!("  {name:<28} {number:.6}")),
            Value::List(values) => say(&format!("  {name:<28} {} numbers", values.len())),
            Value::Absent(reason) => say(&format!("  {name:<28} – {reason}")),
        }
    }
    Ok(())
}

/// The named measures of every checkpoint of `archive`.
pub fn take(archive: &Archive, names: &[&str]) -> Result<MeasureTable, UserError> {
    let order = MeasureOrder {
        checkpoints: archive.checkpoints.clone(),
        steps: archive.checkpoints.iter().map(|checkpoint| checkpoint.step).collect(),
        measures: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let bar = train::progress(1000, "‰");
    let (mut table, mut trouble) = (MeasureTable::default(), None);
    converse(vec![Command::Measure(archive.experiment.clone(), order)], Vec::new(), |event| match event {
        Event::Keys(step, keys) => table.keys = Some((step, keys)),
        Event::Measured(step, values) => table.add(step, values),
        Event::MeasuresProgress { measure, done, .. } => {
            bar.set_message(measure);
            bar.set_position((1000.0 * done) as u64);
        }
        Event::Error(error) | Event::Crashed(error) => {
            trouble.get_or_insert(error);
        }
        _ => {}
    });
    bar.finish_and_clear();
    trouble.map_or(Ok(table), Err)
}

/// Lists the measures, or explains one.
pub fn list(name: Option<&str>) -> Result<(), UserError> {
    match name {
        Some(name) => explain(measure(name)?),
        None => measures().iter().for_each(|measure| say(&format!("{:<24} {}", measure.name, measure.label))),
    }
    Ok(())
}

fn explain(measure: &Measure) {
    say(measure.label);
    say(&format!("{}.", measure.definition));
    say(&format!("Source: {}.", measure.source));
    say(&format!("{}.", measure.not_evidence_of));
    for column in measure.columns {
        let end = |end: Option<f64>| end.map_or("…".to_owned(), |end| end.to_string());
        let unit = if column.unit.is_empty() { String::new() } else { format!(", {}", column.unit) };
        let over = column.over.map_or(String::new(), |over| format!(", one per {over}"));
        say(&format!("  {:<28} {}{unit}{over}, {} to {}", column.name, column.label, end(column.range[0]), end(column.range[1])));
    }
}
