//! `archipel check`: verdicts, exit codes, the page, and the page of documentation.

use std::{fs, path::PathBuf};

use crate::cluster::{Folder, run};

const DOCUMENTATION: &str = include_str!("../../../docs/histories.md");

struct Desk {
    folder: Folder,
}

impl Desk {
    fn new(name: &str) -> Self {
        Self { folder: Folder::new(name) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Checks a history; the exit code, and what was printed.
    fn check(&self, history: &str, options: &[&str]) -> (i32, String) {
        let path = self.path("history.jsonl");
        fs::write(&path, history).expect("there is room for temporary files");
        let words = [&["check", path.to_str().expect("the path is text")], options].concat();
        let output = run(&words);
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        let code = output.status.code().expect("no signal ended it");
        (code, String::from_utf8(text).expect("all output is text"))
    }
}

/// The lines of the documentation's blocks that begin with `start`, without the fences.
fn block(start: &str) -> String {
    let begin = DOCUMENTATION.find(start).expect("the documentation has this example");
    let end = DOCUMENTATION[begin..].find("```").expect("a block ends");
    DOCUMENTATION[begin..begin + end].to_owned()
}

#[test]
fn the_example_of_the_documentation_is_judged_as_it_says() {
    let desk = Desk::new("check-docs");
    let history = block("{\"process\":1,\"type\":\"invoke\"");
    let (code, printed) = desk.check(&history, &[]);
    let folder = format!("{}/", desk.folder.path().display());
    let expected = block("$ archipel check history.jsonl\n");
    let expected = expected.split_once('\n').expect("the command stands first").1;
    assert_eq!((code, printed.replace(&folder, "").as_str()), (1, expected));
    let page = fs::read_to_string(desk.path("history.html")).expect("the page was written");
    assert!(page.contains("process 2: read x found nothing (lines 3 and 4)"), "{page}");
}

#[test]
fn each_verdict_has_its_exit_code() {
    let desk = Desk::new("check-codes");
    let stale = block("{\"process\":1,\"type\":\"invoke\"");
    let fresh = stale.replace("null", "5");
    assert_eq!(desk.check(&fresh, &[]).0, 0);
    assert_eq!(desk.check(&stale, &["--model", "sequential"]).0, 0);
    assert_eq!(desk.check(&stale, &["--model", "eventual", "--json"]).0, 1);
    let (code, printed) = desk.check(&stale.replacen("invoke", "ask", 1), &[]);
    assert!(code == 2 && printed.contains("line 1: \"type\" must be"), "{printed}");
    let (code, printed) = desk.check(&stale, &["--memory-mib-max", "0"]);
    assert!(code == 4 && printed.contains("Give more with --memory-mib-max"), "{printed}");
    assert_eq!(desk.check("", &[]).0, 2);
    assert_eq!(run(&["check", "/nowhere/at/all.jsonl"]).status.code(), Some(2));
}

#[test]
fn no_file_of_somebody_else_is_replaced_by_the_page() {
    let desk = Desk::new("check-page");
    let stale = block("{\"process\":1,\"type\":\"invoke\"");
    let page = || fs::read_to_string(desk.path("history.html")).unwrap_or_default();
    desk.check(&stale, &["--no-html"]);
    desk.check(&stale, &["--json"]);
    desk.check(&stale.replace("null", "5"), &[]);
    assert_eq!(page(), "");
    fs::write(desk.path("history.html"), "mine").expect("there is room for temporary files");
    let (code, printed) = desk.check(&stale, &[]);
    assert!(code == 1 && printed.contains("Give --html OUT for a page"), "{printed}");
    assert_eq!(page(), "mine");
    let path = desk.path("history.html");
    desk.check(&stale, &["--html", path.to_str().expect("the path is text")]);
    let first = page();
    assert!(first.contains("</html>"), "{first}");
    desk.check(&stale.replace("\"x\"", "\"y\""), &[]);
    assert!(page() != first, "a page of ours is replaced");
}
