//! The bytes of commands; the layout stands in `mod.rs`.

use core::ops::RangeInclusive;

use bytes::Bytes;
use kernel::{Incarnation, Malformed, NodeId, Reader, Stamp, Wire, Writer};

use super::{Command, Put, Sleepers, Start, Take};
use crate::{
    numbers::{Number, put_names, take_names},
    task::{Claim, TaskId, put_optional_bytes, take_optional_bytes},
};

/// The kinds that this build knows.
const KINDS: RangeInclusive<u8> = 1..=17;

/// The kind of the command with these bytes, if this build does not know it.
pub(crate) fn unknown_kind(data: &Bytes) -> Option<u8> {
    data.first().copied().filter(|kind| !KINDS.contains(kind))
}

impl Wire for Command {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Put(put) => {
                writer.put_u8(1);
                put.encode(writer);
            }
            Self::Take(take) => {
                writer.put_u8(2);
                take.encode(writer);
            }
            Self::TakeOne { task, lease_ms, holder } => {
                writer.put_u8(3);
                task.encode(writer);
                writer.put_option(lease_ms.map(Number).as_ref());
                writer.put_option(holder.as_ref());
            }
            Self::Complete { task, claim, result } => {
                put_claimed(4, *task, claim, writer);
                writer.put_bytes(result);
            }
            Self::Fail { task, claim, error } => {
                put_claimed(5, *task, claim, writer);
                writer.put_bytes(error);
            }
            Self::Extend { task, claim, lease_ms } => {
                put_claimed(6, *task, claim, writer);
                writer.put_option(lease_ms.map(Number).as_ref());
            }
            Self::Release { task, claim, priority, delay_ms } => {
                put_claimed(7, *task, claim, writer);
                writer.put_option(priority.map(Number).as_ref());
                writer.put_u64(*delay_ms);
            }
            Self::Bury { task, claim, priority, error } => {
                put_claimed(8, *task, claim, writer);
                writer.put_option(priority.map(Number).as_ref());
                writer.put_bytes(error);
            }
            other => encode_unclaimed(other, writer),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let kind = reader.take_u8()?;
        match kind {
            1 => Ok(Self::Put(Put::decode(reader)?)),
            2 => Ok(Self::Take(Take::decode(reader)?)),
            3 => Ok(Self::TakeOne {
                task: TaskId::decode(reader)?,
                lease_ms: take_number(reader)?,
                holder: reader.take_option()?,
            }),
            4..=8 => decode_claimed(kind, reader),
            _ => decode_unclaimed(kind, reader),
        }
    }
}

fn put_claimed(kind: u8, task: TaskId, claim: &Claim, writer: &mut Writer) {
    writer.put_u8(kind);
    task.encode(writer);
    claim.encode(writer);
}

fn decode_claimed(kind: u8, reader: &mut Reader) -> Result<Command, Malformed> {
    let (task, claim) = (TaskId::decode(reader)?, Claim::decode(reader)?);
    Ok(match kind {
        4 => Command::Complete { task, claim, result: reader.take_bytes()? },
        5 => Command::Fail { task, claim, error: reader.take_bytes()? },
        6 => Command::Extend { task, claim, lease_ms: take_number(reader)? },
        7 => {
            let priority = take_number(reader)?;
            Command::Release { task, claim, priority, delay_ms: reader.take_u64()? }
        }
        _ => {
            let priority = take_number(reader)?;
            Command::Bury { task, claim, priority, error: reader.take_bytes()? }
        }
    })
}

