//! A node's data folder in the hands of somebody who means no good.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Copies a folder and what is in it.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The segment of this number in a data folder.
pub(super) fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join("log").join(format!("{number:016x}.log"))
}

/// The file of a folder that holds `text`, and where.
fn find_in(folder: &Path, text: &str) -> (PathBuf, u64) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let found = files.into_iter().find_map(|path| {
        let bytes = fs::read(&path).unwrap();
        let mut windows = bytes.windows(text.len());
        let place = windows.position(|window| window == text.as_bytes())?;
        Some((path, place as u64))
    });
    found.unwrap_or_else(|| panic!("{text:?} is in no file of {}", folder.display()))
}

/// Flips one bit of the place where `text` stands in the log.
pub(super) fn flip_a_bit_at(folder: &Path, text: &str) {
    flip_a_bit_in(&folder.join("log"), text);
}

/// Flips one bit of the place where `text` stands in a file of this folder.
pub(super) fn flip_a_bit_in(folder: &Path, text: &str) {
    let (path, place) = find_in(folder, text);
    overwrite(&path, place, &[text.as_bytes()[0] ^ 1]);
}

/// Writes `bytes` over what is there.
pub(super) fn overwrite(path: &Path, place: u64, bytes: &[u8]) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(place)).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
}

/// Takes `bytes` off the end of a file.
pub(super) fn cut(path: &Path, bytes: u64) {
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
}
