//! Files that documents link to or name: each is there.

use crate::tidy::{finding::Finding, markdown::quoted, repository::Repository};

/// The breaches in the repository.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in file.text.iter().flat_map(|text| text.lines()).enumerate() {
            let linked = links(line).map(|target| (target, resolve(folder, target)));
            let named = named_sources(line).map(|name| (name, name.to_owned()));
            for (target, _) in linked.chain(named).filter(|(_, path)| !exists(repository, path)) {
                let message = format!("`{target}` is not there: mend the name or add the file");
                findings.push(Finding::new(&file.path, number + 1, message));
            }
        }
    }
    findings
}

/// The targets of links to files, without the place in the file.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

/// Sources that are named by their path from the root, `raft/src/node.rs`.
fn named_sources(line: &str) -> impl Iterator<Item = &str> {
    quoted(line).into_iter().filter(|word| word.contains('/') && word.ends_with(".rs"))
}

fn exists(repository: &Repository, path: &str) -> bool {
    let folder = format!("{path}/");
    repository.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
}

/// The path from the root of `target`, which stands in a document in `folder`.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Repository, check};
    use crate::tidy::repository::File;

    fn lines(text: &str) -> Vec<usize> {
        let file = |path: &str, text: &str| File::new(path, text.as_bytes().to_vec());
        let files =
            vec![file("docs/page.md", text), file("STYLE.md", ""), file("raft/src/a.rs", "")];
        let findings = check(&Repository::of_files("", files));
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_link_leads_to_a_file_or_a_folder() {
        assert!(
            lines("[a](../STYLE.md#top) [b](../raft/src)\n[c](https://a.b/c) [d](#e)").is_empty()
        );
        assert_eq!(lines("[a](../STYLE.md)\n![b](up.svg) [c](../raft/lib)\n"), [2, 2]);
    }

    #[test]
    fn a_source_that_is_named_is_there() {
        assert!(lines("start at `raft/src/a.rs`, then `lib.rs`\n").is_empty());
        assert_eq!(lines("start at `raft/src/b.rs`\n"), [1]);
    }
}
