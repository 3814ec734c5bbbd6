//! The heartbeat that keeps a task while its command runs.

use std::time::Duration;

use tokio::time::sleep;

use super::queue::{Queue, Task};

/// How many times a lease is extended before it would end.
const BEATS: u32 = 3;

/// Extends the lease of a task again and again; ends when it is lost.
pub(super) async fn keep(queue: &Queue, task: &Task) {
    let beat = Duration::from_millis(task.lease_ms.max(1)) / BEATS;
    loop {
        sleep(beat).await;
        // Without an answer the lease may still hold: only a definite no ends the work.
        if let Ok(reply) = queue.extend(task).await
            && matches!(reply.status, 404 | 409)
        {
            return;
        }
    }
}
