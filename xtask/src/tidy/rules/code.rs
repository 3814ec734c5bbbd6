//! What must not stand in Rust code, and what to write instead.

use crate::tidy::{
    finding::Finding,
    repository::{File, Rust},
};

/// Where a ban holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// In all Rust code, tests too.
    Everywhere,
    /// In all Rust code that is shipped.
    Shipped,
    /// In the shipped code of the core crates.
    Core,
}

/// Pieces of code that are banned, and why, and what takes their place.
struct Ban {
    scope: Scope,
    pieces: &'static [&'static str],
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        scope: Scope::Everywhere,
        pieces: &["todo!", "unimplemented!", "dbg!"],
        instead: "finish it, or leave it out and say so in ARCHITECTURE.md",
    },
    Ban {
        scope: Scope::Shipped,
        pieces: &[".unwrap()"],
        instead: "use `?`, or `expect` with the invariant that makes it safe",
    },
    Ban {
        scope: Scope::Shipped,
        pieces: &[
            "to_ne_bytes",
            "from_ne_bytes",
            "usize).to_le_bytes",
            "usize).to_be_bytes",
            "usize::from_le_bytes",
            "usize::from_be_bytes",
            ".len().to_le_bytes",
            ".len().to_be_bytes",
            "Wire for usize",
            "Wire for isize",
            "size_of::<usize>",
            "write_usize",
        ],
        instead: "bytes and hashes are the same on every machine: use u32 or u64, little-endian",
    },
    Ban {
        scope: Scope::Core,
        pieces: &["f32", "f64"],
        instead: "floats differ between machines: use a ratio of two integers",
    },
    Ban {
        scope: Scope::Core,
        pieces: &["HashMap", "HashSet", "hashbrown"],
        instead: "its order is chance: use BTreeMap or BTreeSet",
    },
    Ban {
        scope: Scope::Core,
        pieces: &["std::", "extern crate std"],
        instead: "the core knows no clock, file, socket or thread: use `core::` or `alloc::`",
    },
    Ban {
        scope: Scope::Core,
        pieces: &["async", "await"],
        instead: "the core never waits: return an effect and take its end as an input",
    },
];

/// The breaches in one file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(rust) = &file.rust else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for ban in BANS {
        for piece in ban.pieces {
            for place in rust.source.places_of(piece) {
                if applies(ban.scope, file, rust, place) {
                    let message = format!("no `{piece}`: {}", ban.instead);
                    findings.push(Finding::new(&file.path, rust.source.line_of(place), message));
                }
            }
        }
    }
    findings.extend(float_literals(file, rust));
    findings.extend(mute_expects(file, rust));
    findings
}

fn applies(scope: Scope, file: &File, rust: &Rust, place: usize) -> bool {
    match scope {
        Scope::Everywhere => true,
        Scope::Shipped => !rust.is_test(place),
        Scope::Core => file.is_core() && !rust.is_test(place),
    }
}

/// `0.5` and the like, as opposed to `pair.0.5` and `0..5`.
fn float_literals(file: &File, rust: &Rust) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, window) in rust.source.code().windows(3).enumerate() {
        let [before, '.', after] = window else {
            continue;
        };
        if !before.is_ascii_digit() || !after.is_ascii_digit() || rust.is_test(place) {
            continue;
        }
        let code = &rust.source.code()[..=place];
        let number = code.iter().rev().take_while(|c| crate::tidy::source::is_word(**c)).count();
        let first = code.len() - number;
        let is_field = first > 0 && code[first - 1] == '.';
        if file.is_core() && code[first].is_ascii_digit() && !is_field {
            let message = "no floats in the core, they differ between machines: use a ratio";
            findings.push(Finding::new(&file.path, rust.source.line_of(place), message));
        }
    }
    findings
}

/// An `expect` whose message is a word or less.
fn mute_expects(file: &File, rust: &Rust) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in rust.source.places_of(".expect(") {
        let start = place + ".expect(".len();
        let code = &rust.source.code()[start..];
        let length = code.iter().take_while(|character| **character == '"').count();
        let message: String = rust.source.text()[start..start + length].iter().collect();
        if length > 0 && message.split_whitespace().count() < 2 && !rust.is_test(place) {
            let line = rust.source.line_of(place);
            let message = "this `expect` says nothing: state the invariant that makes it safe";
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    const NOWHERE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let mut lines: Vec<usize> = check(&File::new(path, text.as_bytes().to_vec()))
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        lines.sort_unstable();
        lines
    }

    const CORE: &str = "raft/src/node.rs";
    const EDGE: &str = "host/src/disk.rs";

    #[test]
    fn unfinished_code_is_found_in_tests_too() {
        assert_eq!(
            lines(EDGE, "todo!();\nunimplemented!();\n#[test]\nfn f() { dbg!(1); }"),
            [1, 2, 4]
        );
        assert_eq!(lines(EDGE, "// todo!()\nlet text = \"dbg!\";\nmy_todo!();"), NOWHERE);
    }

    #[test]
    fn unwrap_is_for_tests() {
        assert_eq!(lines(EDGE, "a.unwrap();\na.unwrap_or(1);"), [1]);
        assert_eq!(lines(EDGE, "#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }"), NOWHERE);
        assert_eq!(lines("tests/tests/real.rs", "a.unwrap();"), NOWHERE);
    }

    #[test]
    fn an_expect_states_its_invariant() {
        assert_eq!(lines(EDGE, "a.expect(\"\");\na.expect(\"failed\");"), [1, 2]);
        assert_eq!(lines(EDGE, "a.expect(\"a leader has itself\");\na.expect(reason);"), NOWHERE);
    }

    #[test]
    fn what_depends_on_the_machine_is_not_encoded() {
        assert_eq!(lines(EDGE, "put(x.len().to_le_bytes());\n(x as usize).to_be_bytes();"), [1, 2]);
        assert_eq!(lines(CORE, "impl Wire for usize {}\nu64::from_ne_bytes(x);"), [1, 2]);
        assert_eq!(
            lines(EDGE, "put((x.len() as u64).to_le_bytes()); impl Wire for u64 {}"),
            NOWHERE
        );
    }

    #[test]
    fn the_core_has_no_floats() {
        assert_eq!(lines(CORE, "let a: f64 = 1;\nlet b = 0.5;\nlet c = 1_0.0;"), [1, 2, 3]);
        assert_eq!(
            lines(CORE, "let a = pair.0.1; for b in 0..5 {} let v1 = x1.y; // 0.5"),
            NOWHERE
        );
        assert_eq!(lines(EDGE, "let a: f64 = 0.5;"), NOWHERE);
    }

    #[test]
    fn the_core_has_no_order_of_chance() {
        assert_eq!(lines(CORE, "use alloc::HashMap;\nlet a: HashSet<u8>;"), [1, 2]);
        assert_eq!(lines(CORE, "let a: BTreeMap<u8, u8>;"), NOWHERE);
        assert_eq!(lines(EDGE, "use other::HashMap;"), NOWHERE);
    }

    #[test]
    fn the_core_names_neither_std_nor_async() {
        assert_eq!(lines(CORE, "use std::fmt;\nasync fn f() {}\nf().await;"), [1, 2, 3]);
        assert_eq!(
            lines(CORE, "use core::fmt;\n#[cfg(test)]\nmod tests { use std::fmt; }"),
            NOWHERE
        );
        assert_eq!(lines(EDGE, "use std::fmt; async fn f() {}"), NOWHERE);
    }
}
