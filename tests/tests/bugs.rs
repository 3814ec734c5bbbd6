//! The bug base: what was found once is not found again. `bugs/README.md` says how it works.

use std::{fs, path::PathBuf};

use worlds::{Bug, Kind, Scenario, Totals};

/// How many more runs each bug gets, with other chances.
const CHANCES: u64 = 5;

fn base() -> Vec<(PathBuf, Bug)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../bugs");
    let entries = fs::read_dir(folder).expect("the bug base is part of the repository");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "bug")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file of the base can be read");
        let bug = Bug::read(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        (path, bug)
    };
    paths.into_iter().map(read).collect()
}

/// The scenario as it is written down, and with other chances.
fn scenarios(bug: &Bug) -> impl Iterator<Item = Scenario> {
    let others =
        (1..=CHANCES).map(|chances| Scenario { chances: Some(chances), ..bug.scenario.clone() });
    [bug.scenario.clone()].into_iter().chain(others)
}

#[test]
fn mended_bugs_stay_mended_and_their_runs_still_come_near_them() {
    for (path, bug) in base().iter().filter(|(_, bug)| bug.is_mended) {
        let mut totals = Totals::default();
        for scenario in scenarios(bug) {
            let outcome = scenario.run(None);
            if let Some(found) = outcome.found {
                panic!(
                    "{}: archipel sim {scenario} finds {}: {}",
                    path.display(),
                    found.kind,
                    found.what
                );
            }
            totals.add(&outcome);
        }
        let unmet = bug
            .unmet(&totals.exercised())
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert!(unmet.is_empty(), "{}: no run has any {}", path.display(), unmet.join(", "));
    }
}

#[test]
fn open_bugs_are_still_found() {
    // What never ends would not end here either.
    let is_run = |bug: &Bug| !bug.is_mended && bug.found.kind != Kind::Endless;
    for (path, bug) in base().iter().filter(|(_, bug)| is_run(bug)) {
        let found = bug.scenario.run(None).found;
        let is_same = found.as_ref().is_some_and(|found| found.is_like(&bug.found));
        assert!(is_same, "{}: found {found:?}; if it is mended, say so there", path.display());
    }
}

#[test]
fn every_file_has_a_number_of_its_own() {
    let names = base().into_iter().map(|(path, _)| path);
    let numbers: Vec<String> = names
        .filter_map(|path| Some(path.file_name()?.to_str()?.split('_').next()?.to_owned()))
        .collect();
    let expected: Vec<String> = (1..=numbers.len()).map(|number| format!("{number:04}")).collect();
    assert_eq!(numbers, expected);
}
