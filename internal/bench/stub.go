package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
)

// Stub plays the API of Telegram and Messenger: it takes every message and
// tells whom it was for.
type Stub struct {
	l      net.Listener
	got    func(user int64)
	wg     sync.WaitGroup
	mu     sync.Mutex
	all    map[net.Conn]bool
	closed bool
}

// NewStub listens on loopback. got is called for every message, from many
// goroutines.
func NewStub(ctx context.Context, got func(user int64)) (*Stub, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Stub{l: l, got: got, all: make(map[net.Conn]bool)}
	s.wg.Go(s.accept)
	return s, nil
}

// URL is the base address of the API.
func (s *Stub) URL() string { return "http://" + s.l.Addr().String() }

// Close ends the stub.
func (s *Stub) Close() error {
	err := s.l.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.all {
		err = errors.Join(err, c.Close())
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

func (s *Stub) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		closed := s.closed
		s.all[c] = true
		s.mu.Unlock()
		if closed { // Close did not see it
			_ = c.Close()
			return
		}
		s.wg.Go(func() {
			s.serve(c)
			s.mu.Lock()
			if s.all[c] {
				delete(s.all, c)
				_ = c.Close() // the peer is gone
			}
			s.mu.Unlock()
		})
	}
}

const telegramAnswer = `{"ok":true,"result":{"message_id":7,"date":1795000000,"chat":{"id":1,"type":"private"}}}`

const messengerAnswer = `{"recipient_id":"1","message_id":"m_7"}`

func (s *Stub) serve(c net.Conn) {
	r := bufio.NewReaderSize(c, 8192)
	var body, answer []byte
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		telegram := bytes.Contains(line, []byte("/bot"))
		n := 0
		for {
			h, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(h) <= 2 {
				break
			}
			if v, ok := bytes.CutPrefix(h, []byte("Content-Length: ")); ok {
				n, _ = strconv.Atoi(string(bytes.TrimSpace(v))) // our own client wrote it
			}
		}
		if cap(body) < n {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		text, key := messengerAnswer, `"recipient":{"id":`
		if telegram {
			text, key = telegramAnswer, `"chat_id":`
		}
		user := number(body, key)
		answer = append(answer[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "...)
		answer = strconv.AppendInt(answer, int64(len(text)), 10)
		answer = append(answer, "\r\n\r\n"...)
		answer = append(answer, text...)
		if _, err := c.Write(answer); err != nil {
			return
		}
		if user != 0 {
			s.got(user)
		}
	}
}

// number reads the digits behind a key, quoted or not.
func number(body []byte, key string) int64 {
	i := bytes.Index(body, []byte(key))
	if i < 0 {
		return 0
	}
	var n int64
	for _, c := range bytes.TrimLeft(body[i+len(key):], `" `) {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
