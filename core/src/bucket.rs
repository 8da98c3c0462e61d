//! Log-scaled buckets: 124 classes for any 32-bit quantity, none wider than a quarter of its lower bound.
//!
//! A duration or a size that is told exactly can identify; told in buckets it can't. Values 0 to 3 are exact;
//! above, each power of two is cut in four: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ... The ordinal is found by one
//! count of leading zeros.

/// Number of buckets; an ordinal takes 7 bits.
pub const COUNT: u32 = 124;

/// The bucket that `value` falls into, below [`COUNT`].
///
/// ```
/// use automagik_telemetry_core::bucket;
/// assert_eq!(bucket::lower_bound(bucket::ordinal(137)), 128);
/// ```
#[must_use]
pub const fn ordinal(value: u32) -> u32 {
    match value.checked_ilog2() {
        // The two bits below the leading one choose the quarter.
        Some(exponent @ 2..) => {
            let below = exponent.wrapping_sub(2);
            let quarter = (value >> (below & 31)) & 0b11;
            (exponent.wrapping_sub(1) << 2) | quarter
        }
        _ => value,
    }
}

/// The least value that falls into the bucket `ordinal`; what a reader is told.
#[must_use]
pub const fn lower_bound(ordinal: u32) -> u32 {
    if ordinal < 4 {
        return ordinal;
    }
    let below = (ordinal >> 2).wrapping_sub(1);
    (0b100 | (ordinal & 0b11)) << (below & 31)
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
