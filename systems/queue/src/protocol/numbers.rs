//! Numbers in a line, as beanstalkd reads them: by the functions of C that it uses.

use super::Mistake;

/// What is left of a line.
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    /// A number up to `most`, after any spaces: digits only.
    pub(super) fn number(&mut self, most: u64) -> Result<u64, Mistake> {
        self.skip(|byte| byte == b' ');
        let digits = self.span(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Err(Mistake::BadFormat);
        }
        value(digits).filter(|number| *number <= most).ok_or(Mistake::BadFormat)
    }

    /// A number of 32 bits.
    pub(super) fn number_u32(&mut self) -> Result<u32, Mistake> {
        let number = self.number(u64::from(u32::MAX))?;
        Ok(u32::try_from(number).expect("it is at most that"))
    }

    /// The line must end here.
    pub(super) fn end(&self) -> Result<(), Mistake> {
        if self.0.is_empty() { Ok(()) } else { Err(Mistake::BadFormat) }
    }

    pub(super) fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        self.span(is_skipped);
    }

    /// The bytes in front that are so.
    pub(super) fn span(&mut self, is_so: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !is_so(*byte)).unwrap_or(self.0.len());
        let (span, rest) = self.0.split_at(end);
        self.0 = rest;
        span
    }

    /// A number with a sign, as strtol reads it: what follows does not matter, and nothing at all is nothing.
    pub(super) fn signed(&mut self) -> Result<Option<i128>, Mistake> {
        self.skip(|byte| byte == b' ' || (b'\t'..=b'\r').contains(&byte));
        let is_negative = self.0.first() == Some(&b'-');
        if is_negative || self.0.first() == Some(&b'+') {
            self.0 = &self.0[1..];
        }
        let digits = self.span(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Ok(None);
        }
        let number = i128::from(value(digits).ok_or(Mistake::BadFormat)?);
        Ok(Some(if is_negative { -number } else { number }))
    }
}

fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// The lowest 32 bits of a number, as C cuts it.
pub(super) fn low_bits(number: i128) -> u32 {
    let low = number.rem_euclid(1 << 32);
    u32::try_from(low).expect("a remainder is below its divisor")
}
