//! The page around the data.

use super::{data, recorder::Recorder};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How many lines of the trace stand in the table for those without scripts and for print.
const LISTED: usize = 200;

/// The whole page.
pub(super) fn draw(recorder: &Recorder, title: &str, found: Option<&str>, command: &str) -> String {
    // In a script's text, only `<` could be taken for the end of it.
    let run = data::of(recorder, found).to_string().replace('<', "\\u003c");
    let title = escape(title);
    let verdict = found
        .map_or_else(|| "<p class=\"verdict good\">Nothing was found.</p>".to_owned(), verdict_of);
    let command = escape(command);
    let since = since(recorder);
    let listed = listed(recorder);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n{verdict}\n\
         <p class=\"again\">Run it again: <code>{command}</code></p>\n{since}</header>\n\
         <main id=\"run-view\" hidden></main>\n\
         <section id=\"listed\">\n<h2>The last lines of the trace</h2>\n{listed}</section>\n\
         <script type=\"application/json\" id=\"run\">{run}</script>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// The first line of a finding, and the rest for whoever opens it.
fn verdict_of(what: &str) -> String {
    let (first, rest) = what.split_once('\n').unwrap_or((what, ""));
    let verdict = format!("<p class=\"verdict bad\">{}</p>", escape(first.trim_end_matches(':')));
    if rest.is_empty() {
        return verdict;
    }
    let rest = escape(rest);
    format!("{verdict}\n<details><summary>What shows it</summary><pre>{rest}</pre></details>")
}

/// What the page leaves out, if anything.
fn since(recorder: &Recorder) -> String {
    let end_ns = recorder.until_ns.unwrap_or(recorder.end_ns).min(recorder.end_ns);
    if recorder.events_gone == 0 && end_ns == recorder.end_ns {
        return String::new();
    }
    let seconds = |ns: u64| format!("{}.{:02} s", ns / 1_000_000_000, ns / 10_000_000 % 100);
    format!(
        "<p class=\"since\">This run is long: messages and lines of the trace are shown from {} to {} of \
         {}. Roles, faults and operations are shown for all of it.</p>\n",
        seconds(recorder.since_ns()),
        seconds(end_ns),
        seconds(recorder.end_ns),
    )
}

/// The last lines as a table, for those without scripts and for print.
fn listed(recorder: &Recorder) -> String {
    let mut rows = Vec::new();
    'events: for event in recorder.shown().iter().rev() {
        for (place, line) in event.text.lines().enumerate().collect::<Vec<_>>().into_iter().rev() {
            let (time, class) = match place {
                0 => (milliseconds(event.at_ns), ""),
                _ => (String::new(), " class=\"under\""),
            };
            rows.push(format!("<tr><td>{time}</td><td{class}>{}</td></tr>\n", escape(line)));
            if rows.len() == LISTED {
                break 'events;
            }
        }
    }
    rows.reverse();
    format!(
        "<table>\n<thead><tr><th>ms</th><th>What happens</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
        rows.concat()
    )
}

fn milliseconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000)
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
