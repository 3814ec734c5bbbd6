//! Makes a repeated command take effect once: remembers what each client's last commands were answered.
//!
//! ```text
//! table 1   client u128                    the client's state: stamp of its last use, window of serials
//!           client u128 | serial u64       1 and the answer, or 0 if there is none to give again
//! table 2   stamp u64 | client u128        nothing: when to look whether the client may be forgotten
//! ```
//! Numbers in keys are big-endian, so that they sort. The rows are in the tables, so a repeat is a
//! repeat after a restart and after a snapshot too. A client that sends no session has no rows.
//!
//! The promise ends with the session: [`LIFETIME`] of cluster time after its last use a client is
//! forgotten, and a command sent that late takes effect again. A client that may wait that long must
//! take a new id.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use kernel::{
    ClientId, Fault, Malformed, Reader, Reading, Session, Stamp, TableId, Tables, Wire, Writer,
};

/// The state of each client, and its answers.
pub const SESSIONS: TableId = TableId(1);

/// When to look at which client.
pub const EXPIRIES: TableId = TableId(2);

/// How long a client is remembered after its last command that took effect, in cluster time.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many commands of a client are remembered: as many as it may have under way at once.
pub const WINDOW: usize = 32;

/// An answer longer than this, in bytes, is not kept: a repeat still takes effect once, but is told that
/// its answer was forgotten.
pub const ANSWER_BYTES_MAX: usize = 4096;

/// How many clients one entry looks at, at most.
const EXPIRIES_PER_ENTRY: usize = 8;

const VERSION: u8 = 1;

/// Whether a command is a repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// It is not: apply it, then [`Sessions::record`] it with what is known of its client.
    New(Client),
    /// It is, and this was the answer.
    Answer(Bytes),
    /// It is, or it is older than what is remembered: it must not be applied, and there is no answer.
    Forgotten,
}

/// The sessions of one group. All that counts is in the tables.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// The stamp at which the next client is to be looked at.
    next_expiry: Option<Stamp>,
}

/// One client; one that is not known yet has no serials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    used: Stamp,
    /// One above the highest serial that was forgotten; below it nothing is applied.
    floor: u64,
    /// Remembered serials, ascending, none below the floor.
    serials: Vec<u64>,
}

impl Sessions {
    /// Rebuilds the fields from the tables.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read or make no sense.
    pub(crate) fn restored(reading: &Reading) -> Result<Self, Fault> {
        Ok(Self { next_expiry: first_stamp(&reading.scan(EXPIRIES, &[], None, 1)?)? })
    }

    /// Whether `session` is a repeat of a command applied before.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read or make no sense.
    pub(crate) fn recall(session: Session, tables: &Tables) -> Result<Recall, Fault> {
        let Some(client) = read_client(session.client, tables)? else {
            return Ok(Recall::New(Client::default()));
        };
        if session.serial < client.floor {
            return Ok(Recall::Forgotten);
        }
        if client.serials.binary_search(&session.serial).is_err() {
            return Ok(Recall::New(client));
        }
        let row = tables.get(SESSIONS, &answer_key(session))?;
        match row.as_deref().and_then(<[u8]>::first) {
            Some(0) => Ok(Recall::Forgotten),
            Some(1) => Ok(Recall::Answer(row.map(|row| row.slice(1..)).unwrap_or_default())),
            _ => Err(Fault::Corrupt("a remembered serial has no answer row".into())),
        }
    }

    /// Notes that the command of `session` was applied at `now` and got `answer`.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read or make no sense.
    pub(crate) fn record(
        &mut self,
        session: Session,
        mut client: Client,
        (answer, now): (Option<&Bytes>, Stamp),
        tables: &mut Tables,
    ) -> Result<(), Fault> {
        let is_new = client.serials.is_empty();
        assert!(session.serial >= client.floor, "what was forgotten is never applied");
        client.used = now;
        tables.put(SESSIONS, &answer_key(session), &answer_row(answer))?;
        if let Some(evicted) = client.remember(session.serial) {
            tables.delete(SESSIONS, &answer_key(Session { serial: evicted, ..session }))?;
        }
        tables.put(SESSIONS, &client_key(session.client), &client.to_bytes())?;
        if is_new {
            self.look_at(session.client, now.after(LIFETIME), tables)?;
        }
        Ok(())
    }

    /// Forgets clients that were not used for [`LIFETIME`] before `now`; looks at a few and leaves the
    /// others to the entries that follow.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read or make no sense.
    pub(crate) fn expire(&mut self, now: Stamp, tables: &mut Tables) -> Result<(), Fault> {
        if self.next_expiry.is_none_or(|next| now < next) {
            return Ok(());
        }
        let rows = tables.scan(EXPIRIES, &[], None, EXPIRIES_PER_ENTRY)?;
        for (key, _) in &rows {
            let (due, client) = read_expiry(key)?;
            if now < due {
                break;
            }
            tables.delete(EXPIRIES, key)?;
            self.expire_client(client, now, tables)?;
        }
        self.next_expiry = first_stamp(&tables.scan(EXPIRIES, &[], None, 1)?)?;
        Ok(())
    }

