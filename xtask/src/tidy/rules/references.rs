//! Numbers of mistakes and of ordering rules: a reader who meets one must find it in the repository.

use std::collections::BTreeSet;

use crate::tidy::{
    finding::Finding,
    repository::{File, Repository},
    source::is_word,
};

/// Where each number stands in the first cell of a row.
const PAGES: &[&str] = &["docs/mistakes.md", "ARCHITECTURE.md"];

/// The breaches in the repository.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let texts = PAGES.iter().filter_map(|page| repository.text(page));
    let rows = texts.flat_map(str::lines).filter_map(|line| line.strip_prefix("| "));
    let explained: BTreeSet<&str> =
        rows.filter_map(|row| row.split(' ').next()).filter(|word| is_reference(word)).collect();
    let mut findings = Vec::new();
    for file in &repository.files {
        for (number, line) in comments(file).lines().enumerate() {
            let words = line.split(|character: char| !is_word(character) && character != '-');
            for word in words.filter(|word| is_reference(word) && !explained.contains(word)) {
                let message =
                    format!("`{word}` is explained nowhere: give it a row in {}", PAGES[0]);
                findings.push(Finding::new(&file.path, number + 1, message));
            }
        }
    }
    findings
}

/// The file with everything but its comments blanked.
fn comments(file: &File) -> String {
    match (&file.rust, &file.text) {
        (Some(rust), _) => {
            let pairs = rust.source.text().iter().zip(rust.source.code());
            let keep = |(text, code): (&char, &char)| match (*text, *code) {
                ('\n', _) => '\n',
                (text, ' ') => text,
                _ => ' ',
            };
            pairs.map(keep).collect()
        }
        (None, Some(text)) if file.is_golden() => {
            let is_comment = |line: &&str| line.starts_with('#');
            text.lines()
                .map(|line| Some(line).filter(is_comment).unwrap_or(""))
                .collect::<Vec<_>>()
                .join("\n")
        }
        _ => String::new(),
    }
}

/// `B7`, `O10`, `K-11` and the like.
fn is_reference(word: &str) -> bool {
    let starts = ["B", "O", "E-", "L-", "K-"].into_iter();
    let mut numbers = starts.filter_map(|start| word.strip_prefix(start));
    numbers.any(|number| {
        matches!(number.len(), 1 | 2) && number.chars().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{File, Repository, check};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let page = b"| B8 | a mistake |\n| K-11 | another |\n".to_vec();
        let files =
            vec![File::new("docs/mistakes.md", page), File::new(path, text.as_bytes().to_vec())];
        let findings = check(&Repository::of_files("", files));
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_number_in_a_comment_is_explained() {
        assert_eq!(
            lines("raft/src/a.rs", "// As in (B8, K-11).\n// As in (B9),\n/// O1 and E-1.\n"),
            [2, 3, 3]
        );
        assert_eq!(lines("raft/scripts/a", "# As in B9.\nB9\n"), [1]);
    }

    #[test]
    fn what_is_not_a_number_of_a_mistake_is_left_alone() {
        assert!(
            lines("raft/src/a.rs", "let B9 = \"B9\"; // B123, SUB-9, AB9, 0xB9, E-x\n").is_empty()
        );
    }
}
