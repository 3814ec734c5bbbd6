//! Who may name whom: edges between our crates, and the packages from outside.
//!
//! The edges are drawn once, in ARCHITECTURE.md, and must be those of the manifests. A drawn edge must
//! also go down: the layers below cannot be redrawn there.

use std::collections::BTreeSet;

use crate::tidy::{
    finding::Finding,
    manifest::{Crate, Workspace},
    markdown::{quoted, table},
    repository::{Repository, is_core_crate},
};

const MAP: &str = "ARCHITECTURE.md";
/// Packages that the shipped code of core crates may use: small, `no_std`, without a world of their own.
const CORE_PACKAGES: &[&str] = &["bytes", "rpds", "xxhash-rust"];
/// Packages that one core crate alone may use besides: what its protocol is made of.
const CORE_PACKAGES_OF_ONE: &[(&str, &str)] =
    &[("systems/dht", "ed25519-dalek"), ("systems/dht", "sha1")];

/// The breaches in the workspace.
pub(super) fn check(repository: &Repository, workspace: &Workspace) -> Vec<Finding> {
    let map = repository.text(MAP).unwrap_or_default();
    let mut findings = Vec::new();
    for member in &workspace.crates {
        findings.extend(downward(member));
        findings.extend(core_packages(member));
        findings.extend(lints(repository, member));
    }
    findings.extend(drawn_edges(map, workspace));
    findings.extend(explained_packages(map, workspace));
    findings
}

/// How high a crate stands. An edge goes from a higher one to a lower one, so crates of one height
/// never name each other.
fn height(folder: &str) -> u8 {
    match folder {
        "kernel" | "check" | "bbolt" | "etcd" => 0,
        "log" => 1,
        "replica" | "base" => 2,
        "raft" | "sim" | "host" => 3,
        system if system.starts_with("systems/") => 3,
        "serve" | "worlds" => 4,
        "cli" => 5,
        "tests" | "versus" => 6,
        _ => 0,
    }
}

fn downward(member: &Crate) -> Vec<Finding> {
    let ours = member.dependencies.iter().filter(|dependency| dependency.is_ours);
    let upward = ours.filter(|dependency| height(&dependency.name) >= height(&member.folder));
    upward
        .map(|dependency| {
            let message = format!(
                "`{}` must not name `{}`, which does not stand below it: let one above name both",
                member.folder, dependency.name
            );
            Finding::new(&manifest_of(member), 1, message)
        })
        .collect()
}

fn core_packages(member: &Crate) -> Vec<Finding> {
    if !is_core_crate(&member.folder) {
        return Vec::new();
    }
    let shipped = member.dependencies.iter().filter(|line| !line.is_ours && !line.is_for_tests);
    shipped
        .filter(|dependency| !may_use(&member.folder, &dependency.name))
        .map(|dependency| {
            let message = format!(
                "a core crate may not use `{}`: write the little that is needed, or do it in host",
                dependency.name
            );
            Finding::new(&manifest_of(member), 1, message)
        })
        .collect()
}

fn may_use(folder: &str, package: &str) -> bool {
    CORE_PACKAGES.contains(&package) || CORE_PACKAGES_OF_ONE.contains(&(folder, package))
}

/// The workspace's lints, `unsafe_code` among them, hold only for a crate that asks for them.
fn lints(repository: &Repository, member: &Crate) -> Option<Finding> {
    let manifest = repository.text(&manifest_of(member))?;
    let message = "the house lints are off here: add `[lints]` with `workspace = true`";
    (!manifest.contains("[lints]\nworkspace = true"))
        .then(|| Finding::new(&manifest_of(member), 1, message))
}

