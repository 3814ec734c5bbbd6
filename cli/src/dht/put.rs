//! `archipel dht put`.

use std::time::Duration;

use clap::Args;
use dht::{Item, Outcome as Came, Request, item::public_key};
use host::{DatagramAnswer, draw_secret};
use kernel::Wire as _;

use super::{
    joined::{JoinOptions, any_port, start},
    key::{hex, secret},
    value,
};
use crate::exit::{Exit, Failure, Outcome};

/// A lookup in a network of many dead nodes ends before this.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Stores a value for two hours, and says under which id.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel dht put hello --node 127.0.0.1:6881
  archipel dht put hello --sign new --node 127.0.0.1:6881
  archipel dht put hi --sign SECRET --seq 2 --if-seq 1 --node 127.0.0.1:6881")]
pub(crate) struct PutOptions {
    /// The value, a text of at most 996 bytes.
    value: String,
    /// Store it under a key, signed with this secret key of 64 hexadecimal digits; `new` draws one.
    #[arg(long, value_name = "SECRET")]
    sign: Option<String>,
    /// Tells the values of one key apart.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "sign",
        default_value = "",
        hide_default_value = true
    )]
    salt: String,
    /// The number of this value: a higher one takes the place of a lower one.
    #[arg(long, value_name = "NUMBER", requires = "sign", default_value_t = 1)]
    seq: u32,
    /// Only in the place of the value with this number.
    #[arg(long, value_name = "NUMBER", requires = "sign")]
    if_seq: Option<u32>,
    #[command(flatten)]
    join: JoinOptions,
}

pub(super) fn run(options: &PutOptions) -> Outcome {
    let item = item(options)?;
    let compare = options.if_seq.map(i64::from);
    let (host, ..) = start(any_port(&options.join), &options.join, true)?;
    let answer = host.ask(Request::Put { item, compare, is_kept: false }, PATIENCE);
    let Came::Stored { target, copies, refusals } = came(answer)? else {
        return Err(Failure::new(Exit::Broken, "The node has answered something else."));
    };
    if copies == 0 {
        let Some(first) = refusals.first() else {
            return Err(nobody());
        };
        let exit = if matches!(first.code, 301 | 302) { Exit::Missing } else { Exit::Refused };
        return Err(Failure::new(exit, format!("Not stored: {} ({}).", first.text, first.code)));
    }
    println!("{target}");
    eprintln!("Stored on {copies} nodes for two hours.");
    Ok(Exit::Done)
}

fn item(options: &PutOptions) -> Outcome<Item> {
    let value = value::of_text(&options.value).into();
    let Some(word) = &options.sign else {
        return Ok(Item::immutable(value));
    };
    let key = if word == "new" { draw_secret() } else { secret(word)? };
    if word == "new" {
        eprintln!("The secret key is {}. Keep it: it is not stored anywhere.", hex(&key));
    }
    eprintln!("The public key is {}.", hex(&public_key(&key)));
    Ok(Item::signed(&key, options.salt.clone().into(), i64::from(options.seq), value))
}

/// What came of a request, or why nothing did.
pub(super) fn came(answer: Option<DatagramAnswer>) -> Outcome<Came> {
    let bytes = match answer {
        None => {
            let message = "The node came to no end within a minute. Try again.";
            return Err(Failure::new(Exit::Unknown, message));
        }
        Some(Err(refusal)) => {
            return Err(Failure::new(Exit::Refused, format!("Not done: {refusal}.")));
        }
        Some(Ok(bytes)) => bytes,
    };
    Came::from_bytes(bytes).map_err(|error| {
        Failure::new(Exit::Broken, format!("The answer is not readable: {error}."))
    })
}

/// Nobody was there.
pub(super) fn nobody() -> Failure {
    let message =
        "No node has answered. Start one with `archipel dht up`, and name it with --node.";
    Failure::new(Exit::Unavailable, message)
}
