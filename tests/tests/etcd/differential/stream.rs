//! One stream of watches: what was asked on it, and all that it has delivered, watch by watch.
//!
//! On each stream a watch of everything is made first. The events of a revision reach all watches that are
//! up to date before those of the next one, so what it has delivered the others have delivered too.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use etcd::{
    etcdserverpb::{
        WatchCancelRequest, WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse,
        watch_client::WatchClient, watch_request::RequestUnion,
    },
    mvccpb::Event,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use super::{answer, text::brief};

/// How many streams each server has.
pub(crate) const STREAMS: u64 = 2;
/// The watch of everything.
const EVERYTHING: i64 = 1_000_000;
/// How long a server may take for what should be at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A watch that starts in the past reads it when the server next looks for such: in etcd every 100 ms.
const HISTORY: Duration = Duration::from_millis(300);

/// A stream of watches.
#[derive(Debug)]
pub(crate) struct Stream {
    requests: mpsc::Sender<WatchRequest>,
    responses: mpsc::UnboundedReceiver<Result<WatchResponse, String>>,
    /// What each watch has delivered, in its order.
    pub(crate) delivered: BTreeMap<i64, Vec<String>>,
    /// What no server may do, should it have done so.
    pub(crate) broken: Vec<String>,
    live: BTreeSet<i64>,
    /// The revision of the last event of each watch, and whether more of it may come.
    last: BTreeMap<i64, (i64, bool)>,
    /// When the last watch was made that starts in the past.
    history: Option<Instant>,
}

impl Stream {
    /// A stream with its watch of everything.
    pub(crate) async fn open(mut client: WatchClient<Channel>) -> Self {
        let (requests, receiver) = mpsc::channel(16);
        let (sender, responses) = mpsc::unbounded_channel();
        // The server answers the call itself only once something was asked.
        tokio::spawn(async move {
            let opened = client.watch(ReceiverStream::new(receiver)).await;
            let mut stream = match opened {
                Ok(answer) => answer.into_inner(),
                Err(status) => return drop(sender.send(Err(answer::of_status(&status)))),
            };
            while let Some(next) = stream.message().await.transpose() {
                let next = next.map_err(|status| answer::of_status(&status));
                let is_end = next.is_err();
                if sender.send(next).is_err() || is_end {
                    return;
                }
            }
        });
        let mut stream = Self {
            requests,
            responses,
            delivered: BTreeMap::new(),
            broken: Vec::new(),
            live: BTreeSet::new(),
            last: BTreeMap::new(),
            history: None,
        };
        let (key, range_end) = (Bytes::from_static(&[0]), Bytes::from_static(&[0]));
        let watch_id = EVERYTHING;
        let everything =
            WatchCreateRequest { key, range_end, watch_id, prev_kv: true, ..Default::default() };
        stream.create(everything, 0).await;
        stream
    }

    /// Makes a watch; the answer is what was said first. `compacted` is the revision up to which history is
    /// gone: a watch from before it is cancelled at once.
    pub(crate) async fn create(&mut self, create: WatchCreateRequest, compacted: i64) -> String {
        let start = create.start_revision;
        self.ask(RequestUnion::CreateRequest(create)).await;
        if start != 0 {
            self.history = Some(Instant::now());
        }
        let Some(created) = self.wait_for(|response| response.created).await else {
            return String::from("the watch was not made");
        };
        if start != 0 && start < compacted && !created.canceled {
            let ends = |response: &WatchResponse| {
                response.canceled && response.watch_id == created.watch_id
            };
            self.wait_for(ends).await;
        }
        brief(&created)
    }

    /// Cancels a watch. Of one that is not there, no server says anything.
    pub(crate) async fn cancel(&mut self, watch: i64) -> String {
        let is_live = self.live.contains(&watch);
        self.ask(RequestUnion::CancelRequest(WatchCancelRequest { watch_id: watch })).await;
        if !is_live {
            return String::from("no answer is expected");
        }
        let ends = |response: &WatchResponse| response.canceled && response.watch_id == watch;
        let ended = self.wait_for(ends).await;
        ended.map_or_else(|| String::from("the watch was not cancelled"), |last| brief(&last))
    }

