//! Commands of the queue, for people.

use kernel::{Bytes, Wire};
use queue::{Claim, Command, Holder, Put, Take, TaskId};
use raft::print;

/// `put(a:t17)`, `take(a b 2)`, `complete(17#3)`
pub(super) fn say_command(data: &[u8]) -> String {
    let command = Command::from_bytes(Bytes::copy_from_slice(data));
    command.map_or_else(|_| print::label(data), |command| say(&command))
}

fn say(command: &Command) -> String {
    match command {
        Command::Put(put) => say_put(put),
        Command::Take(take) => say_take(take),
        Command::TakeOne { task, .. } => format!("take_one({task})"),
        Command::Complete { task, claim, .. } => say_claimed("complete", *task, *claim),
        Command::Fail { task, claim, .. } => say_claimed("fail", *task, *claim),
        Command::Extend { task, claim, .. } => say_claimed("extend", *task, *claim),
        Command::Release { task, claim, .. } => say_claimed("release", *task, *claim),
        Command::Bury { task, claim, .. } => say_claimed("bury", *task, *claim),
        Command::Kick { queue, .. } => format!("kick({})", text(queue)),
        Command::KickOne { task } => format!("kick_one({task})"),
        Command::Delete { task, .. } => format!("delete({task})"),
        Command::LetGo { holder } => format!("let_go({})", say_holder(*holder)),
        Command::LetGoBefore { node, incarnation } => {
            format!("let_go_before({node}.{})", incarnation.0)
        }
        Command::Configure { queue, .. } => format!("configure({})", text(queue)),
        Command::Pause { queue, for_ms: None } => format!("pause({})", text(queue)),
        Command::Pause { queue, for_ms: Some(for_ms) } => {
            format!("pause({} {for_ms}ms)", text(queue))
        }
        Command::Resume { queue } => format!("resume({})", text(queue)),
        Command::Purge { queue, count } => format!("purge({} {count})", text(queue)),
    }
}

fn say_put(put: &Put) -> String {
    let name = put.payload.split(|byte| *byte == b'.').next().unwrap_or_default();
    format!("put({}:{})", text(&put.queue), String::from_utf8_lossy(name))
}

fn say_take(take: &Take) -> String {
    let queues: Vec<String> = take.queues.iter().map(text).collect();
    let holder = take.holder.map_or_else(String::new, |holder| format!(" {}", say_holder(holder)));
    format!("take({} {}{holder})", queues.join(" "), take.count)
}

fn say_claimed(what: &str, task: TaskId, claim: Claim) -> String {
    match claim {
        Claim::Token(token) => format!("{what}({task}#{token})"),
        Claim::Holder(holder) => format!("{what}({task} {})", say_holder(holder)),
    }
}

fn say_holder(holder: Holder) -> String {
    format!("{}.{}/{}", holder.node, holder.incarnation.0, holder.connection)
}

fn text(name: &Bytes) -> String {
    String::from_utf8_lossy(name).into_owned()
}
