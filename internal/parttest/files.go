package parttest

import (
	"context"

	"github.com/sotto-chat/sotto/channel"
)

// Put has the network hold a file under an id.
func (w *Network) Put(id string, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.files == nil {
		w.files = make(map[string][]byte)
	}
	w.files[id] = data
}

// Fetch implements channel.Fetcher: it hands out a copy of what was put there.
func (w *Network) Fetch(ctx context.Context, a channel.Attachment, limit int64) ([]byte, error) {
	w.mu.Lock()
	data, ok := w.files[a.ID]
	w.fetched++
	fetch := w.fetch
	w.mu.Unlock()
	switch {
	case fetch != nil:
		return fetch(ctx, a, limit)
	case !ok:
		return nil, &channel.SendError{Class: channel.Bad, Status: 404, Code: "not_found"}
	case int64(len(data)) > limit:
		return nil, &channel.SendError{Class: channel.Bad, Code: "too_large"}
	}
	return append([]byte(nil), data...), nil
}

// OnFetch has f fetch in the place of what was put there; nil ends that.
func (w *Network) OnFetch(f func(ctx context.Context, a channel.Attachment, limit int64) ([]byte, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetch = f
}

// Fetched returns how often a file was fetched.
func (w *Network) Fetched() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fetched
}
