//! The bug base: what is found is kept as a file, once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use worlds::{Bug, Found, Scenario};

use crate::exit::{Failure, Outcome};

/// Keeps a finding in the base, unless an open bug there is alike. The path of the new file.
pub(super) fn file(base: &Path, scenario: &Scenario, found: &Found) -> Outcome<Option<PathBuf>> {
    let unusable = |error: std::io::Error| {
        Failure::usage(format!("The bug base {} cannot be used: {error}.", base.display()))
    };
    fs::create_dir_all(base).map_err(unusable)?;
    let mut last = 0;
    for entry in fs::read_dir(base).map_err(unusable)? {
        let path = entry.map_err(unusable)?.path();
        let Some(number) = number(&path) else {
            continue;
        };
        last = last.max(number);
        let text = fs::read_to_string(&path).map_err(unusable)?;
        if Bug::read(&text).is_ok_and(|bug| !bug.is_mended && bug.found.is_like(found)) {
            return Ok(None);
        }
    }
    let bug = Bug {
        about: "Nobody has looked at it yet.".to_owned(),
        scenario: scenario.clone(),
        found: Found { kind: found.kind, what: found.words().to_owned() },
        found_in: commit(base),
        is_mended: false,
        needs: Vec::new(),
    };
    let path = base.join(format!("{:04}_{}.bug", last + 1, bug.slug()));
    fs::write(&path, bug.to_string()).map_err(unusable)?;
    Ok(Some(path))
}

/// The number in the name of a file of the base.
fn number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?.strip_suffix(".bug")?;
    name.split('_').next()?.parse().ok()
}

/// The commit that the base belongs to, if git knows one.
fn commit(base: &Path) -> String {
    let asked =
        Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(base).output();
    let said = asked.ok().filter(|said| said.status.success());
    said.map_or_else(
        || "unknown".to_owned(),
        |said| String::from_utf8_lossy(&said.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::file;
    use std::fs;
    use worlds::{Bug, Found, Kind, Scenario};

    #[test]
    fn a_finding_is_kept_once() {
        let base = std::env::temp_dir().join(format!("archipel-bugs-{}", std::process::id()));
        let found = |what: &str| Found { kind: Kind::Safety, what: what.to_owned() };
        let keep = |found: &Found| {
            file(&base, &Scenario::of_seed(7), found).expect("the base can be written")
        };
        let path = keep(&found("two lead in term 7\nmore")).expect("it is new");
        assert!(path.ends_with("0001_two_lead_in_term.bug"), "{}", path.display());
        let bug = Bug::read(&fs::read_to_string(&path).unwrap()).expect("it is a file of the base");
        assert_eq!((bug.scenario.seed, bug.is_mended), (7, false));
        assert_eq!(keep(&found("two lead in term 9")), None);
        let other = keep(&found("an entry is lost")).expect("it is new");
        assert!(other.ends_with("0002_an_entry_is_lost.bug"), "{}", other.display());
        fs::remove_dir_all(&base).unwrap();
    }
}
