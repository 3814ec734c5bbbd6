//! The quota of the tables: beyond it a node raises an alarm, and nothing that takes room is done until
//! an operator has made some and disarms it.

use kernel::Wire;
use kv::{Alarm, AlarmKind, Command};
use raft::Request;

use crate::front::Front;

/// True if the tables of this node have outgrown their quota and the command would take more room. All
/// members know then.
pub(crate) async fn is_exceeded(front: &Front, command: &Command) -> bool {
    let Some(bytes_max) = front.limits.tables_bytes_max else {
        return false;
    };
    if !command.takes_room() || front.node.tables_file_bytes() < bytes_max {
        return false;
    }
    let alarm = Alarm { kind: AlarmKind::NoSpace, member: front.node.me().node.0 };
    if !is_raised(front, alarm).await {
        tracing::warn!(
            "The tables have outgrown their quota of {bytes_max} bytes; what takes room is refused \
             until the alarm is disarmed."
        );
        let data = Command::Raise(alarm).to_bytes();
        // If that is not done either, the next command tries again.
        let _ = front.node.request(Request::Command { data, session: None }).await;
    }
    true
}

async fn is_raised(front: &Front, alarm: Alarm) -> bool {
    let Ok(reading) = front.node.stale().await else {
        return false;
    };
    kv::alarm::is_raised(&reading, alarm).unwrap_or(false)
}
