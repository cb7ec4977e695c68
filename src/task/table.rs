//! A task given by its table: what somebody measured, or a law that no formula gives.
//!
//! A setting is one line of text, because it has to fit a link and a command line; so rows are parted by `/`. Tokens are the row
//! and column numbers from 0, and classes 0 to the largest number in the table. Rejected: an upload as a file beside the
//! experiment, which would no longer be the whole description of a run.

use super::rule::{Answers, Domain, Rule, Sizes, TaskKind};
use crate::experiment::FieldError;
use crate::experiment::field::{Field, FieldKind};
use crate::experiment::fields::{Kind, MAX_MODULUS};

/// Longest table, in characters.
const MAX_CHARS: usize = 60_000;

/// The task `table`.
pub const KIND: TaskKind = TaskKind {
    kind: Kind {
        name: "table",
        label: "Your own table",
        help: "Any square table of class numbers: the answer to (a, b) stands in row a, column b",
        fields: &[Field::new(
            "task.table",
            "Table",
            "Rows parted by /, class numbers from 0 parted by spaces or commas; . or - is no answer",
            FieldKind::Text { max_chars: MAX_CHARS },
        )
        // The Klein four-group: XOR of two bits.
        .starts("0 1 2 3 / 1 0 3 2 / 2 3 0 1 / 3 2 1 0")],
    },
    rule: |settings| Box::new(Table { square: square(settings.text("table")) }),
};

/// A square of answers, or cause and remedy of why there is none.
#[derive(Debug)]
struct Table {
    square: Result<Square, (String, String)>,
}

/// Answers by row and column.
#[derive(Debug, Default)]
struct Square {
    n: u16,
    /// `[a · n + b]`.
    entries: Vec<Option<u16>>,
}

impl Square {
    fn rows(&self) -> impl Iterator<Item = ((u16, u16), u16)> {
        let pairs = (0..self.n).flat_map(|a| (0..self.n).map(move |b| (a, b)));
        pairs.zip(&self.entries).filter_map(|(pair, entry)| Some((pair, (*entry)?)))
    }
}

impl Rule for Table {
    fn formula(&self) -> String {
        let Sizes { rows, tokens, classes, .. } = self.sizes();
        format!("a {tokens} × {tokens} table with {rows} answers of {classes} classes")
    }

    fn sizes(&self) -> Sizes {
        let Ok(square) = &self.square else { return Sizes::default() };
        let answers = square.entries.iter().flatten();
        Sizes {
            rows: answers.clone().count() as u32,
            tokens: square.n.into(),
            width: 0,
            classes: answers.max().map_or(0, |largest| u32::from(*largest) + 1),
        }
    }

    fn check(&self) -> Vec<FieldError> {
        let refused = self.square.as_ref().err();
        refused.map(|(cause, remedy)| FieldError::new("task.table", cause.as_str(), remedy.as_str())).into_iter().collect()
    }

    fn domain(&self, _seed: u64) -> (Domain, Answers) {
        let (pairs, labels) = self.square.iter().flat_map(Square::rows).unzip();
        (Domain::Pairs(pairs), Answers::Labels(labels))
    }

    fn is_symmetric(&self) -> bool {
        let Ok(square) = &self.square else { return false };
        let n = usize::from(square.n);
        square.rows().all(|((a, b), y)| square.entries[usize::from(b) * n + usize::from(a)].is_none_or(|mirror| mirror == y))
    }
}

/// Reads a table.
fn square(text: &str) -> Result<Square, (String, String)> {
    let separators = [' ', ','];
    let rows: Vec<Vec<&str>> = text
        .trim()
        .trim_end_matches('/')
        .split('/')
        .map(|row| row.split(separators).filter(|e| !e.is_empty()).collect())
        .collect();
    let n = rows.len();
    if !(2..=MAX_MODULUS as usize).contains(&n) {
        let cause = format!("The table has {n} {}", if n == 1 { "row" } else { "rows" });
        return Err((cause, format!("Use 2 to {MAX_MODULUS} rows, parted by /")));
    }
    let mut entries = Vec::with_capacity(n * n);
    for (row, line) in rows.iter().enumerate().map(|(row, line)| (row + 1, line)) {
        if line.len() != n {
            let noun = if line.len() == 1 { "entry" } else { "entries" };
            let cause = format!("Row {row} of the table has {} {noun}, and there are {n} rows", line.len());
            return Err((cause, format!("Give every row {n} entries; . is no answer")));
        }
        for (column, text) in line.iter().enumerate() {
            entries.push(entry(text).map_err(|remedy| (format!("Entry {} of row {row} is \"{text}\"", column + 1), remedy))?);
        }
    }
    let mut answers = entries.iter().flatten();
    let first = answers.next();
    if answers.all(|other| Some(other) == first) {
        return Err((
            "The table holds fewer than two different answers".into(),
            "Use at least two class numbers, e.g. 0 and 1".into(),
        ));
    }
    Ok(Square { n: n as u16, entries })
}

