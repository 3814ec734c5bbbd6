//! What can end a node from outside: a signal, or the end of the process that started it.

use std::{io::Read, thread};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::exit::{Exit, Failure, Outcome};

/// Waits until the process is asked to stop, and says by what. With `stdin`, the end of standard input
/// asks too.
pub(crate) async fn asked(stdin: bool) -> Outcome<&'static str> {
    let hear = |kind| {
        signal(kind).map_err(|error| {
            Failure::new(Exit::Broken, format!("Signals cannot be received: {error}."))
        })
    };
    let mut interrupt = hear(SignalKind::interrupt())?;
    let mut terminate = hear(SignalKind::terminate())?;
    let mut hang_up = hear(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "the signal TERM",
        _ = hang_up.recv() => "the end of the terminal",
        () = end_of_stdin(stdin) => "the end of the process that started it",
    })
}

async fn end_of_stdin(is_wanted: bool) {
    if !is_wanted {
        return std::future::pending().await;
    }
    let (ended, end) = oneshot::channel();
    // A thread of its own: a read that never ends must not keep the process from ending.
    thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        let _ = ended.send(());
    });
    let _ = end.await;
}
