//! What was counted in the time that lies just behind, of numbers that only grow.

use std::collections::VecDeque;

/// Samples of numbers that only grow from nought, one a minute, so many at most.
#[derive(Debug, Clone)]
pub struct Window<const N: usize> {
    samples: VecDeque<[u64; N]>,
    most: usize,
}

impl<const N: usize> Window<N> {
    /// A window of so many minutes, in which nothing was seen yet.
    #[must_use]
    pub fn of_minutes(most: usize) -> Self {
        Self { samples: VecDeque::new(), most }
    }

    /// Adds the sample of this minute.
    pub fn push(&mut self, sample: [u64; N]) {
        if self.samples.len() >= self.most {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// How many minutes it has seen.
    #[must_use]
    pub fn minutes(&self) -> usize {
        self.samples.len()
    }

    /// What has come since so many minutes ago, up to `now`; since it began to look, if that is later.
    #[must_use]
    pub fn last(&self, minutes: usize, now: [u64; N]) -> [u64; N] {
        let before = self.samples.len().checked_sub(minutes).and_then(|place| self.samples.get(place));
        let before = before.or(self.samples.front()).copied().unwrap_or([0; N]);
        std::array::from_fn(|number| difference(now.get(number), before.get(number)))
    }
}

fn difference(now: Option<&u64>, before: Option<&u64>) -> u64 {
    now.copied().unwrap_or_default().saturating_sub(before.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_is_told_from_what_was_there() {
        let mut window = Window::of_minutes(3);
        assert_eq!(window.last(2, [7]), [7], "nothing was seen before");
        for sample in [10, 20, 40, 80] {
            window.push([sample]);
        }
        assert_eq!(window.minutes(), 3);
        assert_eq!(window.last(1, [85]), [5]);
        assert_eq!(window.last(2, [85]), [45]);
        assert_eq!(window.last(99, [85]), [65], "what is older than the window is forgotten");
    }
}
