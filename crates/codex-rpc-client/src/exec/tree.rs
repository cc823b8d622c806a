//! Ending a process with all that it started.
//!
//! Codex gives each command that the model runs a session of its own, and outside the
//! sandbox such a command outlives a killed codex: the process group alone is not
//! enough. So the descendants are looked up first, while codex is stopped and can't start
//! more.

#[cfg(unix)]
pub(super) use unix::kill;

/// The other systems have no process groups; the child itself is killed by its handle.
#[cfg(not(unix))]
pub(super) fn kill(_: u32) {}

#[cfg(unix)]
mod unix {
    use std::collections::BTreeSet;

    use rustix::process::{Pid, Signal, getpgid, getpgrp, kill_process, kill_process_group};

    /// Kills the process group that `leader` leads, and the groups of all that descends
    /// from it.
    pub(in super::super) fn kill(leader: u32) {
        let Some(leader) = pid(leader) else { return };
        let _ = kill_process_group(leader, Signal::STOP);
        let descendants = descendants(leader);
        // A descendant that stayed in our group must not take us with it.
        let own = getpgrp();
        let groups: BTreeSet<i32> = descendants
            .iter()
            .filter_map(|descendant| getpgid(Some(*descendant)).ok())
            .filter(|group| *group != own)
            .map(Pid::as_raw_nonzero)
            .map(i32::from)
            .collect();
        let _ = kill_process_group(leader, Signal::KILL);
        for group in groups.into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        for descendant in descendants {
            let _ = kill_process(descendant, Signal::KILL);
        }
    }

    fn pid(number: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(number).ok()?)
    }

    /// All that `ancestor` started, directly or not.
    fn descendants(ancestor: Pid) -> Vec<Pid> {
        let processes = processes();
        let mut found = vec![ancestor];
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            found.extend(processes.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
            next += 1;
        }
        found.remove(0);
        found
    }

    /// Each process with its parent.
    #[cfg(target_os = "linux")]
    fn processes() -> Vec<(Pid, Pid)> {
        let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
        folder
            .filter_map(|entry| {
                let process = entry.ok()?.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
                // The name, in parentheses, can contain anything.
                let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
                Some((pid(process)?, pid(parent)?))
            })
            .collect()
    }

    /// Each process with its parent.
    #[cfg(not(target_os = "linux"))]
    fn processes() -> Vec<(Pid, Pid)> {
        let Ok(output) = std::process::Command::new("ps").args(["-axo", "pid=,ppid="]).output() else {
            return Vec::new();
        };
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| {
                let mut numbers = line.split_whitespace().filter_map(|number| number.parse().ok());
                Some((pid(numbers.next()?)?, pid(numbers.next()?)?))
            })
            .collect()
    }
}
