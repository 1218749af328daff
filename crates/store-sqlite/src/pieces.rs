//! Rows in pieces, so that few statements differ, and each is prepared once.

/// The rows in pieces of few sizes.
pub(crate) fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let (piece, rest) = rows.split_at_checked(size(rows.len()))?;
        rows = rest;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

/// How many of these rows the next piece has: of up to 63 all, or all but fewer than eight.
fn size(rows: usize) -> usize {
    match rows {
        0..=16 => rows,
        17..=31 => rows - rows % 4,
        32..=63 => rows - rows % 8,
        64.. => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_of_few_sizes_and_leave_no_row_out() {
        let sizes = |rows: usize| pieces(&vec![0; rows]).map(<[i32]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(7), [7]);
        assert_eq!(sizes(31), [28, 3]);
        assert_eq!(sizes(45), [40, 5]);
        assert_eq!(sizes(200), [64, 64, 64, 8]);
        assert!((0..64).all(|rows| sizes(rows).len() <= 2));
        assert!((0..1000).all(|rows| sizes(rows).iter().sum::<usize>() == rows));
        assert!((0..1000).flat_map(sizes).all(|rows| size(rows) == rows));
    }
}
