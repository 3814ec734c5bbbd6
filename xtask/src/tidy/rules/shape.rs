//! How a Rust file is built: how it opens, how long it and its functions are, how modules are named.

use crate::tidy::{
    finding::Finding,
    regions::functions,
    repository::{File, Rust},
    source::is_word,
};

/// A file's lines of code, at most.
const FILE_LINES_MAX: usize = 600;
/// A function's lines of code, at most.
const FUNCTION_LINES_MAX: usize = 70;
/// Names that say nothing.
const EMPTY_NAMES: &[&str] =
    &["utils", "util", "common", "types", "manager", "helpers", "helper", "misc"];

/// The breaches in one file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(rust) = &file.rust else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    findings.extend(opening(file));
    findings.extend(no_std(file, rust));
    findings.extend(file_length(file, rust));
    findings.extend(function_lengths(file, rust));
    findings.extend(module_names(file, rust));
    findings
}

fn opening(file: &File) -> Option<Finding> {
    let opens_well = file.text.as_ref().is_some_and(|text| text.starts_with("//! "));
    let message = "a source opens with `//!`: say what this module is for, in a sentence";
    (!opens_well).then(|| Finding::new(&file.path, 1, message))
}

fn no_std(file: &File, rust: &Rust) -> Option<Finding> {
    let is_root = file.path.ends_with("/src/lib.rs") && file.is_core();
    let message = "a core crate is `#![no_std]`: the compiler itself then keeps the world out";
    (is_root && rust.source.places_of("#![no_std]").is_empty())
        .then(|| Finding::new(&file.path, 1, message))
}

fn file_length(file: &File, rust: &Rust) -> Option<Finding> {
    let lines = rust.counted_lines().into_iter().filter(|counted| *counted).count();
    let message = format!(
        "{lines} lines of code, {FILE_LINES_MAX} are the limit: find the part that is a module of its own"
    );
    (lines > FILE_LINES_MAX).then(|| Finding::new(&file.path, 1, message))
}

fn function_lengths(file: &File, rust: &Rust) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in functions(&rust.source) {
        if function.code_lines > FUNCTION_LINES_MAX {
            let message = format!(
                "`{}` has {} lines of code, {FUNCTION_LINES_MAX} are the limit: keep the branching \
                 here and move what the branches do",
                function.name, function.code_lines
            );
            findings.push(Finding::new(&file.path, rust.source.line_of(function.start), message));
        }
    }
    findings
}

fn module_names(file: &File, rust: &Rust) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in rust.source.places_of("mod") {
        let rest = rust.source.code()[place + 3..].iter();
        let name: String = rest.skip_while(|c| **c == ' ').take_while(|c| is_word(**c)).collect();
        if EMPTY_NAMES.contains(&name.as_str()) {
            let message = format!("`{name}` says nothing: name the module after what it knows");
            findings.push(Finding::new(&file.path, rust.source.line_of(place), message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    fn messages(path: &str, text: &str) -> Vec<String> {
        let findings = check(&File::new(path, text.as_bytes().to_vec()));
        findings
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.message))
            .collect()
    }

    fn is_clean(path: &str, text: &str) -> bool {
        messages(path, text).is_empty()
    }

    #[test]
    fn a_source_opens_with_what_it_is_for() {
        assert!(messages("host/src/a.rs", "use b;\n//! Late.\n")[0].contains("opens with `//!`"));
        assert!(is_clean("host/src/a.rs", "//! What it is.\nuse b;\n"));
    }

    #[test]
    fn a_core_crate_is_no_std() {
        assert!(messages("raft/src/lib.rs", "//! Raft.\n// #![no_std]\n")[0].contains("no_std"));
        assert!(is_clean("raft/src/lib.rs", "//! Raft.\n#![no_std]\n"));
        assert!(is_clean("raft/src/node.rs", "//! A module.\n"));
        assert!(is_clean("host/src/lib.rs", "//! The host.\n"));
    }

    #[test]
    fn a_file_has_a_limit_that_counts_neither_comments_nor_tests() {
        let code = "a();\n".repeat(600);
        let rest = "\n// why\n#[cfg(test)]\nmod tests {\n    a();\n}\n";
        assert!(is_clean("host/src/a.rs", &format!("//! A.\n{code}{rest}")));
        let found = messages("host/src/a.rs", &format!("//! A.\n{code}b();\n"));
        assert!(found[0].starts_with("1: 601 lines of code"), "{found:?}");
    }

    #[test]
    fn a_function_has_a_limit_that_does_not_count_comments() {
        let body =
            |count: usize| format!("//! A.\nfn f() {{\n// why\n\n{}}}\n", "a();\n".repeat(count));
        assert!(is_clean("host/src/a.rs", &body(68)));
        let found = messages("host/src/a.rs", &body(69));
        assert!(found[0].starts_with("2: `f` has 71 lines"), "{found:?}");
    }

    #[test]
    fn a_module_is_named_after_what_it_knows() {
        let found = messages("host/src/a.rs", "//! A.\nmod disk;\nmod utils;\nmod helpers {}\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("3: `utils` says nothing"), "{found:?}");
    }
}
