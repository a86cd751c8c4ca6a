//! What processes use: memory and CPU time, read from `/proc`.

use std::collections::HashMap;

use procfs::process::{Process, all_processes};
use procfs::{ProcResult, ticks_per_second};

const MIB: f64 = 1024.0 * 1024.0;

/// The memory of one process, in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is resident now.
    pub resident: f64,
    /// The peak of resident memory.
    pub peak: f64,
}

/// The memory of a process. Fails if it has ended.
pub fn memory(pid: u32) -> ProcResult<Memory> {
    let status = process(pid)?.status()?;
    let mib = |kib: Option<u64>| number(kib.unwrap_or_default()) / 1024.0;
    Ok(Memory { resident: mib(status.vmrss), peak: mib(status.vmhwm) })
}

/// The process and all its descendants.
pub fn tree(pid: u32) -> Vec<u32> {
    let mut children: HashMap<i32, Vec<u32>> = HashMap::new();
    for process in all_processes().into_iter().flatten().flatten() {
        if let (Ok(stat), Ok(child)) = (process.stat(), u32::try_from(process.pid)) {
            children.entry(stat.ppid).or_default().push(child);
        }
    }
    let mut tree = vec![pid];
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        let pid = i32::try_from(pid).unwrap_or_default();
        tree.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    tree
}

/// The CPU seconds that processes have used, with those of their children that have ended.
pub fn cpu_seconds(pids: &[u32]) -> f64 {
    let ticks = |pid: &u32| {
        let stat = process(*pid)?.stat()?;
        let ended = u64::try_from(stat.cutime + stat.cstime).unwrap_or_default();
        ProcResult::Ok(stat.utime + stat.stime + ended)
    };
    number(pids.iter().filter_map(|pid| ticks(pid).ok()).sum()) / number(ticks_per_second())
}

/// The memory of processes in MiB, shared pages divided among those that share them.
pub fn pss_mib(pids: &[u32]) -> f64 {
    let pss = |pid: &u32| {
        let rollup = process(*pid)?.smaps_rollup()?;
        let maps = rollup.memory_map_rollup.into_iter();
        ProcResult::Ok(maps.filter_map(|map| map.extension.map.get("Pss").copied()).sum::<u64>())
    };
    number(pids.iter().filter_map(|pid| pss(pid).ok()).sum()) / MIB
}

fn process(pid: u32) -> ProcResult<Process> {
    Process::new(i32::try_from(pid).map_err(|_| "no id of a process")?)
}

#[expect(clippy::cast_precision_loss, reason = "no figure here reaches 2^52")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        let memory = memory(pid).unwrap();
        assert!(memory.resident > 1.0 && memory.peak >= memory.resident, "{memory:?}");
        let pss = pss_mib(&[pid]);
        assert!(pss > 0.5 && pss < 2.0 * memory.peak, "{pss}");
        while cpu_seconds(&[pid]) < 0.02 {
            std::hint::black_box((0..10_000_u64).sum::<u64>());
        }
    }

    #[test]
    fn a_tree_has_the_descendants() {
        let mut child = std::process::Command::new("sleep").arg("10").spawn().unwrap();
        let tree = tree(std::process::id());
        child.kill().unwrap();
        assert!(tree.contains(&child.id()), "{tree:?}");
        child.wait().unwrap();
        assert!(memory(child.id()).is_err());
    }
}
