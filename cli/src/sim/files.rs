//! What is written about a run: its trace as text, and a page that shows it.

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

use sim::{Happening, Witness};
use worlds::{Finished, Outcome as Ran, Scenario, Seen, page::Recorder, trace::Text};

use super::command;
use crate::{
    check::history_file,
    exit::{Failure, Outcome},
};

/// Runs a scenario that found something once more and writes everything about it into `folder`. The
/// paths of what was written.
pub(super) fn write(folder: &Path, scenario: &Scenario, ran: &Ran) -> Outcome<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let name = format!("seed-{}-{:016x}", scenario.seed, ran.hash);
    let trace = folder.join(format!("{name}.trace"));
    let file = File::create(&trace).map_err(|error| unwritable(&trace, &error))?;
    let mut watched = Watched::new(true);
    watched.witnesses.push(text(file));
    let finished = watched.run(scenario);
    let page = folder.join(format!("{name}.html"));
    watched.write_page(&page, &finished)?;
    let seen = write_seen(&folder.join(name), &ran.seen)?;
    Ok(vec![trace, page, seen])
}

/// Writes what clients saw: of the store for `archipel check`, of the queue for people.
fn write_seen(path: &Path, seen: &Seen) -> Outcome<PathBuf> {
    let path = path.with_extension(match seen {
        Seen::Registers(_) => "jsonl",
        Seen::Queues(_) => "history",
    });
    let written = File::create(&path).and_then(|file| {
        let mut out = BufWriter::new(file);
        match seen {
            Seen::Registers(history) => history_file::write(history, out),
            Seen::Queues(history) => write!(out, "{history}").and_then(|()| out.flush()),
        }
    });
    written.map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

/// Writes the trace to `out`.
pub(super) fn text(out: impl Write + 'static) -> Box<dyn Witness> {
    Box::new(Text::to_stream(Box::new(BufWriter::new(out))))
}

/// A run that is watched.
pub(super) struct Watched {
    /// Who watches besides the recorder.
    pub(super) witnesses: Vec<Box<dyn Witness>>,
    recorder: Option<Rc<RefCell<Recorder>>>,
}

impl Watched {
    /// A run of which a page will be made, or not.
    pub(super) fn new(has_page: bool) -> Self {
        Self { witnesses: Vec::new(), recorder: has_page.then(Default::default) }
    }

    /// Runs the scenario. The witnesses are gone afterwards.
    pub(super) fn run(&mut self, scenario: &Scenario) -> Finished {
        let mut witnesses = std::mem::take(&mut self.witnesses);
        if let Some(recorder) = &self.recorder {
            witnesses.push(Box::new(Rc::clone(recorder)));
        }
        let witness = Box::new(Several(witnesses)) as Box<dyn Witness>;
        Finished { scenario: scenario.clone(), outcome: scenario.run(Some(witness)) }
    }

    /// Writes the page of what was run.
    pub(super) fn write_page(&self, path: &Path, ran: &Finished) -> Outcome<()> {
        let Some(recorder) = &self.recorder else {
            return Ok(());
        };
        let title = format!("seed {}", ran.scenario.seed);
        let found = ran.outcome.found.as_ref().map(|found| found.what.as_str());
        let missed = recorder.borrow().missed();
        let recorder = missed.map_or_else(
            || Rc::clone(recorder),
            |until_ns| {
                let again = Rc::new(RefCell::new(Recorder::until(until_ns)));
                let _ = ran.scenario.run(Some(Box::new(Rc::clone(&again))));
                again
            },
        );
        let page = recorder.borrow().page(&title, found, &command(&ran.scenario));
        fs::write(path, page).map_err(|error| unwritable(path, &error))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be written: {error}. Name another place.", path.display()))
}

/// All of them see everything.
struct Several(Vec<Box<dyn Witness>>);

impl Witness for Several {
    fn see(&mut self, at_ns: u64, happening: &Happening) {
        for witness in &mut self.0 {
            witness.see(at_ns, happening);
        }
    }
}
