//! `archipel dht ring`: who owns a key on a circle, and how few keys move when a node joins.

use std::path::PathBuf;

use clap::Args;
use dht::ring::{SmallRing, VirtualRing, fnv1a_32};

use super::ring_svg;
use crate::{
    exit::{Exit, Failure, Outcome},
    table::Table,
};

/// Keys whose owners are counted before and after a node joins.
const KEYS: u32 = 100_000;
/// A mark of the line for this many places of the ring.
const PLACES_PER_MARK: u8 = 4;

/// Shows who owns which key on a ring of 256 places, and how many keys move when a node joins.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel dht ring
  archipel dht ring apple pear --place 10 --place 90 --svg ring.svg")]
pub(crate) struct RingOptions {
    /// Keys to be placed.
    #[arg(default_values = ["filename1", "hello", "filename2"])]
    keys: Vec<String>,
    /// Where a node stands, from 0 to 255; may be given several times.
    #[arg(long = "place", value_name = "PLACE", default_values_t = [100, 150, 200])]
    places: Vec<u8>,
    /// How many nodes are there before another one joins.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    nodes: u32,
    /// How often each of them stands on the ring of virtual nodes.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1000))]
    virtual_nodes: u32,
    /// Draw the ring of 256 places into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(super) fn run(options: &RingOptions) -> Outcome {
    let ring = SmallRing::new(&options.places);
    println!("{}\n{}", line(&ring, &options.keys), legend());
    owners(&ring, &options.keys).print();
    println!();
    moved(options.nodes, options.virtual_nodes).print();
    if let Some(path) = &options.svg {
        let drawn = ring_svg::draw(&ring, &options.keys);
        std::fs::write(path, drawn).map_err(|error| {
            Failure::usage(format!("{} cannot be written: {error}.", path.display()))
        })?;
        println!("\nThe ring is drawn in {}.", path.display());
    }
    Ok(Exit::Done)
}

/// The ring, cut open at 0: a mark for each four places.
fn line(ring: &SmallRing, keys: &[String]) -> String {
    let mark = |place: u8| usize::from(place / PLACES_PER_MARK);
    let mut marks = vec!['·'; mark(u8::MAX) + 1];
    for key in keys {
        marks[mark(SmallRing::place(key))] = 'k';
    }
    for node in ring.nodes() {
        marks[mark(*node)] = 'N';
    }
    format!("0 ⟲{}⟳ 255", marks.into_iter().collect::<String>())
}

const fn legend() -> &'static str {
    "    N a node   k a key: it belongs to the next N to the right, and after 255 comes 0\n"
}

fn owners(ring: &SmallRing, keys: &[String]) -> Table {
    let mut table = Table::new(&["key", "fnv-1a", "place", "node", ""]);
    for key in keys {
        let place = SmallRing::place(key);
        let owner = ring.owner(place);
        let wraps = if owner < place { "past the end of the ring" } else { "" };
        let hash = fnv1a_32(key.as_bytes());
        let cells = [key.clone(), hash.to_string(), place.to_string(), owner.to_string()];
        table.row(cells.into_iter().chain([wraps.to_owned()]).collect());
    }
    table
}

/// How many keys change their owner when a node joins.
fn moved(nodes: u32, virtual_nodes: u32) -> Table {
    let title = format!("{nodes} nodes, and one joins");
    let mut table = Table::new(&[&title, "keys that move", "largest share before"]);
    let modulo = (0..KEYS).filter(|key| {
        let hash = fnv1a_32(name(*key).as_bytes());
        hash % nodes != hash % (nodes + 1)
    });
    table.row(vec![
        "hash modulo the number of nodes".into(),
        percent(modulo.count()),
        percent_of(nodes),
    ]);
    for per_node in [1, virtual_nodes] {
        let (moved, largest) = moved_on_ring(nodes, per_node);
        let what = format!("a ring, each node on it {per_node} times");
        table.row(vec![what, percent(moved), percent(largest)]);
    }
    table.row(vec!["a fair share for who joins".into(), percent_of(nodes + 1), percent_of(nodes)]);
    table
}

fn moved_on_ring(nodes: u32, per_node: u32) -> (usize, usize) {
    let mut before = VirtualRing::new(per_node);
    (1..=nodes).for_each(|node| before.join(&format!("node-{node}")));
    let mut after = before.clone();
    after.join(&format!("node-{}", nodes + 1));
    let keys: Vec<String> = (0..KEYS).map(name).collect();
    let moved = keys.iter().filter(|key| before.owner(key) != after.owner(key)).count();
    let share = |node: u32| {
        let node = format!("node-{node}");
        keys.iter().filter(|key| before.owner(key) == Some(&node)).count()
    };
    (moved, (1..=nodes).map(share).max().unwrap_or_default())
}

fn name(key: u32) -> String {
    format!("key-{key}")
}

fn percent(keys: usize) -> String {
    let tenths = keys * 1000 / usize::try_from(KEYS).expect("a small number");
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn percent_of(parts: u32) -> String {
    percent(usize::try_from(KEYS / parts).expect("a small number"))
}

#[cfg(test)]
mod tests {
    use super::{SmallRing, line, moved_on_ring, owners};

    #[test]
    fn the_ring_is_cut_open_and_its_keys_have_nodes() {
        let ring = SmallRing::new(&[100, 150, 200]);
        let keys = ["filename1", "hello", "filename2"].map(str::to_owned);
        let line = line(&ring, &keys);
        assert_eq!(line.matches('N').count(), 3);
        assert_eq!(line.matches('k').count(), 3);
        let rows = owners(&ring, &keys).lines(200);
        assert_eq!(rows[1], "filename1  13782587    59     100");
        assert_eq!(rows[3], "filename2  30560206    206    100   past the end of the ring");
    }

    #[test]
    fn a_quarter_moves_on_a_ring_with_virtual_nodes() {
        let (moved, largest) = moved_on_ring(3, 128);
        assert!((20_000..30_000).contains(&moved), "{moved} of 100,000 moved");
        assert!((33_000..42_000).contains(&largest), "{largest} of 100,000 on one node");
    }
}
