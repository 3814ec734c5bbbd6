//! What a data folder holds at the start: its log is read back, its tables are opened.

use std::{fs::File, io::Read, sync::Arc};

use bytes::Bytes;
use kernel::{
    Entry, EntryId, Fault, Generation, HardState, Incarnation, Index, Membership, Stamp, Tables,
    TablesMeta, Term,
};
use log::{
    DiskOperation, Founding, Identity, Log, Recovered, Recovery, RecoveryError, SegmentNumber,
    Trust,
};
use replica::check_fit;

use crate::{
    GROUP,
    base::{self, GenerationFile},
    config::{Begin, HostConfig},
    disk::{Disk, room},
    folder::{Folder, Layout},
    start_error::StartError,
};

/// What a data folder holds.
pub(crate) struct Contents {
    pub(crate) log: Log,
    pub(crate) disk: Disk,
    pub(crate) incarnation: Incarnation,
    pub(crate) hard: HardState,
    pub(crate) base: EntryId,
    pub(crate) base_stamp: Stamp,
    pub(crate) membership: Membership,
    pub(crate) entries: Vec<Entry>,
    pub(crate) uncertain_until: Option<EntryId>,
    pub(crate) generation: Generation,
    pub(crate) tables: Arc<GenerationFile>,
    pub(crate) tables_meta: TablesMeta,
}

/// Reads back what the folder holds, or makes it if it is new, and begins a new life, durably.
pub(crate) fn open(config: &HostConfig, folder: &mut Folder) -> Result<Contents, StartError> {
    let contents =
        if folder.is_complete() { reopen(config, folder)? } else { make(config, folder)? };
    folder.begin_life(contents.incarnation)?;
    Ok(contents)
}

fn identity(folder: &Folder) -> Identity {
    let identity = folder.identity();
    Identity { cluster: identity.cluster, node: identity.node, disk: identity.disk }
}

fn limits(config: &HostConfig) -> log::Limits {
    let batch_bytes_max =
        log::Limits::default().batch_bytes_max.min(config.limits.segment_bytes / 4);
    log::Limits { segment_bytes: config.limits.segment_bytes, batch_bytes_max }
}

fn make(config: &HostConfig, folder: &Folder) -> Result<Contents, StartError> {
    let membership = match &config.begin {
        Begin::Bootstrap { membership, .. } => membership.clone(),
        Begin::Resume | Begin::Join { .. } => Membership::default(),
    };
    let (log, operations) =
        Log::create(identity(folder), limits(config), GROUP, membership.clone());
    let disk = carry_out(&folder.layout, &operations)?;
    let tables_meta =
        TablesMeta { membership: Arc::new(membership.clone()), ..TablesMeta::default() };
    let generation = Generation::default();
    let path = folder.layout.generation(generation);
    let tables = base::create(&path, config.limits.tables_cache_bytes, &tables_meta)
        .map_err(|fault| tables_error(fault, &folder.layout))?;
    Ok(Contents {
        incarnation: log.incarnation(),
        log,
        disk,
        hard: HardState::default(),
        base: EntryId::default(),
        base_stamp: Stamp::default(),
        membership,
        entries: Vec::new(),
        uncertain_until: None,
        generation,
        tables,
        tables_meta,
    })
}

/// The tables of a first member while they are filled.
#[derive(Debug)]
pub struct FirstTables {
    file: Arc<GenerationFile>,
    tables: Tables,
    flush_bytes: u64,
}

impl FirstTables {
    /// The tables, to write some more: a few rows at a time, since what waits in memory is only looked at here.
    ///
    /// # Errors
    /// A [`Fault`] if what waits cannot be written.
    pub fn tables(&mut self) -> Result<&mut Tables, Fault> {
        if self.tables.active_bytes() > self.flush_bytes {
            self.flush()?;
        }
        Ok(&mut self.tables)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.file.commit(&self.tables.freeze())?;
        self.tables.flushed(self.file.moment()?);
        Ok(())
    }
}

/// Makes what the folder of a first member holds whose tables are not empty: they stand for an entry that
/// nobody has, so that whoever joins later gets them as a snapshot.
pub(crate) fn found(
    config: &HostConfig,
    folder: &Folder,
    fill: &mut dyn FnMut(&mut FirstTables) -> Result<(), Fault>,
) -> Result<Incarnation, StartError> {
    const BASE: EntryId = EntryId { term: Term(1), index: Index(1) };
    let Begin::Bootstrap { membership, .. } = &config.begin else {
        panic!("only a first member begins with data");
    };
    let layout = &folder.layout;
    let meta = TablesMeta { membership: Arc::new(membership.clone()), ..TablesMeta::default() };
    let founding = Founding {
        hard: HardState { term: BASE.term, vote: None, commit: BASE.index },
        base: BASE,
        membership: membership.clone(),
        ..Founding::default()
    };
    let path = layout.generation(founding.generation);
    let mut fill_all = || {
        let file = base::create(&path, config.limits.tables_cache_bytes, &meta)?;
        let tables = Tables::new(file.moment()?, meta.clone());
        let mut first = FirstTables { file, tables, flush_bytes: config.limits.flush_bytes };
        fill(&mut first)?;
        first.tables.advance(BASE, Stamp::default());
        first.flush()
    };
    fill_all().map_err(|fault| tables_error(fault, layout))?;
    let (log, operations) = Log::create_from(identity(folder), limits(config), GROUP, founding);
    carry_out(layout, &operations)?;
    Ok(log.incarnation())
}

