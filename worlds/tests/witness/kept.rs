//! Text that a run writes and a test reads.

use std::{cell::RefCell, fmt, rc::Rc};

/// Text that is kept.
#[derive(Clone, Default)]
pub(crate) struct Kept(pub(crate) Rc<RefCell<String>>);

impl fmt::Write for Kept {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.borrow_mut().push_str(text);
        Ok(())
    }
}
