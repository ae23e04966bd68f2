package store

import (
	"context"
	"sync"

	"github.com/sotto-chat/sotto"
)

// job is one piece of work for the writer: an item of a batch, or a function,
// or something that is done to the connection between two transactions.
type job struct {
	run   batchRunner
	item  any
	apart func(*writer) error // runs alone and outside of a transaction
	done  func(error)         // called by the writer after the commit, in commit order
	ch    chan error          // told instead of done
	taken bool                // by the writer; guarded by the queue's lock
	gone  bool                // withdrawn; guarded by the queue's lock
}

type batchRunner interface {
	runItems(tx *Tx, items []any) error
}

// queue holds the work that waits for the writer, in order.
type queue struct {
	mu      sync.Mutex
	jobs    []*job
	head    int // jobs before it are taken
	limit   int
	waiting []chan struct{} // callers that wait for room
	wake    chan struct{}   // the writer sleeps on it
	closed  bool
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1)}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) - q.head
}

// push adds j if there is room for it.
func (q *queue) push(j *job, limit int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pushLocked(j, limit)
}

func (q *queue) pushLocked(j *job, limit int) error {
	switch {
	case q.closed:
		return sotto.E("store.write", sotto.KindUnavailable, errClosed)
	case len(q.jobs)-q.head >= limit:
		return sotto.E("store.write", sotto.KindBusy, errQueueFull)
	}
	q.jobs = append(q.jobs, j)
	if len(q.jobs)-q.head == 1 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// pushWait adds j, waiting for room until ctx ends.
func (q *queue) pushWait(ctx context.Context, j *job) error {
	for {
		q.mu.Lock()
		err := q.pushLocked(j, q.limit)
		if err == nil || q.closed {
			q.mu.Unlock()
			return err
		}
		room := make(chan struct{})
		q.waiting = append(q.waiting, room)
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			q.leave(room)
			return ctx.Err()
		}
	}
}

// leave gives up the place of one that waited for room. Room that was offered
// to it at the same time is offered to the next.
func (q *queue) leave(room chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == room {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return
		}
	}
	q.offer(1)
}

// offer lets up to n of those who wait for room try again.
func (q *queue) offer(n int) {
	n = min(n, len(q.waiting))
	for _, w := range q.waiting[:n] {
		close(w)
	}
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
}

// withdraw takes back a job that the writer has not begun, and reports whether
// it could.
func (q *queue) withdraw(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.taken {
		return false
	}
	j.gone = true
	return true
}

// take moves up to n waiting jobs into group. A job that runs apart comes
// alone.
func (q *queue) take(group []*job, n int) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	freed := 0
	for q.head < len(q.jobs) && len(group) < n {
		j := q.jobs[q.head]
		if j.apart != nil && len(group) > 0 {
			break
		}
		q.jobs[q.head] = nil
		q.head++
		freed++
		if j.gone {
			continue
		}
		j.taken = true
		group = append(group, j)
		if j.apart != nil {
			break
		}
	}
	switch {
	case q.head == len(q.jobs):
		q.jobs, q.head = q.jobs[:0], 0
	case q.head > 4096 && q.head > len(q.jobs)/2:
		n := copy(q.jobs, q.jobs[q.head:])
		clear(q.jobs[n:])
		q.jobs, q.head = q.jobs[:n], 0
	}
	q.offer(freed)
	return group
}

// close refuses all further jobs; those that wait are still taken.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	q.offer(len(q.waiting))
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// ended reports whether the queue is closed and empty.
func (q *queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && q.head == len(q.jobs)
}
