//! `GET /kv?prefix=&limit=&after=`.

use bytes::Bytes;
use kernel::Reading;
use kv::{Item, PAGE_ITEMS_MAX, Query};
use serde_json::{Value, json};

use super::{ask, other, shown};
use crate::{
    answer::Answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// How many pairs a page has when the client does not say.
const PAGE_ITEMS: u32 = 100;

/// Some pairs in the order of their keys.
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// True if there are more after the last.
    pub(crate) more: bool,
}

/// Lists pairs whose keys begin with `prefix` and come after `after`. A page may be shorter than the
/// limit: it ends at about a mebibyte.
pub(super) async fn list(front: &Front, call: &Call) -> Result<Answer, ApiError> {
    call.query.only(&["prefix", "limit", "after", CONSISTENCY])?;
    let limit = limit_of(call.query.get("limit"))?;
    let prefix = call.query.get("prefix").unwrap_or_default().to_owned();
    let after = call.query.get("after").map(str::to_owned);
    let page = page_of(reading(front, call).await?, prefix, after, limit).await?;
    let items: Vec<Value> = page.items.iter().map(item_json).collect();
    let after = page.items.last().filter(|_| page.more).map(|item| shown(&item.key));
    Ok(Answer::ok(&json!({ "items": items, "after": after })))
}

/// Reads a page of at most `limit` pairs.
pub(crate) async fn page_of(
    reading: Reading,
    prefix: String,
    after: Option<String>,
    limit: u32,
) -> Result<Page, ApiError> {
    let query = Query::List { prefix: prefix.into(), after: after.map(Bytes::from), limit };
    // Reads of many pairs may touch the disk: not on the threads that serve everybody.
    let read = tokio::task::spawn_blocking(move || ask(&reading, &query));
    match read.await.expect("reading a page does not panic")? {
        kv::Answer::Page { items, more } => Ok(Page { items, more }),
        answer => Err(other(&answer)),
    }
}

fn item_json(item: &Item) -> Value {
    json!({ "key": shown(&item.key), "value": shown(&item.value), "revision": item.modified })
}

fn limit_of(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else {
        return Ok(PAGE_ITEMS);
    };
    let limit = text.parse().ok().filter(|limit| (1..=PAGE_ITEMS_MAX).contains(limit));
    limit.ok_or_else(|| {
        let message = format!("The limit must be a whole number from 1 to {PAGE_ITEMS_MAX}.");
        ApiError::bad("bad_query", message)
    })
}
