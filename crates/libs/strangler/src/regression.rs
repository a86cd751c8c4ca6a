//! Least squares: how much each of several counts contributes to a sum.

/// How far a column may be explained by the others, as its variance inflation factor, for its coefficient
/// to say anything: beyond it the counts have changed in step.
const MAX_INFLATION: f64 = 1000.0;
/// The fewest observations beyond one for each column.
const MIN_FREEDOM: usize = 10;
/// The most columns that are solved for: the time grows with their cube, and with so many it is some tens of
/// milliseconds.
const MAX_COLUMNS: usize = 256;

/// The sums over all observations from which the coefficients follow, one column for each count. A column
/// that was never there takes no part.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    columns: usize,
    observations: usize,
    /// The products of all pairs of columns, row by row.
    products: Vec<f64>,
    /// The products of each column with the sum.
    with_sum: Vec<f64>,
    square: f64,
}

/// A coefficient with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coefficient {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Regression {
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns,
            observations: 0,
            products: vec![0.0; columns * columns],
            with_sum: vec![0.0; columns],
            square: 0.0,
        }
    }

    /// Adds an observation: the counts, one for each column, and the sum.
    pub(crate) fn add(&mut self, counts: &[f64], sum: f64) {
        self.observations += 1;
        self.square += sum * sum;
        for (row, one) in counts.iter().take(self.columns).enumerate() {
            self.with_sum[row] += one * sum;
            for (column, other) in counts.iter().take(self.columns).enumerate() {
                self.products[row * self.columns + column] += one * other;
            }
        }
    }

    /// The coefficient of each column; none of one that cannot be distinguished from the others, and none at all
    /// before there are enough observations, or of more than 256 columns.
    pub(crate) fn coefficients(&self) -> Vec<Option<Coefficient>> {
        let mut found = vec![None; self.columns];
        let scale: Vec<f64> =
            (0..self.columns).map(|at| self.products[at * self.columns + at].sqrt()).collect();
        let used: Vec<usize> = (0..self.columns).filter(|&at| scale[at] > 0.0).collect();
        if used.len() > MAX_COLUMNS {
            return found;
        }
        let Some(freedom @ MIN_FREEDOM..) = self.observations.checked_sub(used.len()) else {
            return found;
        };
        let scaled = used.iter().map(|&row| {
            let row = used.iter().map(move |&column| (row, column));
            row.map(|(row, column)| {
                self.products[row * self.columns + column] / (scale[row] * scale[column])
            })
            .collect()
        });
        let Some(inverse) = inverse(scaled.collect()) else { return found };
        let with_sum: Vec<f64> = used.iter().map(|&at| self.with_sum[at] / scale[at]).collect();
        let product =
            |row: &Vec<f64>| row.iter().zip(&with_sum).map(|(one, other)| one * other).sum();
        let values: Vec<f64> = inverse.iter().map(product).collect();
        let explained: f64 = values.iter().zip(&with_sum).map(|(one, other)| one * other).sum();
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let variance = (self.square - explained).max(0.0) / freedom as f64;
        for (index, &at) in used.iter().enumerate() {
            let inflation = inverse[index][index];
            if inflation <= MAX_INFLATION {
                let error = (variance * inflation).sqrt() / scale[at];
                found[at] = Some(Coefficient { value: values[index] / scale[at], error });
            }
        }
        found
    }
}

/// The inverse of a symmetric matrix with ones in its diagonal. Columns in step get large values
/// instead of none, by a little more in the diagonal.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    for (at, row) in matrix.iter_mut().enumerate() {
        row[at] += 1e-9;
        row.extend((0..size).map(|column| if column == at { 1.0 } else { 0.0 }));
    }
    for pivot in 0..size {
        let largest = (pivot..size).max_by(|&one, &other| {
            matrix[one][pivot].abs().total_cmp(&matrix[other][pivot].abs())
        })?;
        matrix.swap(pivot, largest);
        let divisor = matrix[pivot][pivot];
        if divisor.abs() < f64::MIN_POSITIVE {
            return None;
        }
        matrix[pivot].iter_mut().for_each(|value| *value /= divisor);
        let row = matrix[pivot].clone();
        for (_, other) in matrix.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = other[pivot];
            other.iter_mut().zip(&row).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
        }
    }
    Some(matrix.into_iter().map(|mut row| row.split_off(size)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts that change, without a random number: of each observation, by column.
    fn counts(index: u64) -> [f64; 3] {
        let count = |factor: u64| f64::from(u32::try_from(index * factor % 17).unwrap());
        [count(5), count(7), 10.0]
    }

    #[test]
    fn what_each_count_contributes_is_found() {
        let mut regression = Regression::new(4);
        for index in 0..40 {
            let [one, other, constant] = counts(index);
            // A noise that no column explains.
            let noise = if index % 2 == 0 { 0.001 } else { -0.001 };
            let sum = 0.01 * one + 0.1 * other + 0.002 * constant + noise;
            regression.add(&[one, other, 0.0, constant], sum);
        }
        let found = regression.coefficients();
        for (at, expected) in [(0, 0.01), (1, 0.1), (3, 0.002)] {
            let Coefficient { value, error } = found[at].unwrap();
            assert!((value - expected).abs() <= 3.0 * error, "{at}: {value} ± {error}");
            assert!(error > 0.0 && error < 0.0005, "{at}: {value} ± {error}");
        }
        assert_eq!(found[2], None, "it was never there");
    }

    #[test]
    fn what_changes_in_step_is_not_distinguished() {
        let mut regression = Regression::new(3);
        let mut constant = Regression::new(2);
        for index in 0..40 {
            let [one, other, _] = counts(index);
            regression.add(&[one, 2.0 * one, other], 0.01 * one + 0.1 * other);
            constant.add(&[3.0, 10.0], 0.5);
        }
        let found = regression.coefficients();
        assert_eq!((found[0], found[1]), (None, None));
        assert!((found[2].unwrap().value - 0.1).abs() < 1e-6, "{found:?}");
        assert_eq!(constant.coefficients(), [None, None]);
    }

    #[test]
    fn more_columns_than_can_be_solved_for_in_time_say_nothing() {
        for (columns, is_known) in [(MAX_COLUMNS, true), (MAX_COLUMNS + 1, false)] {
            let mut regression = Regression::new(columns);
            for index in 0..columns + MIN_FREEDOM {
                let mut counts = vec![0.0; columns];
                counts[index % columns] = 1.0;
                regression.add(&counts, 0.5);
            }
            assert_eq!(regression.coefficients()[0].is_some(), is_known, "{columns}");
        }
    }

    #[test]
    fn few_observations_say_nothing() {
        let mut regression = Regression::new(1);
        for index in 1..=11 {
            assert_eq!(regression.coefficients(), [None], "{index}");
            regression.add(&[f64::from(index)], 0.1 * f64::from(index));
        }
        assert!(regression.coefficients()[0].is_some());
    }
}
