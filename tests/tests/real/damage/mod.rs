//! Disks that lose, change or mix up what was written: each has its outcome, a sentence and an exit
//! code, and a cluster repairs what one of its disks has lost.

mod data_folder;
mod repair;
mod torn_write;
mod verdicts;
