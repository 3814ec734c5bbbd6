//! What a host keeps of a node that broke an invariant.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use archipel_host::{LastInputs, LastInputsError, Notify, Recorder};
use kernel::{Bytes, Fault, Image, Incarnation, Input, Instant, Node, NodeId, Peer, Ticket};

use crate::{
    begin, config,
    echo::{Echo, Request},
    folder, runtime, write,
};

/// A host that takes `writes` writes and is then broken; how it ended and what it said.
fn broken(folder: &Path, writes: usize) -> (Fault, Vec<String>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&said);
    let mut config = config(folder, 1, &[String::from("127.0.0.1:0")]);
    config.notify = Notify::new(move |sentence| {
        listener.lock().unwrap().push(String::from(sentence));
    });
    let running = begin(config);
    let runtime = runtime();
    write(&runtime, &running.handle(), 0, writes);
    assert!(runtime.block_on(running.handle().request(Request::Break)).is_err());
    let fault = running.join().unwrap();
    let said = said.lock().unwrap().clone();
    (fault, said)
}

/// The file of the life `incarnation`.
fn file(folder: &Path, incarnation: u64) -> PathBuf {
    folder.join(format!("last-inputs-{incarnation}.replay"))
}

/// Gives the node all that it was given before; what it says when it breaks.
fn replay(kept: LastInputs<Echo>) -> Option<String> {
    let LastInputs { mut node, inputs, .. } = kept;
    for (now, input) in inputs {
        let give = AssertUnwindSafe(|| node.handle(now, input, &mut Vec::new()));
        if let Err(payload) = catch_unwind(give) {
            return payload.downcast_ref::<&str>().map(|text| String::from(*text));
        }
    }
    None
}

#[test]
fn a_node_that_breaks_an_invariant_leaves_its_last_inputs_which_break_it_again() {
    let folder = folder("last-inputs");
    let (fault, said) = broken(&folder, 10);
    let path = file(&folder, 1);
    let command = format!("archipel replay {}", path.display());
    assert!(said.iter().any(|sentence| sentence.contains(&command)), "{said:?}");

    let kept = LastInputs::<Echo>::read(&path).unwrap();
    assert_eq!(kept.me, Peer { node: NodeId(1), incarnation: Incarnation(1) });
    assert_eq!((kept.before, kept.broken.as_str()), (0, fault.to_string().as_str()));
    let last = kept.inputs.last();
    assert!(matches!(last, Some((_, Input::Request { request: Request::Break, .. }))), "{last:?}");
    assert!(kept.inputs.len() > 10);
    assert_eq!(replay(kept).as_deref(), Some("a test asked for this panic"));
}

#[test]
fn a_node_that_is_asked_to_stop_leaves_none() {
    let path = folder("last-inputs-none");
    let running = crate::single(&path);
    write(&runtime(), &running.handle(), 0, 10);
    assert_eq!(running.stop(), None);
    assert!(!file(&path, 1).exists());
}

#[test]
fn only_the_latest_files_stay() {
    let folder = folder("last-inputs-few");
    for _ in 0..5 {
        broken(&folder, 0);
    }
    let stay: Vec<bool> = (1..=5).map(|life| file(&folder, life).exists()).collect();
    assert_eq!(stay, [false, false, true, true, true]);
}

#[test]
fn an_unusable_file_is_refused_with_the_reason() {
    let folder = folder("last-inputs-unusable");
    broken(&folder, 10);
    let path = file(&folder, 1);
    let whole = fs::read(&path).unwrap();
    let refusal = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        LastInputs::<Echo>::read(&path).unwrap_err()
    };
    let changed = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    assert!(matches!(refusal(b"no such file"), LastInputsError::OtherFile));
    assert!(matches!(refusal(&changed(0)), LastInputsError::OtherFile));
    assert!(matches!(refusal(&changed(8)), LastInputsError::OtherVersion { .. }), "the format");
    assert!(matches!(refusal(&changed(16)), LastInputsError::OtherVersion { .. }), "the version");
    for place in [40, whole.len() - 1] {
        assert!(matches!(refusal(&changed(place)), LastInputsError::Damaged));
    }
    assert!(matches!(refusal(&whole[..whole.len() - 1]), LastInputsError::Damaged));
    fs::remove_file(&path).unwrap();
    let missing = LastInputs::<Echo>::read(&path).unwrap_err();
    assert!(matches!(missing, LastInputsError::Reading(_)), "{missing}");
}

/// However much a node is given, the file begins with an image and holds at least one full half.
#[test]
fn the_past_is_bounded_and_the_image_fits_the_inputs() {
    const INPUT_BYTES: usize = 100_000;
    let me = Peer { node: NodeId(1), incarnation: Incarnation(1) };
    let mut node = Echo::new(archipel_host::Boot {
        me,
        seed: 0,
        now: Instant(0),
        hard: Default::default(),
        base: Default::default(),
        base_stamp: Default::default(),
        membership: Default::default(),
        entries: Vec::new(),
        applied: Default::default(),
        uncertain_until: None,
    });
    let mut recorder = Recorder::new(&node);
    for ticket in 1..=300 {
        let request = Request::Write(Bytes::from(vec![0; INPUT_BYTES]));
        let input = Input::Request { ticket: Ticket(ticket), request, wall_ms: 0 };
        recorder.record(&node, Instant(ticket), &input);
        node.handle(Instant(ticket), input, &mut Vec::new());
    }
    let path = folder("last-inputs-bounded").with_extension("replay");
    fs::write(&path, recorder.to_file(me, "nothing")).unwrap();
    let kept = LastInputs::<Echo>::read(&path).unwrap();
    let bytes = kept.inputs.len() * INPUT_BYTES;
    assert!((4 << 20..9 << 20).contains(&bytes), "{bytes} bytes of inputs");
    assert_eq!(kept.before + kept.inputs.len() as u64, 300);
    assert_eq!(kept.inputs[0].0, Instant(kept.before + 1), "the first is the one after the image");
    let mut again = kept.node;
    for (now, input) in kept.inputs {
        again.handle(now, input, &mut Vec::new());
    }
    assert!(again.image() == node.image());
}