fn reopen(config: &HostConfig, folder: &Folder) -> Result<Contents, StartError> {
    let layout = &folder.layout;
    let recovered = read_log(config, folder)?;
    check_life(folder, &recovered)?;
    let (tables, tables_meta) = open_tables(config, layout, &recovered)?;
    let disk = carry_out(layout, &recovered.start)?;
    let uncertain_until = match recovered.trust {
        Trust::Whole => None,
        Trust::Torn { batch, from } => {
            config.notify.say(&format!(
                "The log ended in a write that was never finished (batch {batch}, from index {from}). \
                 It was cut; nothing that was acknowledged is lost."
            ));
            None
        }
        Trust::Uncertain { from, until } => {
            config.notify.say(&format!(
                "The end of the log is damaged from index {from} on. \
                 This node does not vote until the others have brought it up to index {}.",
                until.index
            ));
            Some(until)
        }
    };
    Ok(Contents {
        log: recovered.log,
        disk,
        incarnation: recovered.incarnation,
        hard: recovered.hard,
        base: recovered.base,
        base_stamp: recovered.base_stamp,
        membership: recovered.membership,
        entries: recovered.entries,
        uncertain_until,
        generation: recovered.generation,
        tables,
        tables_meta,
    })
}

/// Reads the segments one after the other; memory holds one of them at a time.
fn read_log(config: &HostConfig, folder: &Folder) -> Result<Recovered, StartError> {
    let layout = &folder.layout;
    let segments = layout.segments()?;
    let error = |error| log_error(error, layout);
    let mut recovery = Recovery::new(identity(folder), limits(config), &segments).map_err(error)?;
    while let Some(segment) = recovery.wanted() {
        let bytes = read_segment(layout, segment)?;
        recovery.feed(segment, bytes).map_err(error)?;
    }
    recovery.finish().map_err(error)
}

fn read_segment(layout: &Layout, segment: SegmentNumber) -> Result<Bytes, StartError> {
    let path = layout.segment(segment);
    let mut bytes = Vec::new();
    let result = File::open(&path).and_then(|mut file| {
        // After a failed write the cache of the system may hold what the disk does not.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        file.read_to_end(&mut bytes)
    });
    result.map_err(|error| StartError::reading(path, error))?;
    Ok(Bytes::from(bytes))
}

/// A log that does not know of the last life of its own node has lost its end, whatever it says.
fn check_life(folder: &Folder, recovered: &Recovered) -> Result<(), StartError> {
    let known = folder.identity().incarnation;
    if recovered.incarnation > known {
        return Ok(());
    }
    Err(StartError::DamagedLog {
        folder: folder.layout.log(),
        what: format!(
            "it ends before life {known} of the node began; was it restored from a copy?"
        ),
    })
}

/// Opens the generation that the log names and removes all others: they were being received, or were
/// about to go.
fn open_tables(
    config: &HostConfig,
    layout: &Layout,
    recovered: &Recovered,
) -> Result<(Arc<GenerationFile>, TablesMeta), StartError> {
    let current = recovered.generation;
    let path = layout.generation(current);
    let damaged = |what: String| StartError::DamagedFolder { path: path.clone(), what };
    if !path.exists() {
        let aside = base::aside(&path);
        return Err(damaged(match aside.exists() {
            true => format!("it was found to be damaged and set aside as {}", aside.display()),
            false => String::from("the file is missing"),
        }));
    }
    let tables = base::open(&path, config.limits.tables_cache_bytes)
        .map_err(|fault| tables_error(fault, layout))?;
    let meta = tables.meta().map_err(|fault| tables_error(fault, layout))?;
    check_fit(recovered, &meta).map_err(|misfit| match misfit.is_of_the_log() {
        true => StartError::DamagedLog { folder: layout.log(), what: misfit.to_string() },
        false => damaged(misfit.to_string()),
    })?;
    for generation in layout.generations()? {
        if generation != current {
            let path = layout.generation(generation);
            std::fs::remove_file(&path).map_err(|error| StartError::writing(path, error))?;
        }
    }
    Ok((tables, meta))
}

fn carry_out(layout: &Layout, operations: &[DiskOperation]) -> Result<Disk, StartError> {
    let mut disk = Disk::new(layout.clone());
    for operation in operations {
        disk.carry_out(operation).map_err(|error| StartError::writing(layout.log(), error))?;
    }
    Ok(disk)
}

fn log_error(error: RecoveryError, layout: &Layout) -> StartError {
    let folder = layout.log();
    match error {
        RecoveryError::MissingSegment { segment } => {
            StartError::MissingSegment { folder, segment: segment.0 }
        }
        RecoveryError::Foreign { segment, .. } | RecoveryError::Misplaced { segment, .. } => {
            StartError::ForeignSegment { folder, segment: segment.0, what: error.to_string() }
        }
        _ => StartError::DamagedLog { folder, what: error.to_string() },
    }
}

/// The engine's errors as errors of the start.
fn tables_error(fault: Fault, layout: &Layout) -> StartError {
    let path = layout.tables();
    let has_no_room = room(&path).is_ok_and(|room| room < 1 << 20);
    match fault {
        Fault::Storage(_) if has_no_room => StartError::DiskFull { path },
        Fault::Storage(what) => StartError::Unwritable { path, error: std::io::Error::other(what) },
        fault => StartError::DamagedFolder { path, what: fault.to_string() },
    }
}
