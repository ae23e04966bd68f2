// Package clock is where the time comes from, so that tests can set it.
//
// All other packages take a [Clock]; none calls time.Now itself.
package clock

import "time"

// Clock tells the time.
type Clock func() time.Time

// Wall returns the machine's own clock.
func Wall() Clock { return time.Now }
