//! What the system says of a process: processor time and memory.

use std::{fs, time::Duration};

/// The length of a clock tick in `/proc`: a hundredth of a second on every Linux that people run.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process has used, in it and in the kernel for it.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    TICK * ticks(&stat)
}

/// Fields 14 and 15. The second field is a name in brackets, which may have spaces.
fn ticks(stat: &str) -> u32 {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = fields.split_whitespace().skip(11).take(2);
    times.filter_map(|field| field.parse::<u32>().ok()).sum()
}

/// The memory that a process has in use, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 =
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    kib * 1024
}

#[cfg(test)]
mod tests {
    use super::{processor_time, resident_bytes, ticks};

    #[test]
    fn a_name_may_have_spaces_and_brackets() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 100 1000 200";
        assert_eq!(ticks(stat), 42);
    }

    #[test]
    fn a_process_has_memory_and_a_missing_one_has_nothing() {
        assert!(resident_bytes(std::process::id()) > 0);
        assert_eq!(resident_bytes(u32::MAX), 0);
        assert!(processor_time(u32::MAX).is_zero());
    }
}
