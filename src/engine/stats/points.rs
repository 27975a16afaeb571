//! Points in time, as charts show them: small numbers in rings of a fixed size.

use std::collections::VecDeque;

use super::reading::Figures;

/// How many values a point has.
pub(super) const VALUES: usize = 8;
/// The most points of the last quarter of an hour: one every two seconds.
pub(super) const RECENT: usize = 450;

/// What a point tells. The order is that of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Per cent of one CPU, on average.
    Cpu,
    /// The same, the highest.
    CpuPeak,
    /// Bytes of memory, the most.
    Memory,
    /// Bytes received in a second, on average.
    Received,
    /// Bytes sent in a second, on average.
    Sent,
    /// Bytes read from disks in a second, on average.
    Read,
    /// Bytes written to disks in a second, on average.
    Written,
    /// Processes and threads, the most.
    Pids,
}

impl Measure {
    /// Whether a point of a longer time tells the highest, not the average.
    fn is_highest(self) -> bool {
        matches!(self, Self::CpuPeak | Self::Memory | Self::Pids)
    }

    const EACH: [Self; VALUES] =
        [Self::Cpu, Self::CpuPeak, Self::Memory, Self::Received, Self::Sent, Self::Read, Self::Written, Self::Pids];
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// A quarter of an hour, as it was sampled.
    #[default]
    Recent,
    /// A day, a point a minute.
    Day,
    /// 31 days, a point an hour.
    Month,
}

impl Range {
    /// Seconds that a point stands for; 1 for the moments of [`Range::Recent`].
    pub fn step(self) -> i64 {
        match self {
            Self::Recent => 1,
            Self::Day => 60,
            Self::Month => 3_600,
        }
    }

    /// How long it is, in seconds.
    pub fn length(self) -> i64 {
        match self {
            Self::Recent => 900,
            Self::Day => 86_400,
            Self::Month => 31 * 86_400,
        }
    }

    /// How far apart two points may be that nothing is missing between, in seconds.
    pub fn join(self) -> i64 {
        match self {
            // Who is not looked at is asked once a minute.
            Self::Recent => 100,
            Self::Day => 190,
            Self::Month => 7_300,
        }
    }
}

/// What a container used at a moment, or in the time that began then. What is not known is NaN, within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds since the epoch, by our clock.
    pub at: i64,
    pub(super) values: [f32; VALUES],
}

impl Point {
    pub(super) fn gap(at: i64) -> Self {
        Self { at, values: [f32::NAN; VALUES] }
    }

    pub(super) fn of(at: i64, figures: &Figures) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seven digits are enough")]
        let (float, whole) = (
            |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32),
            |value: Option<u64>| value.map_or(f32::NAN, |value| value as f32),
        );
        let Figures { cpu, memory, received, sent, read, written, pids, .. } = figures;
        let values = [
            float(*cpu),
            float(*cpu),
            whole(*memory),
            float(*received),
            float(*sent),
            float(*read),
            float(*written),
            whole(*pids),
        ];
        Self { at, values }
    }

    /// What it tells of this.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        let value = self.values.get(measure as usize).copied()?;
        value.is_finite().then(|| f64::from(value))
    }

    /// Whether it tells nothing.
    pub fn is_gap(&self) -> bool {
        self.values.iter().all(|value| !value.is_finite())
    }

    /// Several as one that stands at `at`.
    pub fn together(at: i64, points: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Sum::new(at);
        points.into_iter().for_each(|point| sum.add(&point));
        sum.point()
    }
}

/// A point that is being put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sum {
    pub(super) at: i64,
    values: [(f32, u16); VALUES],
}

impl Sum {
    pub(super) fn new(at: i64) -> Self {
        Self { at, values: [(0.0, 0); VALUES] }
    }

    pub(super) fn add(&mut self, point: &Point) {
        for ((value, of), measure) in self.values.iter_mut().zip(point.values).zip(Measure::EACH) {
            if of.is_finite() {
                let (so_far, count) = *value;
                let next =
                    if measure.is_highest() { if count == 0 { of } else { so_far.max(of) } } else { so_far + of };
                *value = (next, count.saturating_add(1));
            }
        }
    }

    pub(super) fn point(&self) -> Point {
        let mut point = Point::gap(self.at);
        for ((value, (sum, count)), measure) in point.values.iter_mut().zip(self.values).zip(Measure::EACH) {
            if count > 0 {
                *value = if measure.is_highest() { sum } else { sum / f32::from(count) };
            }
        }
        point
    }
}

/// The last quarter of an hour of one container.
#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<Point>);

impl Ring {
    pub(super) fn push(&mut self, point: Point) {
        let too_old = point.at - Range::Recent.length();
        while self.0.front().is_some_and(|first| first.at < too_old) || self.0.len() >= RECENT {
            self.0.pop_front();
        }
        self.0.push_back(point);
        // Who was looked at and is not any more gives the room back.
        if self.0.capacity() > 64 && self.0.len() * 4 < self.0.capacity() {
            self.0.shrink_to(self.0.len() * 2);
        }
    }

    pub(super) fn points(&self, since: i64) -> Vec<Point> {
        self.0.iter().filter(|point| point.at >= since).copied().collect()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.0.back().is_none_or(Point::is_gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, cpu: f64, memory: u64) -> Point {
        Point::of(at, &Figures { cpu: Some(cpu), memory: Some(memory), ..Figures::default() })
    }

    #[test]
    fn a_ring_has_a_bound_in_number_and_in_time() {
        let mut ring = Ring::default();
        for at in 0..2_000 {
            ring.push(point(at, 1.0, 1));
        }
        assert_eq!(ring.points(0).len(), RECENT);
        assert_eq!(ring.points(0).first().map(|point| point.at), Some(2_000 - 450));
        ring.push(point(2_000 + 890, 1.0, 1));
        assert_eq!(ring.points(0).len(), 11);
        assert!(ring.0.capacity() <= 64, "{}", ring.0.capacity());
    }

    #[test]
    fn several_make_one_by_average_or_by_the_highest() {
        let one = Point::together(60, [point(61, 10.0, 5), point(75, 30.0, 9), Point::gap(80)]);
        assert_eq!((one.at, one.get(Measure::Cpu), one.get(Measure::CpuPeak)), (60, Some(20.0), Some(30.0)));
        assert_eq!((one.get(Measure::Memory), one.get(Measure::Read)), (Some(9.0), None));
        assert!(Point::together(0, []).is_gap());
    }
}
