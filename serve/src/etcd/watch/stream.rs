//! One stream of watches: a client's requests, and what they are answered with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use etcd::{
    etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse, watch_request::RequestUnion},
    mvccpb::{self, event::EventType},
};
use kernel::{Fault, Reading};
use kv::{
    Item, Query,
    events::{compacted, events_since, is_gone, revision},
};
use prost::Message;
use tokio::{sync::mpsc, time::interval_at};
use tonic::{Status, Streaming};

use super::{
    super::{Etcd, messages::key_value, refusal},
    hub::{Change, Delivery, LeftBehind, Seat},
    requests::Wish,
};

/// How much the hub hands to a stream that has not taken it yet.
const DELIVERIES_WAITING_MAX: usize = 256;

/// About how many changes a watch that is behind reads at once.
const EVENTS_AT_ONCE: usize = 512;

/// How often a watch that wants it hears how far it is, if there is nothing else to say.
const PROGRESS_EVERY: Duration = Duration::from_secs(600);

/// How large an answer may be if the client lets it be split, in bytes.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// What is said of a watch that did not come about.
const NO_WATCH: i64 = -1;

/// The client has gone.
struct Gone;

/// A watch of the stream.
struct Watch {
    wish: Wish,
    /// True if something was said of it since it was last due to hear how far it is.
    has_heard: bool,
    /// True if nothing more comes of it; its number stays taken until the client cancels it.
    has_ended: bool,
}

/// One stream of watches.
pub(super) struct Stream {
    etcd: Etcd,
    number: u64,
    answers: mpsc::Sender<Result<WatchResponse, Status>>,
    watches: BTreeMap<i64, Watch>,
    next_number: i64,
    seat: mpsc::Sender<Delivery>,
    deliveries: mpsc::Receiver<Delivery>,
    left_behind: Arc<LeftBehind>,
    /// The client asked how far its watches are, and has not heard: it is told once they have come to this revision,
    /// which this node had when it asked.
    owes_progress: Option<u64>,
    /// The revision last said on this stream.
    said: u64,
}

impl Stream {
    pub(super) fn new(etcd: Etcd, answers: mpsc::Sender<Result<WatchResponse, Status>>) -> Self {
        let (seat, deliveries) = mpsc::channel(DELIVERIES_WAITING_MAX);
        Self {
            number: etcd.watches.number_a_stream(),
            etcd,
            answers,
            watches: BTreeMap::new(),
            next_number: 0,
            seat,
            deliveries,
            left_behind: Arc::default(),
            owes_progress: None,
            said: 0,
        }
    }

    /// Serves the stream until the client is gone.
    pub(super) async fn run(mut self, mut requests: Streaming<WatchRequest>) {
        let start = tokio::time::Instant::now() + PROGRESS_EVERY;
        let mut progress = interval_at(start, PROGRESS_EVERY);
        let mut applied = self.etcd.front.node.applied();
        let mut handed_out = self.etcd.watches.handed_out();
        let left_behind = Arc::clone(&self.left_behind);
        let mut may_ask = true;
        let etcd = self.etcd.clone();
        let leader_lost = etcd.leader_lost();
        tokio::pin!(leader_lost);
        loop {
            let done = tokio::select! {
                request = requests.message(), if may_ask => match request {
                    Ok(Some(request)) => self.on_request(request).await,
                    // Who asks nothing more still watches.
                    Ok(None) => {
                        may_ask = false;
                        Ok(())
                    }
                    Err(_) => Err(Gone),
                },
                Some(delivery) = self.deliveries.recv() => self.deliver(delivery).await,
                () = left_behind.some.notified() => self.catch_up_left_behind().await,
                _ = progress.tick() => self.tell_each_how_far().await,
                changed = applied.changed(), if self.owes_progress.is_some() => changed.map_err(|_| Gone),
                changed = handed_out.changed(), if self.owes_progress.is_some() => changed.map_err(|_| Gone),
                status = leader_lost.as_mut() => Err(self.end(status).await),
                () = self.answers.closed() => Err(Gone),
            };
            if done.is_err() || self.tell_how_far().await.is_err() {
                break;
            }
        }
        for watch in self.watches.keys() {
            self.etcd.watches.leave(self.number, *watch);
        }
    }

