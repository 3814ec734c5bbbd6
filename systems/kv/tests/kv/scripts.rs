//! Runs the scripts in `scripts/`. Each line goes to the state machine and to the model, and both must
//! answer the same; what they answer is the golden part. After a deliberate change run the test with
//! `UPDATE_GOLDENFILES=1` and read the difference.

use std::{error::Error, path::Path};

use kernel::{EntryKind, Stamp};
use kv::{Caller, Command, Expect, LeaseId, Model, Order, Query, Range};

use crate::{
    shown::show,
    store::Store,
    words::{alarm, change, keys, question, text, transaction},
};

/// A text is its own bytes; `x*5` is five times x.
#[derive(Debug, goldenscript::Command)]
enum Line {
    /// put KEY VALUE
    Put {
        key: String,
        value: String,
        #[arg(key)]
        if_value: Option<String>,
        #[arg(key)]
        if_revision: Option<u64>,
        #[arg(key, optional)]
        if_absent: bool,
    },
    /// delete KEY
    Delete {
        key: String,
        #[arg(key)]
        if_value: Option<String>,
        #[arg(key)]
        if_revision: Option<u64>,
        #[arg(key, optional)]
        if_absent: bool,
    },
    /// get KEY
    Get { key: String },
    /// list [PREFIX] [after=KEY] [limit=N]
    List {
        prefix: Option<String>,
        #[arg(key)]
        after: Option<String>,
        #[arg(key, optional)]
        limit: u32,
    },
    /// range FIRST [END] [revision=N] [limit=N] [descending=true] [count_only=true]; an END of rest is
    /// all from the first on
    Range {
        first: String,
        end: Option<String>,
        #[arg(key, optional)]
        revision: u64,
        #[arg(key, optional)]
        limit: u32,
        #[arg(key, optional)]
        descending: bool,
        #[arg(key, optional)]
        count_only: bool,
    },
    /// txn [when="COMPARISON; ..."] [then="OPERATION; ..."] [otherwise="OPERATION; ..."]
    Txn {
        #[arg(key)]
        when: Option<String>,
        #[arg(key)]
        then: Option<String>,
        #[arg(key)]
        otherwise: Option<String>,
    },
    /// compact REVISION
    Compact { revision: u64 },
    /// grant LEASE SECONDS
    Grant { lease: i64, seconds: u64 },
    /// revoke LEASE
    Revoke { lease: i64 },
    /// keep_alive LEASE
    KeepAlive { lease: i64 },
    /// time_left LEASE
    TimeLeft { lease: i64 },
    /// Shows all leases.
    Leases,
    /// auth CHANGE: see words.rs
    Auth { words: Vec<String> },
    /// by USER [AUTH REVISION]: on whose behalf what follows is, known at that revision or at the present one
    By { user: String, auth_revision: Option<u64> },
    /// What follows is on nobody's behalf.
    Anonymous,
    /// users, roles, roles of USER, permissions of ROLE, standing, alarms: shows them
    Show { what: String, name: Option<String> },
    /// alarm raise|disarm no_space|corrupt MEMBER
    Alarm { what: String, kind: String, member: u64 },
    /// wait MILLISECONDS: what is due by then ends
    Wait { milliseconds: u64 },
    /// Somebody new leads.
    Term,
    /// Shows the store's revision.
    Revision,
    /// An entry with these bytes, in hexadecimal, as its command.
    Raw { bytes: Option<String> },
    /// An entry of another kind: noop or tick.
    Entry { kind: String },
    /// Carries all writes into the base.
    Flush,
}

struct Script {
    store: Store,
    model: Model,
    caller: Option<(String, Option<u64>)>,
}

impl goldenscript::Runner for Script {
    type Command = Line;

