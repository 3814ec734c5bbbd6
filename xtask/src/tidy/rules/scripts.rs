//! Golden scripts: each opens with a sentence that says what should happen and why.

use crate::tidy::{finding::Finding, repository::File};

/// The words of the opening comment, at least: fewer make no sentence.
const INTENT_WORDS_MIN: usize = 5;

/// The breaches in one file.
pub(super) fn check(file: &File) -> Option<Finding> {
    let text = file.text.as_ref().filter(|_| is_script(file))?;
    let intent = text.lines().map_while(|line| line.strip_prefix('#'));
    let words: usize = intent.map(|line| line.split_whitespace().count()).sum();
    let message =
        "a golden script opens with a comment: say in a sentence what should happen and why";
    (words < INTENT_WORDS_MIN).then(|| Finding::new(&file.path, 1, message))
}

fn is_script(file: &File) -> bool {
    let stands_there = file.path.split('/').rev().skip(1).any(|folder| folder == "scripts");
    let is_other = [".rs", ".md", ".sh"].iter().any(|end| file.path.ends_with(end));
    stands_there && !is_other
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    fn is_clean(path: &str, text: &str) -> bool {
        check(&File::new(path, text.as_bytes().to_vec())).is_none()
    }

    #[test]
    fn a_script_opens_with_its_intent() {
        assert!(!is_clean("raft/tests/scripts/vote/one", "cluster nodes=3\n---\nok\n"));
        assert!(!is_clean("raft/tests/scripts/vote/one", "# A vote.\n\ncluster nodes=3\n"));
        assert!(is_clean("raft/tests/scripts/vote/one", "# A voter grants\n# one vote a term.\n"));
        assert!(is_clean("raft/tests/scripts.rs", "mod a;"));
    }
}
