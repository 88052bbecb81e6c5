//! The time for which a thread had a processor, as Linux tells it.

/// Nanoseconds that this thread had a processor.
pub fn cpu_time() -> u64 {
    // Linux brings the account up to date at a switch; else it is as old as the last tick, up to 4 ms.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    told.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number of nanoseconds")
}
