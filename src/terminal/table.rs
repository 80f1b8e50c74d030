//! Columns that align by display width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Number of terminal columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Text filled up with spaces to a number of terminal columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Text of at most this many terminal columns: `…` replaces the middle of a longer one.
pub fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let rest = columns.saturating_sub(1);
    let start = fitting(text.chars(), rest / 2);
    let end = fitting(text.chars().rev(), rest - width(&start));
    format!("{start}…{}", end.chars().rev().collect::<String>())
}

/// The first letters that take at most this many columns.
fn fitting(letters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut taken = 0;
    let fits = |letter: &char| {
        taken += letter.width().unwrap_or(0);
        taken <= columns
    };
    letters.take_while(fits).collect()
}

/// Rows of cells without colours; each column is as wide as its widest cell, the last one ends the line.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row of text that is safe for a terminal. The last cell may have colours.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines of the table, with two spaces between columns.
    pub fn lines(&self) -> Vec<String> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            // The last cell of a row may extend over the columns of others.
            for (column, cell) in widths.iter_mut().zip(row.iter().take(row.len().saturating_sub(1))) {
                *column = width(cell).max(*column);
            }
        }
        let line = |row: &Vec<String>| {
            let (last, cells) = row.split_last()?;
            let cells: String = cells.iter().zip(&widths).map(|(cell, width)| pad(cell, *width) + "  ").collect();
            Some(cells + last)
        };
        self.rows.iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_long_texts_is_left_out() {
        assert_eq!(shorten("data/values.csv", 15), "data/values.csv");
        assert_eq!(shorten("data/values.csv", 10), "data…s.csv");
        assert_eq!(shorten("表表表表表表", 9), "表表…表表");
        assert_eq!(shorten("abc", 1), "…");
    }

    #[test]
    fn columns_align_by_display_width() {
        let mut table = Table::default();
        table.row(["größe", "7", "x"].map(str::to_owned));
        table.row(["表👩‍🔬", "8", "x"].map(str::to_owned));
        table.row(["a", "1,234", "x"].map(str::to_owned));
        table.row(["b", "a long last cell"].map(str::to_owned));
        let lines = ["größe  7      x", "表👩‍🔬   8      x", "a      1,234  x", "b      a long last cell"];
        assert_eq!(table.lines(), lines);
    }
}
