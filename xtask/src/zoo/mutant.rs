//! A mutant: a patch with a few sentences before it.

use std::{fs, path::Path};

/// Says of a mutant that the simulator has yet to find it.
const HOLE: &str = "Not found yet";

/// One known bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// The file's name without its end: `b08_vote_before_durable`.
    pub(crate) name: String,
    /// The whole file.
    pub(crate) text: String,
}

impl Mutant {
    /// All that stand in `zoo/`, by name.
    ///
    /// # Errors
    /// If the folder or a file cannot be read.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>, String> {
        let folder = root.join("zoo");
        let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
        let mut mutants = Vec::new();
        for file in fs::read_dir(&folder).map_err(unreadable)? {
            let path = file.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(name) = name.strip_suffix(".patch") {
                let text = fs::read_to_string(&path).map_err(unreadable)?;
                mutants.push(Self { name: name.to_owned(), text });
            }
        }
        mutants.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(mutants)
    }

    /// True if `word` is the name or what it begins with, up to a `_`.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        let rest = self.name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }

    /// What stands before the patch.
    pub(crate) fn words(&self) -> &str {
        self.text.split("\ndiff --git ").next().unwrap_or_default()
    }

    /// True if the simulator is known not to find it: such a mutant has no turn until it does.
    pub(crate) fn is_hole(&self) -> bool {
        self.words().contains(HOLE)
    }

    /// The number of the mistake: `B8`, or `Q8` of the work queue.
    pub(crate) fn number(&self) -> Option<String> {
        let list = self.name.chars().next().filter(|list| matches!(list, 'b' | 'q'))?;
        let number = self.name[1..].split('_').next()?;
        let number: u8 = number.trim_end_matches(|c: char| c.is_ascii_lowercase()).parse().ok()?;
        Some(format!("{}{number}", list.to_ascii_uppercase()))
    }

    /// The system in whose worlds it is looked for.
    pub(crate) fn system(&self) -> &'static str {
        if self.name.starts_with('q') { "queue" } else { "kv" }
    }
}

#[cfg(test)]
mod tests {
    use super::Mutant;

    #[test]
    fn a_mutant_is_called_by_its_number_or_its_whole_name() {
        let text = "It forgets.\nCaught by: asserts.\ndiff --git a/x b/x\n-a\n".to_owned();
        let mutant = Mutant { name: "b08_vote_before_durable".to_owned(), text };
        assert!(mutant.is_called("b08") && mutant.is_called("b08_vote_before_durable"));
        assert!(!mutant.is_called("b0") && !mutant.is_called("vote"));
        assert_eq!((mutant.number().as_deref(), mutant.system()), (Some("B8"), "kv"));
        assert_eq!(mutant.words(), "It forgets.\nCaught by: asserts.");
        assert!(!mutant.is_hole());
        let mutant = Mutant { name: "q03_token_reused".to_owned(), ..mutant };
        assert_eq!((mutant.number().as_deref(), mutant.system()), (Some("Q3"), "queue"));
    }
}
