//! [`Client`]: one connection, from its first byte to its last.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::Arc,
};

use bytes::Bytes;
use queue::{
    Answer, Command, Holder, Query,
    protocol::{Decoder, Reply, Request},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::watch,
    time::Instant,
};

use super::{DEFAULT_TUBE, JOB_BYTES_MAX, Server, proposals::Pending};
use crate::{connection::limit_silence, server::stopped};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 16 << 10;

/// How much a client that waits may say meanwhile, in bytes; what is more waits in the network.
const MEANWHILE_BYTES_MAX: usize = 64 << 10;

/// How many requests of a connection are under way at once.
const UNDER_WAY_MAX: usize = 512;

/// Replies are sent when there are so many bytes of them.
const REPLIES_BYTES: usize = 64 << 10;

/// One client.
pub(super) struct Client {
    pub(super) server: Arc<Server>,
    /// As whom it holds jobs.
    pub(super) holder: Holder,
    /// The tube into which it puts.
    pub(super) used: Bytes,
    /// The tubes from which it reserves, in the order in which it named them.
    pub(super) watched: Vec<Bytes>,
    /// The jobs that it holds as far as this node has been told, and when their time is over.
    pub(super) held: BTreeMap<u64, Instant>,
    pub(super) decoder: Decoder,
    /// What has been asked for and not been replied to, in order.
    pub(super) under_way: VecDeque<Pending>,
    pub(super) is_producer: bool,
    pub(super) is_worker: bool,
    /// Changes when it is doubtful what is held.
    pub(super) doubts: watch::Receiver<u64>,
}

/// What a client says next.
enum Heard {
    Something,
    Nothing,
}

impl Client {
    pub(super) fn new(server: Arc<Server>) -> Self {
        let tube = Bytes::from_static(DEFAULT_TUBE);
        let mut totals = server.census.totals();
        totals.connections += 1;
        totals.connections_ever += 1;
        totals.change(&tube, |of_tube| {
            of_tube.using += 1;
            of_tube.watching += 1;
        });
        drop(totals);
        Self {
            holder: server.desk.new_holder(),
            used: tube.clone(),
            watched: vec![tube],
            held: BTreeMap::new(),
            decoder: Decoder::new(JOB_BYTES_MAX),
            under_way: VecDeque::new(),
            is_producer: false,
            is_worker: false,
            doubts: server.desk.doubts(),
            server,
        }
    }

    /// Replies to all that the client asks until it leaves or `stop` becomes true.
    pub(super) async fn converse(
        &mut self,
        stream: TcpStream,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        limit_silence(&stream, self.server.front.limits.client_timeout);
        let (mut input, mut output) = stream.into_split();
        let mut replies = Vec::new();
        loop {
            let stays = self.reply_to_all(&mut input, &mut stop, &mut replies, &mut output).await?;
            output.write_all(&replies).await?;
            replies.clear();
            if !stays {
                return Ok(());
            }
            let heard = tokio::select! {
                () = stopped(&mut stop) => return Ok(()),
                heard = listen(&mut self.decoder, &mut input) => heard?,
            };
            if matches!(heard, Heard::Nothing) {
                return Ok(());
            }
        }
    }

    /// Replies to all that has arrived. False if the client leaves, or the node stops.
    async fn reply_to_all(
        &mut self,
        input: &mut OwnedReadHalf,
        stop: &mut watch::Receiver<bool>,
        replies: &mut Vec<u8>,
        output: &mut (impl AsyncWriteExt + Unpin),
    ) -> io::Result<bool> {
        while let Some(request) = self.decoder.next_request() {
            let alone = match request {
                Ok(request) => self.begin(request).await,
                Err(mistake) => {
                    self.note_mistake(mistake);
                    self.under_way.push_back(Pending::Said(Reply::Mistake(mistake)));
                    None
                }
            };
            if alone.is_some() || self.under_way.len() >= UNDER_WAY_MAX {
                self.end_all(replies).await;
            }
            if let Some(request) = alone {
                if request == Request::Quit {
                    return Ok(false);
                }
                // What was replied must be heard before something is waited for.
                if matches!(request, Request::Reserve { .. }) || replies.len() > REPLIES_BYTES {
                    output.write_all(replies).await?;
                    replies.clear();
                }
                let Some(reply) = self.answer_alone(request, input, stop).await else {
                    return Ok(false);
                };
                reply.encode(replies);
            }
        }
        self.end_all(replies).await;
        Ok(true)
    }

    /// The reply to a request before which all others must have ended; nothing if the client leaves.
    async fn answer_alone(
        &mut self,
        request: Request,
        input: &mut OwnedReadHalf,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Reply> {
        if let Request::Reserve { wait_s } = request {
            let mut reserving = Box::pin(async move { self.reserve(wait_s, input).await });
            return tokio::select! {
                reply = &mut reserving => reply,
                () = stopped(stop) => None,
            };
        }
        let reply = match request {
            Request::ReserveJob(job) => self.reserve_job(job).await,
            Request::Kick(count) => self.kick(count).await,
            Request::PauseTube { tube, pause_s } => self.pause(tube, pause_s).await,
            other => self.look(other).await,
        };
        Some(reply.unwrap_or_else(|reply| reply))
    }

    /// The connection has ended: what it holds is let go.
    pub(super) async fn leave(mut self) {
        // Takes and releases that are under way must end before.
        self.end_all(&mut Vec::new()).await;
        let holder = self.holder;
        if !self.held.is_empty() || self.is_worker && self.holds_something().await {
            self.server.desk.insist(&Command::LetGo { holder }).await;
        }
        // Whoever is not counted any more holds nothing.
        self.leave_census();
    }

    /// True unless it is known that nothing is held.
    async fn holds_something(&self) -> bool {
        let Ok(reading) = self.server.desk.own_reading().await else {
            return true;
        };
        match (Query::Held { holder: self.holder }).answer(&reading) {
            Ok(Answer::Held { tasks, .. }) => !tasks.is_empty(),
            _ => true,
        }
    }

    fn leave_census(&self) {
        let mut totals = self.server.census.totals();
        totals.connections -= 1;
        totals.producers -= u64::from(self.is_producer);
        totals.workers -= u64::from(self.is_worker);
        totals.change(&self.used, |of_tube| of_tube.using -= 1);
        for tube in &self.watched {
            totals.change(tube, |of_tube| of_tube.watching -= 1);
        }
    }
}

/// Hears whether a client that waits is still there, and what it says meanwhile.
pub(super) async fn hear(decoder: &mut Decoder, input: &mut OwnedReadHalf) -> bool {
    if decoder.received.len() > MEANWHILE_BYTES_MAX {
        return std::future::pending().await;
    }
    matches!(listen(decoder, input).await, Ok(Heard::Something))
}

async fn listen(decoder: &mut Decoder, input: &mut OwnedReadHalf) -> io::Result<Heard> {
    let wanted = decoder.missing().clamp(READ_BYTES, MEANWHILE_BYTES_MAX);
    decoder.received.reserve(wanted);
    let count = input.read_buf(&mut decoder.received).await?;
    Ok(if count > 0 { Heard::Something } else { Heard::Nothing })
}
