//! Columns that line up.

use std::io::{self, Write};

use crate::ui::{Palette, Role};

/// Rows of cells; each column is as wide as its widest cell, the last one ends the line.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
}

/// Text in a column.
#[derive(Debug)]
pub struct Cell {
    role: Option<Role>,
    text: String,
    right: bool,
}

impl Cell {
    /// Plain text. It must be safe for a terminal.
    pub fn plain(text: impl Into<String>) -> Cell {
        Cell { role: None, text: text.into(), right: false }
    }

    /// Text of a role.
    pub fn new(role: Role, text: impl Into<String>) -> Cell {
        Cell { role: Some(role), text: text.into(), right: false }
    }

    /// The same, aligned at the right, as numbers are.
    pub fn right(self) -> Cell {
        Cell { right: true, ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl Table {
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes it, two spaces between columns.
    pub fn write(&self, out: &mut dyn Write, palette: Palette) -> io::Result<()> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        for row in &self.rows {
            for (n, cell) in row.iter().enumerate() {
                let last = n + 1 == row.len();
                let gap = if n == 0 { "" } else { "  " };
                let space = " ".repeat(widths[n] - cell.width());
                let (before, after) = if cell.right { (space.as_str(), "") } else { ("", space.as_str()) };
                let after = if last { "" } else { after };
                match cell.role {
                    Some(role) => write!(out, "{gap}{before}{}{after}", palette.paint(role, &cell.text))?,
                    None => write!(out, "{gap}{before}{}{after}", cell.text)?,
                }
            }
            writeln!(out)?;
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
        table.row([Cell::plain("größe"), Cell::plain("7").right(), Cell::new(Role::Path, "x")]);
        table.row([Cell::plain("a"), Cell::plain("1,234").right(), Cell::new(Role::Path, "yy")]);
        let mut bytes = Vec::new();
        table.write(&mut bytes, Palette::new(false)).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "größe      7  x\na      1,234  yy\n");
    }
}
