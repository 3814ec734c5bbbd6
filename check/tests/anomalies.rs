//! The classic anomalies: what each of them breaks, what it keeps, and the operations that show it.
//!
//! A history is a line for each operation, one after the other unless marked: the process, what it did
//! and what it was told. `w x 1` writes, `r x 1` finds, `r x -` finds nothing, `c x 1 2` sets 2 where 1
//! was, `d x` deletes something. `(` in front begins an operation that ends where `)` and the process
//! stand; `?` behind leaves its outcome unknown.

mod support;

use archipel_check::{Answer, Call, Consistency, EventKind, Finding, History, Ladder, Limits};
use support::push;

fn history(script: &str) -> History {
    let mut history = History::default();
    let mut open: Vec<(u64, Answer)> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (mark, rest) = match line.split_at(1) {
            (mark @ ("(" | ")"), rest) => (mark, rest),
            _ => ("", line),
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let process = words[0].parse().expect("a line begins with a process");
        if mark == ")" {
            let place = open.iter().position(|(other, _)| *other == process).expect("it is open");
            push(&mut history, process, EventKind::Ok(open.swap_remove(place).1));
            continue;
        }
        let (call, answer) = operation(&words[1..]);
        push(&mut history, process, EventKind::Invoke { key: words[2].into(), call });
        match words.last() {
            Some(&"?") => push(&mut history, process, EventKind::Info),
            _ if mark == "(" => open.push((process, answer)),
            _ => push(&mut history, process, EventKind::Ok(answer)),
        }
    }
    history
}

fn operation(words: &[&str]) -> (Call, Answer) {
    let value = |word: &str| (word != "-").then(|| word.as_bytes().to_vec());
    let bytes = |word: &str| word.as_bytes().to_vec();
    match words {
        ["r", _, found] => (Call::Read, Answer::Found(value(found))),
        ["w", _, new, ..] => (Call::Write(bytes(new)), Answer::Written),
        ["d", _] => (Call::Delete, Answer::Deleted(true)),
        ["c", _, expected, new] => {
            let call = Call::CompareAndSet { expected: value(expected), new: bytes(new) };
            (call, Answer::Written)
        }
        other => panic!("{other:?} is no operation"),
    }
}

/// The ladder as text: for each model `+` or what breaks it, by places, `!` if proven shortest.
fn judged(script: &str) -> String {
    let ladder = Ladder::judge(&history(script), Limits::default());
    let lines = Consistency::ALL.map(|model| {
        let found = match ladder.finding(model) {
            Finding::Holds => String::from("+"),
            Finding::Broken(evidence) => {
                let mark = if evidence.is_shortest { "!" } else { "" };
                format!("{:?}{mark}", evidence.places)
            }
            Finding::Unknown(reason) => format!("? {reason}"),
        };
        format!("{} {found}", model.name())
    });
    let strongest: Vec<&str> = ladder.strongest().into_iter().map(Consistency::name).collect();
    format!("{}\nstrongest: {}", lines.join("\n"), strongest.join(", "))
}

fn expect(script: &str, expected: [&str; 7]) {
    let names = Consistency::ALL.map(Consistency::name);
    let mut lines: Vec<String> =
        names.iter().zip(expected).map(|(name, found)| format!("{name} {found}")).collect();
    lines.push(format!("strongest: {}", expected[6]));
    assert_eq!(judged(script), lines.join("\n"));
}

#[test]
fn a_stale_read_is_sequential_but_not_linearizable() {
    expect(
        "1 w x 1
         1 w x 2
         2 r x 1
         2 r x 2",
        ["[0, 1, 2]!", "+", "+", "+", "+", "+", "sequential, eventual"],
    );
}

#[test]
fn a_read_during_a_write_may_see_either_but_not_the_new_and_then_the_old() {
    expect(
        "(1 w x 1
         2 r x 1
         3 r x -
         )1",
        ["[0, 1, 2]!", "+", "+", "+", "+", "+", "sequential, eventual"],
    );
}

#[test]
fn a_lost_update_two_compare_and_sets_win_against_the_same_value() {
    expect(
        "1 w x 0
         (1 c x 0 1
         (2 c x 0 2
         )1
         )2",
        ["[0, 1, 2]!", "[0, 1, 2]!", "+", "+", "+", "+", "causal, eventual"],
    );
}

#[test]
fn store_buffers_each_misses_the_others_write() {
    expect(
        "1 w x 1
         2 w y 1
         1 r y -
         2 r x -",
        ["[0, 3]!", "[0, 1, 2, 3]!", "+", "+", "+", "[0, 3]!", "causal"],
    );
}

#[test]
fn independent_reads_see_independent_writes_in_opposite_orders() {
    expect(
        "(1 w x 1
         (2 w y 1
         3 r x 1
         3 r y -
         4 r y 1
         4 r x -
         )1
         )2
         3 r y 1
         4 r x 1",
        ["[0, 2, 5]!", "[0, 1, 2, 3, 4, 5]!", "+", "+", "+", "+", "causal, eventual"],
    );
}

#[test]
fn two_readers_of_one_key_see_two_writes_in_opposite_orders() {
    expect(
        "(1 w x 1
         (2 w x 2
         (3 r x 1
         (4 r x 2
         )3
         )4
         3 r x 2
         4 r x 1
         )1
         )2",
        ["[0, 1, 2, 4, 5]!", "[0, 1, 2, 3, 4, 5]!", "+", "+", "+", "+", "causal, eventual"],
    );
}

