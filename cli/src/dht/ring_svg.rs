//! The ring of 256 places as a picture.

use std::f64::consts::TAU;

use dht::ring::SmallRing;

const MIDDLE: f64 = 220.0;
const RADIUS: f64 = 150.0;

/// Draws nodes and keys where they stand, 0 at the top and clockwise from there, and an arrow from each key to its
/// node.
pub(super) fn draw(ring: &SmallRing, keys: &[String]) -> String {
    let mut svg = String::from(concat!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 440 440\" font-family=\"sans-serif\" ",
        "font-size=\"13\">\n<rect width=\"440\" height=\"440\" fill=\"white\"/>\n",
        "<circle cx=\"220\" cy=\"220\" r=\"150\" fill=\"none\" stroke=\"#999\" stroke-width=\"2\"/>\n",
    ));
    for node in ring.nodes() {
        svg.push_str(&dot(*node, 11.0, "#2563eb"));
        svg.push_str(&label(*node, RADIUS + 30.0, &node.to_string()));
    }
    for key in keys {
        let place = SmallRing::place(key);
        svg.push_str(&arc(place, ring.owner(place)));
        svg.push_str(&dot(place, 5.0, "#ea580c"));
        svg.push_str(&label(place, RADIUS - 70.0, key));
    }
    svg.push_str("</svg>\n");
    svg
}

/// The way from a key clockwise to its node, inside the ring.
fn arc(place: u8, node: u8) -> String {
    let steps = u32::from(node.wrapping_sub(place));
    let points: Vec<String> = (0..=steps)
        .map(|step| {
            let (x, y) = point(f64::from(u32::from(place) + step), RADIUS - 16.0);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#ea580c\" stroke-width=\"1.5\"/>\n",
        points.join(" ")
    )
}

fn dot(place: u8, radius: f64, colour: &str) -> String {
    let (x, y) = point(f64::from(place), RADIUS);
    format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\"/>\n")
}

fn label(place: u8, distance: f64, text: &str) -> String {
    let (x, y) = point(f64::from(place), distance);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" dominant-baseline=\"middle\">{text}</text>\n"
    )
}

fn point(place: f64, distance: f64) -> (f64, f64) {
    let angle = TAU * place / 256.0;
    (MIDDLE + distance * angle.sin(), MIDDLE - distance * angle.cos())
}

#[cfg(test)]
mod tests {
    use super::{SmallRing, draw};

    #[test]
    fn every_node_and_key_is_drawn_and_no_key_can_write_into_the_picture() {
        let svg = draw(&SmallRing::new(&[100, 200]), &["hello".to_owned(), "<b>&".to_owned()]);
        assert_eq!(svg.matches("<circle").count(), 1 + 2 + 2);
        assert!(svg.contains("&lt;b>&amp;") && !svg.contains("<b>"));
        assert!(svg.contains(">100</text>"));
    }
}
