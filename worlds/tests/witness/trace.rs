//! One tiny run as text, against a golden file. `UPDATE_GOLDENFILES=1 cargo test -p archipel-worlds`
//! writes it anew; then it is read. It changes whenever a seed decides something else.

use std::{env, fs, path::Path};

use archipel_worlds::{RaftWithKv, trace::Text};
use kernel::{Incarnation, NodeId, Peer};
use sim::{Happening, Settings, Witness, run};

use crate::kept::Kept;

const GOLDEN: &str = "tests/golden/small_run.txt";
const SEED: u64 = 8;

/// Three nodes, two clients, a third of a second in which things go wrong.
fn settings() -> Settings {
    let mut settings = Settings::draw(SEED);
    settings.nodes = 3;
    settings.spares = 0;
    settings.mishaps.change = 0;
    settings.disk.garbled_one_in = None;
    settings.clients.count = 2;
    settings.clients.think_ns = 40_000_000;
    settings.clients.value_bytes_max = 4;
    settings.network.delay_mean_ns = 1_000_000;
    settings.network.loss_per_mille = 50;
    settings.chaos_ns = 500_000_000;
    settings.mishap_every_ns = 80_000_000;
    settings.mishap_lasts_ns_max = 100_000_000;
    settings
}

fn trace() -> (u64, String) {
    let kept = Kept::default();
    let text = Text::new(Box::new(kept.clone()));
    let report = run(RaftWithKv::draw(SEED), settings(), Some(Box::new(text)));
    let report = report.unwrap_or_else(|finding| panic!("{finding}"));
    (report.hash, kept.0.take())
}

#[test]
fn a_small_run_reads_like_a_golden_script() {
    let (_, whole) = trace();
    let healed = whole.find("everything is healed").expect("every run is healed");
    let (shown, _) = whole.split_at(healed);
    let path = Path::new(GOLDEN);
    if env::var_os("UPDATE_GOLDENFILES").is_some() {
        fs::write(path, shown).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap();
    for (number, (line, known)) in shown.lines().zip(golden.lines()).enumerate() {
        assert_eq!(line, known, "line {}", number + 1);
    }
    assert_eq!(shown.len(), golden.len(), "one of them goes on");
}

#[test]
fn who_watches_a_run_does_not_change_it() {
    let (watched, first) = trace();
    let alone = run(RaftWithKv::draw(SEED), settings(), None);
    assert_eq!(alone.map(|report| report.hash), Ok(watched));
    assert_eq!(trace(), (watched, first), "the same seed has the same trace");
}

#[test]
fn what_a_panic_cuts_short_is_told() {
    let kept = Kept::default();
    let mut text = Text::new(Box::new(kept.clone()));
    let node = Peer { node: NodeId(2), incarnation: Incarnation(1) };
    let took = Happening::Took { node, text: "2 timeout".into(), is_routine: true };
    text.see(5_000_000, &took);
    assert_eq!(*kept.0.borrow(), "", "nobody wants to know before something follows");
    let said =
        Happening::Said { node, to: Some(NodeId(1)), text: "→ 1 Commit@1 commit 3".into() };
    text.see(5_000_000, &said);
    drop(text);
    let told = "       5.000  2 timeout\n                → 1 Commit@1 commit 3\n";
    assert_eq!(*kept.0.borrow(), told);
}
