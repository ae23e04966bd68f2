package wire

import "time"

// Years in which no message is written: what stands for such a time is none.
const year10000 = 253_402_300_800 // in seconds

// Unix turns the seconds since 1970 of a timestamp into a time. Others
// than those of the years 1970 to 9999 are the zero time.
func Unix(n int64) time.Time {
	if n <= 0 || n >= year10000 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// UnixMilli is [Unix] for milliseconds.
func UnixMilli(n int64) time.Time {
	if n <= 0 || n >= 1000*year10000 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// Moment is [UnixMilli] or [Unix], by the size of the number, for networks
// that use both.
func Moment(n int64) time.Time {
	const march1973 = 100_000_000_000 // in milliseconds; in seconds it is the year 5138
	if n < march1973 {
		return Unix(n)
	}
	return UnixMilli(n)
}
