//! The outcome as a table that fits a terminal: a line for each measure, a column for each contestant, and how
//! ours compares with the goal.

use crate::{
    contestant::Kind,
    load,
    outcome::{LoadResult, Outcome, Result},
};

/// What is to be reached, as a ratio of ours to etcd's.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// At least this many times etcd's, or three quarters of what the null server reaches.
    AtLeast(f64),
    /// At most this part of etcd's.
    AtMost(f64),
    /// Nothing: it is shown to explain the others.
    None,
}

/// A measure of all contestants.
struct Line {
    name: String,
    goal: Goal,
    values: Vec<Option<f64>>,
}

/// The table.
pub(crate) fn draw(outcome: &Outcome) -> String {
    let mut text = format!("{:<26}", "");
    for kind in &outcome.kinds {
        text.push_str(&format!("{:>12}", kind.name()));
    }
    text.push_str(&format!("{:>9}  goal\n", "ratio"));
    for line in lines(outcome) {
        text.push_str(&format!("{:<26}", line.name));
        for value in &line.values {
            text.push_str(&format!("{:>12}", value.map_or_else(|| "-".to_owned(), number)));
        }
        text.push_str(&verdict(outcome, &line));
    }
    text
}

fn lines(outcome: &Outcome) -> Vec<Line> {
    let loads = outcome.results.first().map_or(0, |result| result.loads.len());
    let mut lines: Vec<Line> = (0..loads).flat_map(|place| load_lines(outcome, place)).collect();
    let line = |name: &str, goal, value: fn(&Result) -> Option<f64>| Line {
        name: name.to_owned(),
        goal,
        values: outcome.results.iter().map(value).collect(),
    };
    lines.push(line("watch events /s", Goal::AtLeast(1.0), Result::events_rate));
    lines.push(line("fill, s", Goal::None, |result| Some(result.fill?.as_secs_f64())));
    lines.push(line("memory with keys, MB", Goal::AtMost(1.0), |result| {
        Some(result.resident_bytes_max()? as f64 / 1e6)
    }));
    lines.push(line("restart with keys, s", Goal::AtMost(1.0), |result| {
        Some(result.restart?.as_secs_f64())
    }));
    lines.retain(|line| line.values.iter().any(Option::is_some));
    lines
}

fn load_lines(outcome: &Outcome, place: usize) -> Vec<Line> {
    let load = outcome.results[0].loads[place].load;
    let (what, rate, p99) = match (load.kind, load.clients) {
        (load::Kind::Puts, 1) => ("puts, 1 client", Goal::AtLeast(1.5), Goal::None),
        (load::Kind::Puts, 64) => ("puts, 64 clients", Goal::AtLeast(4.0), Goal::AtMost(0.334)),
        (load::Kind::Puts, _) => ("puts, 256 clients", Goal::AtLeast(3.0), Goal::AtMost(0.334)),
        (load::Kind::Reads, _) => ("reads, 64 clients", Goal::AtLeast(6.0), Goal::None),
    };
    let line = |name: String, goal, value: fn(&LoadResult) -> f64| Line {
        name,
        goal,
        values: outcome.results.iter().map(|one| one.loads.get(place).map(value)).collect(),
    };
    vec![
        line(format!("{what} /s"), rate, LoadResult::rate),
        line("    p50, ms".to_owned(), Goal::None, |load| load.latency_ms(0.5)),
        line("    p99, ms".to_owned(), p99, |load| load.latency_ms(0.99)),
        line("    servers, us/request".to_owned(), Goal::None, LoadResult::processor_us),
        line("    clients, us/request".to_owned(), Goal::None, LoadResult::client_processor_us),
    ]
}

/// The ratio of ours to etcd's, the goal, and whether it is met.
fn verdict(outcome: &Outcome, line: &Line) -> String {
    let value = |kind: Kind| line.values[outcome.place_of(kind)?];
    let (Some(etcd), Some(ours)) = (value(Kind::Etcd), value(Kind::Archipel)) else {
        return "\n".to_owned();
    };
    let ratio = ours / etcd;
    let (goal, is_met) = match line.goal {
        Goal::None => return format!("{ratio:>9.2}\n"),
        Goal::AtLeast(least) => {
            let ceiling = value(Kind::Null).map_or(f64::INFINITY, |null| 0.75 * null / etcd);
            let least = least.min(ceiling);
            (format!("at least {least:.2}"), ratio >= least)
        }
        Goal::AtMost(most) => (format!("at most {most:.2}"), ratio <= most),
    };
    format!("{ratio:>9.2}  {goal}: {}\n", if is_met { "met" } else { "MISSED" })
}

/// Three digits and more, as few as tell something.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Outcome, draw};
    use crate::load::Delivered;

    /// An outcome in which watchers had so many events a second, of etcd, ours and the null server.
    fn with_events(rates: [u64; 3]) -> Outcome {
        let mut outcome = Outcome::new(&[Kind::Etcd, Kind::Archipel, Kind::Null]);
        for (result, events) in outcome.results.iter_mut().zip(rates) {
            let took = std::time::Duration::from_secs(1);
            result.delivered.push(Delivered { events, took });
        }
        outcome
    }

    #[test]
    fn a_goal_is_met_at_its_ratio_or_near_what_anybody_could_reach() {
        let text = draw(&with_events([100, 120, 500]));
        assert!(text.contains("1.20  at least 1.00: met"), "{text}");
        let text = draw(&with_events([100, 80, 500]));
        assert!(text.contains("0.80  at least 1.00: MISSED"), "{text}");
        let text = draw(&with_events([100, 80, 100]));
        assert!(text.contains("0.80  at least 0.75: met"), "{text}");
    }

    #[test]
    fn the_table_fits_a_terminal() {
        let text = draw(&with_events([1_000_000, 2_000_000, 3_000_000]));
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    }
}
