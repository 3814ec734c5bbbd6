//! The page of a run: what it carries can be read back, and is what happened.

use std::{cell::RefCell, rc::Rc};

use archipel_worlds::{RaftWithKv, page::Recorder};
use kernel::{NodeId, Peer, Role, Term};
use serde_json::Value;
use sim::{Fate, Finding, Happening, Layer, Report, Settings, Told, Witness, run};

/// The JSON in a page.
fn carried(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"run\">";
    let (_, rest) = page.split_once(start).expect("the page carries its run");
    let (json, _) = rest.split_once("</script>").expect("the run ends");
    serde_json::from_str(json).expect("what the page carries is JSON")
}

/// A short life: what happens after the chaos is most of it.
fn short(seed: u64) -> Settings {
    Settings { chaos_ns: 500_000_000, has_minority_trial: false, ..Settings::draw(seed) }
}

fn recorded(seed: u64) -> (Report, Recorder) {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    let witness = Box::new(Rc::clone(&recorder));
    let report = run(RaftWithKv::draw(seed), short(seed), Some(witness));
    (report.unwrap_or_else(|finding| panic!("{finding}")), recorder.take())
}

fn list<'a>(run: &'a Value, name: &str) -> &'a Vec<Value> {
    run[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

#[test]
fn a_page_carries_what_happened() {
    let seed = 6;
    let (report, recorder) = recorded(seed);
    let settings = Settings::draw(seed);
    let page = recorder.page("seed 6", None, "archipel sim --seed 6");
    let run = carried(&page);
    assert_eq!(run["seed"], seed);
    assert_eq!(run["since"], 0, "a short run is kept whole");
    assert_eq!(run["found"], Value::Null);
    let nodes = usize::try_from(settings.nodes + settings.spares).unwrap();
    assert_eq!(list(&run, "nodes").len(), nodes);
    assert_eq!(list(&run, "parts").len(), nodes);
    assert_eq!(run["clients"], settings.clients.count);
    let ended = |outcome: u64| {
        let is = |operation: &&Value| operation[3] == outcome;
        list(&run, "operations").iter().filter(is).count() as u64
    };
    let counters = report.counters;
    assert_eq!(ended(0), counters.reads + counters.writes + counters.mismatches);
    assert_eq!(ended(2), counters.unknown);
    let messages = &run["messages"];
    let numbers = list(messages, "numbers");
    let names: Vec<&str> = list(messages, "kinds").iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&"Append") && names.contains(&"PreVote"), "{names:?}");
    let lost = numbers.chunks(8).filter(|message| message[5] == 1).count() as u64;
    assert_eq!(lost, counters.lost);
    let is_leader = |part: &Value| part[1] == 5;
    let parts = list(&run, "parts").iter().flat_map(|parts| parts.as_array().unwrap());
    assert!(parts.filter(|part| is_leader(part)).count() as u64 >= counters.leaders);
    assert!(page.contains("Nothing was found."));
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs nothing else");
}

#[test]
fn what_arrives_points_at_the_line_that_tells_it() {
    let (_, recorder) = recorded(3);
    let run = carried(&recorder.page("", None, ""));
    let texts = list(&run["events"], "texts");
    let nodes = list(&run, "nodes");
    let mut arrivals = 0;
    for message in list(&run["messages"], "numbers").chunks(8) {
        let number = |field: usize| message[field].as_i64().unwrap();
        let node = |field: usize| nodes[usize::try_from(number(field)).unwrap()].clone();
        let (from, to) = (node(2), node(3));
        let kind = run["messages"]["kinds"][usize::try_from(number(4)).unwrap()].as_str().unwrap();
        if let Ok(event) = usize::try_from(number(7)) {
            let text = texts[event].as_str().unwrap();
            assert!(text.starts_with(&format!("{to} ← {from} {kind}")), "{text}");
            arrivals += 1;
        }
        if let Ok(event) = usize::try_from(number(6)) {
            let text = texts[event].as_str().unwrap();
            assert!(text.contains(&format!("→ {to} {kind}")), "{text}");
        }
    }
    assert!(arrivals > 100);
}

fn begin(recorder: &mut Recorder) {
    let begins = Happening::Begins {
        seed: 7,
        founders: vec![NodeId(1), NodeId(2)],
        spares: vec![],
        clients: 1,
    };
    recorder.see(0, &begins);
}

