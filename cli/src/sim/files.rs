//! The files about a finding: its trace.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use worlds::{Outcome as Ran, Scenario, trace::Text};

use crate::exit::{Failure, Outcome};

/// Runs the scenario again and writes down what happens. The paths of what was written.
pub(super) fn write(folder: &Path, scenario: &Scenario, ran: &Ran) -> Outcome<Vec<PathBuf>> {
    let unwritable = |path: &Path, error: std::io::Error| {
        Failure::usage(format!(
            "{} cannot be written: {error}. Name another folder with --out.",
            path.display()
        ))
    };
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    let name = format!("seed-{}-{:016x}", scenario.seed, ran.hash);
    let trace = folder.join(format!("{name}.trace"));
    let file = File::create(&trace).map_err(|error| unwritable(&trace, error))?;
    let _ = scenario.run(Some(Box::new(Text::new(Box::new(ToFile(BufWriter::new(file)))))));
    Ok(vec![trace])
}

struct ToFile(BufWriter<File>);

impl std::fmt::Write for ToFile {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| std::fmt::Error)
    }
}
