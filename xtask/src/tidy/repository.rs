//! The files of the repository: all that git tracks, and all that it would if asked.

use std::{fs, ops::Range, path::Path, process::Command};

use super::{
    regions::{test_modules, test_regions},
    source::Source,
};

/// Crates whose code is `no_std`: the language itself keeps the world out. Every folder of `systems/`
/// belongs here too.
const CORE_CRATES: &[&str] = &["kernel", "raft", "log", "replica", "bbolt", "check", "sim"];

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Where it stands on this machine.
    pub(crate) root: String,
    /// The files, by path.
    pub(crate) files: Vec<File>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) size: usize,
    /// Its text, if it is UTF-8.
    pub(crate) text: Option<String>,
    /// Its code, if it is Rust.
    pub(crate) rust: Option<Rust>,
}

/// A Rust source and what of it is only compiled for tests.
#[derive(Debug)]
pub(crate) struct Rust {
    /// The lexed source.
    pub(crate) source: Source,
    /// True if nothing in the file is shipped.
    pub(crate) is_test_file: bool,
    test_regions: Vec<Range<usize>>,
}

impl Rust {
    /// True if what stands at `place` is only compiled for tests.
    pub(crate) fn is_test(&self, place: usize) -> bool {
        self.is_test_file || self.test_regions.iter().any(|region| region.contains(&place))
    }

    /// For each line, whether it is code that is shipped; in a test file, whether it is code.
    pub(crate) fn counted_lines(&self) -> Vec<bool> {
        let mut lines = self.source.code_lines();
        if !self.is_test_file {
            for region in &self.test_regions {
                let first = self.source.line_of(region.start);
                let last = self.source.line_of(region.end.max(region.start + 1) - 1);
                lines[first - 1..last].fill(false);
            }
        }
        lines
    }
}

impl File {
    /// A file of the given content.
    pub(crate) fn new(path: &str, bytes: Vec<u8>) -> Self {
        let size = bytes.len();
        let text = String::from_utf8(bytes).ok();
        let is_rust = Path::new(path).extension().is_some_and(|extension| extension == "rs");
        let rust = text.as_deref().filter(|_| is_rust).map(|text| {
            let source = Source::new(text);
            let test_regions = test_regions(&source);
            Rust { source, is_test_file: stands_among_tests(path), test_regions }
        });
        Self { path: path.to_owned(), size, text, rust }
    }

    /// The folder of the crate that the file belongs to; nothing at the root.
    pub(crate) fn crate_folder(&self) -> Option<&str> {
        let depth = if self.path.starts_with("systems/") { 2 } else { 1 };
        let (end, _) = self.path.match_indices('/').nth(depth - 1)?;
        Some(&self.path[..end])
    }

    /// True if the file is a source, not a test, of a core crate.
    pub(crate) fn is_core(&self) -> bool {
        let in_core = self.crate_folder().is_some_and(is_core_crate);
        in_core && self.rust.as_ref().is_some_and(|rust| !rust.is_test_file)
    }

    /// True if the file is a golden one: generated, then read.
    pub(crate) fn is_golden(&self) -> bool {
        let folders = self.path.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|folder| matches!(folder, "scripts" | "golden"))
    }
}

/// True if the crate in `folder` must be `no_std`.
pub(crate) fn is_core_crate(folder: &str) -> bool {
    CORE_CRATES.contains(&folder) || folder.starts_with("systems/")
}

fn stands_among_tests(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| matches!(folder, "tests" | "benches"))
}

impl Repository {
    /// Reads all files that git tracks, and those that it neither tracks nor ignores.
    ///
    /// # Errors
    /// If git cannot be asked or a file cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| {
                format!("tidy asks git for the files, and git did not start: {error}")
            })?;
        if !listed.status.success() {
            let reason = String::from_utf8_lossy(&listed.stderr).into_owned();
            return Err(format!("tidy asks git for the files, and git answered: {reason}"));
        }
        let mut files = Vec::new();
        for path in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            match fs::read(root.join(path)) {
                Ok(bytes) => files.push(File::new(path, bytes)),
                // Deleted, but still in the index.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{path} cannot be read: {error}")),
            }
        }
        Ok(Self::of_files(&root.to_string_lossy(), files))
    }

    /// A repository of these files.
    pub(crate) fn of_files(root: &str, mut files: Vec<File>) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let test_folders: Vec<String> = files.iter().flat_map(test_module_places).collect();
        for file in &mut files {
            let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
            let is_test = test_folders
                .iter()
                .any(|folder| stem == folder || file.path.starts_with(&format!("{folder}/")));
            if let Some(rust) = file.rust.as_mut().filter(|_| is_test) {
                rust.is_test_file = true;
            }
        }
        Self { root: root.to_owned(), files }
    }

    /// The text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }
}

/// Where the test modules that `file` declares stand: paths without `.rs`.
fn test_module_places(file: &File) -> Vec<String> {
    let Some(rust) = &file.rust else {
        return Vec::new();
    };
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    test_modules(&rust.source).into_iter().map(|module| format!("{folder}/{module}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{File, Repository};

    fn file(path: &str, text: &str) -> File {
        File::new(path, text.as_bytes().to_vec())
    }

    #[test]
    fn core_is_what_must_be_no_std_and_its_tests_are_not() {
        assert!(file("systems/kv/src/lib.rs", "").is_core());
        assert!(file("raft/src/node.rs", "").is_core());
        assert!(!file("raft/tests/scripts.rs", "").is_core());
        assert!(!file("host/src/lib.rs", "").is_core());
    }

    #[test]
    fn a_file_that_is_declared_under_cfg_test_is_a_test_file_with_all_below_it() {
        let files = vec![
            file("raft/src/lib.rs", "#[cfg(test)]\nmod script;\nmod node;"),
            file("raft/src/script.rs", ""),
            file("raft/src/script/runner.rs", ""),
            file("raft/src/node.rs", ""),
        ];
        let repository = Repository::of_files("", files);
        let tests: Vec<&str> = repository
            .files
            .iter()
            .filter(|file| file.rust.as_ref().is_some_and(|rust| rust.is_test_file))
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(tests, ["raft/src/script.rs", "raft/src/script/runner.rs"]);
    }

    #[test]
    fn test_modules_are_not_counted_in_a_shipped_file() {
        let shipped =
            file("log/src/lib.rs", "a();\n\n// why\n#[cfg(test)]\nmod tests {\n}\nb();\n");
        let lines = shipped.rust.expect("the path ends in .rs").counted_lines();
        assert_eq!(lines.iter().filter(|counted| **counted).count(), 2);
    }
}
