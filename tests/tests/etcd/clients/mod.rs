//! Clients that other people wrote, as people use them.

mod etcdctl;
