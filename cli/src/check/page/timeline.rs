//! The operations as bars over time: a lane for each process, a column for each event that is shown.
//!
//! ```text
//!   process 1  ├─ 3 w 5 ──┤     ├─ 5 r 5 ─┤
//!   process 2       ├─ 4 r 5 ─┤      ├─ ✕ r – ──┤
//! ```

use std::collections::{BTreeMap, BTreeSet};

use ::check::{End, Evidence, Operation, Process, Witness};

use super::escape;
use crate::check::{history_file::Recorded, shown};

const COLUMN_PX: usize = 48;
const LANE_PX: usize = 30;
const BAR_PX: usize = 22;
const NAME_PX: usize = 92;
const TOP_PX: usize = 26;
/// What follows the last event: room for what never ended, and the name again.
const TAIL_PX: usize = 132;

/// How many operations are drawn before the one that fits nowhere, and after it.
const BEFORE: usize = 60;
const AFTER: usize = 2;

/// How many of those that are enough to show it are drawn, wherever they stand.
const NAMED_MAX: usize = 200;

/// The picture with its legend.
pub(super) fn draw(recorded: &Recorded, witness: Option<&Witness>, evidence: &Evidence) -> String {
    let picture = Picture::new(recorded, witness, evidence);
    let (shown, all) = (picture.places.len(), picture.all_len);
    let part = if shown < all {
        format!(" {shown} of the {all} operations on these keys are drawn.")
    } else {
        String::new()
    };
    format!(
        "<h2>Time line</h2>\n<p>Time runs to the right, one step for each event; point at a bar for its \
         details.{part}</p>\n<ul class=\"legend\">\n\
         <li><i class=\"placed\"></i>explained, with its place in the order</li>\n\
         <li><i class=\"stuck\"></i>✕ fits nowhere</li>\n\
         <li><i class=\"other\"></i>not needed, not over or later</li>\n\
         <li><i class=\"other named\"></i>enough, with the others marked so, to show it</li>\n</ul>\n\
         <div class=\"wide end-first\">\n{}</div>\n",
        picture.svg()
    )
}

struct Picture<'a> {
    recorded: &'a Recorded,
    /// The operations that are drawn, and how many there are on their keys.
    places: Vec<usize>,
    all_len: usize,
    /// By the position of an event, its column.
    columns: BTreeMap<usize, usize>,
    lanes: BTreeMap<Process, usize>,
    /// By process, the positions at which its operations that are drawn begin.
    begins: BTreeMap<Process, BTreeSet<usize>>,
    /// By the position of the invocation, the place in the order, from 1.
    order: BTreeMap<usize, usize>,
    stuck: Option<usize>,
    named: BTreeSet<usize>,
}

impl<'a> Picture<'a> {
    fn new(recorded: &'a Recorded, witness: Option<&Witness>, evidence: &Evidence) -> Self {
        let operations = recorded.history.operations();
        let named: BTreeSet<usize> = evidence.places.iter().copied().collect();
        let keys: BTreeSet<&[u8]> = match witness {
            Some(witness) => BTreeSet::from([witness.key.as_slice()]),
            None => named.iter().map(|place| operations[*place].key.as_slice()).collect(),
        };
        let is_drawn = |place: &usize| {
            let operation = &operations[*place];
            keys.contains(operation.key.as_slice()) && !matches!(operation.end, End::Failed(_))
        };
        let all: Vec<usize> = (0..operations.len()).filter(is_drawn).collect();
        let stuck = witness.map(|witness| witness.stuck.invoked);
        let last = named.iter().next_back().map(|place| operations[*place].invoked);
        let focus = stuck.or(last).unwrap_or_default();
        let middle = all.partition_point(|place| operations[*place].invoked <= focus);
        let window = middle.saturating_sub(BEFORE)..all.len().min(middle + AFTER);
        let mut places: BTreeSet<usize> = all[window].iter().copied().collect();
        places.extend(named.iter().take(NAMED_MAX));
        let order = witness.map_or(&[][..], |witness| &witness.prefix);
        let order = order.iter().enumerate().map(|(place, one)| (one.invoked, place + 1)).collect();
        let mut picture = Self {
            recorded,
            places: places.into_iter().collect(),
            all_len: all.len(),
            columns: BTreeMap::new(),
            lanes: BTreeMap::new(),
            begins: BTreeMap::new(),
            order,
            stuck,
            named,
        };
        picture.lay_out();
        picture
    }

