//! Columns that line up.

use std::io::{self, Write};

/// Rows of cells; each column is as wide as its widest cell, the last one ends the line.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row of text that is safe for a terminal.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes it, two spaces between columns.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let Some((last, cells)) = row.split_last() else { continue };
            for (cell, width) in cells.iter().zip(&widths) {
                write!(out, "{cell:width$}  ")?;
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
    fn columns_line_up_and_lines_have_no_trailing_space() {
        let mut table = Table::default();
        table.row(["größe", "7", "x"].map(str::to_owned));
        table.row(["a", "1,234"].map(str::to_owned));
        let mut bytes = Vec::new();
        table.write(&mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "größe  7      x\na      1,234\n");
    }
}
