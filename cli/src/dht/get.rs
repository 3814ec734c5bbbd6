//! `archipel dht get`.

use std::io::Write as _;

use clap::Args;
use dht::{Outcome as Came, Request};

use super::{
    joined::{JoinOptions, any_port, start},
    key::id,
    put::{PATIENCE, came, nobody},
    value,
};
use crate::exit::{Exit, Failure, Outcome};

/// Finds a value by its id and prints it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel dht get 0123456789abcdef0123456789abcdef01234567 --node 127.0.0.1:6881")]
pub(crate) struct GetOptions {
    /// The id: forty hexadecimal digits, as `put` says it.
    id: String,
    /// The salt, if the value was stored with one.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    salt: String,
    #[command(flatten)]
    join: JoinOptions,
}

pub(super) fn run(options: &GetOptions) -> Outcome {
    let target = id(&options.id)?;
    let (host, ..) = start(any_port(&options.join), &options.join, true)?;
    let answer = host.ask(Request::Get { target, salt: options.salt.clone().into() }, PATIENCE);
    let Came::Found(found) = came(answer)? else {
        return Err(Failure::new(Exit::Broken, "The node has answered something else."));
    };
    let Some(item) = found else {
        let is_alone = host.status().is_none_or(|status| status.nodes == 0);
        let missing = || Failure::new(Exit::Missing, "None of the nodes near that id has a value.");
        return Err(if is_alone { nobody() } else { missing() });
    };
    if let Some(seal) = &item.seal {
        eprintln!("This is number {} of its key.", seal.sequence);
    }
    let mut out = std::io::stdout();
    let written = out.write_all(value::shown(&item.value)).and_then(|()| out.write_all(b"\n"));
    written.map_err(|error| Failure::usage(format!("The value cannot be printed: {error}.")))?;
    Ok(Exit::Done)
}
