//! The machine: its processor, its cores and who runs on which, sizes of files.

use std::fs;
use std::path::Path;

use procfs::Current;

use crate::Result;

/// Pins this process, and with it PostgreSQL, to the second core; gives the one for the servers, none
/// if there is only one core.
pub(crate) fn pin_to_second_core(cores: usize) -> Result<Option<usize>> {
    if cores < 2 {
        eprintln!("bench: one core only: servers, database and generator share it");
        return Ok(None);
    }
    let mut second = rustix::thread::CpuSet::new();
    second.set(1);
    rustix::thread::sched_setaffinity(None, &second)?;
    Ok(Some(0))
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
