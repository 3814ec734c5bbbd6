//! The bytes of messages: term u64, kind u8, then the fields in order. Kinds are never reused.

use kernel::{
    Bytes, EntryId, Incarnation, Index, Malformed, Reader, Refusal, Term, Ticket, Wire, Writer,
};

use crate::{
    message::{AppendOutcome, Body, ForwardOutcome, Message, Proposal},
    request::Request,
};

impl Wire for Message {
    fn encode(&self, writer: &mut Writer) {
        self.term.encode(writer);
        self.body.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { term: Term::decode(reader)?, body: Body::decode(reader)? })
    }
}

impl Wire for Body {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(self.kind());
        match self {
            Self::PreVote { last } => last.encode(writer),
            Self::PreVoteReply { asked_by, asked_in, granted } => {
                asked_by.encode(writer);
                asked_in.encode(writer);
                put_flag(writer, *granted);
            }
            Self::Vote { last, transfer } => {
                last.encode(writer);
                put_flag(writer, *transfer);
            }
            Self::VoteReply { asked_by, granted } => {
                asked_by.encode(writer);
                put_flag(writer, *granted);
            }
            Self::Append { previous, entries, commit } => {
                previous.encode(writer);
                commit.encode(writer);
                writer.put_list(entries);
            }
            Self::AppendReply { asked_by, outcome } => {
                asked_by.encode(writer);
                outcome.encode(writer);
            }
            Self::Heartbeat { commit, round } => {
                commit.encode(writer);
                writer.put_u64(*round);
            }
            Self::HeartbeatReply { asked_by, round, received, matched } => {
                asked_by.encode(writer);
                writer.put_u64(*round);
                received.encode(writer);
                matched.encode(writer);
            }
            Self::Commit { commit } => commit.encode(writer),
            Self::TimeoutNow => {}
            Self::Forward { to, number, proposals } => {
                to.encode(writer);
                writer.put_u64(*number);
                writer.put_list(proposals);
            }
            Self::ForwardReply { asked_by, ticket, outcome } => {
                asked_by.encode(writer);
                ticket.encode(writer);
                outcome.encode(writer);
            }
            Self::ReadIndex { number } => writer.put_u64(*number),
            Self::ReadIndexReply { asked_by, number, index } => {
                asked_by.encode(writer);
                writer.put_u64(*number);
                index.encode(writer);
            }
            Self::Lost { acknowledged } => acknowledged.encode(writer),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::PreVote { last: EntryId::decode(reader)? },
            2 => Self::PreVoteReply {
                asked_by: Incarnation::decode(reader)?,
                asked_in: Term::decode(reader)?,
                granted: take_flag(reader)?,
            },
            3 => Self::Vote { last: EntryId::decode(reader)?, transfer: take_flag(reader)? },
            4 => Self::VoteReply {
                asked_by: Incarnation::decode(reader)?,
                granted: take_flag(reader)?,
            },
            5 => {
                let previous = EntryId::decode(reader)?;
                let commit = Index::decode(reader)?;
                Self::Append { previous, entries: reader.take_list()?, commit }
            }
            6 => Self::AppendReply {
                asked_by: Incarnation::decode(reader)?,
                outcome: AppendOutcome::decode(reader)?,
            },
            7 => Self::Heartbeat { commit: Index::decode(reader)?, round: reader.take_u64()? },
            8 => Self::HeartbeatReply {
                asked_by: Incarnation::decode(reader)?,
                round: reader.take_u64()?,
                received: Index::decode(reader)?,
                matched: Index::decode(reader)?,
            },
            9 => Self::Commit { commit: Index::decode(reader)? },
            10 => Self::TimeoutNow,
            11 => Self::Forward {
                to: Incarnation::decode(reader)?,
                number: reader.take_u64()?,
                proposals: reader.take_list()?,
            },
            12 => Self::ForwardReply {
                asked_by: Incarnation::decode(reader)?,
                ticket: Ticket::decode(reader)?,
                outcome: ForwardOutcome::decode(reader)?,
            },
            13 => Self::ReadIndex { number: reader.take_u64()? },
            14 => Self::ReadIndexReply {
                asked_by: Incarnation::decode(reader)?,
                number: reader.take_u64()?,
                index: Index::decode(reader)?,
            },
            15 => Self::Lost { acknowledged: Index::decode(reader)? },
            _ => return Err(Malformed("a message kind from 1 to 15")),
        })
    }
}

impl Body {
    const fn kind(&self) -> u8 {
        match self {
            Self::PreVote { .. } => 1,
            Self::PreVoteReply { .. } => 2,
            Self::Vote { .. } => 3,
            Self::VoteReply { .. } => 4,
            Self::Append { .. } => 5,
            Self::AppendReply { .. } => 6,
            Self::Heartbeat { .. } => 7,
            Self::HeartbeatReply { .. } => 8,
            Self::Commit { .. } => 9,
            Self::TimeoutNow => 10,
            Self::Forward { .. } => 11,
            Self::ForwardReply { .. } => 12,
            Self::ReadIndex { .. } => 13,
            Self::ReadIndexReply { .. } => 14,
            Self::Lost { .. } => 15,
        }
    }
}

impl Wire for AppendOutcome {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Accepted { matched } => {
                writer.put_u8(1);
                matched.encode(writer);
            }
            Self::Rejected { previous, hint, last } => {
                writer.put_u8(2);
                previous.encode(writer);
                hint.encode(writer);
                last.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Accepted { matched: Index::decode(reader)? },
            2 => Self::Rejected {
                previous: Index::decode(reader)?,
                hint: EntryId::decode(reader)?,
                last: Index::decode(reader)?,
            },
            _ => return Err(Malformed("an append outcome, 1 or 2")),
        })
    }
}

impl Wire for Proposal {
    fn encode(&self, writer: &mut Writer) {
        self.ticket.encode(writer);
        writer.put_u64(self.wall_ms);
        self.request.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let ticket = Ticket::decode(reader)?;
        let wall_ms = reader.take_u64()?;
        Ok(Self { ticket, request: Request::decode(reader)?, wall_ms })
    }
}

impl Wire for ForwardOutcome {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Done(answer) => {
                writer.put_u8(1);
                writer.put_bytes(answer);
            }
            Self::Refused(refusal) => {
                writer.put_u8(2);
                refusal.encode(writer);
            }
            Self::Unknown => writer.put_u8(3),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => {
                let answer: Bytes = reader.take_bytes()?;
                Self::Done(answer)
            }
            2 => Self::Refused(Refusal::decode(reader)?),
            3 => Self::Unknown,
            _ => return Err(Malformed("a forward outcome from 1 to 3")),
        })
    }
}

fn put_flag(writer: &mut Writer, flag: bool) {
    writer.put_u8(u8::from(flag));
}

fn take_flag(reader: &mut Reader) -> Result<bool, Malformed> {
    match reader.take_u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("a flag, 0 or 1")),
    }
}
