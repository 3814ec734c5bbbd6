//! The rates as bars: a group for each load, a bar for each contestant.

use std::fmt::Write;

use crate::{contestant::Kind, load, outcome::Outcome};

const WIDTH_PX: f64 = 760.0;
const BAR_PX: f64 = 18.0;
const GROUP_GAP_PX: f64 = 22.0;
const LEFT_PX: f64 = 150.0;
const TOP_PX: f64 = 48.0;
/// Room for the number at the end of the longest bar.
const RIGHT_PX: f64 = 90.0;

/// The plot as an SVG. Each group has a scale of its own: its longest bar is as long as there is room.
pub(crate) fn draw(outcome: &Outcome) -> String {
    let loads = outcome.results.first().map_or(0, |result| result.loads.len());
    let mut bars = String::new();
    let mut y = TOP_PX;
    for place in 0..loads {
        y = draw_group(&mut bars, outcome, place, y) + GROUP_GAP_PX;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH_PX} {y}\" \
         font-family=\"ui-sans-serif, Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\">Requests a second, three members \
         and their clients on one machine</text>\n{bars}</svg>\n"
    )
}

/// Draws a group from `y` on; gives where it ends.
fn draw_group(svg: &mut String, outcome: &Outcome, place: usize, mut y: f64) -> f64 {
    let rate = |result: &crate::outcome::Result| result.loads[place].rate();
    let longest = outcome.results.iter().map(rate).fold(1.0, f64::max);
    let load = outcome.results[0].loads[place].load;
    let what = match load.kind {
        load::Kind::Puts => "puts",
        load::Kind::Reads => "reads",
    };
    write(svg, format_args!("<text x=\"16\" y=\"{}\">{what}, {}</text>\n", y + 14.0, load.clients));
    for (kind, result) in outcome.kinds.iter().zip(&outcome.results) {
        let length = rate(result) / longest * (WIDTH_PX - LEFT_PX - RIGHT_PX);
        let (colour, middle) = (colour(*kind), y + 14.0);
        write(
            svg,
            format_args!(
                "<rect x=\"{LEFT_PX}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{middle}\">{} {:.0}</text>\n",
                BAR_PX - 2.0,
                LEFT_PX + length + 6.0,
                kind.name(),
                rate(result),
            ),
        );
        y += BAR_PX;
    }
    y
}

fn write(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("writing to a string never fails");
}

const fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Etcd => "#419eda",
        Kind::Archipel => "#e07a3f",
        Kind::Null => "#b8b8b8",
    }
}
