package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/server"
)

type benchDataCmd struct {
	benchFlags
	Turns   int `default:"500000" help:"Stored turns: two messages each."`
	Persons int `default:"10000" help:"Persons who said them."`
	Big     int `default:"50000" help:"Turns of one more person, who is erased: two messages each."`
	Bytes   int `default:"120" help:"Length of a message."`
}

type dataReport struct {
	Bench       string  `json:"bench"`
	CPUs        int     `json:"cpus"`
	Messages    int     `json:"messages"`
	DataMiB     float64 `json:"data_mib"`
	StartMs     float64 `json:"start_to_first_200_ms"` // from the start of the process, median of five
	IdleMiB     float64 `json:"idle_rss_mib"`          // of the server's process, three seconds after its start
	EraseOf     int     `json:"erase_messages"`
	EraseMs     float64 `json:"erase_answer_ms"` // until the keys are gone and the receipt is there
	RowsGoneMs  float64 `json:"erase_rows_gone_ms"`
	AfterMiB    float64 `json:"after_rss_mib"`
	FillSeconds float64 `json:"fill_seconds"`
}

// Run fills a data directory and measures a server on it.
func (c *benchDataCmd) Run(ctx context.Context, con *console) error {
	dir, err := os.MkdirTemp(c.Dir, "sotto-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary directory
	if _, err := writeBenchConfig(dir, "http://127.0.0.1:9"); err != nil {
		return err
	}
	cfg := benchConfig(dir)
	rep := dataReport{Bench: "data", CPUs: runtime.NumCPU(), Messages: 2 * (c.Turns + c.Big), EraseOf: 2 * c.Big}
	begin := time.Now() //nolint:forbidigo // a benchmark measures the real clock
	fill := server.Fill{Account: "telegram/bench", Users: c.Persons, Turns: c.Turns, Big: c.Big, Bytes: c.Bytes}
	if err := server.FillData(ctx, cfg, fill); err != nil {
		return err
	}
	rep.FillSeconds = round(time.Since(begin).Seconds(), 1) //nolint:forbidigo // a benchmark measures the real clock
	rep.DataMiB = round(dirMiB(filepath.Join(dir, "data")), 1)
	srv, err := c.starts(ctx, con, dir, &rep)
	if err != nil {
		return err
	}
	defer srv.end()
	if err := c.erase(ctx, srv, cfg, &rep); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(con.out, rep)
	}
	_, err = fmt.Fprintf(con.out, "%d messages in %.0f MiB: start to first 200 %.0f ms, idle %.1f MiB; erasing %d messages answered in %.1f ms, rows gone after %.0f ms\n",
		rep.Messages, rep.DataMiB, rep.StartMs, rep.IdleMiB, rep.EraseOf, rep.EraseMs, rep.RowsGoneMs)
	return err
}

// starts measures the start five times and leaves the last server running.
func (c *benchDataCmd) starts(ctx context.Context, con *console, dir string, rep *dataReport) (srv *child, err error) {
	var took []float64
	for i := range 5 {
		begin := time.Now() //nolint:forbidigo // a benchmark measures the real clock
		if srv, err = startChildOn(ctx, con, "data", dir, "", c.Profile); err != nil {
			return nil, err
		}
		if err := healthy(ctx, srv.addr); err != nil {
			srv.end()
			return nil, err
		}
		took = append(took, ms(time.Since(begin))) //nolint:forbidigo // a benchmark measures the real clock
		if i < 4 {
			srv.end()
		}
	}
	rep.StartMs = round(median(took), 0)
	time.Sleep(3 * time.Second) //nolint:forbidigo // what is measured is idleness
	rep.IdleMiB = round(rssMiB(srv.cmd.Process.Pid), 1)
	return srv, nil
}

func (c *benchDataCmd) erase(ctx context.Context, srv *child, cfg server.Config, rep *dataReport) error {
	who := server.Who{Channel: "telegram", Account: "bench", User: "big"}
	var r server.Receipt
	begin := time.Now() //nolint:forbidigo // a benchmark measures the real clock
	if err := server.Operate(ctx, cfg, server.OpErase, who, &r); err != nil {
		return err
	}
	rep.EraseMs = round(ms(time.Since(begin)), 1) //nolint:forbidigo // a benchmark measures the real clock
	if r.Keys == 0 {
		return errors.New("nothing was erased")
	}
	for {
		var pending int64
		if err := server.Operate(ctx, cfg, server.OpErasing, struct{}{}, &pending); err != nil {
			return err
		}
		if pending == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // a benchmark measures the real clock
	}
	rep.RowsGoneMs = round(ms(time.Since(begin)), 0) //nolint:forbidigo // a benchmark measures the real clock
	rep.AfterMiB = round(rssMiB(srv.cmd.Process.Pid), 1)
	return nil
}

func healthy(ctx context.Context, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // its status is all that counts
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %d", resp.StatusCode)
	}
	return nil
}

// rssMiB is the memory of a process that is in RAM, as Linux tells it.
func rssMiB(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 { // n says it
			return kib / 1024
		}
	}
	return 0
}

func dirMiB(dir string) float64 {
	var total int64
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			total += info.Size()
		}
	}
	return float64(total) / (1 << 20)
}
