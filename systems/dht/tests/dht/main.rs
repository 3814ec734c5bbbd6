//! Nodes of the hash table among each other, under golden scripts, and under whatever a network may bring.

mod golden;
mod malformed;
mod network;
mod together;
