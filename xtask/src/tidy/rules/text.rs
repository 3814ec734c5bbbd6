//! What holds for every file: size, width, nothing left over, nothing of one machine.

use crate::tidy::{finding::Finding, repository::File, source::is_word};

/// A file's bytes, at most.
const BYTES_MAX: usize = 256 * 1024;
/// A line's characters, at most.
const COLUMNS_MAX: usize = 120;
/// Notes to oneself. Written in halves: this file is read by its own rule.
const LEFTOVERS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];
/// Folders that one machine has and the next does not.
const HOMES: &[&str] = &[concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/")];

/// The breaches in one file of a repository that stands at `root` on this machine.
pub(super) fn check(file: &File, root: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.size > BYTES_MAX {
        let message = format!(
            "{} KiB, {} are the limit: generate it when it is needed",
            file.size / 1024,
            BYTES_MAX / 1024
        );
        findings.push(Finding::new(&file.path, 1, message));
    }
    for (number, line) in file.text.iter().flat_map(|text| text.lines()).enumerate() {
        let report = |message: String| Finding::new(&file.path, number + 1, message);
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !may_be_wide(file, line) {
            findings
                .push(report(format!("{columns} columns, {COLUMNS_MAX} are the limit: wrap it")));
        }
        for leftover in LEFTOVERS.iter().filter(|leftover| has_word(line, leftover)) {
            findings.push(report(format!("`{leftover}` is left over: do it, or open an issue")));
        }
        if names_this_machine(line, root) {
            findings
                .push(report("a path of one machine: write it from the repository's root".into()));
        }
    }
    findings
}

/// True where a line cannot be wrapped: in what is generated, in tables, and around an address.
fn may_be_wide(file: &File, line: &str) -> bool {
    let extension = file.path.rsplit('.').next();
    let is_generated = file.is_golden() || matches!(extension, Some("lock" | "svg"));
    let is_row = extension == Some("md") && line.trim_start().starts_with('|');
    is_generated || is_row || line.contains("https://")
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(place, _)| {
        let after = line[place + word.len()..].chars().next();
        !line[..place].ends_with(is_word) && !after.is_some_and(is_word)
    })
}

fn names_this_machine(line: &str, root: &str) -> bool {
    // A root of one part, `/app`, could as well be the path of an address.
    let is_telling = root.matches('/').count() > 1;
    let roots = std::iter::once(root).filter(|_| is_telling);
    HOMES.iter().copied().chain(roots).any(|folder| {
        let mut places = line.match_indices(folder);
        places.any(|(place, _)| {
            !line[..place].ends_with(|c| is_word(c) || matches!(c, '.' | '~' | '}'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, File, HOMES, LEFTOVERS, check};

    const NOWHERE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let file = File::new(path, text.as_bytes().to_vec());
        check(&file, "/somewhere/archipel").into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_file_has_a_limit_in_bytes() {
        let blob = |size| check(&File::new("blob.bin", vec![0xff; size]), "/somewhere/archipel");
        assert_eq!(blob(BYTES_MAX).len(), 0);
        assert_eq!(blob(BYTES_MAX + 1).len(), 1);
    }

    #[test]
    fn a_line_has_a_limit_where_it_can_be_wrapped() {
        let (wide, narrow) = ("é".repeat(121), "é".repeat(120));
        assert_eq!(lines("a.rs", &format!("{narrow}\n{wide}\n")), [2]);
        assert_eq!(lines("raft/tests/scripts/vote", &wide), NOWHERE);
        assert_eq!(lines("a.md", &format!("| {wide} |")), NOWHERE);
        assert_eq!(lines("a.rs", &format!("| {wide} |")), [1]);
        assert_eq!(lines("Cargo.lock", &wide), NOWHERE);
    }

    #[test]
    fn nothing_is_left_over() {
        assert_eq!(lines("a.rs", &format!("// {} later\n// fix me\n", LEFTOVERS[0])), [1]);
        assert_eq!(lines("a.sh", &format!("{0}\nmktemp a.{0}{0}\n", LEFTOVERS[1])), [1]);
    }

    #[test]
    fn no_path_is_of_one_machine() {
        assert_eq!(lines("a.md", &format!("see {}me/a\n", HOMES[0])), [1]);
        assert_eq!(lines("a.md", "see /somewhere/archipel/raft and raft/src\n"), [1]);
        assert_eq!(lines("a.md", "see ./docs/up.svg and GET /kv/home/key\n"), NOWHERE);
    }
}
