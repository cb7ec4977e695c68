//! Measures of checkpoints: a table with one line per step, which keeps the reason where a number is missing.
//!
//! A hole in a table is read as a failure of the program; a NaN in a figure as a finding. So a value is a number, a list of
//! numbers or the reason why there is none, and what is not finite never gets in.

use super::UserError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A value of one column at one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// Finite numbers.
    List(Vec<f64>),
    /// Why there is none.
    Absent(String),
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[f64]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The value, or why it cannot be one: a number that is not finite is absent.
    pub fn checked(self) -> Self {
        let is_finite = match &self {
            Self::Number(value) => value.is_finite(),
            Self::List(values) => values.iter().all(|value| value.is_finite()),
            Self::Absent(_) => true,
        };
        if is_finite { self } else { Self::Absent("It is not a finite number at this checkpoint".into()) }
    }
}

/// All measures of one checkpoint, by column.
pub type Measured = BTreeMap<String, Value>;

/// All measures of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MeasureTable {
    /// The checkpoint whose logits decided the key components, and these (1-based numbers).
    pub keys: Option<(u32, Vec<u32>)>,
    /// Values by step and column.
    pub rows: BTreeMap<u32, Measured>,
}

impl MeasureTable {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The columns that `is_wanted` names; lists make most of a table, and few readers look at any.
    pub fn columns_where(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let kept = |values: &Measured| -> Measured {
            let wanted = values.iter().filter(|(column, _)| is_wanted(column));
            wanted.map(|(column, value)| (column.clone(), value.clone())).collect()
        };
        Self { keys: self.keys.clone(), rows: self.rows.iter().map(|(step, values)| (*step, kept(values))).collect() }
    }

    /// Adds values of a checkpoint; those of columns already there are replaced.
    pub fn add(&mut self, step: u32, values: Measured) {
        let row = self.rows.entry(step).or_default();
        for (column, value) in values {
            row.insert(column, value.checked());
        }
    }

    /// The value of a column at a step.
    pub fn get(&self, step: u32, column: &str) -> Option<&Value> {
        self.rows.get(&step)?.get(column)
    }

    /// (step, number) of a column, ascending in step, where there is one.
    pub fn curve(&self, column: &str) -> Vec<(u32, f64)> {
        let number = |(step, row): (&u32, &Measured)| Some((*step, row.get(column)?.number()?));
        self.rows.iter().filter_map(number).collect()
    }

    /// Names of all columns, sorted.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.rows.values().flat_map(|row| row.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// `measures.csv`: `step`, then one column per number, lists as `name_1`, `name_2`, …; empty where there is no number. The
    /// reasons are in `measures.json`.
    pub fn to_csv(&self) -> String {
        let mut heads: Vec<(String, Option<usize>)> = Vec::new();
        for column in self.columns() {
            let longest = self.rows.values().filter_map(|row| row.get(&column)?.list()).map(<[f64]>::len).max();
            match longest {
                Some(length) => heads.extend((0..length).map(|index| (column.clone(), Some(index)))),
                None => heads.push((column, None)),
            }
        }
        let mut text = String::from("step");
        for (column, index) in &heads {
            // Writing to a String cannot fail.
            let _ = match index {
                Some(index) => write!(text, ",{column}_{}", index + 1),
                None => write!(text, ",{column}"),
            };
        }
        text.push('\n');
        for (step, row) in &self.rows {
            let _ = write!(text, "{step}");
            for (column, index) in &heads {
                let value = row.get(column);
                let number = match index {
                    Some(index) => value.and_then(Value::list).and_then(|list| list.get(*index)).copied(),
                    None => value.and_then(Value::number),
                };
                let _ = match number {
                    Some(number) => write!(text, ",{number}"),
                    None => write!(text, ","),
                };
            }
            text.push('\n');
        }
        text
    }

    /// Reads what `measures.json` holds; a number that is not finite cannot get in this way either.
    ///
    /// # Errors
    /// If it is not such a table.
    pub fn from_json(text: &str) -> Result<Self, UserError> {
        let table: Self = serde_json::from_str(text).map_err(|e| {
            UserError::new(format!("measures.json cannot be read ({e})"), "Delete it from the archive and measure again")
        })?;
        let checked = |row: Measured| row.into_iter().map(|(column, value)| (column, value.checked())).collect();
        Ok(Self { keys: table.keys, rows: table.rows.into_iter().map(|(step, row)| (step, checked(row))).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> MeasureTable {
        let mut table = MeasureTable { keys: Some((40, vec![3, 7])), ..MeasureTable::default() };
        let row = |entries: Vec<(&str, Value)>| entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        table.add(0, row(vec![("gini", Value::Number(0.25)), ("share", Value::List(vec![0.5, 0.5]))]));
        table.add(40, row(vec![("gini", Value::Number(f64::NAN)), ("share", Value::List(vec![1.0, 0.0]))]));
        table.add(40, row(vec![("margin", Value::Absent("no classes".into()))]));
        table
    }

    #[test]
    fn what_is_not_finite_becomes_a_reason() {
        assert!(matches!(table().get(40, "gini"), Some(Value::Absent(_))));
        assert_eq!(table().curve("gini"), [(0, 0.25)]);
    }

    #[test]
    fn wanted_columns_are_kept_with_their_reasons() {
        let kept = table().columns_where(|column| column != "share");
        assert_eq!(kept.columns(), ["gini", "margin"]);
        assert_eq!((kept.keys, kept.rows.len()), (table().keys, 2));
    }

    #[test]
    fn a_table_reads_back_from_its_json() {
        let table = table();
        let text = serde_json::to_string(&table).unwrap();
        assert_eq!(MeasureTable::from_json(&text).unwrap(), table);
        assert!(MeasureTable::from_json("{").is_err());
    }

    #[test]
    fn the_csv_has_a_cell_for_each_number_and_none_for_a_reason() {
        assert_eq!(table().to_csv(), "step,gini,margin,share_1,share_2\n0,0.25,,0.5,0.5\n40,,,1,0\n");
    }
}