    fn run(
        &mut self,
        line: &Line,
        _context: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        let shown = match line {
            Line::Put { key, value, if_value, if_revision, if_absent } => {
                let expect = expectation(if_value.as_deref(), *if_revision, *if_absent)?;
                self.apply(&Command::Put { key: text(key)?, value: text(value)?, expect })
            }
            Line::Delete { key, if_value, if_revision, if_absent } => {
                let expect = expectation(if_value.as_deref(), *if_revision, *if_absent)?;
                self.apply(&Command::Delete { key: text(key)?, expect })
            }
            Line::Get { key } => self.query(&Query::Get { key: text(key)? }),
            Line::List { prefix, after, limit } => {
                let prefix = text(prefix.as_deref().unwrap_or_default())?;
                let after = after.as_deref().map(text).transpose()?;
                self.query(&Query::List { prefix, after, limit: *limit })
            }
            Line::Wait { milliseconds } => {
                let now = Stamp(self.store.now.0 + milliseconds * 1_000_000);
                (self.store.now, self.model.now) = (now, now);
                self.store.tick();
                self.model.tick();
                return Ok(String::new());
            }
            Line::Term => {
                self.store.apply_entry(EntryKind::Noop, &[])?;
                self.model.begin_term();
                return Ok(String::new());
            }
            Line::Revision => format!("revision {}", self.model.revision),
            Line::Raw { bytes } => {
                show(&self.store.apply_bytes(&hexadecimal(bytes.as_deref().unwrap_or_default())?)?)
            }
            Line::Entry { kind } => {
                let kind = match kind.as_str() {
                    "noop" => EntryKind::Noop,
                    "tick" => EntryKind::Tick,
                    _ => return Err("the kinds are noop and tick".into()),
                };
                format!("{} answers", self.store.apply_entry(kind, &[])?.len())
            }
            Line::Flush => {
                self.store.flush();
                return Ok(String::new());
            }
            Line::By { user, auth_revision } => {
                self.caller = Some((user.clone(), *auth_revision));
                return Ok(String::new());
            }
            Line::Anonymous => {
                self.caller = None;
                return Ok(String::new());
            }
            other => self.run_etcd(other)?,
        };
        self.store.check();
        Ok(shown + "\n")
    }
}

impl Script {
    /// The lines that only etcd's interface has.
    fn run_etcd(&mut self, line: &Line) -> Result<String, Box<dyn Error>> {
        Ok(match line {
            Line::Range { first, end, revision, limit, descending, count_only } => {
                let order = if *descending { Order::Descending } else { Order::Any };
                let range = Range {
                    revision: *revision,
                    limit: *limit,
                    order,
                    count_only: *count_only,
                    ..Range::of(keys(first, end.as_deref())?)
                };
                self.query(&Query::Range(range))
            }
            Line::Txn { when, then, otherwise } => {
                let parts = [when, then, otherwise].map(|part| part.as_deref().unwrap_or_default());
                self.apply(&Command::Do(transaction(parts)?))
            }
            Line::Compact { revision } => self.apply(&Command::Compact { revision: *revision }),
            Line::Grant { lease, seconds } => {
                self.apply(&Command::Grant { lease: LeaseId(*lease), seconds: *seconds })
            }
            Line::Revoke { lease } => self.apply(&Command::Revoke { lease: LeaseId(*lease) }),
            Line::KeepAlive { lease } => self.apply(&Command::KeepAlive { lease: LeaseId(*lease) }),
            Line::TimeLeft { lease } => {
                self.apply(&Command::TimeLeft { lease: LeaseId(*lease), with_keys: true })
            }
            Line::Leases => self.query(&Query::Leases),
            Line::Auth { words } => self.apply(&Command::Auth(change(words)?)),
            Line::Show { what, name } => self.query(&question(what, name.as_deref())?),
            Line::Alarm { what, kind, member } => self.apply(&alarm(what, kind, *member)?),
            other => panic!("a line of the course's interface: {other:?}"),
        })
    }

    fn caller(&self) -> Option<Caller> {
        let (user, known_at) = self.caller.clone()?;
        Some(Caller { auth_revision: known_at.unwrap_or(self.model.auth.revision), user })
    }

    fn apply(&mut self, command: &Command) -> String {
        let command = &command.clone().by(self.caller());
        let answer = self.store.apply(command);
        assert_eq!(answer, self.model.apply(command), "the model agrees");
        show(&answer)
    }

    fn query(&self, query: &Query) -> String {
        let query = &query.clone().by(self.caller());
        let answer = self.store.query(query);
        assert_eq!(answer, self.model.query(query), "the model agrees");
        show(&answer)
    }
}

#[test]
fn every_script_says_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of scripts")
        .map(|file| file.expect("a script").path())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "there are scripts");
    for script in scripts {
        println!("{}", script.display());
        let mut runner = Script { store: Store::new(), model: Model::default(), caller: None };
        goldenscript::run(&mut runner, &script).expect("a script can be run");
    }
}

fn expectation(
    value: Option<&str>,
    revision: Option<u64>,
    absent: bool,
) -> Result<Expect, Box<dyn Error>> {
    match (value, revision, absent) {
        (None, None, false) => Ok(Expect::Any),
        (None, None, true) => Ok(Expect::Absent),
        (Some(value), None, false) => Ok(Expect::Value(text(value)?)),
        (None, Some(revision), false) => Ok(Expect::Revision(revision)),
        _ => Err("one expectation at most".into()),
    }
}

fn hexadecimal(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
