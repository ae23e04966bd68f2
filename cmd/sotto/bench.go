package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto/internal/bench"
)

type benchCmd struct {
	Ingest benchIngestCmd `cmd:"" help:"Signed webhooks to the durable 200, beside a bare handler that only checks the signature."`
	Turn   benchTurnCmd   `cmd:"" help:"Webhook to reply at a stub network."`
	Data   benchDataCmd   `cmd:"" help:"A million stored messages: start, idle memory, erasure."`

	Channels benchChannelsCmd `cmd:"" help:"Every network side by side: to verify and decode one webhook."`
}

type benchFlags struct {
	JSON    bool   `help:"Print JSON."`
	Profile string `help:"Write a CPU profile of the measured server here." type:"path" placeholder:"FILE"`
	Dir     string `help:"Directory for the data of the run; removed afterwards. Default: a temporary one." type:"path" placeholder:"DIR"`
}

type benchIngestCmd struct {
	benchFlags
	Slice  time.Duration `default:"1s" help:"Length of one stretch; server and ceiling take turns."`
	Rounds int           `default:"4" help:"Stretches of each."`
	Users  int64         `default:"2000" help:"Persons that write."`
}

// ingestResult is one line of the report: medians over the rounds.
type ingestResult struct {
	Channel          string  `json:"channel"`
	Connections      int     `json:"connections"`
	PerSecond        float64 `json:"per_second"`
	CeilingPerSecond float64 `json:"ceiling_per_second"`
	Ratio            float64 `json:"ratio"` // median of the rounds' ratios
	P50ms            float64 `json:"p50_ms"`
	P99ms            float64 `json:"p99_ms"`
	CPUus            float64 `json:"cpu_us"` // of the server's process, per webhook
	CeilingCPUus     float64 `json:"ceiling_cpu_us"`
	Refused          int64   `json:"refused"`
}

type ingestReport struct {
	Bench   string         `json:"bench"`
	CPUs    int            `json:"cpus"`
	Body    int            `json:"body_bytes"`
	Note    string         `json:"note"`
	Results []ingestResult `json:"results"`
}

// Run measures ingestion.
func (c *benchIngestCmd) Run(ctx context.Context, con *console) error {
	rep := ingestReport{
		Bench: "ingest", CPUs: runtime.NumCPU(), Body: 1024,
		Note: "events are verified, decoded, sealed, de-duplicated and durable before the 200; handling them is measured by bench turn and held back here",
	}
	srv, err := startChild(ctx, con, "ingest", c.benchFlags, "http://127.0.0.1:9")
	if err != nil {
		return err
	}
	defer srv.end()
	ceil, err := startChild(ctx, con, "ceiling", benchFlags{}, "")
	if err != nil {
		return err
	}
	defer ceil.end()
	var next atomic.Int64
	for _, ch := range []string{"telegram", "messenger"} {
		for _, conns := range []int{32, 256} {
			r, err := c.one(ctx, srv, ceil, ch, conns, &next)
			if err != nil {
				return err
			}
			rep.Results = append(rep.Results, r)
			if !c.JSON {
				con.printf("%-9s %3d connections: %7.0f/s (ceiling %7.0f/s, ratio %.2f)  p50 %5.2f ms  p99 %5.2f ms  CPU %5.1f µs (ceiling %4.1f µs)\n",
					r.Channel, r.Connections, r.PerSecond, r.CeilingPerSecond, r.Ratio, r.P50ms, r.P99ms, r.CPUus, r.CeilingCPUus)
			}
		}
	}
	if c.JSON {
		return printJSON(con.out, rep)
	}
	return nil
}

