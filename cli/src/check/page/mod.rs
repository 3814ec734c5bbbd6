//! One page that shows why a history breaks a promise. It needs nothing but itself.

mod timeline;

use ::check::{Call, Consistency, End, Finding, Ladder, Operation, Witness};

use super::{history_file::Recorded, report, shown};

const STYLE: &str = include_str!("page.css");

/// How every page begins, and nothing else does.
pub(super) const MARK: &str = "<!doctype html>\n<!-- archipel check -->\n";

/// How many operations of the prefix are listed.
const LISTED: usize = 60;

/// The page; nothing if no promise is broken.
pub(super) fn draw(recorded: &Recorded, ladder: &Ladder) -> Option<String> {
    let broken = Consistency::ALL.into_iter().find_map(|model| match ladder.finding(model) {
        Finding::Broken(evidence) => Some(evidence),
        _ => None,
    })?;
    let title = escape(&report::verdict(recorded, ladder));
    let mut page = format!(
        "{MARK}<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    if let Some(witness) = &ladder.witness {
        page.push_str(&lead(recorded, witness));
    }
    page.push_str(&timeline::draw(recorded, ladder.witness.as_ref(), broken));
    page.push_str(&promises(recorded, ladder));
    if let Some(witness) = &ladder.witness {
        page.push_str(&prefix(recorded, witness));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Some(page)
}

fn lead(recorded: &Recorded, witness: &Witness) -> String {
    let key = escape(&shown::key(&witness.key));
    let stuck = escape(&shown::sentence(recorded, &witness.stuck));
    let proof = if witness.is_longest {
        "Everything before its answer can be explained; with it, nothing can."
    } else {
        "The limits allowed no proof that everything before its answer can be explained."
    };
    format!(
        "<p class=\"lead\">On <b>{key}</b> this operation fits nowhere:</p>\n\
         <p class=\"stuck-line\">{stuck}</p>\n<p>{proof}</p>\n"
    )
}

/// The order that explains the longest beginning, and what the key holds after each operation.
fn prefix(recorded: &Recorded, witness: &Witness) -> String {
    let hidden = witness.prefix.len().saturating_sub(LISTED);
    let mut rows = String::new();
    let mut state: Option<Vec<u8>> = None;
    for (place, operation) in witness.prefix.iter().enumerate() {
        state = after(state, operation);
        if place < hidden {
            continue;
        }
        rows.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            place + 1,
            escape(&shown::sentence(recorded, operation)),
            escape(&shown::optional(state.as_ref())),
        ));
    }
    let note = match hidden {
        0 => String::new(),
        _ => format!("<p>The first {} are left out.</p>\n", report::count(hidden, "operation")),
    };
    format!(
        "<h2>The longest linearizable prefix</h2>\n<p>In this order, {} explain all answers up to \
         there. The numbers are those on the time line.</p>\n{note}<div class=\"wide\"><table>\n\
         <thead><tr><th></th><th>Operation</th><th>The key then holds</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n",
        report::count(witness.prefix.len(), "operation"),
    )
}

/// What the key holds after an operation that took effect.
fn after(state: Option<Vec<u8>>, operation: &Operation) -> Option<Vec<u8>> {
    let is_mismatch = matches!(operation.end, End::Ok(_, ::check::Answer::Mismatch));
    match &operation.call {
        Call::Write(value) => Some(value.clone()),
        Call::CompareAndSet { expected, new } if !is_mismatch && *expected == state => {
            Some(new.clone())
        }
        Call::Delete => None,
        Call::Read | Call::CompareAndSet { .. } => state,
    }
}

fn promises(recorded: &Recorded, ladder: &Ladder) -> String {
    let mut rows = String::new();
    for model in Consistency::ALL {
        let finding = ladder.finding(model);
        let (word, _) = report::finding(recorded, finding);
        rows.push_str(&format!(
            "<tr><td>{}</td><td><span class=\"{word}\">{word}</span></td><td>{}</td></tr>\n",
            model.name(),
            shown_by(recorded, finding),
        ));
    }
    format!(
        "<h2>What holds and what does not</h2>\n<p>{}</p>\n<div class=\"wide\"><table>\n\
         <thead><tr><th>Promise</th><th>Finding</th><th>Shown by these alone</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n",
        escape(&report::strongest(ladder)),
    )
}

fn shown_by(recorded: &Recorded, finding: &Finding) -> String {
    match finding {
        Finding::Holds => String::new(),
        Finding::Unknown(reason) => escape(&report::why(recorded, reason)),
        Finding::Broken(evidence) => {
            let lines = shown::evidence(recorded, evidence, LISTED);
            let mut lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
            if evidence.places.len() > LISTED {
                lines.push(format!("<small>… {} more</small>", evidence.places.len() - LISTED));
            }
            if evidence.is_shortest {
                lines.push(String::from("<small>It is proven that no fewer can.</small>"));
            }
            lines.join("<br>")
        }
    }
}

/// `text` as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use ::check::{Answer, Call, Event, EventKind, History, Ladder, Limits, Process};

    use super::{Recorded, draw, escape};

    fn recorded(found: Option<&[u8]>) -> Recorded {
        let mut history = History::default();
        let key = b"<k>".to_vec();
        let call = Call::Write(b"1".to_vec());
        for (process, kind) in [
            (1, EventKind::Invoke { key: key.clone(), call }),
            (1, EventKind::Ok(Answer::Written)),
            (2, EventKind::Invoke { key, call: Call::Read }),
            (2, EventKind::Ok(Answer::Found(found.map(<[u8]>::to_vec)))),
        ] {
            history.push(Event { time_ns: 0, process: Process(process), kind }).unwrap();
        }
        Recorded { name: "h.jsonl".to_owned(), history, lines: vec![1, 2, 3, 4] }
    }

    fn page(found: Option<&[u8]>) -> Option<String> {
        let recorded = recorded(found);
        draw(&recorded, &Ladder::judge(&recorded.history, Limits::default()))
    }

    #[test]
    fn a_page_stands_alone_and_names_what_fits_nowhere() {
        let page = page(None).unwrap();
        assert!(page.contains("process 2: read &lt;k&gt; found nothing (lines 3 and 4)"), "{page}");
        assert!(page.contains("prefers-color-scheme: dark"));
        for outside in ["http://", "https://", "<script", "<link", "<img", "<k>"] {
            assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(outside), "{outside}");
        }
    }

    #[test]
    fn there_is_no_page_when_nothing_is_broken() {
        assert_eq!(page(Some(b"1")), None);
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
