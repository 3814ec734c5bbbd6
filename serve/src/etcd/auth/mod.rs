//! The service Auth: users, roles, and whether they count.
//!
//! ```text
//! Authenticate ─▶ password ─▶ token ─▶ client ─▶ any request ─▶ caller ─▶ the store's gate
//! ```
//! What a user may do is the store's to say. The front makes sure of who asks: it holds passwords
//! against their hashes, makes tokens, and reads them again.

mod caller;
mod password;
mod service;
mod token;

pub(super) use password::Passwords;
pub(super) use service::{permission, shown};
pub(super) use token::Token;
