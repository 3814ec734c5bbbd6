//! How documents read: one title, sentences and paragraphs that end, no words that push.

use crate::tidy::{
    finding::Finding,
    markdown::{Block, blocks},
    repository::File,
    source::is_word,
};

/// A sentence's words, at most.
const SENTENCE_WORDS_MAX: usize = 45;
/// A paragraph's words, at most.
const PARAGRAPH_WORDS_MAX: usize = 140;
/// The lines of the README, at most.
const README_LINES_MAX: usize = 90;
/// Words that tell readers how they should feel about what they read.
const PUSHING_WORDS: &[&str] =
    &["simply", "obviously", "easily", "basically", "trivially", "clearly", "of course"];

/// The breaches in one file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(text) = file.text.as_ref().filter(|_| file.path.ends_with(".md")) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let blocks = blocks(text);
    findings.extend(titles(file, &blocks));
    let lines = text.lines().count();
    if file.path == "README.md" && lines > README_LINES_MAX {
        let message = format!(
            "{lines} lines, {README_LINES_MAX} are the limit: move what is not for a first look"
        );
        findings.push(Finding::new(&file.path, 1, message));
    }
    for block in &blocks {
        if let Block::Paragraph { line, text } = block {
            findings
                .extend(paragraph(text).map(|message| Finding::new(&file.path, *line, message)));
        }
    }
    findings
}

fn titles(file: &File, blocks: &[Block]) -> Option<Finding> {
    let mut lines = blocks.iter().filter_map(|block| match block {
        Block::Title { line } => Some(*line),
        _ => None,
    });
    let message = "a document has one title, `# ...`: use `##` below it";
    match (lines.next(), lines.next()) {
        (Some(_), None) => None,
        (_, second) => Some(Finding::new(&file.path, second.unwrap_or(1), message)),
    }
}

/// What is wrong with a paragraph.
fn paragraph(text: &str) -> impl Iterator<Item = String> {
    let words = text.split_whitespace().count();
    let long = (words > PARAGRAPH_WORDS_MAX).then(|| {
        format!("a paragraph of {words} words, {PARAGRAPH_WORDS_MAX} are the limit: split it")
    });
    let sentences = sentences(text).into_iter().filter(|words| *words > SENTENCE_WORDS_MAX);
    let sentences = sentences.map(|words| {
        format!("a sentence of {words} words, {SENTENCE_WORDS_MAX} are the limit: make two of it")
    });
    let lower = text.to_lowercase();
    let pushing = PUSHING_WORDS.iter().filter(move |word| has_word(&lower, word));
    let pushing = pushing.map(|word| format!("`{word}` pushes the reader: leave it out"));
    long.into_iter().chain(sentences).chain(pushing)
}

/// How many words each sentence has. A colon or semicolon does not end one.
fn sentences(text: &str) -> Vec<usize> {
    let mut counts = vec![0];
    for word in text.split_whitespace() {
        *counts.last_mut().expect("one count is there from the start") += 1;
        if word.trim_end_matches([')', '*', '_', '"']).ends_with(['.', '?', '!']) {
            counts.push(0);
        }
    }
    counts
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(place, _)| {
        let after = text[place + word.len()..].chars().next();
        !text[..place].ends_with(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = File::new(path, text.as_bytes().to_vec());
        check(&file).into_iter().map(|f| format!("{}: {}", f.line, f.message)).collect()
    }

    #[test]
    fn a_document_has_one_title() {
        assert_eq!(findings("a.md", "# One\n\n## Lower\n"), [""; 0]);
        assert!(findings("a.md", "# One\n\n# Two\n")[0].starts_with("3: a document has one title"));
        assert!(findings("a.md", "no title\n")[0].starts_with("1: a document has one title"));
        assert_eq!(findings("a.txt", "no title\n"), [""; 0]);
    }

    #[test]
    fn a_sentence_and_a_paragraph_end() {
        let sentence = |words: usize| format!("{}end. ", "word ".repeat(words - 1));
        assert_eq!(findings("a.md", &format!("# T\n\n{}", sentence(45).repeat(3))), [""; 0]);
        assert!(findings("a.md", &format!("# T\n\n{}", sentence(46)))[0].contains("of 46 words"));
        assert!(findings("a.md", &format!("# T\n\n{}", sentence(36).repeat(4)))[0].contains("144"));
    }

    #[test]
    fn nothing_pushes_the_reader() {
        assert!(findings("a.md", "# T\n\nIt is simply true.\n")[0].contains("`simply`"));
        assert_eq!(findings("a.md", "# T\n\nIt is unclearly true.\n"), [""; 0]);
    }

    #[test]
    fn the_readme_is_one_screen() {
        let text = format!("# T\n{}", "\n".repeat(90));
        assert!(findings("README.md", &text)[0].contains("91 lines"));
        assert_eq!(findings("STYLE.md", &text), [""; 0]);
    }
}