/// The table of crates in the map against the manifests.
fn drawn_edges(map: &str, workspace: &Workspace) -> Vec<Finding> {
    let Some(rows) = table(map, "crate") else {
        return vec![Finding::new(MAP, 1, "no table of crates: draw who builds on whom")];
    };
    let mut findings = Vec::new();
    for member in &workspace.crates {
        let Some((line, cells)) =
            rows.iter().find(|(_, cells)| quoted(&cells[0]) == [&member.folder])
        else {
            let message = format!("`{}` has no line in the table of crates: add it", member.folder);
            findings.push(Finding::new(MAP, 1, message));
            continue;
        };
        let drawn = |column: usize| -> BTreeSet<&str> {
            cells.get(column).map(|cell| quoted(cell).into_iter().collect()).unwrap_or_default()
        };
        let shipped = edges(member, false);
        let for_tests: BTreeSet<&str> = edges(member, true).difference(&shipped).copied().collect();
        findings.extend(difference(*line, &member.folder, &drawn(1), &shipped));
        findings.extend(difference(*line, &member.folder, &drawn(2), &for_tests));
    }
    findings
}

fn edges(member: &Crate, for_tests: bool) -> BTreeSet<&str> {
    let lines = member.dependencies.iter();
    let chosen = lines.filter(|line| line.is_ours && line.is_for_tests == for_tests);
    chosen.map(|line| line.name.as_str()).collect()
}

fn difference(
    line: usize,
    folder: &str,
    drawn: &BTreeSet<&str>,
    real: &BTreeSet<&str>,
) -> Vec<Finding> {
    let added = real.difference(drawn).map(|name| {
        format!("`{folder}` names `{name}`, and the edge is not drawn: draw it or do without")
    });
    let gone = drawn.difference(real).map(|name| {
        format!(
            "the edge from `{folder}` to `{name}` is drawn, and the manifest has none: rub it out"
        )
    });
    added.chain(gone).map(|message| Finding::new(MAP, line, message)).collect()
}

/// The table of packages from outside against the manifests.
fn explained_packages(map: &str, workspace: &Workspace) -> Vec<Finding> {
    let rows = table(map, "package").unwrap_or_default();
    let lines = workspace.crates.iter().flat_map(|member| &member.dependencies);
    let used: BTreeSet<&str> =
        lines.filter(|line| !line.is_ours).map(|line| line.name.as_str()).collect();
    let mut explained = BTreeSet::new();
    let mut findings = Vec::new();
    for (line, cells) in &rows {
        explained.extend(quoted(&cells[0]));
        if cells.len() < 4 || cells.iter().any(String::is_empty) {
            let message = "four cells: the package, what for, why this one, when to drop it";
            findings.push(Finding::new(MAP, *line, message));
        }
        for name in quoted(&cells[0]).into_iter().filter(|name| !used.contains(name)) {
            findings.push(Finding::new(
                MAP,
                *line,
                format!("nothing uses `{name}`: drop its line"),
            ));
        }
    }
    for name in used.difference(&explained) {
        let message = format!("`{name}` has no line in the table of packages: give its reasons");
        findings.push(Finding::new(MAP, 1, message));
    }
    findings
}

fn manifest_of(member: &Crate) -> String {
    format!("{}/Cargo.toml", member.folder)
}

#[cfg(test)]
mod tests {
    use super::{Crate, Repository, Workspace, check};
    use crate::tidy::{manifest::Dependency, repository::File};

    const MAP: &str = "\
# Map

| crate | builds on | its tests also use |
|---|---|---|
| `kernel` | nothing | nothing |
| `raft` | `kernel` | `check` |

| package | what for | why this one | drop it when |
|---|---|---|---|
| `bytes` | shared bytes | small | never |
";

    fn member(folder: &str, lines: &[(&str, bool, bool)]) -> Crate {
        let read = |&(name, is_ours, is_for_tests): &(&str, bool, bool)| Dependency {
            name: name.to_owned(),
            is_ours,
            is_for_tests,
        };
        Crate {
            package: format!("archipel-{folder}"),
            folder: folder.to_owned(),
            dependencies: lines.iter().map(read).collect(),
        }
    }

