//! Regions of a source: what is only compiled for tests, and where the functions are.

use std::ops::Range;

use super::source::{Source, is_word};

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The place of the word `fn`.
    pub(crate) start: usize,
    /// The lines of code from the one with `fn` to the one that closes the body.
    pub(crate) code_lines: usize,
}

/// The functions with a body, in order; a function inside another is counted in both.
pub(crate) fn functions(source: &Source) -> Vec<Function> {
    let lines = source.code_lines();
    let mut found = Vec::new();
    for start in source.places_of("fn") {
        let rest = &source.code()[start + 2..];
        let name: String =
            rest.iter().skip_while(|c| **c == ' ').take_while(|c| is_word(**c)).collect();
        let Some(open) = body_of(source, start).filter(|_| !name.is_empty()) else {
            continue;
        };
        let first = source.line_of(start);
        let last = source.line_of(source.past_closing(open) - 1);
        let code_lines = lines[first - 1..last].iter().filter(|is_code| **is_code).count();
        found.push(Function { name, start, code_lines });
    }
    found
}

/// The place of the `{` that opens the item which starts at `start`; nothing if a `;` ends it first.
fn body_of(source: &Source, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, character) in source.code().iter().enumerate().skip(start) {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' if depth == 0 => return Some(place),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The places that are only compiled for tests: items under `#[cfg(test)]` or `#[test]`.
pub(crate) fn test_regions(source: &Source) -> Vec<Range<usize>> {
    if !source.places_of("#![cfg(test)]").is_empty() {
        return std::iter::once(0..source.code().len()).collect();
    }
    let mut regions = Vec::new();
    for mark in ["#[cfg(test)]", "#[test]"] {
        for start in source.places_of(mark) {
            regions.push(start..item_end(source, start));
        }
    }
    regions
}

/// The names of the modules that stand in files of their own and are only compiled for tests.
pub(crate) fn test_modules(source: &Source) -> Vec<String> {
    let mut names = Vec::new();
    for start in source.places_of("#[cfg(test)]") {
        let item: String = source.code()[start..item_end(source, start)].iter().collect();
        let declared = item.strip_suffix(';').and_then(|item| item.rsplit_once("mod "));
        names.extend(declared.map(|(_, name)| name.trim().to_owned()));
    }
    names
}

/// The place behind the item whose first attribute stands at `start`.
fn item_end(source: &Source, start: usize) -> usize {
    let code = source.code();
    let mut place = start;
    while code.get(place) == Some(&'#') {
        place = source.past_closing(place + 1);
        place += code[place..].iter().take_while(|character| character.is_whitespace()).count();
    }
    match body_of(source, place) {
        Some(open) => source.past_closing(open),
        None => place + code[place..].iter().take_while(|character| **character != ';').count() + 1,
    }
    .min(code.len())
}

#[cfg(test)]
mod tests {
    use super::{Source, functions, test_modules, test_regions};

    #[test]
    fn a_function_is_as_long_as_its_lines_of_code() {
        let text = "fn one() {}\n\nfn two(\n    a: [u8; 3],\n) {\n    // why\n\n    a();\n}\n";
        let found: Vec<(String, usize)> = functions(&Source::new(text))
            .into_iter()
            .map(|function| (function.name, function.code_lines))
            .collect();
        assert_eq!(found, [("one".to_owned(), 1), ("two".to_owned(), 5)]);
    }

    #[test]
    fn a_declaration_or_a_type_has_no_body() {
        let text = "trait T { fn one(&self); } struct S { call: fn(u8) -> u8 }";
        assert_eq!(functions(&Source::new(text)), []);
    }

    #[test]
    fn test_items_end_where_their_brackets_close() {
        let text = "a();\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn f() {}\n}\nb();";
        let source = Source::new(text);
        let lines: Vec<(usize, usize)> = test_regions(&source)
            .into_iter()
            .map(|region| (source.line_of(region.start), source.line_of(region.end - 1)))
            .collect();
        assert_eq!(lines, [(2, 6), (4, 5)]);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_named() {
        let text = "#[cfg(test)]\n#[path = \"x\"]\nmod scripts;\n#[cfg(test)]\nmod inline {}";
        assert_eq!(test_modules(&Source::new(text)), ["scripts"]);
    }
}