    async fn on_request(&mut self, request: WatchRequest) -> Result<(), Gone> {
        match request.request_union {
            Some(RequestUnion::CreateRequest(request)) => self.create(request).await,
            Some(RequestUnion::CancelRequest(request)) => self.cancel(request.watch_id).await,
            Some(RequestUnion::ProgressRequest(_)) => {
                self.owes_progress = Some(self.known(revision(&self.read().await?)).await?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn create(&mut self, request: WatchCreateRequest) -> Result<(), Gone> {
        let reading = self.read().await?;
        let present = self.known(revision(&reading)).await?;
        if is_empty(&request) {
            return self.refuse(present, "mvcc: watcher range is empty").await;
        }
        let (start, wanted_number) = (request.start_revision, request.watch_id);
        let wish = Wish::of(request);
        if let Err(status) = self.etcd.allow(&reading, Query::Watch(wish.interest.keys.clone())) {
            return self.refuse(present, &refusal::as_text(&status)).await;
        }
        let Some(number) = self.free_number(wanted_number) else {
            return self
                .refuse(present, "mvcc: duplicate watch ID provided on the WatchStream")
                .await;
        };
        let from = wish.from.unwrap_or(present + 1);
        self.watches.insert(number, Watch { wish, has_heard: true, has_ended: false });
        self.say(present, WatchResponse { watch_id: number, created: true, ..Default::default() })
            .await?;
        // A store that was never compacted counts, in etcd, as compacted at -1.
        let gone = self.known(compacted(&reading)).await?.map_or(-1, u64::cast_signed);
        if start < gone.min(0) {
            return self.end_compacted(number, gone).await;
        }
        self.catch_up(number, from, reading).await
    }

    /// The number that the client wants for a watch, or the next one that is free.
    fn free_number(&mut self, wanted: i64) -> Option<i64> {
        if wanted != 0 {
            return (!self.watches.contains_key(&wanted)).then_some(wanted);
        }
        while self.watches.contains_key(&self.next_number) {
            self.next_number += 1;
        }
        self.next_number += 1;
        Some(self.next_number - 1)
    }

    async fn refuse(&mut self, present: u64, reason: &str) -> Result<(), Gone> {
        let answer = WatchResponse {
            watch_id: NO_WATCH,
            created: true,
            canceled: true,
            cancel_reason: reason.to_owned(),
            ..Default::default()
        };
        self.say(present, answer).await
    }

    /// Of a watch that is not there nothing is said.
    async fn cancel(&mut self, number: i64) -> Result<(), Gone> {
        // What was handed over before the client knows of the end comes first.
        self.deliver_all().await?;
        if self.watches.remove(&number).is_none() {
            return Ok(());
        }
        self.etcd.watches.leave(self.number, number);
        let present = self.known(revision(&self.read().await?)).await?;
        let answer = WatchResponse { watch_id: number, canceled: true, ..Default::default() };
        self.say(present, answer).await
    }

    /// Reads what a watch has missed, until it is where the hub is.
    async fn catch_up(&mut self, number: i64, from: u64, mut reading: Reading) -> Result<(), Gone> {
        let mut next = from;
        loop {
            let Some(watch) = self.watches.get(&number) else {
                return Ok(());
            };
            let wish = watch.wish.clone();
            let present = self.known(revision(&reading)).await?;
            let hub = Arc::clone(&self.etcd.watches);
            if next > present && hub.join(self.seat_of(number, &wish, next), present).is_ok() {
                return Ok(());
            }
            if next > present {
                reading = self.read().await?;
                continue;
            }
            let gone = self.known(compacted(&reading)).await?.unwrap_or(0);
            if next < gone && (from == next || self.known(is_gone(&reading, next)).await?) {
                return self.end_compacted(number, gone.cast_signed()).await;
            }
            let page = self.known(page(&reading, next, &wish)).await?;
            next = page.next;
            self.deliver(Delivery { watch: number, ..page }).await?;
        }
    }

    fn seat_of(&self, number: i64, wish: &Wish, from: u64) -> Seat {
        Seat {
            interest: wish.interest.clone(),
            from,
            previous: wish.previous,
            stream: self.number,
            watch: number,
            deliveries: self.seat.clone(),
            left_behind: Arc::clone(&self.left_behind),
        }
    }

    /// What the watch wants next has been compacted away. As in etcd, a compaction at 0 ends it without a word of the
    /// end.
    async fn end_compacted(&mut self, number: i64, gone: i64) -> Result<(), Gone> {
        if let Some(watch) = self.watches.get_mut(&number) {
            watch.has_ended = true;
        }
        let answer = WatchResponse {
            watch_id: number,
            canceled: gone != 0,
            compact_revision: gone,
            ..Default::default()
        };
        self.say(self.said, answer).await
    }

    async fn catch_up_left_behind(&mut self) -> Result<(), Gone> {
        // What was handed over comes first.
        self.deliver_all().await?;
        for (number, from) in self.left_behind.take() {
            let reading = self.read().await?;
            self.catch_up(number, from, reading).await?;
        }
        Ok(())
    }

    async fn deliver_all(&mut self) -> Result<(), Gone> {
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.deliver(delivery).await?;
        }
        Ok(())
    }

    async fn deliver(&mut self, delivery: Delivery) -> Result<(), Gone> {
        let number = delivery.watch;
        let Some(watch) = self.watches.get_mut(&number) else {
            return Ok(());
        };
        if delivery.changes.is_empty() {
            return Ok(());
        }
        watch.has_heard = true;
        let (may_split, previous) = (watch.wish.may_split, watch.wish.previous);
        let events = delivery.changes.iter().map(|change| event(change, previous)).collect();
        let pieces = if may_split { split(events) } else { vec![events] };
        let last = pieces.len() - 1;
        for (place, events) in pieces.into_iter().enumerate() {
            let fragment = place < last;
            let answer = WatchResponse { watch_id: number, fragment, events, ..Default::default() };
            self.say(delivery.next - 1, answer).await?;
        }
        Ok(())
    }

    /// Says how far all watches are, if that was asked, once nothing of it is still to come.
    async fn tell_how_far(&mut self) -> Result<(), Gone> {
        let Some(asked_at) = self.owes_progress else {
            return Ok(());
        };
        let Some(reached) = self.reached().await?.filter(|reached| *reached >= asked_at) else {
            return Ok(());
        };
        self.owes_progress = None;
        self.say(reached, WatchResponse { watch_id: NO_WATCH, ..Default::default() }).await
    }

    /// Says to each watch that wants it how far it is.
    async fn tell_each_how_far(&mut self) -> Result<(), Gone> {
        let Some(reached) = self.reached().await? else {
            return Ok(());
        };
        for number in self.watches.keys().copied().collect::<Vec<_>>() {
            let watch = self.watches.get_mut(&number).expect("a watch of the stream");
            let has_heard = std::mem::take(&mut watch.has_heard);
            if watch.wish.wants_progress && !has_heard && !watch.has_ended {
                let answer = WatchResponse { watch_id: number, ..Default::default() };
                self.say(reached, answer).await?;
            }
        }
        Ok(())
    }

    /// The revision up to which all watches of the stream have what they want; nothing if one of them
    /// has not, or more than that has been said already.
    async fn reached(&mut self) -> Result<Option<u64>, Gone> {
        if self.watches.values().all(|watch| watch.has_ended) {
            let reading = self.read().await?;
            return self.known(revision(&reading)).await.map(Some);
        }
        let reached = self.etcd.watches.reached();
        self.deliver_all().await?;
        // Whoever is left behind after this has missed nothing of what was reached before.
        let is_whole = self.left_behind.is_empty();
        Ok(reached.filter(|reached| is_whole && *reached >= self.said))
    }

    /// Sends an answer. What is said of the revision never goes back.
    async fn say(&mut self, revision: u64, answer: WatchResponse) -> Result<(), Gone> {
        self.said = self.said.max(revision);
        let header = self.etcd.header(self.said);
        self.answers.send(Ok(WatchResponse { header, ..answer })).await.map_err(|_| Gone)
    }

    async fn read(&self) -> Result<Reading, Gone> {
        match self.etcd.reading(true).await {
            Ok(reading) => Ok(reading),
            Err(status) => Err(self.end(status).await),
        }
    }

    /// Tells the client why the stream ends.
    async fn end(&self, status: Status) -> Gone {
        let _ = self.answers.send(Err(status)).await;
        Gone
    }

    /// What was read, unless the tables are damaged.
    async fn known<T: Send>(&self, read: Result<T, Fault>) -> Result<T, Gone> {
        match read {
            Ok(known) => Ok(known),
            Err(fault) => Err(self.end(refusal::damaged(&fault)).await),
        }
    }
}

/// True if the range of a watch can have no key.
fn is_empty(request: &WatchCreateRequest) -> bool {
    let end = &request.range_end;
    !matches!(**end, [] | [0]) && request.key >= *end
}

/// A page of what changed that a watch wants.
fn page(reading: &Reading, from: u64, wish: &Wish) -> Result<Delivery, Fault> {
    let page = events_since(reading, from, EVENTS_AT_ONCE)?;
    let mut changes = Vec::new();
    for event in page.events {
        if wish.interest.includes(&event) {
            let previous = if wish.previous { event.previous(reading)? } else { None };
            changes.push(Arc::new(Change { event, previous }));
        }
    }
    Ok(Delivery { watch: NO_WATCH, changes, next: page.next })
}

/// A change, as etcd writes it: of a deletion only the key and the revision.
fn event(change: &Change, previous: bool) -> mvccpb::Event {
    let Change { event, previous: before } = change;
    let kind = if event.is_deletion { EventType::Delete } else { EventType::Put };
    let before: Option<Item> = before.clone().filter(|_| previous);
    mvccpb::Event {
        r#type: kind.into(),
        kv: Some(key_value(event.item.clone())),
        prev_kv: before.map(key_value),
    }
}

/// Pieces that are not too large, each of one event at least.
fn split(events: Vec<mvccpb::Event>) -> Vec<Vec<mvccpb::Event>> {
    let mut pieces = Vec::new();
    let (mut piece, mut bytes) = (Vec::new(), 0);
    for event in events {
        let length = event.encoded_len();
        if bytes + length > ANSWER_BYTES_MAX && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        bytes += length;
        piece.push(event);
    }
    pieces.push(piece);
    pieces
}
