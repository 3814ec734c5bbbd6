//! The file of a node's last inputs.
//!
//! ```text
//! magic      8 bytes   "archRply"
//! format     u32       1
//! version    length u32, text     of the program that wrote it
//! checksum   u32       CRC-32C of all that follows
//! node       u64 | incarnation u64
//! broken     length u32, text     what the node said when it stopped
//! before     u64       inputs of this life that came before the image
//! count      u64       inputs that follow
//! image      length u32, bytes    the node as it was before them
//! inputs     each: now u64 (nanoseconds since the node started) | input
//! ```
//! It is written and read by one build: unlike all other files of the folder it has no golden bytes,
//! and another version of the program refuses it.

use std::{fs, path::Path};

use kernel::{
    Bytes, Image, Input, Instant, Malformed, Node, Peer, Reader, Wire, Writer,
    checksum::{crc32c, crc32c_of},
};

use super::error::LastInputsError;

const MAGIC: &[u8; 8] = b"archRply";
const FORMAT: u32 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a file says: a node as it was, and all that it was given until it stopped.
#[derive(Debug)]
pub struct LastInputs<N: Node> {
    /// The node and its life.
    pub me: Peer,
    /// What it said when it stopped.
    pub broken: String,
    /// How many inputs it had been given before the first of these.
    pub before: u64,
    /// The node as it was then.
    pub node: N,
    /// What it was given, and when.
    pub inputs: Vec<(Instant, InputOf<N>)>,
}

/// What a node is given.
type InputOf<N> = Input<<N as Node>::Message, <N as Node>::Request>;

/// What goes into a file.
pub(super) struct Kept<'a> {
    pub(super) me: Peer,
    pub(super) broken: &'a str,
    pub(super) before: u64,
    pub(super) count: u64,
    pub(super) image: Bytes,
    pub(super) inputs: [&'a [u8]; 2],
}

/// Appends one input, given at `now`.
pub(super) fn put_input<Message: Wire, Request: Wire>(
    now: Instant,
    input: &Input<Message, Request>,
    writer: &mut Writer,
) {
    writer.put_u64(now.0);
    input.encode(writer);
}

/// The bytes of a file.
pub(super) fn encode(kept: &Kept<'_>) -> Bytes {
    let mut body = Writer::default();
    kept.me.encode(&mut body);
    body.put_bytes(kept.broken.as_bytes());
    body.put_u64(kept.before);
    body.put_u64(kept.count);
    body.put_bytes(&kept.image);
    let [older, newer] = kept.inputs;
    let mut file = Writer::with_capacity(64 + body.len() + older.len() + newer.len());
    file.put_raw(MAGIC);
    file.put_u32(FORMAT);
    file.put_bytes(VERSION.as_bytes());
    file.put_u32(crc32c_of(&[body.as_slice(), older, newer]));
    for part in [body.as_slice(), older, newer] {
        file.put_raw(part);
    }
    file.into_bytes()
}

impl<N: Node<Request: Wire> + Image> LastInputs<N> {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`LastInputsError`] says why the file is of no use, and what to do.
    pub fn read(path: &Path) -> Result<Self, LastInputsError> {
        Self::decode(fs::read(path).map_err(LastInputsError::Reading)?.into())
    }

    fn decode(bytes: Bytes) -> Result<Self, LastInputsError> {
        let mut reader = Reader::new(bytes);
        let version = head(&mut reader)?.ok_or(LastInputsError::OtherFile)?;
        if version != VERSION {
            return Err(LastInputsError::OtherVersion { wrote: version, reads: VERSION });
        }
        let body = body(&mut reader).ok_or(LastInputsError::Damaged)?;
        // What the checksum covers is as it was written: only another build can have meant it otherwise.
        Self::decode_body(body).map_err(LastInputsError::OtherBuild)
    }

    fn decode_body(mut reader: Reader) -> Result<Self, Malformed> {
        let me = Peer::decode(&mut reader)?;
        let broken = reader.take_string()?;
        let before = reader.take_u64()?;
        let count = reader.take_u64()?;
        let node = N::from_image(reader.take_bytes()?)?;
        let mut inputs = Vec::new();
        for _ in 0..count {
            let now = Instant(reader.take_u64()?);
            inputs.push((now, Input::decode(&mut reader)?));
        }
        reader.finish()?;
        Ok(Self { me, broken, before, node, inputs })
    }
}

/// The version of the program that wrote the file; nothing if it is no such file.
fn head(reader: &mut Reader) -> Result<Option<String>, LastInputsError> {
    let is_ours = reader.take(MAGIC.len(), "the magic").is_ok_and(|magic| magic == MAGIC[..]);
    let Some(format) = reader.take_u32().ok().filter(|_| is_ours) else {
        return Ok(None);
    };
    let version = reader.take_string().map_err(|_| LastInputsError::Damaged)?;
    if format != FORMAT {
        return Err(LastInputsError::OtherVersion { wrote: version, reads: VERSION });
    }
    Ok(Some(version))
}

/// What follows the checksum, if that matches.
fn body(reader: &mut Reader) -> Option<Reader> {
    let checksum = reader.take_u32().ok()?;
    let body = reader.take_rest();
    (crc32c(&body) == checksum).then(|| Reader::new(body))
}
