//! Folders for tests, under the build's own folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// An empty folder of this name.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let target = std::env::current_exe().expect("a test has a path");
    let target = target.parent().and_then(Path::parent).expect("a test lies two folders deep");
    let path = target.join("scratch").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the build's folder may be written");
    path
}
