//! How long files and functions are and how often they assert: the fingerprint of the code.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    regions::functions,
    repository::{File, Repository, Rust},
};

/// What was counted in the shipped code of one crate.
#[derive(Debug, Default)]
struct Counts {
    file_lines: Vec<usize>,
    function_lines: Vec<usize>,
    assertions: usize,
}

/// Functions over this many lines deserve a second look.
const LONG_FUNCTION_LINES: usize = 40;

/// A line for each crate, and one for all.
pub(super) fn table(repository: &Repository) -> String {
    let mut crates: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    for file in &repository.files {
        if let (Some(rust), Some(folder)) = (&file.rust, file.crate_folder())
            && !rust.is_test_file
        {
            count(rust, crates.entry(folder).or_default());
            count(rust, &mut all);
        }
    }
    let mut text = String::from(
        "crate          files   lines  median file  functions  median function  over 40  asserts/100\n",
    );
    for (name, counts) in crates.iter_mut().chain([(&"all", &mut all)]) {
        add_line(&mut text, name, counts);
    }
    add_tests(&mut text, &repository.files);
    text
}

fn count(rust: &Rust, counts: &mut Counts) {
    counts.file_lines.push(rust.counted_lines().into_iter().filter(|counted| *counted).count());
    for function in functions(&rust.source) {
        if !rust.is_test(function.start) {
            counts.function_lines.push(function.code_lines);
        }
    }
    for name in ["assert!", "assert_eq!", "assert_ne!"] {
        let places = rust.source.places_of(name).into_iter();
        counts.assertions += places.filter(|place| !rust.is_test(*place)).count();
    }
}

fn add_line(text: &mut String, name: &str, counts: &mut Counts) {
    let functions = counts.function_lines.len();
    let long = counts.function_lines.iter().filter(|lines| **lines > LONG_FUNCTION_LINES).count();
    writeln!(
        text,
        "{name:<14} {:>5} {:>7} {:>12} {functions:>10} {:>16} {long:>8} {:>12}",
        counts.file_lines.len(),
        counts.file_lines.iter().sum::<usize>(),
        median(&mut counts.file_lines),
        median(&mut counts.function_lines),
        counts.assertions * 100 / functions.max(1),
    )
    .expect("writing to a string never fails");
}

fn add_tests(text: &mut String, files: &[File]) {
    let is_code = |rust: &Rust| rust.source.code_lines().into_iter().filter(|code| *code).count();
    let all: usize = files.iter().filter_map(|file| file.rust.as_ref()).map(is_code).sum();
    let rust = files.iter().filter_map(|file| file.rust.as_ref());
    let shipped = rust.filter(|rust| !rust.is_test_file).map(|rust| rust.counted_lines());
    let shipped: usize =
        shipped.map(|lines| lines.into_iter().filter(|counted| *counted).count()).sum();
    writeln!(text, "tests          {} lines of code", all - shipped)
        .expect("writing to a string never fails");
}

/// The middle one; 0 of none.
fn median(numbers: &mut [usize]) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{File, Repository, median, table};

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&mut [9, 1, 5]), 5);
        assert_eq!(median(&mut []), 0);
    }

    #[test]
    fn only_shipped_code_is_counted() {
        let text =
            "fn a() {\n    assert!(b());\n}\nfn c() {}\n#[test]\nfn d() {\n    assert!(e());\n}\n";
        let files = vec![File::new("raft/src/lib.rs", text.as_bytes().to_vec())];
        let table = table(&Repository::of_files("", files));
        let raft: Vec<&str> = table.lines().nth(1).unwrap_or("").split_whitespace().collect();
        assert_eq!(raft, ["raft", "1", "4", "4", "2", "3", "0", "50"]);
        assert!(table.ends_with("tests          4 lines of code\n"), "{table}");
    }
}
