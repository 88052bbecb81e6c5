//! Exponential increments, the same for whatever is compared.

/// Draws from a table, so that drawing costs next to nothing beside what is measured.
pub(crate) struct Increments {
    table: Vec<u64>,
    state: u64,
}

const SIZE_LOG2: u32 = 12;

impl Increments {
    /// Increments with a mean of one simulated second; every instance gives the same.
    pub(crate) fn new() -> Self {
        let mut increments = Self { table: Vec::new(), state: 1 };
        increments.table = (0..1u64 << SIZE_LOG2)
            .map(|_| {
                let unit = (increments.draw(52) as f64 + 0.5) / (1u64 << 52) as f64;
                (-libm::log(unit) * 1e9) as u64
            })
            .collect();
        increments
    }

    /// The next increment in nanoseconds. Low bits of the state are added, for times that
    /// hardly ever repeat.
    pub(crate) fn next(&mut self) -> u64 {
        let index = self.draw(SIZE_LOG2);
        self.table[index as usize] + (self.state >> 30) % 1024
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.draw(32) * n as u64) >> 32) as usize
    }

    fn draw(&mut self, bits: u32) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> (u64::BITS - bits)
    }
}
