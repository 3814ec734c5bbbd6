//! Numbers for people, and how long the tests are to be.

use std::{
    env,
    io::{self, Write},
    time::Duration,
};

/// Prints a line although the test passes.
pub(crate) fn report(line: &str) {
    let _ = writeln!(io::stderr(), "    {line}");
}

/// True if tests shall take their time.
pub(crate) fn is_long() -> bool {
    env::var("ARCHIPEL_LONG").is_ok_and(|value| value != "0" && !value.is_empty())
}

/// The number in an environment variable, or else `default`.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let Ok(text) = env::var(variable) else {
        return default;
    };
    text.parse().unwrap_or_else(|error| panic!("{variable}={text} is not a number: {error}"))
}

/// Times as a line: the median and all of them, in milliseconds.
pub(crate) fn times(times: &[Duration]) -> String {
    let mut sorted: Vec<u128> = times.iter().map(Duration::as_millis).collect();
    sorted.sort_unstable();
    let all: Vec<String> = sorted.iter().map(u128::to_string).collect();
    format!("median {} ms of {}", sorted[sorted.len() / 2], all.join(", "))
}
