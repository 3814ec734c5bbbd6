//! A small lexer for Rust: tells code from comments and from the insides of literals, and no more.

/// The text of a source file beside the same text with comments and literals blanked. Both have the
/// same characters at the same places otherwise, so that a place in one is a place in the other.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    text: Vec<char>,
    code: Vec<char>,
}

impl Source {
    /// Reads a Rust source. Never fails: what is not Rust gives a blanking of no use.
    pub(crate) fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let code = Blanker { text: &text, code: text.clone(), place: 0 }.run();
        Self { text, code }
    }

    /// The text as it was written.
    pub(crate) fn text(&self) -> &[char] {
        &self.text
    }

    /// The text with comments as spaces and everything inside string and character literals as `"`.
    pub(crate) fn code(&self) -> &[char] {
        &self.code
    }

    /// The line, from 1, on which the character at `place` stands.
    pub(crate) fn line_of(&self, place: usize) -> usize {
        1 + self.text[..place].iter().filter(|character| **character == '\n').count()
    }

    /// For each line, whether any code stands on it.
    pub(crate) fn code_lines(&self) -> Vec<bool> {
        let lines = self.code.split(|character| *character == '\n');
        lines.map(|line| line.iter().any(|character| !character.is_whitespace())).collect()
    }

    /// The places at which `word` stands in the code, not as a part of a longer word.
    pub(crate) fn places_of(&self, word: &str) -> Vec<usize> {
        let word: Vec<char> = word.chars().collect();
        let starts_as_word = word.first().is_some_and(|first| is_word(*first));
        let ends_as_word = word.last().is_some_and(|last| is_word(*last));
        let mut places = Vec::new();
        for (place, window) in self.code.windows(word.len()).enumerate() {
            let before = place.checked_sub(1).map(|place| self.code[place]);
            let after = self.code.get(place + word.len()).copied();
            if window == word
                && !(starts_as_word && before.is_some_and(is_word))
                && !(ends_as_word && after.is_some_and(is_word))
            {
                places.push(place);
            }
        }
        places
    }

    /// The place behind the bracket that closes the one at `open`; the end of the text if none does.
    pub(crate) fn past_closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (place, character) in self.code.iter().enumerate().skip(open) {
            match character {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return place + 1;
            }
        }
        self.code.len()
    }
}

/// True for what an identifier or a number is made of.
pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Walks over the text once and blanks what is not code.
struct Blanker<'a> {
    text: &'a [char],
    code: Vec<char>,
    place: usize,
}

impl Blanker<'_> {
    fn run(mut self) -> Vec<char> {
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.character_or_lifetime(),
                ('r', Some('"' | '#')) if !self.follows_word_but_prefix() => self.raw_string(),
                _ => self.place += 1,
            }
        }
        self.code
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.place + ahead).copied()
    }

    /// True if the `r` here ends a longer word; `br` and `cr` begin raw strings too.
    fn follows_word_but_prefix(&self) -> bool {
        let back = |count: usize| self.place.checked_sub(count).map(|place| self.text[place]);
        match back(1) {
            Some('b' | 'c') => back(2).is_some_and(is_word),
            before => before.is_some_and(is_word),
        }
    }

    fn blank(&mut self, count: usize, filling: char) {
        let end = (self.place + count).min(self.text.len());
        for character in &mut self.code[self.place..end] {
            if *character != '\n' {
                *character = filling;
            }
        }
        self.place = end;
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|character| character != '\n') {
            self.blank(1, ' ');
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('*')) => {
                    depth += 1;
                    self.blank(2, ' ');
                }
                ('*', Some('/')) => {
                    depth -= 1;
                    self.blank(2, ' ');
                }
                _ => self.blank(1, ' '),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.place += 1;
        while let Some(character) = self.peek(0) {
            match character {
                '\\' => self.blank(2, '"'),
                '"' => {
                    self.place += 1;
                    return;
                }
                _ => self.blank(1, '"'),
            }
        }
    }

    fn raw_string(&mut self) {
        let hashes = self.text[self.place + 1..].iter().take_while(|next| **next == '#').count();
        if self.peek(1 + hashes) != Some('"') {
            // A raw identifier, `r#type`.
            self.place += 1;
            return;
        }
        self.place += hashes + 2;
        while let Some(character) = self.peek(0) {
            let closes = (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if character == '"' && closes {
                self.place += 1 + hashes;
                return;
            }
            self.blank(1, '"');
        }
    }

    fn character_or_lifetime(&mut self) {
        self.place += 1;
        if self.peek(0) == Some('\\') {
            self.blank(2, '"');
            while self.peek(0).is_some_and(|character| character != '\'') {
                self.blank(1, '"');
            }
            self.place += 1;
        } else if self.peek(1) == Some('\'') {
            self.blank(1, '"');
            self.place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn code_of(text: &str) -> String {
        Source::new(text).code().iter().collect()
    }

    #[test]
    fn comments_become_spaces_and_nested_ones_end_where_the_outer_ends() {
        assert_eq!(code_of("a // b\nc"), "a     \nc");
        assert_eq!(code_of("a /* b /* c */ d */ e"), "a                   e");
    }

    #[test]
    fn the_insides_of_literals_are_hidden() {
        assert_eq!(code_of(r#"f("a{\"b", 'x', '\n')"#), r#"f(""""""", '"', '""')"#);
        assert_eq!(code_of("r#\"a\"b\"# + br\"c\""), "r#\"\"\"\"\"# + br\"\"\"");
        assert_eq!(code_of("r#type + bar\"//\""), "r#type + bar\"\"\"\"");
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        assert_eq!(code_of("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code_of("'outer: loop { break 'outer }"), "'outer: loop { break 'outer }");
    }

    #[test]
    fn a_word_is_found_whole_and_only_in_code() {
        let source = Source::new("f64 // f64\nmy_f64 \"f64\" f64");
        let lines: Vec<usize> =
            source.places_of("f64").into_iter().map(|place| source.line_of(place)).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn brackets_are_matched_over_literals() {
        let source = Source::new("{ '}' \"}\" /* } */ { } } rest");
        assert_eq!(source.past_closing(0), 23);
    }
}