    fn messages(map: &str, crates: Vec<Crate>) -> Vec<String> {
        let manifest = |folder: &str| {
            let text = b"[lints]\nworkspace = true\n".to_vec();
            File::new(&format!("{folder}/Cargo.toml"), text)
        };
        let mut files: Vec<File> = crates.iter().map(|member| manifest(&member.folder)).collect();
        files.push(File::new("ARCHITECTURE.md", map.as_bytes().to_vec()));
        let repository = Repository::of_files("", files);
        let findings = check(&repository, &Workspace { crates });
        findings.into_iter().map(|finding| finding.message).collect()
    }

    fn kernel() -> Crate {
        member("kernel", &[("bytes", false, false)])
    }

    fn raft() -> Crate {
        member("raft", &[("kernel", true, false), ("check", true, true)])
    }

    #[test]
    fn a_workspace_that_is_as_drawn_has_no_findings() {
        assert_eq!(messages(MAP, vec![kernel(), raft()]), [""; 0]);
    }

    #[test]
    fn an_edge_that_is_not_drawn_and_one_that_is_not_there_are_found() {
        let raft = member("raft", &[("log", true, false), ("check", true, true)]);
        let found = messages(MAP, vec![kernel(), raft]);
        assert!(found[0].contains("`raft` names `log`, and the edge is not drawn"), "{found:?}");
        assert!(found[1].contains("from `raft` to `kernel` is drawn"), "{found:?}");
    }

    #[test]
    fn a_crate_that_is_not_drawn_is_found() {
        let found = messages(MAP, vec![kernel(), raft(), member("systems/queue", &[])]);
        assert!(found[0].contains("`systems/queue` has no line"), "{found:?}");
    }

    #[test]
    fn an_edge_goes_down_even_if_it_is_drawn() {
        let map = MAP.replace("`kernel` | `check`", "`kernel` `host` | `check`");
        let lines = [("kernel", true, false), ("host", true, false), ("check", true, true)];
        let found = messages(&map, vec![kernel(), member("raft", &lines)]);
        assert!(found[0].contains("`raft` must not name `host`"), "{found:?}");
    }

    #[test]
    fn the_core_uses_what_is_on_its_list_and_its_tests_what_they_like() {
        let map = format!("{MAP}| `rand` | dice | fair | never |\n");
        let found = messages(
            &map,
            vec![member("kernel", &[("bytes", false, false), ("rand", false, false)]), raft()],
        );
        assert!(found[0].contains("a core crate may not use `rand`"), "{found:?}");
        let signing = [("kernel", true, false), ("sha1", false, false)];
        let alone = messages(MAP, vec![kernel(), raft(), member("systems/dht", &signing)]);
        assert!(!alone.iter().any(|message| message.contains("may not use")), "{alone:?}");
        let tests = member("kernel", &[("bytes", false, false), ("rand", false, true)]);
        assert_eq!(messages(&map, vec![tests, raft()]), [""; 0]);
    }

    #[test]
    fn a_package_has_its_reasons_and_only_as_long_as_it_is_used() {
        let found = messages(&MAP.replace("`bytes`", "`other`"), vec![kernel(), raft()]);
        assert!(found[0].contains("nothing uses `other`"), "{found:?}");
        assert!(found[1].contains("`bytes` has no line"), "{found:?}");
        let found = messages(&MAP.replace("| never |", "|"), vec![kernel(), raft()]);
        assert!(found[0].contains("four cells"), "{found:?}");
    }

    #[test]
    fn every_crate_asks_for_the_house_lints() {
        let files = vec![
            File::new("kernel/Cargo.toml", b"[package]\n".to_vec()),
            File::new("ARCHITECTURE.md", MAP.as_bytes().to_vec()),
        ];
        let workspace = Workspace { crates: vec![kernel()] };
        let found = check(&Repository::of_files("", files), &workspace);
        assert!(found[0].message.contains("lints are off"), "{found:?}");
    }
}
