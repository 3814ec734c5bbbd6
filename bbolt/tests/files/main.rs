//! Files as a whole: golden bytes, many shapes, damage of all kinds, and a real etcd.
//!
//! ```text
//!   model    what a file holds, as a map; written and read through the crate
//!   image    a file put together by hand, page by page, without the crate
//!   audit    what bbolt demands of a file beyond that it can be read
//! ```
#![expect(clippy::unwrap_used, reason = "what a test cannot have fails it")]

mod audit;
mod image;
mod model;

mod damage;
mod etcd;
mod golden;
mod shapes;
