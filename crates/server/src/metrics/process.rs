//! The process, under the names that Prometheus' own client libraries have; on systems with a `/proc`.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Of `/proc/self/stat`, counted after the name of the program: time in user and in system mode.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
/// Linux counts both in hundredths of a second on every platform.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn register(registry: &mut Registry) {
    if let Some(seconds) = cpu_seconds() {
        let counter: Counter<f64, AtomicU64> = Counter::default();
        counter.inc_by(seconds);
        registry.register("process_cpu_seconds", "Processor time in user and system mode", counter);
    }
    if let Some(bytes) = resident_bytes() {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        registry.register("process_resident_memory_bytes", "Memory that is in use", gauge);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(files.count()).unwrap_or(i64::MAX));
        registry.register("process_open_fds", "Files and connections that are open", gauge);
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(USER_TICKS)? + ticks(SYSTEM_TICKS)?) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_knows_its_time_and_memory() {
        let before = cpu_seconds().unwrap();
        let begun = std::time::Instant::now();
        let mut x = 1_u64;
        while begun.elapsed() < std::time::Duration::from_millis(300) {
            x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        let spent = cpu_seconds().unwrap() - before;
        assert!(spent > 0.02 && spent < 30.0, "{spent}");
        let bytes = resident_bytes().unwrap();
        assert!(bytes > 1 << 20 && bytes < 1 << 36, "{bytes}");
    }
}