/// Reads an entry; the error is its remedy.
fn entry(text: &str) -> Result<Option<u16>, String> {
    match text {
        "." | "-" | "−" => Ok(None),
        _ => {
            let number = text.parse::<u16>().ok().filter(|n| u32::from(*n) < MAX_MODULUS);
            number.map(Some).ok_or_else(|| format!("Use a class number from 0 to {}, or . for no answer", MAX_MODULUS - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::settings::Settings;

    fn rule(text: &str) -> Box<dyn Rule> {
        (KIND.rule)(&Settings::default().with("table", text))
    }

    fn rows(text: &str) -> Vec<(u16, u16, u16)> {
        let (Domain::Pairs(pairs), Answers::Labels(labels)) = rule(text).domain(0) else { panic!() };
        assert_eq!(rule(text).sizes().rows as usize, pairs.len());
        pairs.into_iter().zip(labels).map(|((a, b), y)| (a, b, y)).collect()
    }

    #[test]
    fn the_start_is_exclusive_or_of_two_bits() {
        let start = KIND.kind.fields[0].start.unwrap();
        assert!(rule(start).check().is_empty());
        let expected: Vec<_> = (0..4).flat_map(|a| (0..4).map(move |b| (a, b, a ^ b))).collect();
        assert_eq!(rows(start), expected);
        assert_eq!(rule(start).sizes(), Sizes { rows: 16, tokens: 4, width: 0, classes: 4 });
        assert!(rule(start).is_symmetric());
    }

    #[test]
    fn spaces_and_commas_part_entries_and_dots_and_dashes_are_left_out() {
        let text = "0,1, . /5 - 0/ 2,  2,2 /";
        assert!(rule(text).check().is_empty());
        assert_eq!(rows(text), [(0, 0, 0), (0, 1, 1), (1, 0, 5), (1, 2, 0), (2, 0, 2), (2, 1, 2), (2, 2, 2)]);
        assert_eq!(rule(text).sizes(), Sizes { rows: 7, tokens: 3, width: 0, classes: 6 });
        assert_eq!(rule(text).formula(), "a 3 × 3 table with 7 answers of 6 classes");
    }

    #[test]
    fn symmetry_minds_only_pairs_of_which_both_orders_have_an_answer() {
        assert!(rule("0 1 2/. 0 3/. 3 1").is_symmetric());
        assert!(!rule("0 1 2/1 0 3/2 0 1").is_symmetric());
    }

    #[test]
    fn what_is_no_table_is_refused_at_its_row_and_entry() {
        let cases = [
            ("", "1 row", "2 to 401 rows"),
            ("0 1", "1 row", "parted by /"),
            ("0 1/1", "Row 2 of the table has 1 entry, and there are 2 rows", "2 entries"),
            ("0 1//1 0", "Row 1 of the table has 2 entries, and there are 3 rows", "3 entries"),
            ("0 1/1 x", "Entry 2 of row 2 is \"x\"", "from 0 to 400"),
            ("0 401/1 0", "Entry 2 of row 1 is \"401\"", "from 0 to 400"),
            ("0 1/-1 0", "Entry 1 of row 2 is \"-1\"", ". for no answer"),
            (". ./. .", "fewer than two", "two class numbers"),
            ("3 3/3 .", "fewer than two", "two class numbers"),
        ];
        for (text, cause, remedy) in cases {
            let errors = rule(text).check();
            assert_eq!((errors.len(), errors[0].path.as_str()), (1, "task.table"), "{text}");
            assert!(errors[0].cause.contains(cause) && errors[0].remedy.contains(remedy), "{text}: {errors:?}");
            assert_eq!(rule(text).sizes(), Sizes::default());
        }
        assert!(rule(&"/".repeat(500)).check()[0].remedy.contains("rows"));
    }
}
