//! A panic in a world is a finding: its words and its place are kept, and nothing is printed.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

static HOOK: Once = Once::new();

thread_local! {
    /// What the panic under way on this thread said, while somebody catches it.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does `what`.
///
/// # Errors
/// The words and the place of a panic.
pub(crate) fn caught<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(keep_words);
    let outer = SAID.replace(Some(String::new()));
    // What a panic leaves half done is only looked at: histories, counters and hashes are whole.
    let done = catch_unwind(AssertUnwindSafe(what));
    let said = SAID.replace(outer).unwrap_or_default();
    done.map_err(|_| said)
}

/// Keeps the words of panics that are caught, and leaves the others to whoever printed them before.
fn keep_words() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_caught = SAID.with_borrow_mut(|said| {
            let Some(said) = said else {
                return false;
            };
            let text = panic.payload_as_str().unwrap_or("a panic without words");
            let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
            *said = format!("{text} ({})", place.unwrap_or_default());
            true
        });
        if !is_caught {
            before(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_caught_with_its_words_and_its_place() {
        assert_eq!(caught(|| 7), Ok(7));
        let said = caught(|| panic!("what is committed {}", "stays")).expect_err("it panics");
        assert!(said.starts_with("what is committed stays (worlds/src/panics.rs:"), "{said}");
    }
}
