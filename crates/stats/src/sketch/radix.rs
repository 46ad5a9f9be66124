//! Sorting 64-bit keys, and picking order statistics from them, faster than by comparing.
//!
//! A least-significant-digit radix sort over the highest bits in which the keys differ at all
//! orders measured values almost completely; the few runs that agree in those bits are finished by
//! comparison, all of them for a sort, only those that are asked for when picking. Whatever the
//! input, the results are those of a full sort.

use std::cell::RefCell;

/// Bits of a digit.
const DIGIT: u32 = 11;
const BUCKETS: usize = 1 << DIGIT;
/// Digits that are counted before comparing, for a sort and for a few order statistics.
const SORT_DIGITS: usize = 3;
const PICK_DIGITS: usize = 2;
/// Below this, counting costs more than comparing.
const SMALL: usize = 2048;

thread_local! {
    /// Room for the keys while they are moved; kept, because fresh memory costs more than the moves.
    static ROOM: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn sort_keys(keys: &mut Vec<u64>) {
    if !is_worth_counting(keys) {
        keys.sort_unstable();
        return;
    }
    let lowest = sort_by_digits::<SORT_DIGITS>(keys);
    if lowest > 0 {
        keys.chunk_by_mut(|a, b| a >> lowest == b >> lowest)
            .filter(|run| run.len() > 1)
            .for_each(<[u64]>::sort_unstable);
    }
}

/// Appends the order statistics at positions `first`, `first + step`, … to `taken`; leaves `keys`
/// in some order.
pub(super) fn take_order_statistics(keys: &mut Vec<u64>, first: usize, step: usize, taken: &mut Vec<u64>) {
    if !is_worth_counting(keys) {
        keys.sort_unstable();
        taken.extend(keys.iter().skip(first).step_by(step));
        return;
    }
    let lowest = sort_by_digits::<PICK_DIGITS>(keys);
    let mut sorted_to = 0;
    for at in (first..keys.len()).step_by(step) {
        // Sort the run around the position, unless an earlier position lay in it too.
        if at >= sorted_to && lowest > 0 {
            let high_bits = keys[at] >> lowest;
            let same = |key: &&u64| *key >> lowest == high_bits;
            let from = at - keys[sorted_to..at].iter().rev().take_while(same).count();
            let to = at + keys[at..].iter().take_while(same).count();
            keys[from..to].sort_unstable();
            sorted_to = to;
        }
        taken.push(keys[at]);
    }
}

/// Counts are 32-bit, and counting a few keys costs more than comparing them.
fn is_worth_counting(keys: &[u64]) -> bool {
    keys.len() >= SMALL && u32::try_from(keys.len()).is_ok()
}

/// Sorts by the highest `DIGITS` digits in which keys differ; returns the lowest bit that counted.
fn sort_by_digits<const DIGITS: usize>(keys: &mut Vec<u64>) -> u32 {
    let (min, max) = keys.iter().fold((u64::MAX, 0), |(min, max), &key| (min.min(key), max.max(key)));
    let differing_bits = u64::BITS - (min ^ max).leading_zeros();
    let lowest = differing_bits.saturating_sub(DIGIT * DIGITS as u32);
    ROOM.with_borrow_mut(|room| scatter_by_digits::<DIGITS>(keys, room, lowest));
    lowest
}

fn scatter_by_digits<const DIGITS: usize>(keys: &mut Vec<u64>, room: &mut Vec<u64>, lowest: u32) {
    let shift = |digit: usize| lowest + DIGIT * digit as u32;
    // A shift past the last bit can only be asked for digits in which no key differs.
    let bucket = |key: u64, digit: usize| (key.unbounded_shr(shift(digit)) as usize) & (BUCKETS - 1);
    let mut counts = [[0_u32; BUCKETS]; DIGITS];
    for &key in keys.iter() {
        for (digit, counts) in counts.iter_mut().enumerate() {
            counts[bucket(key, digit)] += 1;
        }
    }
    room.resize(keys.len(), 0);
    for (digit, counts) in counts.iter_mut().enumerate() {
        if counts[bucket(keys[0], digit)] as usize == keys.len() {
            continue;
        }
        let mut before = 0;
        for count in counts.iter_mut() {
            let here = *count;
            *count = before;
            before += here;
        }
        for &key in keys.iter() {
            let place = &mut counts[bucket(key, digit)];
            room[*place as usize] = key;
            *place += 1;
        }
        std::mem::swap(keys, room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(keys: Vec<u64>) {
        let mut expected = keys.clone();
        expected.sort_unstable();
        let mut sorted = keys;
        sort_keys(&mut sorted);
        assert!(sorted == expected);
        for (first, step) in [(0, 1), (16, 32), (7, 1000)] {
            let mut taken = Vec::new();
            take_order_statistics(&mut sorted.iter().rev().copied().collect(), first, step, &mut taken);
            assert!(taken.iter().eq(expected.iter().skip(first).step_by(step)));
        }
    }

    #[test]
    fn extreme_keys_are_sorted() {
        let spread = |step: u64| (0..5000_u64).map(|i| i.wrapping_mul(step)).collect::<Vec<_>>();
        check(spread(0));
        check(spread(1));
        check(spread(u64::MAX / 5000));
        check(spread(0x9E37_79B9_7F4A_7C15));
        check((0..5000).map(|i| u64::MAX - (i % 3)).collect());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn any_keys_are_sorted(
            keys in prop::collection::vec(any::<u64>(), SMALL..3 * SMALL), kept_bits in 0u32..64
        ) {
            check(keys.into_iter().map(|key| key >> kept_bits).collect());
        }
    }
}
