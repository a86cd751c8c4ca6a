//! The machine: its processor, its cores and who runs on which, sizes of files.

use std::fs;
use std::path::Path;

use procfs::Current;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Result;

/// Pins this process, and with it PostgreSQL, to the second core; gives the one for the servers, none
/// if there is only one core.
pub(crate) fn pin_to_second_core(cores: usize) -> Result<Option<usize>> {
    if cores < 2 {
        eprintln!("bench: one core only: servers, database and generator share it");
        return Ok(None);
    }
    sched_setaffinity(None, &only(1))?;
    Ok(Some(0))
}

/// Moves processes to a core; those that they start follow.
pub(crate) fn move_to_core(pids: &[u32], core: usize) -> Result<()> {
    for &pid in pids {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        match sched_setaffinity(pid, &only(core)) {
            // It has ended meanwhile.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

/// Allows as many open files as the system does: each connection is one, for us and for what we start.
pub(crate) fn allow_many_files() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// The processor and how its cores are used, in a line.
pub(crate) fn description(cores: usize, core: Option<usize>) -> String {
    let model = procfs::CpuInfo::current().ok();
    let model = model.as_ref().and_then(|info| info.model_name(0));
    let model = model.unwrap_or("an unknown processor");
    let where_ = match core {
        Some(_) => "servers on the first core, PostgreSQL and the load generator on the second",
        None => "everything on one core",
    };
    format!("{model}, {cores} cores free for us; {where_}")
}

/// The size of all files below a folder, in bytes.
pub(crate) fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Bytes in MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no folder has 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / 1024.0 / 1024.0
}
