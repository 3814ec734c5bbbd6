//! What a page says to do: blocks of commands, and what happens to a host, which stands in a comment.

use std::{fs, path::PathBuf};

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// Commands on a host.
    Commands { host: String, text: String },
    /// A host is gone from one moment to the next.
    Death { host: String },
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy")
}

/// All pages: their names and texts.
pub(crate) fn all() -> Vec<(String, String)> {
    let entries =
        fs::read_dir(folder()).expect("there are pages").map(|page| page.expect("it can be read"));
    let page = |entry: fs::DirEntry| {
        (
            entry.file_name().into_string().expect("a name is text"),
            fs::read_to_string(entry.path()).expect("a page is text"),
        )
    };
    entries.map(page).collect()
}

/// The steps of a page, in their order.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let text = fs::read_to_string(folder().join(page)).expect("there is such a page");
    let mut steps = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(hosts) = line.strip_prefix("```sh ") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            steps.extend(
                hosts
                    .split(' ')
                    .map(|host| Step::Commands { host: host.to_owned(), text: block.join("\n") }),
            );
        }
        let death = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" dies -->"));
        steps.extend(death.map(|host| Step::Death { host: host.to_owned() }));
    }
    assert!(!steps.is_empty(), "{page} says nothing to do");
    steps
}
