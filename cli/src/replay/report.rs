//! What was run, for people and as JSON.

use serde_json::{Value, json};

use super::player::{Broken, Player, Step};

/// Prints the steps and what broke.
pub(super) fn print(player: &Player, steps: &[Step]) {
    println!("{}", head(player, steps));
    for step in steps {
        let microseconds = step.now.0 / 1_000;
        let (whole, part) = (microseconds / 1_000, microseconds % 1_000);
        println!("{:>8} {whole:>10}.{part:03}  {}", step.number, step.input);
        for effect in &step.effects {
            println!("{:25}{effect}", "");
        }
    }
    println!("{}", verdict(player));
}

fn head(player: &Player, steps: &[Step]) -> String {
    let me = player.me;
    let ran = format!(
        "Node {} in its life {}, inputs {} to {}",
        me.node, me.incarnation, player.first, player.number
    );
    match steps.first() {
        Some(step) if step.number > player.first => {
            format!("{ran}. These are shown from {} on; --from shows more.", step.number)
        }
        _ => format!("{ran}."),
    }
}

/// What came of it in a sentence or two.
fn verdict(player: &Player) -> String {
    let (number, recorded) = (player.number, one_line(&player.recorded));
    let Some(broken) = player.broken() else {
        return format!(
            "The inputs ran without breaking anything. On file is: {recorded}. Either it was not the \
             node that broke it, or this build has it mended."
        );
    };
    let Broken { message, place, is_found_by_check } = broken;
    let place = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let how = if *is_found_by_check { "leaves an invariant broken" } else { "breaks an invariant" };
    let said = format!("Input {number} {how}: {}{place}.", one_line(message));
    if player.is_as_recorded() {
        format!("{said} It is the one on file.")
    } else {
        format!("{said} Another one is on file: {recorded}.")
    }
}

/// An assertion that compares says what it found on lines of its own.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// All of it as one JSON object.
pub(super) fn json(player: &Player, steps: &[Step]) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!({
                "number": step.number,
                "nowNs": step.now.0,
                "input": step.input,
                "effects": step.effects,
            })
        })
        .collect();
    let broken = player.broken().map(|broken| {
        json!({
            "input": player.number,
            "message": broken.message,
            "place": broken.place,
            "foundByCheck": broken.is_found_by_check,
            "asRecorded": player.is_as_recorded(),
        })
    });
    json!({
        "node": player.me.node.0,
        "incarnation": player.me.incarnation.0,
        "first": player.first,
        "last": player.number,
        "recorded": player.recorded,
        "broken": broken,
        "inputs": steps,
    })
}
