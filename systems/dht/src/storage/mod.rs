//! What others keep here: values (BEP 44) and who has which torrent (BEP 5). All of it is bounded and expires.

mod items;
mod peers;

pub use items::{ITEMS_MAX, Items};
pub use peers::Peers;
