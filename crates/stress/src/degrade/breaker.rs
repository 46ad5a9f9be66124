//! A circuit breaker: after failures in a row a model is left alone for a while, so that callers do not wait for it.

use types::definition::Breaker;

/// For each row, whether the model would be asked; `fails` says whether it would fail there.
///
/// After `rows_open` rows one is let through: where it succeeds the circuit closes, else it stays open for as
/// many rows again. A breaker of 0 failures opens at the first one.
pub fn lets_through(breaker: Breaker, fails: &[bool]) -> Vec<bool> {
    let mut failures = 0;
    let mut waits = 0;
    let mut let_through = Vec::with_capacity(fails.len());
    for &is_failure in fails {
        let is_let_through = waits == 0;
        let_through.push(is_let_through);
        if !is_let_through {
            waits -= 1;
        } else if is_failure {
            failures += 1;
            if failures >= breaker.failures.max(1) {
                // One more failure is enough to open it again.
                failures = breaker.failures.max(1) - 1;
                waits = breaker.rows_open;
            }
        } else {
            failures = 0;
        }
    }
    let_through
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failures: u32, rows_open: u32, fails: &str, expected: &str) {
        let fails: Vec<bool> = fails.chars().map(|row| row == 'x').collect();
        let let_through = lets_through(Breaker { failures, rows_open }, &fails);
        let written: String = let_through.into_iter().map(|is| if is { 'o' } else { '-' }).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_circuit_opens_after_failures_in_a_row_and_closes_after_a_success() {
        check(2, 3, "..x.x...", "oooooooo");
        check(2, 3, ".xxxxxxx", "ooo---o-");
        check(2, 3, ".xx...x.xx..", "ooo---o---oo");
        check(2, 3, ".xx....xxx..", "ooo---ooo---");
        check(2, 3, ".xx....x....", "ooo---oooooo");
        check(1, 0, "xxx", "ooo");
        check(0, 1, "xxx", "o-o");
    }
}
