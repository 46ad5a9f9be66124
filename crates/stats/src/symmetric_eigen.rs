//! Eigenvalues and eigenvectors of a symmetric matrix, up to some hundreds of rows.
//!
//! Householder reflections bring the matrix to three diagonals (Golub & Van Loan, "Matrix
//! computations", 4th ed., section 8.3.1), implicit QR steps with Wilkinson's shift to one (section
//! 8.3.5). A linear-algebra crate would do this faster for thousands of columns, and nothing else
//! here needs one.

/// Steps per eigenvalue; two or three are usual.
const STEPS_MAX: usize = 60;

/// One eigenvalue with its eigenvector, of length 1.
#[derive(Clone, Debug)]
pub(crate) struct Eigenpair {
    pub(crate) value: f64,
    pub(crate) vector: Vec<f64>,
}

/// The eigenpairs of a symmetric matrix of finite numbers, given by its rows; the largest
/// eigenvalue first. None where the steps do not converge.
pub(crate) fn symmetric_eigen(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Eigenpair>> {
    let largest = matrix.iter().flatten().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 {
        let vectors = identity(matrix.len());
        return Some(vectors.into_iter().map(|vector| Eigenpair { value: 0.0, vector }).collect());
    }
    // Scaled, so that no square overflows or vanishes.
    for x in matrix.iter_mut().flatten() {
        *x /= largest;
    }
    let reflectors = tridiagonalise(&mut matrix);
    let mut diagonal: Vec<f64> = (0..matrix.len()).map(|i| matrix[i][i]).collect();
    let mut beside: Vec<f64> = (1..matrix.len()).map(|i| matrix[i][i - 1]).collect();
    let mut vectors = accumulated(&reflectors, matrix.len());
    diagonalise(&mut diagonal, &mut beside, &mut vectors)?;
    let mut pairs: Vec<Eigenpair> = diagonal
        .into_iter()
        .zip(vectors)
        .map(|(value, vector)| Eigenpair { value: value * largest, vector })
        .collect();
    pairs.sort_by(|a, b| b.value.total_cmp(&a.value));
    Some(pairs)
}

fn identity(size: usize) -> Vec<Vec<f64>> {
    let row = |i: usize| (0..size).map(|j| f64::from(u8::from(i == j))).collect();
    (0..size).map(row).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Reflects the matrix to three diagonals, from the first column on. The k-th vector `v`, of length
/// √2 or zero, stands for `I − v vᵀ` on the rows after k.
fn tridiagonalise(matrix: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
    let size = matrix.len();
    let mut reflectors = Vec::new();
    for k in 0..size.saturating_sub(2) {
        let mut v: Vec<f64> = matrix[k + 1..].iter().map(|row| row[k]).collect();
        let length = dot(&v, &v).sqrt();
        // Away from the first entry, so that nothing cancels.
        let reflected = if v[0] > 0.0 { -length } else { length };
        v[0] -= reflected;
        let norm = dot(&v, &v);
        if norm == 0.0 {
            reflectors.push(vec![0.0; v.len()]);
            continue;
        }
        let scale = (2.0 / norm).sqrt();
        for x in &mut v {
            *x *= scale;
        }
        matrix[k + 1][k] = reflected;
        // (I − v vᵀ) A (I − v vᵀ) = A − v wᵀ − w vᵀ with w = A v − (vᵀ A v / 2) v.
        let mut w: Vec<f64> = matrix[k + 1..].iter().map(|row| dot(&row[k + 1..], &v)).collect();
        let half = dot(&w, &v) / 2.0;
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= half * v);
        for (row, (&v_row, &w_row)) in matrix[k + 1..].iter_mut().zip(v.iter().zip(&w)) {
            for (x, (&v, &w)) in row[k + 1..].iter_mut().zip(v.iter().zip(&w)) {
                *x -= v_row * w + w_row * v;
            }
        }
        reflectors.push(v);
    }
    reflectors
}

/// The product of the reflections, transposed: its rows become the eigenvectors.
fn accumulated(reflectors: &[Vec<f64>], size: usize) -> Vec<Vec<f64>> {
    // Columns of H₀ H₁ … are found by applying the last reflection first; each leaves the rows
    // before its own alone.
    let mut columns = identity(size);
    for (k, v) in reflectors.iter().enumerate().rev() {
        for column in &mut columns[k + 1..] {
            let part = dot(v, &column[k + 1..]);
            column[k + 1..].iter_mut().zip(v).for_each(|(x, v)| *x -= part * v);
        }
    }
    columns
}

/// QR steps until nothing is left beside the diagonal; `vectors` are turned along.
fn diagonalise(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [Vec<f64>]) -> Option<()> {
    let largest = diagonal.iter().chain(&*beside).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let negligible = f64::EPSILON * largest;
    let mut steps_left = STEPS_MAX * diagonal.len();
    let mut last = diagonal.len().saturating_sub(1);
    while last > 0 {
        if beside[last - 1].abs() <= negligible {
            beside[last - 1] = 0.0;
            last -= 1;
            continue;
        }
        steps_left = steps_left.checked_sub(1)?;
        let split = beside[..last].iter().rposition(|x| x.abs() <= negligible);
        let first = split.map_or(0, |position| position + 1);
        step(diagonal, beside, vectors, first, last);
    }
    Some(())
}

/// One implicit QR step on the rows from `first` to `last`.
fn step(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [Vec<f64>], first: usize, last: usize) {
    let corner = beside[last - 1];
    let half = (diagonal[last - 1] - diagonal[last]) / 2.0;
    let root = half.hypot(corner);
    // The eigenvalue of the last two rows that is nearer to the last entry.
    let shift = diagonal[last] - corner * corner / (half + if half < 0.0 { -root } else { root });
    let (mut x, mut z) = (diagonal[first] - shift, beside[first]);
    for k in first..last {
        let length = x.hypot(z);
        let (c, s) = if length == 0.0 { (1.0, 0.0) } else { (x / length, z / length) };
        if k > first {
            beside[k - 1] = length;
        }
        let (a, b, d) = (diagonal[k], beside[k], diagonal[k + 1]);
        diagonal[k] = c * c * a + 2.0 * c * s * b + s * s * d;
        diagonal[k + 1] = s * s * a - 2.0 * c * s * b + c * c * d;
        beside[k] = (c * c - s * s) * b + c * s * (d - a);
        if k + 1 < last {
            x = beside[k];
            z = s * beside[k + 1];
            beside[k + 1] *= c;
        }
        let (above, below) = vectors.split_at_mut(k + 1);
        for (p, q) in above[k].iter_mut().zip(&mut below[0]) {
            (*p, *q) = (c * *p + s * *q, c * *q - s * *p);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use rand_core::RngCore as _;

    fn check(matrix: &[Vec<f64>]) -> Vec<f64> {
        let pairs = symmetric_eigen(matrix.to_vec()).unwrap();
        let largest = matrix.iter().flatten().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        for (i, pair) in pairs.iter().enumerate() {
            for (row, &x) in matrix.iter().zip(&pair.vector) {
                let error = (dot(row, &pair.vector) - pair.value * x).abs();
                assert!(error <= 1e-13 * largest * matrix.len() as f64, "{error}");
            }
            for (j, other) in pairs.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(&pair.vector, &other.vector) - expected).abs() < 1e-12);
            }
        }
        assert!(pairs.windows(2).all(|pair| pair[0].value >= pair[1].value));
        pairs.into_iter().map(|pair| pair.value).collect()
    }

    #[test]
    fn eigenvalues_that_are_known_are_found() {
        assert_eq!(check(&[vec![3.0]]), [3.0]);
        let values = check(&[vec![2.0, 1.0], vec![1.0, 2.0]]);
        assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
        // Second differences: 2 − 2 cos(π k / (n + 1)).
        let n = 50;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let matrix: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        for (k, value) in check(&matrix).into_iter().rev().enumerate() {
            let angle = std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13);
        }
    }

    #[test]
    fn every_pair_satisfies_its_equation_whatever_the_matrix() {
        let mut rng = SplitMix64::new(5);
        let mut uniform = || rng.next_u64() as f64 / 2f64.powi(64) - 0.5;
        for size in [2, 3, 4, 7, 40, 120] {
            let half: Vec<Vec<f64>> = (0..size).map(|_| (0..size).map(|_| uniform()).collect()).collect();
            let row = |i: usize| (0..size).map(|j| half[i][j] + half[j][i]).collect();
            let matrix: Vec<Vec<f64>> = (0..size).map(row).collect();
            check(&matrix);
            // Rank one, scaled to the ends of the number range.
            let u: Vec<f64> = (0..size).map(|_| uniform()).collect();
            for scale in [1e300, 1e-300] {
                let low: Vec<Vec<f64>> =
                    u.iter().map(|a| u.iter().map(|b| a * b * scale).collect()).collect();
                let values = check(&low);
                assert!(values[1..].iter().all(|value| value.abs() <= values[0] * 1e-13));
            }
        }
        for equal in [0.0, 1.0] {
            assert_eq!(check(&vec![vec![equal; 3]; 3]).len(), 3);
        }
        let mut diagonal = identity(6);
        diagonal[2][2] = -4.0;
        assert_eq!(check(&diagonal), [1.0, 1.0, 1.0, 1.0, 1.0, -4.0]);
        assert!(symmetric_eigen(vec![]).unwrap().is_empty());
    }
}
