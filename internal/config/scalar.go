package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a time span as Go writes it ("90s", "1h30m"), and whole
// days and weeks ("30d", "2w"). Months and years have no fixed length and are
// not accepted.
func ParseDuration(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	unit := time.Duration(0)
	switch s[len(s)-1] {
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	}
	if unit == 0 {
		d, err := time.ParseDuration(s)
		return d, err == nil && s != "0"
	}
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 32)
	if err != nil || n > math.MaxInt64/int64(unit) || n < math.MinInt64/int64(unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// ParseSize reads a number of bytes: "4096", "512KiB", "1MiB", "2GiB", and the
// decimal units kB, MB and GB.
func ParseSize(s string) (int64, bool) {
	units := []struct {
		name string
		n    int64
	}{
		{"KiB", 1 << 10},
		{"MiB", 1 << 20},
		{"GiB", 1 << 30},
		{"kB", 1e3},
		{"KB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"B", 1},
	}
	unit := int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = strings.TrimRight(rest, " "), u.n
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}
