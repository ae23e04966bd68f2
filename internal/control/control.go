// Package control is how a second command talks to the server that runs on the
// same data: HTTP over a socket in the data directory.
//
// # What it promises
//
// Only the owner of the data directory, and root, can reach the socket: the
// directory is open to its owner alone, or nothing is served; the socket is
// too; and both sides ask the kernel who is at the other end. The socket's name
// works however long the directory's path is (on Linux). What a killed process
// left behind is replaced. Errors keep their operation, kind and text on the
// way. An answer that was cut short is an error and never half an answer.
//
// # What it does not do
//
// It knows no operation itself; those are handed to it in a [Mux]. It does not
// see that only one process serves a directory: whoever calls [Listen] holds
// the directory's lease.
//
// This is the one package besides egress that makes HTTP requests: to a socket
// in the file system and nowhere else.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sotto-chat/sotto"
)

// maxArgument bounds what a caller sends. Answers are not bounded: an export
// may be large.
const maxArgument = 1 << 20

// Func carries out one operation. Its result is sent as JSON; a
// [json.RawMessage] is sent as it is, and a [Stream] as it is written.
type Func func(ctx context.Context, arg json.RawMessage) (any, error)

// Stream is a result that is written piece by piece, for answers of many
// megabytes. An error tells the caller that what came is not whole.
type Stream func(w io.Writer) error

// Mux knows the operations. All are added before it is used.
type Mux struct{ by map[string]Func }

// NewMux returns a Mux without operations.
func NewMux() *Mux { return &Mux{by: make(map[string]Func)} }

// Handle adds an operation.
func (m *Mux) Handle(op string, f Func) { m.by[op] = f }

// Call carries out an operation in this process. A panic of the operation is
// an error that does not repeat what was thrown.
func (m *Mux) Call(ctx context.Context, op string, arg json.RawMessage) (res any, err error) {
	f := m.by[op]
	if f == nil {
		return nil, sotto.E("control.call", sotto.KindNotFound, fmt.Errorf("there is no operation %q", op))
	}
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, sotto.E("control."+op, sotto.KindOther, fmt.Errorf("the operation panicked with a %T", p))
		}
	}()
	return f(ctx, arg)
}

// ServeHTTP answers one call: POST to the operation's name, the argument as
// JSON in the body.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuse(w, sotto.E("control.call", sotto.KindInvalid, errors.New("a call is a POST")))
		return
	}
	arg, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArgument))
	if err != nil {
		refuse(w, sotto.E("control.call", sotto.KindInvalid, errors.New("the argument is too large or was cut short")))
		return
	}
	res, err := m.Call(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), arg)
	if err != nil {
		refuse(w, err)
		return
	}
	switch v := res.(type) {
	case Stream:
		stream(w, v)
		return
	case json.RawMessage:
		answer(w, v)
		return
	}
	b, err := json.Marshal(res)
	if err != nil {
		refuse(w, sotto.E("control.call", sotto.KindOther, errors.New("the result has no JSON form")))
		return
	}
	answer(w, b)
}

func answer(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b) // the caller is gone, which is theirs to know
}

// trailer carries what became of a stream after it was sent: "ok", or the
// error. Its absence says that the server ended in between.
const trailer = "Sotto-Result"

func stream(w http.ResponseWriter, s Stream) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Trailer", trailer)
	result := "ok"
	if err := run(s, w); err != nil {
		result = string(encodeFailure(err))
	}
	w.Header().Set(trailer, result)
}

func run(s Stream, w io.Writer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = sotto.E("control.stream", sotto.KindOther, fmt.Errorf("the operation panicked with a %T", p))
		}
	}()
	return s(w)
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_, _ = w.Write(encodeFailure(err)) // the caller is gone, which is theirs to know
}
