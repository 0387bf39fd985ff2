//! What the operating system knows of this process.

/// CPU time and memory; zero where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) rss_bytes: u64,
    pub(crate) anonymous_bytes: u64,
    pub(crate) mapped_bytes: u64,
}

/// The tick of `/proc/<pid>/stat`, which is 100 a second on every Linux that this runs on.
const TICKS: f64 = 100.0;

pub(crate) fn usage() -> Usage {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Usage {
        cpu_seconds: cpu_ticks(&stat).unwrap_or(0) as f64 / TICKS,
        rss_bytes: kib(&status, "VmRSS:"),
        anonymous_bytes: kib(&status, "RssAnon:"),
        mapped_bytes: kib(&status, "VmSize:"),
    }
}

fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// User and system time are the 14th and 15th field; the second one is a name that may hold spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}
