//! What a benchmark ran on, without anything that names the machine or its user.

use std::process::Command;
use std::{env, fs, thread};

use miette::miette;
use serde::{Deserialize, Serialize};

/// The machine and the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model; `unknown` where the system does not say it.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// In GiB, rounded; none where the system does not say it.
    pub memory_gib: Option<u64>,
    /// The system and its kernel.
    pub os: String,
    /// What `rustc --version` says.
    pub rustc: String,
    /// The day, UTC.
    pub date: String,
    /// How many processes wanted a core, on average over the minute before; none where
    /// the system does not say it.
    pub load: Option<f64>,
    /// Whether less was measured than in a full run.
    pub quick: bool,
}

/// This machine, now.
///
/// # Errors
/// If rustc can't be asked.
pub fn describe(quick: bool) -> miette::Result<Machine> {
    let rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("--version")
        .output()
        .map_err(|error| miette!(code = "bench::rustc", help = "is it on the PATH?", "can't start rustc: {error}"))?;
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    Ok(Machine {
        cpu: cpu(&read("/proc/cpuinfo")).unwrap_or("unknown").to_owned(),
        cores: thread::available_parallelism().map_or(1, usize::from),
        memory_gib: memory(&read("/proc/meminfo")),
        os: system(&read("/etc/os-release"), &read("/proc/sys/kernel/osrelease")),
        rustc: String::from_utf8_lossy(&rustc.stdout).trim().to_owned(),
        date: jiff::Timestamp::now().strftime("%F").to_string(),
        load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()),
        quick,
    })
}

fn cpu(info: &str) -> Option<&str> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

fn memory(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((kib + (1 << 19)) >> 20)
}

fn system(release: &str, kernel: &str) -> String {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or(env::consts::OS);
    let kernel: String = kernel.trim().split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or("").to_owned();
    let name = name.trim_matches('"');
    if kernel.is_empty() { name.to_owned() } else { format!("{name}, kernel {kernel}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_understood() {
        let info = "processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\n";
        assert_eq!(cpu(info), Some("Some CPU @ 2.50GHz"));
        assert_eq!(memory("MemTotal:       24683000 kB\nMemFree: 1 kB\n"), Some(24));
        assert_eq!(system("NAME=x\nPRETTY_NAME=\"Some Linux 13\"\n", "6.1.0-9-cloud\n"), "Some Linux 13, kernel 6.1.0");
    }

    #[test]
    fn what_a_system_does_not_say_is_left_out() {
        assert_eq!((cpu(""), memory("")), (None, None));
        assert_eq!(system("", ""), env::consts::OS);
    }
}
