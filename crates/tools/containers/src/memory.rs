//! What the kernel says of a container's memory.

use std::fs::read_to_string;
use std::path::PathBuf;

use crate::BoxError;
use crate::docker::Container;

/// The memory of a container, by its control group.
pub(crate) struct Usage {
    /// How often the kernel has killed something in it for memory.
    pub kills: u64,
    /// The most that it took, caches of files included.
    pub peak_mib: u64,
}

/// Reads it, of a container that runs.
///
/// # Errors
/// When the engine is another machine's, or the kernel has no such group.
pub(crate) fn usage(container: &Container<'_>) -> Result<Usage, BoxError> {
    let groups = read_to_string(format!("/proc/{}/cgroup", container.state()?["Pid"]))?;
    let folder = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        if controllers.split(',').any(|one| one == "memory") {
            return Some((format!("/sys/fs/cgroup/memory{path}"), true));
        }
        (number == "0").then(|| (format!("/sys/fs/cgroup{path}"), false))
    };
    // The first version's, which is listed before the second's, if both are there.
    let (folder, first) = groups.lines().find_map(folder).ok_or("there is no memory controller")?;
    let folder = PathBuf::from(folder);
    let (events, peak) = if first {
        ("memory.oom_control", "memory.max_usage_in_bytes")
    } else {
        ("memory.events", "memory.peak")
    };
    let events = read_to_string(folder.join(events))?;
    let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    let kills = kills.ok_or("the kernel does not count kills")?.trim().parse()?;
    let peak = read_to_string(folder.join(peak)).unwrap_or_default();
    Ok(Usage { kills, peak_mib: peak.trim().parse::<u64>().unwrap_or_default() / 1024 / 1024 })
}
