//! Draws what a terminal showed as an SVG: lines of text with colour codes in, a picture out.
//!
//! The input is what `tmux capture-pane -e -p` prints: characters, and the codes that set colour and
//! weight (ECMA-48 SGR). Other codes are left out.

use std::fmt::Write;

const COLUMN_PX: usize = 8;
const LINE_PX: usize = 18;
const MARGIN_PX: usize = 16;
const BACKGROUND: &str = "#1e1e2e";
const FOREGROUND: &str = "#cdd6f4";
/// Black, red, green, yellow, blue, magenta, cyan, white.
const COLOURS: [&str; 8] =
    ["#6c7086", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#cba6f7", "#94e2d5", "#cdd6f4"];

/// How characters look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    colour: Option<usize>,
    is_bold: bool,
    is_dim: bool,
}

/// Characters of one look, from a column on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    column: usize,
    look: Look,
    text: String,
}

/// The picture of a screen.
pub(crate) fn draw(screen: &str) -> String {
    let mut look = Look::default();
    let lines: Vec<Vec<Run>> =
        screen.trim_end().lines().map(|line| runs(line, &mut look)).collect();
    let end = |run: &Run| run.column + run.text.chars().count();
    let columns = lines.iter().flatten().map(end).max().unwrap_or(0);
    let width = columns * COLUMN_PX + 2 * MARGIN_PX;
    let height = lines.len() * LINE_PX + 2 * MARGIN_PX;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\" \
         fill=\"{FOREGROUND}\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        for run in line.iter().flat_map(columns_of) {
            let y = MARGIN_PX + number * LINE_PX + 13;
            svg.push_str(&drawn(&run, y));
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// The parts of a run that stand apart by more than one space: not every viewer keeps spaces.
fn columns_of(run: &Run) -> Vec<Run> {
    let mut parts: Vec<Run> = Vec::new();
    let mut spaces = 2;
    for (place, character) in run.text.chars().enumerate() {
        if character == ' ' {
            spaces += 1;
            continue;
        }
        match parts.last_mut().filter(|_| spaces < 2) {
            Some(part) => part.text.push_str(&" ".repeat(spaces)),
            None => {
                parts.push(Run { column: run.column + place, look: run.look, text: String::new() });
            }
        }
        parts.last_mut().expect("a part was begun").text.push(character);
        spaces = 0;
    }
    parts
}

/// One run as an element whose width is fixed, so that columns stay in line in any font.
fn drawn(run: &Run, y: usize) -> String {
    let x = MARGIN_PX + run.column * COLUMN_PX;
    let width = run.text.chars().count() * COLUMN_PX;
    let mut element = format!("<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\"");
    if let Some(colour) = run.look.colour {
        write!(element, " fill=\"{}\"", COLOURS[colour]).expect("writing to a string never fails");
    }
    if run.look.is_bold {
        element.push_str(" font-weight=\"bold\"");
    }
    if run.look.is_dim {
        element.push_str(" opacity=\"0.6\"");
    }
    let text = run.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    element + ">" + &text + "</text>\n"
}

/// The runs of a line; `look` goes on from the line before.
fn runs(line: &str, look: &mut Look) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\x1b[") {
            let end = code.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(code.len());
            if code[end..].starts_with('m') {
                set(look, &code[..end]);
            }
            rest = code.get(end + 1..).unwrap_or("");
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match runs.last_mut() {
            Some(run) if run.look == *look => run.text.push(character),
            _ => runs.push(Run { column, look: *look, text: character.to_string() }),
        }
        column += 1;
    }
    runs
}

fn set(look: &mut Look, parameters: &str) {
    for parameter in parameters.split(';') {
        match parameter.parse::<usize>().unwrap_or(0) {
            0 => *look = Look::default(),
            1 => look.is_bold = true,
            2 => look.is_dim = true,
            22 => (look.is_bold, look.is_dim) = (false, false),
            colour @ 30..=37 => look.colour = Some(colour - 30),
            39 => look.colour = None,
            colour @ 90..=97 => look.colour = Some(colour - 90),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Run, columns_of, draw, runs};

    #[test]
    fn a_line_is_cut_where_the_look_changes() {
        let green = Look { colour: Some(2), ..Look::default() };
        let run = |column, look, text: &str| Run { column, look, text: text.to_owned() };
        let found = runs("ab\x1b[32mcd\x1b[K\x1b[0me", &mut Look::default());
        let plain = Look::default();
        assert_eq!(found, [run(0, plain, "ab"), run(2, green, "cd"), run(4, plain, "e")]);
    }

    #[test]
    fn what_stands_apart_is_placed_apart() {
        let run = Run { column: 3, look: Look::default(), text: " a b   c ".to_owned() };
        let places: Vec<(usize, String)> =
            columns_of(&run).into_iter().map(|part| (part.column, part.text)).collect();
        assert_eq!(places, [(4, "a b".to_owned()), (10, "c".to_owned())]);
    }

    #[test]
    fn text_is_escaped_and_empty_ends_are_cut() {
        let svg = draw("a < b\n\n\n");
        assert!(svg.contains("textLength=\"40\">a &lt; b</text>"), "{svg}");
        assert!(svg.contains("height=\"50\""), "{svg}");
    }
}
