//! Short ways to say commands.

use bytes::Bytes;
use kernel::{Incarnation, NodeId};
use queue::{Answer, Claim, Command, Holder, PRIORITY_NORMAL, Put, Start, Take, Taken, TaskId};

use crate::store::Store;

/// A put with nothing special about it.
pub(crate) fn put(queue: &'static str) -> Put {
    Put {
        queue: Bytes::from(queue),
        kind: Bytes::new(),
        key: None,
        payload: Bytes::from("payload"),
        priority: PRIORITY_NORMAL,
        start: Start::AtOnce,
        lease_ms: None,
        retry: None,
        live_ms: None,
    }
}

/// A take of so many from a queue.
pub(crate) fn take(queue: &'static str, count: u32) -> Take {
    let queues = vec![Bytes::from(queue)];
    Take { queues, kinds: vec![], count, lease_ms: None, holder: None }
}

/// A connection of node 1.
pub(crate) fn connection(connection: u64) -> Holder {
    Holder { node: NodeId(1), incarnation: Incarnation(1), connection }
}

impl Store {
    pub(crate) fn take(&mut self, take: Take) -> Vec<Taken> {
        match self.apply(&Command::Take(take)) {
            Answer::Taken { tasks, .. } => tasks,
            other => panic!("a take is answered by what was taken: {other:?}"),
        }
    }

    pub(crate) fn complete(&mut self, task: TaskId, token: u64) -> Answer {
        let claim = Claim::Token(token);
        self.apply(&Command::Complete { task, claim, result: Bytes::from("done") })
    }
}