func (c *benchIngestCmd) one(ctx context.Context, srv, ceil *child, ch string, conns int, next *atomic.Int64) (ingestResult, error) {
	r := ingestResult{Channel: ch, Connections: conns}
	var rate, top, ratio, p50, p99, cpu, topCPU []float64
	for i := range c.Rounds + 1 {
		d := c.Slice
		if i == 0 {
			d = c.Slice / 4 // warm up
		}
		a, ac, err := srv.measure(func() (*bench.Slice, error) {
			return bench.Ingest(ctx, srv.addr, ch, conns, c.Users, next, d)
		})
		if err != nil {
			return r, err
		}
		b, bc, err := ceil.measure(func() (*bench.Slice, error) {
			return bench.Ingest(ctx, ceil.addr, ch, conns, c.Users, next, d)
		})
		if err != nil {
			return r, err
		}
		r.Refused += a.Bad + b.Bad
		if i == 0 {
			continue
		}
		rate, top = append(rate, a.PerSecond()), append(top, b.PerSecond())
		ratio = append(ratio, a.PerSecond()/b.PerSecond())
		p50, p99 = append(p50, ms(a.Quantile(.5))), append(p99, ms(a.Quantile(.99)))
		cpu, topCPU = append(cpu, us(ac)/float64(a.Calls)), append(topCPU, us(bc)/float64(b.Calls))
	}
	r.PerSecond, r.CeilingPerSecond, r.Ratio = round(median(rate), 0), round(median(top), 0), round(median(ratio), 3)
	r.P50ms, r.P99ms = round(median(p50), 2), round(median(p99), 2)
	r.CPUus, r.CeilingCPUus = round(median(cpu), 1), round(median(topCPU), 1)
	if r.Refused > 0 {
		return r, fmt.Errorf("%d calls were not answered 200", r.Refused)
	}
	return r, nil
}

type benchTurnCmd struct {
	benchFlags
	Slice       time.Duration `default:"4s" help:"Length of one stretch."`
	Rounds      int           `default:"5" help:"Stretches."`
	Connections int           `default:"128" help:"Persons with a message under way."`
	Persons     int           `default:"8" help:"Persons that take turns on each connection."`
}

type turnReport struct {
	Bench       string  `json:"bench"`
	CPUs        int     `json:"cpus"`
	Connections int     `json:"connections"`
	Persons     int     `json:"persons"`
	PerSecond   float64 `json:"per_second"`
	CPUus       float64 `json:"cpu_us"` // all CPU time of the server's process, per message
	P50ms       float64 `json:"p50_ms"` // from the webhook call to the reply at the stub network
	P99ms       float64 `json:"p99_ms"`
	MaxRSSMiB   float64 `json:"max_rss_mib"`
	Messages    int64   `json:"messages"`
}

// Run measures whole turns.
func (c *benchTurnCmd) Run(ctx context.Context, con *console) (err error) {
	turns, err := bench.NewTurns(ctx)
	if err != nil {
		return err
	}
	srv, err := startChild(ctx, con, "turn", c.benchFlags, turns.URL())
	if err != nil {
		return errors.Join(err, turns.Close())
	}
	defer func() { srv.end(); err = errors.Join(err, turns.Close()) }()
	if err := turns.Meet(ctx, srv.addr, c.Connections, c.Persons); err != nil {
		return err
	}
	if _, err := turns.Run(ctx, c.Slice/4); err != nil {
		return err
	}
	rep := turnReport{Bench: "turn", CPUs: runtime.NumCPU(), Connections: c.Connections, Persons: c.Connections * c.Persons}
	var rate, cpu, p50, p99 []float64
	for range c.Rounds {
		s, used, err := srv.measure(func() (*bench.Slice, error) { return turns.Run(ctx, c.Slice) })
		if err != nil {
			return err
		}
		rep.Messages += s.Calls
		rate, cpu = append(rate, s.PerSecond()), append(cpu, us(used)/float64(s.Calls))
		p50, p99 = append(p50, ms(s.Quantile(.5))), append(p99, ms(s.Quantile(.99)))
	}
	rep.PerSecond, rep.CPUus, rep.P50ms, rep.P99ms = round(median(rate), 0), round(median(cpu), 1), round(median(p50), 2), round(median(p99), 2)
	if u, err := srv.usage(); err == nil {
		rep.MaxRSSMiB = round(float64(u.MaxRSS)/(1<<20), 1)
	}
	if c.JSON {
		return printJSON(con.out, rep)
	}
	_, err = fmt.Fprintf(con.out, "%.0f messages/s, %.1f µs of CPU each, webhook to reply p50 %.2f ms, p99 %.2f ms (%d messages, %d persons, %d under way)\n",
		rep.PerSecond, rep.CPUus, rep.P50ms, rep.P99ms, rep.Messages, rep.Persons, rep.Connections)
	return err
}

func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

func us(d time.Duration) float64 { return float64(d) / 1e3 }