#[test]
fn a_message_overtakes_its_cause() {
    expect(
        "1 w x 1
         1 w y 1
         2 r y 1
         2 r x -
         2 r x 1",
        [
            "[0, 3]!",
            "[0, 1, 2, 3]!",
            "[0, 1, 2, 3]!",
            "+",
            "+",
            "+",
            "read-your-writes, monotonic-reads, eventual",
        ],
    );
}

#[test]
fn an_answer_is_seen_before_the_question() {
    expect(
        "1 w question 1
         2 r question 1
         2 w answer 1
         3 r answer 1
         3 r question -
         3 r question 1",
        [
            "[0, 4]!",
            "[0, 1, 2, 3, 4]!",
            "[0, 1, 2, 3, 4]!",
            "+",
            "+",
            "+",
            "read-your-writes, monotonic-reads, eventual",
        ],
    );
}

#[test]
fn a_process_does_not_see_its_own_write() {
    expect(
        "1 w x 1
         1 r x -
         1 r x 1",
        ["[0, 1]!", "[0, 1]!", "[0, 1]!", "[0, 1]!", "+", "+", "monotonic-reads, eventual"],
    );
}

#[test]
fn a_process_sees_its_own_older_write() {
    expect(
        "1 w x 1
         1 w x 2
         1 r x 1
         1 r x 2",
        [
            "[0, 1, 2]!",
            "[0, 1, 2]!",
            "[0, 1, 2]!",
            "[0, 1, 2]!",
            "+",
            "+",
            "monotonic-reads, eventual",
        ],
    );
}

#[test]
fn a_reader_goes_back_in_time() {
    expect(
        "1 w x 1
         1 w x 2
         2 r x 2
         2 r x 1
         2 r x 2",
        [
            "[0, 1, 3]!",
            "[0, 1, 2, 3]!",
            "[0, 1, 2, 3]!",
            "+",
            "[0, 1, 2, 3]!",
            "+",
            "read-your-writes, eventual",
        ],
    );
}

#[test]
fn replicas_never_agree() {
    expect(
        "1 w x 1
         2 w x 2
         1 r x 1
         2 r x 2",
        ["[0, 1, 2]!", "+", "+", "+", "+", "[0, 1, 2, 3]", "sequential"],
    );
}

#[test]
fn a_write_that_was_acknowledged_is_lost() {
    expect(
        "1 w x 1
         2 r x 1
         2 r x -",
        ["[0, 2]!", "[0, 1, 2]!", "[0, 1, 2]!", "+", "[0, 1, 2]!", "[0, 2]!", "read-your-writes"],
    );
}

#[test]
fn a_value_out_of_thin_air_breaks_everything() {
    expect("1 r x 1", ["[0]!", "[0]!", "[0]!", "[0]!", "[0]!", "[0]!", ""]);
}

#[test]
fn a_write_of_unknown_outcome_may_take_effect_late_but_not_twice() {
    expect(
        "1 w x 1 ?
         2 w x 2
         2 r x 2
         2 r x 1",
        ["+", "+", "+", "+", "+", "+", "linearizable"],
    );
    expect(
        "1 w x 1 ?
         2 r x 1
         2 w x 2
         2 r x 1",
        [
            "[0, 1, 2, 3]!",
            "[0, 1, 2, 3]!",
            "[0, 1, 2, 3]!",
            "+",
            "+",
            "+",
            "read-your-writes, monotonic-reads, eventual",
        ],
    );
}

#[test]
fn who_deleted_is_not_told_so_causes_are_unknown_unless_there_is_an_order() {
    let unknown = "? several operations could have made what one of them saw";
    expect(
        "1 w x 1
         1 d x
         2 r x 1
         2 r x -",
        ["[0, 1, 2]!", "+", "+", "+", "+", "+", "sequential, eventual"],
    );
    expect(
        "1 w x 1
         1 d x
         2 r x 1
         2 r x -
         2 r x 1
         2 r x -",
        ["[0, 1, 2]!", "[0, 1, 2, 3, 4]!", unknown, unknown, unknown, "+", "eventual"],
    );
}

#[test]
fn of_a_chain_of_compare_and_sets_only_the_end_is_named() {
    expect(
        "1 c x - 1
         1 c x 1 2
         2 c x 2 3
         1 c x 3 4
         1 c x 4 5
         3 r x 4",
        ["[3, 4, 5]!", "+", "+", "+", "+", "+", "sequential, eventual"],
    );
}

#[test]
fn what_a_reader_saw_replaced_comes_back_though_others_wrote_it() {
    expect(
        "(1 w x 1
         (2 w x 2
         3 r x 1
         3 r x 2
         3 r x 1
         )1
         )2
         3 r x 1",
        [
            "[0, 1, 2, 3, 4]!",
            "[0, 1, 2, 3, 4]!",
            "[0, 1, 2, 3, 4]!",
            "+",
            "[0, 1, 2, 3, 4]!",
            "+",
            "read-your-writes, eventual",
        ],
    );
}

/// The writes of both are done either way; which was last decides.
#[test]
fn two_orders_of_the_same_operations_are_not_the_same() {
    expect(
        "1 w x 1
         2 w x 2
         3 r x 2
         3 c x 1 5
         3 w x 1",
        ["[0, 1, 3, 4]!", "+", "+", "+", "+", "+", "sequential, eventual"],
    );
}