    /// Forgets one client, or looks again later if it was used meanwhile.
    fn expire_client(
        &mut self,
        id: ClientId,
        now: Stamp,
        tables: &mut Tables,
    ) -> Result<(), Fault> {
        let client = read_client(id, tables)?
            .ok_or_else(|| Fault::Corrupt("an expiry row names no client".into()))?;
        let due = client.used.after(LIFETIME);
        if now < due {
            return self.look_at(id, due, tables);
        }
        for serial in client.serials {
            tables.delete(SESSIONS, &answer_key(Session { client: id, serial }))?;
        }
        assert!(tables.delete(SESSIONS, &client_key(id))?, "the client was read just now");
        Ok(())
    }

    fn look_at(&mut self, client: ClientId, due: Stamp, tables: &mut Tables) -> Result<(), Fault> {
        let mut key = due.0.to_be_bytes().to_vec();
        key.extend_from_slice(&client.0.to_be_bytes());
        tables.put(EXPIRIES, &key, &[])?;
        self.next_expiry = Some(self.next_expiry.map_or(due, |next| next.min(due)));
        Ok(())
    }
}

impl Client {
    /// Adds a serial; the lowest goes if there are too many.
    fn remember(&mut self, serial: u64) -> Option<u64> {
        if let Err(place) = self.serials.binary_search(&serial) {
            self.serials.insert(place, serial);
        }
        if self.serials.len() <= WINDOW {
            return None;
        }
        let evicted = self.serials.remove(0);
        // The last number of all cannot be below a floor; it is never the lowest of several.
        self.floor = evicted + 1;
        Some(evicted)
    }
}

impl Wire for Client {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(VERSION);
        self.used.encode(writer);
        writer.put_u64(self.floor);
        writer.put_count(self.serials.len());
        for serial in &self.serials {
            writer.put_u64(*serial);
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        if reader.take_u8()? != VERSION {
            return Err(Malformed("a client of version 1"));
        }
        let used = Stamp::decode(reader)?;
        let floor = reader.take_u64()?;
        let count = reader.take_u32()?;
        // The count is not believed: more than a window is malformed, or of another build.
        let mut serials = Vec::with_capacity((count as usize).min(WINDOW));
        for _ in 0..count {
            serials.push(reader.take_u64()?);
        }
        Ok(Self { used, floor, serials })
    }
}

fn read_client(id: ClientId, tables: &Tables) -> Result<Option<Client>, Fault> {
    let Some(row) = tables.get(SESSIONS, &client_key(id))? else {
        return Ok(None);
    };
    match Client::from_bytes(row) {
        Ok(client) => Ok(Some(client)),
        Err(_) => Err(Fault::Corrupt("the row of a client is malformed".into())),
    }
}

fn read_expiry(key: &[u8]) -> Result<(Stamp, ClientId), Fault> {
    let corrupt = || Fault::Corrupt("an expiry row is malformed".into());
    let (stamp, client) = key.split_first_chunk::<8>().ok_or_else(corrupt)?;
    let client = client.try_into().map_err(|_| corrupt())?;
    Ok((Stamp(u64::from_be_bytes(*stamp)), ClientId(u128::from_be_bytes(client))))
}

fn first_stamp(rows: &[(Bytes, Bytes)]) -> Result<Option<Stamp>, Fault> {
    rows.first().map(|(key, _)| Ok(read_expiry(key)?.0)).transpose()
}

const fn client_key(client: ClientId) -> [u8; 16] {
    client.0.to_be_bytes()
}

fn answer_key(session: Session) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&session.client.0.to_be_bytes());
    key[16..].copy_from_slice(&session.serial.to_be_bytes());
    key
}

fn answer_row(answer: Option<&Bytes>) -> Vec<u8> {
    let Some(answer) = answer.filter(|answer| answer.len() <= ANSWER_BYTES_MAX) else {
        return Vec::from([0]);
    };
    let mut row = Vec::with_capacity(1 + answer.len());
    row.push(1);
    row.extend_from_slice(answer);
    row
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use bytes::Bytes;
    use kernel::{ClientId, Session, Stamp, Wire};

    use super::{ANSWER_BYTES_MAX, Client, answer_key, answer_row, read_expiry};

    /// A line here may be added, never changed.
    #[test]
    fn rows_keep_their_bytes() {
        let client = Client { used: Stamp(5), floor: 2, serials: Vec::from([3, 258]) };
        let golden = b"\x01\x05\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\
            \x02\0\0\0\x03\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0";
        assert_eq!(client.to_bytes(), golden[..]);
        assert_eq!(Client::from_bytes(client.to_bytes()), Ok(client));
        let key = answer_key(Session { client: ClientId(1), serial: 2 });
        assert_eq!(key, *b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02");
        // An expiry row begins with a stamp where an answer row ends with a serial.
        let expiry = [&key[16..], &key[..16]].concat();
        assert_eq!(read_expiry(&expiry), Ok((Stamp(2), ClientId(1))));
        assert!(read_expiry(&expiry[1..]).is_err());
    }

    #[test]
    fn an_answer_over_the_limit_is_not_kept() {
        let answer = Bytes::from(Vec::from([7; ANSWER_BYTES_MAX + 1]));
        assert_eq!(answer_row(Some(&answer)), [0]);
        let kept = answer_row(Some(&answer.slice(1..)));
        assert_eq!((kept.len(), kept[0]), (ANSWER_BYTES_MAX + 1, 1));
        assert_eq!(answer_row(None), [0]);
        assert_eq!(answer_row(Some(&Bytes::new())), [1]);
    }
}
