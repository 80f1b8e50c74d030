//! Columns that align by display width.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Number of terminal columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Text filled up with spaces to a number of terminal columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
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

    /// Writes the table, with two spaces between columns.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (column, cell) in widths.iter_mut().zip(row) {
                *column = width(cell).max(*column);
            }
        }
        for row in &self.rows {
            let Some((last, cells)) = row.split_last() else { continue };
            for (cell, width) in cells.iter().zip(&widths) {
                write!(out, "{}  ", pad(cell, *width))?;
            }
            writeln!(out, "{last}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_display_width() {
        let mut table = Table::default();
        table.row(["größe", "7", "x"].map(str::to_owned));
        table.row(["表👩‍🔬", "8", "x"].map(str::to_owned));
        table.row(["a", "1,234"].map(str::to_owned));
        let mut bytes = Vec::new();
        table.write(&mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "größe  7      x\n表👩‍🔬   8      x\na      1,234\n");
    }
}
