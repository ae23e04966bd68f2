package main

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/server"
)

type benchChannelsCmd struct {
	JSON   bool          `help:"Print JSON."`
	Body   int           `default:"1024" help:"Bytes of the webhook's body."`
	Slice  time.Duration `default:"60ms" help:"Length of one stretch."`
	Rounds int           `default:"9" help:"Stretches of each network; what is printed is their median."`
}

// channelResult is a line of the table.
type channelResult struct {
	Channel string  `json:"channel"`
	Body    int     `json:"body_bytes"`
	US      float64 `json:"us"` // to verify and decode
	Bytes   float64 `json:"bytes"`
	Allocs  float64 `json:"allocs"`
}

type channelsReport struct {
	Bench   string          `json:"bench"`
	CPUs    int             `json:"cpus"`
	Results []channelResult `json:"results"`
}

// Run measures every network that is played.
func (c *benchChannelsCmd) Run(con *console) error {
	rep := channelsReport{Bench: "channels", CPUs: runtime.NumCPU()}
	if !c.JSON {
		con.printf("To verify and decode a message as the network signs it, on one CPU; medians of %d.\n", c.Rounds)
		con.printf("%-10s %10s %8s %12s %12s\n", "network", "body bytes", "µs", "bytes", "allocations")
	}
	for _, name := range server.Players() {
		r, err := c.one(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rep.Results = append(rep.Results, r)
		if !c.JSON {
			con.printf("%-10s %10d %8.1f %12.0f %12.0f\n", r.Channel, r.Body, r.US, r.Bytes, r.Allocs)
		}
	}
	if c.JSON {
		return printJSON(con.out, rep)
	}
	return nil
}

// one measures a network.
func (c *benchChannelsCmd) one(name string) (channelResult, error) {
	at := time.Now() //nolint:forbidigo // a benchmark measures the real clock
	p, err := server.Player(name, play.Config{Now: func() time.Time { return at }})
	if err != nil {
		return channelResult{}, err
	}
	a, err := p.Adapter("http://127.0.0.1:9", new(http.Client))
	if err != nil {
		return channelResult{}, err
	}
	r, err := sizedWebhook(p, c.Body, at)
	if err != nil {
		return channelResult{}, err
	}
	step := func() error {
		if err := a.Verify(r); err != nil {
			return err
		}
		if b, err := a.Decode(r.Body); err != nil || len(b.Events) != 1 || b.Events[0].Text == "" {
			return fmt.Errorf("the body is not understood: %w", err)
		}
		return nil
	}
	out := channelResult{Channel: name, Body: len(r.Body)}
	var took, size, count []float64
	for i := range max(c.Rounds, 1) + 1 {
		m, err := measure(step, c.Slice)
		if err != nil {
			return out, err
		}
		if i > 0 { // the first warms up
			took, size, count = append(took, m[0]), append(size, m[1]), append(count, m[2])
		}
	}
	out.US, out.Bytes, out.Allocs = round(median(took), 2), round(median(size), 0), round(median(count), 0)
	return out, nil
}

// measure repeats a step for a while and returns the microseconds, bytes and
// allocations that one took.
func measure(step func() error, d time.Duration) (per [3]float64, err error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const some = 64 // steps between two looks at the clock
	n := 0
	begin := time.Now()                   //nolint:forbidigo // a benchmark measures the real clock
	for time.Since(begin) < d || n == 0 { //nolint:forbidigo // a benchmark measures the real clock
		for range some {
			if err := step(); err != nil {
				return per, err
			}
		}
		n += some
	}
	took := time.Since(begin) //nolint:forbidigo // a benchmark measures the real clock
	runtime.ReadMemStats(&after)
	return [3]float64{
		us(took) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n),
	}, nil
}

// sizedWebhook is a message whose body has size bytes, or as few as the
// network's own fields take.
func sizedWebhook(p play.Player, size int, now time.Time) (*channel.Request, error) {
	const filler = "The parcel has not come yet, and I would like to know where it is. "
	say := func(n int) (play.Webhook, error) {
		text := strings.Repeat(filler, n/len(filler)+1)[:n-1] + "."
		return p.Webhook(play.Act{Kind: sotto.EventMessage, Text: text})
	}
	one, err := say(1)
	if err != nil {
		return nil, err
	}
	more, err := say(101)
	if err != nil {
		return nil, err
	}
	each := max(len(more.Body)-len(one.Body), 1) // bytes that a hundred characters take: some networks say a text twice
	w, err := say(1 + max(size-len(one.Body), 0)*100/each)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	for k, v := range w.Header {
		h[http.CanonicalHeaderKey(k)] = v
	}
	return &channel.Request{Method: http.MethodPost, Header: h, Body: w.Body, Now: now}, nil
}
