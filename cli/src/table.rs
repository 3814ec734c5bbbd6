//! Tables of text that fit the terminal.

use std::io::{self, IsTerminal};

use rustix::termios::tcgetwinsize;

/// Two spaces between columns.
const GAP: usize = 2;

/// A table: a head, rows, and nothing clever.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&name| name.to_owned()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.rows[0].len(), "every row has a cell for each column");
        self.rows.push(cells);
    }

    /// The lines of the table, none longer than `width` characters.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let columns = self.rows[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| row[column].chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for (cell, width) in row.iter().zip(&widths) {
                    line.push_str(&format!("{cell:width$}{:GAP$}", ""));
                }
                cut(line.trim_end(), width)
            })
            .collect()
    }

    /// Writes the table to standard output.
    pub(crate) fn print(&self) {
        for line in self.lines(width()) {
            println!("{line}");
        }
    }
}

/// How many characters a line of standard output has; without a terminal, any number.
pub(crate) fn width() -> usize {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return usize::MAX;
    }
    let columns = tcgetwinsize(&stdout).map_or(80, |size| usize::from(size.ws_col));
    if columns == 0 { 80 } else { columns }
}

/// How many lines standard output shows; without a terminal, any number.
pub(crate) fn height() -> usize {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 => usize::from(size.ws_row),
        _ => usize::MAX,
    }
}

/// `text`, cut to `width` characters with a mark that says so.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// `text` without what could steer a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            let plain = escaped.is_none().then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Table, cut, harmless};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["node", "role"]);
        table.row(vec!["a-long-name".to_owned(), "leader".to_owned()]);
        assert_eq!(table.lines(80), ["node         role", "a-long-name  leader"]);
        assert_eq!(table.lines(8), ["node   …", "a-long-…"]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(harmless("clé\u{1b}[2J\n"), "clé\\u{1b}[2J\\n");
        assert_eq!(cut("abc", 3), "abc");
    }
}