    /// Asks how far the stream is.
    pub(crate) async fn progress(&mut self) -> String {
        self.ask(RequestUnion::ProgressRequest(WatchProgressRequest {})).await;
        let is_progress = |response: &WatchResponse| {
            response.events.is_empty() && !response.created && !response.canceled
        };
        let progress = self.wait_for(is_progress).await;
        progress.map_or_else(|| String::from("there was no progress"), |progress| brief(&progress))
    }

    /// Waits until each watch has delivered all events up to `revision`.
    pub(crate) async fn wait_until_synced(&mut self, revision: i64) {
        while self.last.get(&EVERYTHING).is_none_or(|(last, _)| *last < revision) {
            if self.next(PATIENCE).await.is_none() {
                self.broken.push(format!("revision {revision} was not delivered in {PATIENCE:?}"));
                return;
            }
        }
        if let Some(made) = self.history.take() {
            while let Some(left) = HISTORY.checked_sub(made.elapsed()) {
                self.next(left).await;
            }
        }
        self.take_what_came().await;
    }

    /// Notes what has come by now.
    pub(crate) async fn take_what_came(&mut self) {
        while self.next(Duration::ZERO).await.is_some() {}
    }

    async fn ask(&self, request: RequestUnion) {
        let request = WatchRequest { request_union: Some(request) };
        // That a stream has ended is seen where its answers are read.
        let _ = self.requests.send(request).await;
    }

    /// Notes what comes until this does.
    async fn wait_for(&mut self, is_it: impl Fn(&WatchResponse) -> bool) -> Option<WatchResponse> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let response = self.next(left).await?;
            if is_it(&response) {
                return Some(response);
            }
        }
    }

    /// The next response, noted and without what differs between servers.
    async fn next(&mut self, patience: Duration) -> Option<WatchResponse> {
        let next = match self.responses.try_recv() {
            Ok(next) => next,
            Err(_) => timeout(patience, self.responses.recv()).await.ok()??,
        };
        match next {
            Ok(mut response) => {
                answer::normalize(response.header.as_mut());
                self.note(&response);
                Some(response)
            }
            Err(status) => {
                self.broken.push(format!("the stream ended: {status}"));
                None
            }
        }
    }

    fn note(&mut self, response: &WatchResponse) {
        let watch = response.watch_id;
        let lines = self.delivered.entry(watch).or_default();
        if response.created {
            lines.push(String::from("created"));
            self.last.remove(&watch);
            self.live.insert(watch);
        }
        lines.extend(response.events.iter().map(brief));
        if response.fragment {
            lines.push(String::from("the rest follows"));
        }
        if response.canceled {
            let mut end = response.clone();
            // Whoever made or cancelled it compares the header.
            end.header = None;
            lines.push(brief(&end));
            self.live.remove(&watch);
        }
        self.hold_to_the_rules(response);
    }

    /// Revisions ascend, those of one revision come together, and none is newer than the header says.
    fn hold_to_the_rules(&mut self, response: &WatchResponse) {
        let watch = response.watch_id;
        let newest = response.header.as_ref().map_or(0, |header| header.revision);
        let mut last = self.last.get(&watch).copied();
        for (place, event) in response.events.iter().enumerate() {
            let revision = revision_of(event);
            let goes_on = place > 0 || last.is_some_and(|(_, is_open)| is_open);
            if let Some((before, _)) = last
                && (revision < before || revision == before && !goes_on)
            {
                self.broken.push(format!("watch {watch}: revision {revision} after {before}"));
            }
            if revision > newest {
                self.broken
                    .push(format!("watch {watch}: {revision} is after the header's {newest}"));
            }
            last = Some((revision, response.fragment));
        }
        if let Some(last) = last {
            self.last.insert(watch, last);
        }
    }
}

fn revision_of(event: &Event) -> i64 {
    event.kv.as_ref().map_or(0, |kv| kv.mod_revision)
}
