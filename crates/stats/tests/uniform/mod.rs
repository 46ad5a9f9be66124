//! The generator of the data that tests and `testdata/reference/make_learners.py` both make.

/// Knuth's MMIX generator, the upper 53 bits as a number in [0, 1).
#[derive(Debug)]
pub(crate) struct Uniform(pub(crate) u64);

impl Uniform {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn many<const N: usize>(&mut self) -> [f64; N] {
        std::array::from_fn(|_| self.next())
    }
}

impl rand_core::RngCore for Uniform {
    fn next_u32(&mut self) -> u32 {
        (self.next() * 4_294_967_296.0) as u32
    }

    fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next_u32() as u8);
    }
}
