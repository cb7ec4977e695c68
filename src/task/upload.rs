//! A file with a square of numbers becomes the text of the setting `task.table`.
//!
//! Tables come out of spreadsheets and scripts with commas, semicolons, tabs or blanks; retyping them by hand would make
//! mistakes that nobody sees in the curves. Headings and names of elements are refused rather than guessed: a first row of
//! numbers may be a heading or answers.

/// Largest file that is read, in bytes: many times the text that a setting holds.
pub const MAX_BYTES: u32 = 2_000_000;

/// Rows parted by ` / ` and entries by a blank; `.` is no answer. Blank lines and lines that begin with `#` are left out, quotes
/// around a number are taken off, and an entry that is empty between two commas, semicolons or tabs is no answer.
///
/// # Errors
/// (cause, remedy), without trailing periods; row and column are counted from 1.
pub fn table_text(file: &str, max_chars: usize) -> Result<String, (String, String)> {
    let lines = file.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).collect();
    let separator = [',', ';', '\t'].into_iter().find(|separator| lines.iter().any(|line| line.contains(*separator)));
    let mut rows = Vec::with_capacity(lines.len());
    for (row, line) in (1..).zip(&lines) {
        let cells: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        if cells.len() != lines.len() {
            let cause =
                format!("Row {row} has {} and the file has {}", counted(cells.len(), "column"), counted(lines.len(), "row"));
            return Err((cause, "Give a square of numbers without headings, one row a line".into()));
        }
        let mut entries = Vec::with_capacity(cells.len());
        for (column, cell) in (1..).zip(cells) {
            let entry = entry(cell).ok_or_else(|| {
                let cause = format!("Row {row}, column {column} is \"{}\"", cell.trim());
                (cause, "Use whole numbers from 0 without headings; a dot or an empty cell is no answer".to_owned())
            })?;
            entries.push(entry);
        }
        rows.push(entries.join(" "));
    }
    if rows.len() < 2 {
        return Err((format!("The file has {}", counted(rows.len(), "row")), "Give at least 2 rows of 2 numbers".into()));
    }
    let text = rows.join(" / ");
    if text.len() > max_chars {
        let cause = format!("The table takes {} characters as text, and {max_chars} fit", text.len());
        return Err((cause, "Use a smaller table".into()));
    }
    Ok(text)
}

/// An entry as the setting writes it; `None` if it is no class number. Spreadsheets write `3` also as `3.0` or `"3"`.
fn entry(cell: &str) -> Option<String> {
    let bare = cell.trim().trim_matches('"').trim();
    if matches!(bare, "" | "." | "-") {
        return Some(".".into());
    }
    let whole = bare.split_once('.').map_or(bare, |(whole, rest)| if rest.bytes().all(|b| b == b'0') { whole } else { bare });
    whole.parse::<u16>().ok().map(|number| number.to_string())
}

/// `1 row`, `2 rows`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<String, (String, String)> {
        table_text(file, 60_000)
    }

    #[test]
    fn every_usual_separator_gives_the_same_table() {
        for file in
            ["0,1\n1,0\n", "0;1\r\n1;0\r\n", "0\t1\n1\t0", "  0 1\n\n 1   0  \n", "\u{feff}# xor\n\"0\", \"1\"\n1.0, 0.00"]
        {
            assert_eq!(read(file).unwrap(), "0 1 / 1 0", "{file:?}");
        }
    }

    #[test]
    fn empty_cells_dots_and_dashes_are_no_answer() {
        assert_eq!(read("0,,2\n.,1,-\n2, ,0").unwrap(), "0 . 2 / . 1 . / 2 . 0");
    }

    #[test]
    fn an_error_names_row_and_column() {
        let cases = [
            ("0 1 2\n1 x 0\n2 0 1", "Row 2, column 2 is \"x\""),
            ("e,a\n0,1", "Row 1, column 1 is \"e\""),
            ("0,1\n1,0.5", "Row 2, column 2 is \"0.5\""),
            ("0,1\n-3,0", "Row 2, column 1 is \"-3\""),
            ("0 1 2\n1 0\n2 0 1", "Row 2 has 2 columns and the file has 3 rows"),
            ("0 1\n1 0\n0 0", "Row 1 has 2 columns and the file has 3 rows"),
            ("", "The file has 0 rows"),
            ("7", "The file has 1 row"),
        ];
        for (file, cause) in cases {
            assert_eq!(read(file).unwrap_err().0, cause, "{file:?}");
        }
    }

    #[test]
    fn a_table_that_does_not_fit_its_setting_says_by_how_much() {
        let (cause, _) = table_text("10 11\n12 13", 10).unwrap_err();
        assert_eq!(cause, "The table takes 13 characters as text, and 10 fit");
    }
}
