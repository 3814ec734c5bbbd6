//! Clients that other people wrote, as people use them.

mod etcdctl;
mod gateway;
mod history;
mod kubernetes;
mod leader;
mod libraries;
