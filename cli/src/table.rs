//! Columns of text that line up.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// A piece of text and how it is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text in a style.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Style::new())
    }
}

/// Lines of the rows, each column as wide as its widest cell and two spaces from the next.
pub(crate) fn lines(rows: &[Vec<Cell>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut line = String::new();
    for (n, (cell, width)) in row.iter().zip(widths).enumerate() {
        // The last cell of a line ends it.
        let padding = if n + 1 == row.len() { 0 } else { width - cell.text.width() + 2 };
        let style = cell.style;
        line.push_str(&format!("{style}{}{style:#}{:padding$}", cell.text, ""));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_they_hold() {
        let rows = [
            vec!["a".into(), "b".into()],
            vec!["größer".into(), "".into(), "x".into()],
            vec!["日本".into(), "c".into()],
        ];
        assert_eq!(lines(&rows), ["a       b", "größer     x", "日本    c"]);
    }
}
