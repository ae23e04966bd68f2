// Package jsonl works through a stream of lines with all processors and writes
// the results in the order of the lines.
//
// It holds a bounded number of lines at a time, however long the stream is, and
// ends early when the output does. What a line is and what comes of it is for
// the caller.
package jsonl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// MaxLine is the longest line that is read.
const MaxLine = 16 << 20

// batch is how many lines a worker takes at once: enough that handing them over
// costs little beside the work.
const (
	batchLines = 64
	batchBytes = 1 << 20
)

// Each calls work for every line that is not empty, with its number from 1, and
// writes what it appends to out. Work is called from many goroutines at once,
// each with an out of its own. A line over [MaxLine] bytes ends it with an
// error, as do an error of work, of reading and of writing.
func Each(caller context.Context, in io.Reader, out io.Writer, work func(number int64, line, out []byte) ([]byte, error)) error {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	jobs := make(chan *job, workers)
	order := make(chan *job, 2*workers)
	for range workers {
		go func() {
			for j := range jobs {
				j.run(work)
			}
		}()
	}
	read := make(chan error, 1)
	go func() {
		defer close(order)
		defer close(jobs)
		read <- split(ctx, in, func(j *job) bool {
			select {
			case order <- j:
			case <-ctx.Done():
				return false
			}
			select {
			case jobs <- j:
				return true
			case <-ctx.Done():
				close(j.done) // it is waited for
				return false
			}
		})
	}()
	err := write(out, order)
	cancel()
	for j := range order { // what was handed out ends by itself
		<-j.done
	}
	if rerr := <-read; err == nil && rerr != nil && !errors.Is(rerr, context.Canceled) {
		err = rerr
	}
	if err == nil {
		err = caller.Err()
	}
	return err
}

// One is [Each] with one line after the other, for work that remembers.
func One(ctx context.Context, in io.Reader, out io.Writer, work func(number int64, line, out []byte) ([]byte, error)) error {
	order := make(chan *job, 1)
	w := make(chan error, 1)
	go func() { w <- write(out, order) }()
	err := split(ctx, in, func(j *job) bool {
		j.run(work)
		select {
		case order <- j:
			return j.err == nil && ctx.Err() == nil
		case werr := <-w:
			w <- werr
			return false
		}
	})
	close(order)
	return errors.Join(<-w, err)
}

// job is some lines, one after the other, and what came of them.
type job struct {
	first int64 // number of the first line
	text  []byte
	ends  []int
	out   []byte
	err   error
	done  chan struct{}
}

func (j *job) run(work func(number int64, line, out []byte) ([]byte, error)) {
	defer close(j.done)
	from := 0
	for i, end := range j.ends {
		if line := j.text[from:end]; len(line) > 0 {
			if j.out, j.err = work(j.first+int64(i), line, j.out); j.err != nil {
				return
			}
		}
		from = end
	}
}

// split reads lines and hands them over a batch at a time.
func split(ctx context.Context, in io.Reader, hand func(*job) bool) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), MaxLine)
	number := int64(1)
	j := &job{first: number, done: make(chan struct{})}
	flush := func() bool {
		if len(j.ends) == 0 {
			return true
		}
		full := j
		j = &job{first: number, done: make(chan struct{})}
		return hand(full)
	}
	for s.Scan() {
		line := s.Bytes()
		j.text = append(j.text, line...)
		j.ends = append(j.ends, len(j.text))
		number++
		if (len(j.ends) == batchLines || len(j.text) >= batchBytes) && !flush() {
			return ctx.Err()
		}
	}
	flush()
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d has more than %d bytes", number, MaxLine)
	}
	return s.Err()
}

// write writes results in order, until the first error.
func write(out io.Writer, order <-chan *job) error {
	w := bufio.NewWriterSize(out, 64<<10)
	for j := range order {
		<-j.done
		if _, err := w.Write(j.out); err != nil {
			return err
		}
		if j.err != nil {
			return errors.Join(j.err, w.Flush())
		}
		if len(order) == 0 { // nothing else is ready: whoever waits gets what there is
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}
