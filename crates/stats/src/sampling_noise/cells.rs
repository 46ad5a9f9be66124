//! The bins as a list of cells, each with how far its share can be believed to have moved.

use crate::interval::Level;

/// Bins with the same counts, as one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) reference: f64,
    pub(super) current: f64,
    /// How many bins have these counts.
    pub(super) bins: f64,
    /// How much of the observed move is drift rather than noise, in [0, 1).
    pub(super) drift_share: f64,
    /// The largest that this could be, at the level of the interval.
    pub(super) drift_share_most: f64,
}

/// All occupied bins.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) cells: Vec<Cell>,
    /// Occupied bins.
    pub(super) bins: f64,
    pub(super) n: f64,
    pub(super) m: f64,
}

impl Cell {
    pub(super) fn rows(&self) -> f64 {
        self.reference + self.current
    }
}

impl Cells {
    /// `rows`: of both sides.
    pub(super) fn new(reference: &[u64], current: &[u64], rows: (u64, u64), level: Level) -> Cells {
        let pairs = reference.iter().zip(current).map(|(&r, &c)| (r, c));
        let mut pairs: Vec<(u64, u64)> = pairs.filter(|&(r, c)| r > 0 || c > 0).collect();
        let bins = pairs.len() as f64;
        pairs.sort_unstable();
        let cells = pairs
            .chunk_by(|a, b| a == b)
            .map(|same| Cell {
                reference: same[0].0 as f64,
                current: same[0].1 as f64,
                bins: same.len() as f64,
                drift_share: 0.0,
                drift_share_most: 0.0,
            })
            .collect();
        let mut cells = Cells { cells, bins, n: rows.0 as f64, m: rows.1 as f64 };
        cells.believe_moves(level.z());
        cells
    }

    /// The share of all rows that are on the current side.
    pub(super) fn current_share(&self) -> f64 {
        self.m / (self.n + self.m)
    }

    /// `1/n + 1/m`.
    pub(super) fn scale(&self) -> f64 {
        1.0 / self.n + 1.0 / self.m
    }

    /// Shares of the reference and of the current side that stand for what a cell is believed to
    /// have: one standard deviation to either side of the posterior mean of its part of the
    /// current side, each as likely as the other.
    pub(super) fn believed_shares(&self, cell: &Cell) -> [(f64, f64); 2] {
        let (rows, without_drift) = (cell.rows(), self.current_share());
        let seen = cell.current / rows - without_drift;
        let noise = without_drift * (1.0 - without_drift) / rows;
        let mean = (without_drift + cell.drift_share * seen)
            .clamp(0.01 * without_drift, 1.0 - 0.01 * (1.0 - without_drift));
        // Bounded, so that no share is zero and the mean of both stays.
        let deviation = (cell.drift_share * noise).sqrt().min(0.8 * mean).min(0.8 * (1.0 - mean));
        [mean - deviation, mean + deviation].map(|part| (rows * (1.0 - part) / self.n, rows * part / self.m))
    }

    /// Sets `drift_share` to `τ² / (τ² + v/t)`, where `v/t` is the noise of a cell's part of the
    /// current side and `τ²` the variance of the true parts, from the excess of χ² over the number
    /// of bins. Cells with about as many rows (a power of two) share one `τ²`, so that a frequent
    /// value that drifts says nothing about the rare ones. The excess has about the variance of a
    /// non-central χ², which says how large it could be.
    fn believe_moves(&mut self, z: f64) {
        let part = self.current_share();
        let v = part * (1.0 - part);
        let size = |cell: &Cell| cell.rows().log2() as usize;
        let mut groups = [Group::default(); 65];
        for cell in &self.cells {
            let chi = (cell.current - cell.rows() * part).powi(2) / (cell.rows() * v);
            let group = &mut groups[size(cell)];
            group.excess += cell.bins * (chi - 1.0);
            group.rows_beyond_first += cell.bins * (cell.rows() - 1.0);
            // Of (K − E K)² / Var K for a binomial K.
            group.variance += cell.bins * (2.0 + (1.0 - 6.0 * v) / (cell.rows() * v)).max(0.0);
        }
        for cell in &mut self.cells {
            let group = groups[size(cell)];
            let uncertain = (group.variance + 4.0 * group.excess.max(0.0)).sqrt();
            let square = group.excess * group.excess;
            let believed = group.excess * square / (square + 9.0 * group.variance);
            cell.drift_share = group.drift_share(believed, cell.rows());
            cell.drift_share_most = group.drift_share(group.excess + z * uncertain, cell.rows());
        }
    }
}

/// Cells with about as many rows.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// Of χ² over what chance gives.
    excess: f64,
    /// Of χ² where nothing has changed.
    variance: f64,
    rows_beyond_first: f64,
}

impl Group {
    fn drift_share(&self, excess: f64, rows: f64) -> f64 {
        if self.rows_beyond_first <= 0.0 || excess <= 0.0 {
            return 0.0; // values seen once say nothing
        }
        // τ²/v, which is at most 1: a part lies between 0 and 1.
        let tau = (excess / self.rows_beyond_first).min(1.0);
        tau / (tau + 1.0 / rows)
    }
}
