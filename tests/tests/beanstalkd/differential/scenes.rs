//! Scripts about time, written by hand: leases that run out, delays, pauses, and clients that wait.

use super::{Step, send};

fn begin(connection: usize, text: &str) -> Step {
    Step::Begin { connection, text: text.to_owned() }
}

const fn end(connection: usize) -> Step {
    Step::End { connection }
}

/// Each with what it shows.
pub(super) fn scenes() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("a delayed job becomes ready in its time", delayed()),
        ("a job whose time is over is ready again, and its holder does not have it", timed_out()),
        ("who holds a job in its last second is told so rather than kept waiting", deadline_soon()),
        ("a client that waits is woken by the last second of a job that it holds", woken()),
        ("a client that waits gets what is put, and one that waits too long nothing", waiting()),
        ("a touched job keeps its holder", touched()),
        ("a paused tube gives nothing until its time is over", paused()),
        ("a closed connection lets go of what it holds", closed()),
        ("who waits in several tubes gets the most urgent", urgent()),
    ]
}

fn delayed() -> Vec<Step> {
    vec![
        send(0, "put 1 1 10 1\r\na"),
        send(0, "reserve-with-timeout 0"),
        send(0, "peek-delayed"),
        Step::Wait(1500),
        send(0, "peek-delayed"),
        send(0, "stats-job #1"),
        send(0, "reserve-with-timeout 0"),
        send(0, "delete #1"),
    ]
}

fn timed_out() -> Vec<Step> {
    vec![
        send(0, "put 1 0 1 1\r\na"),
        send(0, "reserve-with-timeout 0"),
        Step::Wait(1700),
        send(0, "delete #9"),
        send(1, "stats-job #1"),
        send(0, "touch #1"),
        send(0, "release #1 1 0"),
        send(1, "reserve-with-timeout 0"),
        send(1, "stats-job #1"),
        send(1, "delete #1"),
    ]
}

fn deadline_soon() -> Vec<Step> {
    vec![
        send(0, "put 5 0 1 1\r\na"),
        send(0, "put 5 0 10 1\r\nb"),
        send(0, "reserve"),
        // What is ready is still handed out.
        send(0, "reserve"),
        send(0, "reserve"),
        send(0, "reserve-with-timeout 5"),
        send(0, "delete #1"),
        send(0, "reserve-with-timeout 0"),
        send(0, "delete #2"),
    ]
}

fn woken() -> Vec<Step> {
    vec![
        send(0, "put 5 0 2 1\r\na"),
        send(0, "reserve"),
        begin(0, "reserve-with-timeout 8"),
        end(0),
        send(0, "touch #1"),
        send(0, "delete #1"),
    ]
}

fn waiting() -> Vec<Step> {
    vec![
        begin(0, "reserve-with-timeout 9"),
        begin(1, "reserve-with-timeout 1"),
        Step::Wait(200),
        send(2, "put 1 0 10 1\r\na"),
        end(0),
        end(1),
        begin(1, "reserve"),
        Step::Wait(200),
        send(2, "put 1 0 10 1\r\nb"),
        end(1),
        send(2, "stats-tube default"),
        send(0, "delete #1"),
        send(1, "delete #2"),
    ]
}

fn touched() -> Vec<Step> {
    vec![
        send(0, "put 1 0 2 1\r\na"),
        send(0, "reserve"),
        Step::Wait(1400),
        send(0, "touch #1"),
        Step::Wait(1400),
        send(0, "delete #1"),
    ]
}

fn paused() -> Vec<Step> {
    vec![
        send(0, "put 1 0 10 1\r\na"),
        send(0, "pause-tube default 1"),
        send(1, "reserve-with-timeout 0"),
        send(1, "peek-ready"),
        begin(1, "reserve-with-timeout 5"),
        end(1),
        send(1, "delete #1"),
    ]
}

fn closed() -> Vec<Step> {
    vec![
        send(0, "put 1 0 100 1\r\na"),
        send(0, "put 1 0 100 1\r\nb"),
        send(0, "reserve"),
        send(0, "reserve"),
        send(0, "bury #2 3"),
        Step::Close { connection: 0 },
        send(1, "stats-job #1"),
        send(1, "stats-job #2"),
        send(1, "reserve-with-timeout 0"),
        send(1, "delete #1"),
        send(1, "delete #2"),
    ]
}

fn urgent() -> Vec<Step> {
    vec![
        send(0, "use a"),
        send(0, "put 7 0 10 1\r\na"),
        send(0, "use b"),
        send(0, "put 3 0 10 1\r\nb"),
        send(0, "put 3 0 10 1\r\nc"),
        send(1, "watch a"),
        send(1, "watch b"),
        send(1, "reserve"),
        send(1, "reserve"),
        send(1, "reserve"),
    ]
}