#[test]
fn a_finding_stands_on_top_and_cannot_break_out() {
    let mut recorder = Recorder::new();
    begin(&mut recorder);
    let me = Peer { node: NodeId(1), incarnation: kernel::Incarnation(1) };
    recorder.see(1_000, &Happening::Started { node: me });
    let (role, term) = (Role::Leader, Term(4));
    recorder.see(2_000, &Happening::Part { node: me, role, term, leader: Some(NodeId(1)) });
    recorder.see(3_000, &Happening::Invoked { client: 0, text: "key1 read".into() });
    recorder.see(3_000, &Happening::Asked { client: 0, node: Some(NodeId(1)) });
    let told = Happening::Told { client: 0, outcome: Told::Unknown, text: "unknown".into() };
    recorder.see(4_000, &told);
    let what = "</script><b>both lead</b>";
    recorder.see(5_000, &Happening::Found { finding: Finding::Safety(what.into()), was_ns: 4_000 });
    let page = recorder.page("a & b", None, "archipel sim --seed 7");
    let run = carried(&page);
    assert_eq!(run["found"]["at"], 4, "a finding stands where it was, not where it was judged");
    assert_eq!(run["found"]["text"], format!("a promise was broken: {what}"));
    assert_eq!(run["parts"][0], serde_json::json!([[1, 2, 0, 0], [2, 5, 4, 1]]));
    let operation = serde_json::json!([0, 3, 4, 2, "key1 read", "", [[3, 1]]]);
    assert_eq!(run["operations"][0], operation);
    assert!(page.contains("<h1>a &amp; b</h1>"));
    assert!(page.contains("a promise was broken: &lt;/script&gt;&lt;b&gt;both lead&lt;/b&gt;"));
    assert!(!page.contains("<b>both lead"));
    // What was caught as a panic is known only to the caller.
    let page = recorder.page("", Some("terms go forward"), "");
    assert_eq!(carried(&page)["found"]["text"], "terms go forward");
}

#[test]
fn of_a_long_run_the_end_is_kept() {
    let mut recorder = Recorder::new();
    begin(&mut recorder);
    let from = Peer { node: NodeId(1), incarnation: kernel::Incarnation(1) };
    let to = NodeId(2);
    recorder.see(500, &Happening::Started { node: from });
    for message in 1..=50_000 {
        let text = format!("Append@1 {message} {}", "entries ".repeat(20));
        let (at_ns, layer, kind) = (message * 100_000, Layer::Snapshot, "Append");
        let left = text.clone();
        let fate = Fate::OnItsWay;
        recorder.see(at_ns, &Happening::Left { message, from, to, layer, kind, text: left, fate });
        let is_received = true;
        recorder.see(at_ns, &Happening::Arrived { message, from, to, text, is_received });
    }
    let finding = Finding::Safety("both lead".into());
    recorder.see(6_000_000_000, &Happening::Found { finding, was_ns: 1_000_000_000 });
    assert_eq!(recorder.missed(), Some(1_500_000_000), "what led to it is not kept");
    let page = recorder.page("", None, "");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.contains("This run is long"));
    let run = carried(&page);
    assert_eq!(run["parts"][0].as_array().unwrap().len(), 1, "parts are kept for the whole run");
    let since = run["since"].as_u64().unwrap();
    let numbers = list(&run["messages"], "numbers");
    assert!(since > 1_000_000 && numbers[0].as_u64().unwrap() >= since);
    assert!(numbers.len() / 8 > 1_000);
    for message in numbers.chunks(8) {
        assert!(message[7].as_i64().unwrap() >= 0, "an arrival that is shown has its line");
    }
}

#[test]
fn a_run_can_be_kept_until_a_moment() {
    let until_ns = 2_000_000_000;
    let recorder = Rc::new(RefCell::new(Recorder::until(until_ns)));
    let witness = Box::new(Rc::clone(&recorder));
    let report = run(RaftWithKv::draw(3), Settings::draw(3), Some(witness));
    let page = recorder.take().page("", None, "");
    assert!(page.contains("are shown from 0.00 s to 2.00 s"));
    let run = carried(&page);
    let counters = report.unwrap_or_else(|finding| panic!("{finding}")).counters;
    assert_eq!(run["end"].as_u64().unwrap() / 1_000, counters.virtual_ms);
    let events = list(&run["events"], "times").iter().filter_map(Value::as_u64).sum::<u64>();
    let left =
        list(&run["messages"], "numbers").chunks(8).filter_map(|one| one[0].as_u64()).sum::<u64>();
    assert!((1_900_000..=2_000_000).contains(&events) && events >= left, "{events}, {left}");
}