/// The commands for which nobody needs to hold a task.
fn encode_unclaimed(command: &Command, writer: &mut Writer) {
    match command {
        Command::Kick { queue, sleepers, count } => {
            writer.put_u8(9);
            writer.put_bytes(queue);
            sleepers.encode(writer);
            writer.put_u32(*count);
        }
        Command::KickOne { task } => {
            writer.put_u8(10);
            task.encode(writer);
        }
        Command::Delete { task, claim } => {
            writer.put_u8(11);
            task.encode(writer);
            writer.put_option(claim.as_ref());
        }
        Command::LetGo { holder } => {
            writer.put_u8(12);
            holder.encode(writer);
        }
        Command::LetGoBefore { node, incarnation } => {
            writer.put_u8(13);
            node.encode(writer);
            incarnation.encode(writer);
        }
        Command::Configure { queue, settings } => {
            writer.put_u8(14);
            writer.put_bytes(queue);
            writer.put_option(settings.as_ref());
        }
        Command::Pause { queue, for_ms } => {
            writer.put_u8(15);
            writer.put_bytes(queue);
            writer.put_option(for_ms.map(Number).as_ref());
        }
        Command::Resume { queue } => {
            writer.put_u8(16);
            writer.put_bytes(queue);
        }
        Command::Purge { queue, count } => {
            writer.put_u8(17);
            writer.put_bytes(queue);
            writer.put_u32(*count);
        }
        other => panic!("a command that needs no claim: {other:?}"),
    }
}

fn decode_unclaimed(kind: u8, reader: &mut Reader) -> Result<Command, Malformed> {
    Ok(match kind {
        9 => Command::Kick {
            queue: reader.take_bytes()?,
            sleepers: Sleepers::decode(reader)?,
            count: reader.take_u32()?,
        },
        10 => Command::KickOne { task: TaskId::decode(reader)? },
        11 => Command::Delete { task: TaskId::decode(reader)?, claim: reader.take_option()? },
        12 => Command::LetGo { holder: Wire::decode(reader)? },
        13 => Command::LetGoBefore {
            node: NodeId::decode(reader)?,
            incarnation: Incarnation::decode(reader)?,
        },
        14 => Command::Configure { queue: reader.take_bytes()?, settings: reader.take_option()? },
        15 => Command::Pause { queue: reader.take_bytes()?, for_ms: take_number(reader)? },
        16 => Command::Resume { queue: reader.take_bytes()? },
        17 => Command::Purge { queue: reader.take_bytes()?, count: reader.take_u32()? },
        _ => return Err(Malformed("a command of kind 1 to 17")),
    })
}

fn take_number<T>(reader: &mut Reader) -> Result<Option<T>, Malformed>
where
    Number<T>: Wire,
{
    Ok(reader.take_option()?.map(|Number(number)| number))
}

impl Wire for Put {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.queue);
        writer.put_bytes(&self.kind);
        put_optional_bytes(self.key.as_ref(), writer);
        writer.put_bytes(&self.payload);
        writer.put_u32(self.priority);
        self.start.encode(writer);
        writer.put_option(self.lease_ms.map(Number).as_ref());
        writer.put_option(self.retry.as_ref());
        writer.put_option(self.live_ms.map(Number).as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            queue: reader.take_bytes()?,
            kind: reader.take_bytes()?,
            key: take_optional_bytes(reader)?,
            payload: reader.take_bytes()?,
            priority: reader.take_u32()?,
            start: Start::decode(reader)?,
            lease_ms: take_number(reader)?,
            retry: reader.take_option()?,
            live_ms: take_number(reader)?,
        })
    }
}

impl Wire for Take {
    fn encode(&self, writer: &mut Writer) {
        put_names(&self.queues, writer);
        put_names(&self.kinds, writer);
        writer.put_u32(self.count);
        writer.put_option(self.lease_ms.map(Number).as_ref());
        writer.put_option(self.holder.as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            queues: take_names(reader)?,
            kinds: take_names(reader)?,
            count: reader.take_u32()?,
            lease_ms: take_number(reader)?,
            holder: reader.take_option()?,
        })
    }
}

impl Wire for Start {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::AtOnce => writer.put_u8(1),
            Self::AfterMs(wait_ms) => {
                writer.put_u8(2);
                writer.put_u64(*wait_ms);
            }
            Self::At(stamp) => {
                writer.put_u8(3);
                stamp.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::AtOnce),
            2 => Ok(Self::AfterMs(reader.take_u64()?)),
            3 => Ok(Self::At(Stamp::decode(reader)?)),
            _ => Err(Malformed("a start of kind 1 to 3")),
        }
    }
}

impl Wire for Sleepers {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(match self {
            Self::Any => 1,
            Self::Buried => 2,
            Self::Delayed => 3,
        });
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Any),
            2 => Ok(Self::Buried),
            3 => Ok(Self::Delayed),
            _ => Err(Malformed("sleepers of kind 1 to 3")),
        }
    }
}
