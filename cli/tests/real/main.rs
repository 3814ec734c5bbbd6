//! The program as its users meet it: real processes, real sockets, real folders.

mod backup;
mod check;
mod cluster;
mod commands;
mod dht;
mod doctor;
mod http;
mod joining;
mod node;
mod replay;
mod requests;
mod sim;
mod up;
