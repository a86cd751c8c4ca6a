//! What a process and its children take, read from /proc.

use std::collections::HashMap;
use std::fs;

/// A CPU second has so many ticks on every Linux that we build for: `getconf CLK_TCK`.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process and all that it has started.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            && let Some(parent) = stat(child).and_then(|fields| fields.get(1)?.parse().ok())
        {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut tree = vec![pid];
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        tree.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    tree
}

/// The CPU seconds that the tree has used, with those of children that have ended.
pub(crate) fn cpu_seconds(tree: &[u32]) -> f64 {
    let ticks: f64 = tree
        .iter()
        .filter_map(|&pid| stat(pid))
        // utime, stime, cutime, cstime
        .flat_map(|fields| {
            (11..15).filter_map(|n| fields.get(n)?.parse::<f64>().ok()).collect::<Vec<_>>()
        })
        .sum();
    ticks / TICKS_PER_SECOND
}

/// The memory of the tree in MiB, shared pages divided among those that share them.
pub(crate) fn pss_mib(tree: &[u32]) -> f64 {
    let kib: f64 = tree
        .iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .filter_map(|rollup| {
            let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()
        })
        .sum();
    kib / 1024.0
}

/// The fields of `/proc/PID/stat` from the third, the state, on: proc(5).
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
