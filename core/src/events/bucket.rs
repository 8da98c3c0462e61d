//! Log-scaled buckets: 124 classes for any 32-bit quantity, none wider than a quarter of its lower bound.
//!
//! A duration or a size that is told exactly can identify; told in buckets it can't. Values 0 to 3 are exact;
//! above, each power of two is cut in four: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ... The ordinal is found by one
//! count of leading zeros.

/// Number of buckets; an ordinal takes 7 bits.
pub const COUNT: u32 = 124;

/// Returns the bucket that `value` falls into, below [`COUNT`].
///
/// ```
/// use automagik_telemetry_core::bucket;
/// assert_eq!(bucket::lower_bound(bucket::ordinal(137)), 128);
/// ```
#[must_use]
#[inline]
pub const fn ordinal(value: u32) -> u32 {
    // The leading one and the two bits behind it, which choose the quarter, are 4 to 7; what is below 4 stays.
    let below = 29_u32.wrapping_sub((value | 0b100).leading_zeros()) & 31;
    (value >> below).wrapping_add(below << 2)
}

/// Returns the least value that falls into the bucket `ordinal`; what a reader is told.
#[must_use]
#[inline]
pub const fn lower_bound(ordinal: u32) -> u32 {
    let below = (ordinal >> 2).saturating_sub(1);
    ordinal.wrapping_sub(below << 2) << (below & 31)
}

/// Number of classes of [`half`].
pub const HALVES: u32 = 44;

/// Returns the class of a histogram that `value` falls into, below [`HALVES`]: each power of two is cut in two. 0, 1, 2, 3, 4,
/// 6, 8, 12, 16, 24, ... up to 3,145,728 and more (52 minutes in milliseconds, 3 MiB in bytes).
///
/// ```
/// use automagik_telemetry_core::bucket;
/// assert_eq!(bucket::half_lower_bound(bucket::half(137)), 128);
/// ```
#[must_use]
#[inline]
pub const fn half(value: u32) -> u32 {
    // The leading one and the bit behind it, which chooses the half, are 2 or 3; what is below 2 stays.
    let below = 30_u32.wrapping_sub((value | 0b10).leading_zeros()) & 31;
    let ordinal = (value >> below).wrapping_add(below << 1);
    if ordinal < HALVES { ordinal } else { HALVES.wrapping_sub(1) }
}

/// Returns the class of [`half`] that the bucket `ordinal` of [`ordinal`](fn@ordinal) lies in: a bucket is half of one.
#[must_use]
#[inline]
pub const fn half_of(ordinal: u32) -> u32 {
    let class = if ordinal < 4 { ordinal } else { (ordinal >> 1).wrapping_add(2) };
    if class < HALVES { class } else { HALVES.wrapping_sub(1) }
}

/// Returns the least value that falls into the class `ordinal` of [`half`].
#[must_use]
#[inline]
pub const fn half_lower_bound(ordinal: u32) -> u32 {
    let below = (ordinal >> 1).saturating_sub(1);
    ordinal.wrapping_sub(below << 1) << (below & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_ordinals_are_inverse() {
        for bucket in 0..COUNT {
            assert_eq!(ordinal(lower_bound(bucket)), bucket);
        }
        assert_eq!(ordinal(u32::MAX), COUNT - 1);
    }

    #[test]
    fn halves_and_their_bounds_are_inverse() {
        for class in 0..HALVES {
            assert_eq!(half(half_lower_bound(class)), class);
            if class > 0 {
                assert_eq!(half(half_lower_bound(class) - 1), class - 1);
            }
        }
        assert_eq!(half(u32::MAX), HALVES - 1);
        for value in (0..5_000).chain((0..32).flat_map(|shift| [1 << shift, (1_u32 << shift) - 1])) {
            assert_eq!(half_of(ordinal(value)), half(value), "{value}");
        }
    }

    #[test]
    fn bounds_rise_by_at_most_a_quarter() {
        for bucket in 4..COUNT - 1 {
            let (low, next) = (u64::from(lower_bound(bucket)), u64::from(lower_bound(bucket + 1)));
            assert!(low < next && 4 * (next - low) <= low, "{low} {next}");
        }
    }

    #[test]
    fn the_bucket_of_a_value_is_the_last_that_starts_at_or_below_it() {
        for value in (0..5000).chain([u32::MAX - 1, u32::MAX, 1 << 30, (1 << 30) - 1]) {
            let bucket = ordinal(value);
            assert!(lower_bound(bucket) <= value);
            assert!(bucket == COUNT - 1 || value < lower_bound(bucket + 1));
        }
    }
}