    fn operation(&self, place: usize) -> &'a Operation {
        &self.recorded.history.operations()[place]
    }

    fn lay_out(&mut self) {
        let mut events = BTreeSet::new();
        for place in &self.places {
            let operation = self.operation(*place);
            events.insert(operation.invoked);
            events.extend(answered(operation));
            self.begins.entry(operation.process).or_default().insert(operation.invoked);
        }
        self.columns = events.into_iter().zip(0..).collect();
        self.lanes = self.begins.keys().copied().zip(0..).collect();
    }

    fn svg(&self) -> String {
        let width = NAME_PX + self.columns.len() * COLUMN_PX + TAIL_PX;
        let height = TOP_PX + self.lanes.len() * LANE_PX + 8;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-label=\"Operations over time\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n"
        );
        let lane_end = width - NAME_PX;
        for (process, lane) in &self.lanes {
            let y = TOP_PX + lane * LANE_PX;
            svg.push_str(&format!(
                "<line class=\"lane\" x1=\"{NAME_PX}\" x2=\"{lane_end}\" y1=\"{0}\" y2=\"{0}\"/>\n\
                 <text class=\"name\" x=\"{1}\" y=\"{2}\">process {3}</text>\n\
                 <text class=\"name\" x=\"{4}\" y=\"{2}\">process {3}</text>\n",
                y + BAR_PX / 2,
                NAME_PX - 10,
                y + 15,
                process.0,
                width - 10,
            ));
        }
        svg.push_str(&self.moment(height));
        for place in &self.places {
            svg.push_str(&self.bar(*place, lane_end));
        }
        svg + "</svg>\n"
    }

    /// The moment from which on nothing can be explained.
    fn moment(&self, height: usize) -> String {
        let stuck = self.places.iter().map(|place| self.operation(*place));
        let Some(at) = stuck.filter(|one| Some(one.invoked) == self.stuck).find_map(answered)
        else {
            return String::new();
        };
        let x = self.x(at);
        format!(
            "<line class=\"moment\" x1=\"{x}\" x2=\"{x}\" y1=\"18\" y2=\"{height}\"/>\n\
             <text class=\"moment-name\" x=\"{x}\" y=\"13\">explained until here</text>\n"
        )
    }

    fn x(&self, position: usize) -> usize {
        NAME_PX + self.columns[&position] * COLUMN_PX + COLUMN_PX / 2
    }

    fn bar(&self, place: usize, lane_end: usize) -> String {
        let operation = self.operation(place);
        let end = answered(operation);
        let x = self.x(operation.invoked);
        let width = end.map_or(lane_end, |at| self.x(at)) - x;
        let y = TOP_PX + self.lanes[&operation.process] * LANE_PX;
        // A label may be longer than its bar, up to the next one.
        let next = self.begins[&operation.process].range(operation.invoked + 1..).next();
        let is_stuck = self.stuck == Some(operation.invoked);
        let room = next.map_or(lane_end, |next| self.x(*next)) - x;
        let room = if is_stuck { width } else { room.saturating_sub(4) };
        let order = self.order.get(&operation.invoked);
        let (kind, mark) = match order {
            _ if is_stuck => ("stuck", String::from("✕ ")),
            Some(order) => ("placed", format!("{order}· ")),
            None => ("other", String::new()),
        };
        let named = if self.named.contains(&place) { " named" } else { "" };
        let open = if end.is_none() { " open" } else { "" };
        format!(
            "<g class=\"{kind}{named}{open}\"><title>{}</title>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR_PX}\" rx=\"4\"/>\
             <svg x=\"{x}\" y=\"{y}\" width=\"{room}\" height=\"{BAR_PX}\">\
             <text x=\"5\" y=\"15\">{mark}{}</text></svg></g>\n",
            escape(&shown::sentence(self.recorded, operation)),
            escape(&shown::label(operation)),
        )
    }
}

/// The position of the answer.
fn answered(operation: &Operation) -> Option<usize> {
    match operation.end {
        End::Ok(at, _) => Some(at),
        End::Failed(_) | End::Unknown => None,
    }
}
