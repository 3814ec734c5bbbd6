//! As much of Markdown as the rules need: paragraphs, titles and tables outside of fenced code.

/// One block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// `# title`.
    Title { line: usize },
    /// A paragraph or one item of a list, its lines joined.
    Paragraph { line: usize, text: String },
    /// A row of a table, without the row of dashes.
    Row { line: usize, cells: Vec<String> },
}

/// The blocks of a document, in order; lines are counted from 1. Fenced code, quotes of code and
/// lower headings are left out.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph: Option<(usize, String)> = None;
    let mut is_fenced = false;
    for (number, text) in document.lines().enumerate() {
        let (line, trimmed) = (number + 1, text.trim());
        let is_fence = trimmed.starts_with("```");
        let ends = is_fence || is_fenced || trimmed.is_empty() || starts_block(trimmed);
        if ends && let Some((line, text)) = paragraph.take() {
            blocks.push(Block::Paragraph { line, text });
        }
        is_fenced ^= is_fence;
        if is_fence || is_fenced || trimmed.is_empty() {
            continue;
        }
        if trimmed.starts_with("# ") {
            blocks.push(Block::Title { line });
        } else if trimmed.starts_with('|') {
            blocks.extend(row(trimmed).map(|cells| Block::Row { line, cells }));
        } else if !trimmed.starts_with('#') {
            let (_, joined) = paragraph.get_or_insert_with(|| (line, String::new()));
            joined.push_str(trimmed.trim_start_matches(['-', '*', '>', ' ']));
            joined.push(' ');
        }
    }
    blocks.extend(paragraph.map(|(line, text)| Block::Paragraph { line, text }));
    blocks
}

/// The rows of the table whose header begins with `header`, the header left out; nothing if there is
/// no such table.
pub(crate) fn table(document: &str, header: &str) -> Option<Vec<(usize, Vec<String>)>> {
    let rows = blocks(document).into_iter().filter_map(|block| match block {
        Block::Row { line, cells } => Some((line, cells)),
        _ => None,
    });
    let mut rows = rows.skip_while(|(_, cells)| cells[0] != header);
    // The row of dashes follows the header; then each row follows the one before.
    let (header_line, _) = rows.next()?;
    let rows = (header_line + 2..).zip(rows);
    Some(rows.map_while(|(expected, row)| (row.0 == expected).then_some(row)).collect())
}

/// The words that stand between backquotes.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn starts_block(trimmed: &str) -> bool {
    let digits = trimmed.trim_start_matches(|character: char| character.is_ascii_digit());
    let is_numbered = digits.len() < trimmed.len() && digits.starts_with(". ");
    is_numbered || ["#", "|", "- ", "* ", "> "].iter().any(|mark| trimmed.starts_with(mark))
}

fn row(trimmed: &str) -> Option<Vec<String>> {
    let inner = trimmed.trim_matches('|');
    let is_dashes = inner.chars().all(|character| matches!(character, '-' | '|' | ':' | ' '));
    (!is_dashes).then(|| inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks, quoted, table};

    #[test]
    fn paragraphs_are_joined_and_fenced_code_is_left_out() {
        let found = blocks("# T\none\ntwo\n\n```\n# code\n```\n- item\n  goes on\n## lower\n");
        let paragraph = |line, text: &str| Block::Paragraph { line, text: text.to_owned() };
        assert_eq!(
            found,
            [Block::Title { line: 1 }, paragraph(2, "one two "), paragraph(8, "item goes on ")]
        );
    }

    #[test]
    fn a_table_is_found_by_its_header() {
        let other = "| a | b |\n|---|---|\n| 1 | 2 |\n";
        let document = format!("{other}\n| crate | on |\n|--|--|\n| `x` | `y` |\n\n{other}");
        let rows = table(&document, "crate").expect("the table is there");
        assert_eq!(rows, [(7, vec!["`x`".to_owned(), "`y`".to_owned()])]);
        assert_eq!(quoted(&rows[0].1[1]), ["y"]);
        assert_eq!(table(&document, "city"), None);
    }
}
