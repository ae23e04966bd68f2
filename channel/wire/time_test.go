package wire

import (
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, tt := range []struct {
		got, want time.Time
	}{
		{Unix(day.Unix()), day},
		{Unix(last.Unix()), last},
		{Unix(last.Unix() + 1), time.Time{}},
		{Unix(0), time.Time{}},
		{Unix(-1), time.Time{}},
		{UnixMilli(day.UnixMilli() + 5), day.Add(5 * time.Millisecond)},
		{UnixMilli(last.UnixMilli()), last},
		{UnixMilli(last.UnixMilli() + 1000), time.Time{}},
		{UnixMilli(0), time.Time{}},
		{Moment(day.Unix()), day},
		{Moment(day.UnixMilli()), day},
		{Moment(last.UnixMilli() + 1000), time.Time{}},
		{Moment(-5), time.Time{}},
	} {
		if !tt.got.Equal(tt.want) {
			t.Errorf("%v, want %v", tt.got, tt.want)
		}
	}
}
