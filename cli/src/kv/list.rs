//! `archipel kv list`.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Cluster, ClusterOptions, Request},
    exit::{Exit, Outcome},
    table::{Table, harmless},
};

/// The most items of one page.
const PAGE: u32 = 1000;

/// Lists keys and values in the order of the keys.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel kv list
  archipel kv list --prefix user/ --limit 20 --json")]
pub(crate) struct ListOptions {
    /// Only keys that begin with this text.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Only keys after this one.
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,
    /// Read the node's own copy: at once, without a majority, and perhaps out of date.
    #[arg(long)]
    stale: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &ListOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    let mut items = Vec::new();
    let mut after = options.after.clone();
    let mut more = true;
    while more && items.len() < options.limit as usize {
        let missing = options.limit - u32::try_from(items.len()).expect("below the limit");
        let mut page = page(&cluster, options, after.as_deref(), missing.min(PAGE)).await?;
        after = page["after"].as_str().map(str::to_owned);
        more = after.is_some();
        if let Some(found) = page["items"].as_array_mut() {
            items.append(found);
        }
    }
    if options.cluster.json {
        println!("{}", json!({ "items": items, "after": after }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["key", "revision", "value"]);
    for item in &items {
        let text = |name: &str| harmless(item[name].as_str().unwrap_or_default());
        table.row(vec![text("key"), item["revision"].to_string(), text("value")]);
    }
    table.print();
    if more {
        eprintln!("There are more keys; list them with --after or a larger --limit.");
    }
    Ok(Exit::Done)
}

/// One page. Each page is one moment's truth; the next may be a later moment's.
async fn page(
    cluster: &Cluster,
    options: &ListOptions,
    after: Option<&str>,
    limit: u32,
) -> Outcome<Value> {
    let mut path = format!("/kv?limit={limit}&prefix={}", serve::encode(&options.prefix));
    if let Some(after) = after {
        path.push_str(&format!("&after={}", serve::encode(after)));
    }
    if options.stale {
        path.push_str("&consistency=stale");
    }
    Ok(cluster.ask(&Request::get(&path)).await?.done()?.body)
}
