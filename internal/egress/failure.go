package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/sotto-chat/sotto"
)

// Failure is a request that got no usable answer. Its text is one of a fixed
// list and holds nothing of the request or the answer.
//
// Package channel's adapters sort sends by Written without importing this
// package: they look in the chain of the error for an
//
//	interface{ Written() bool }
//
// and take an error that has none as "may have been written".
type Failure struct { //nolint:errname // the name that stands in the contract with the adapters
	kind    sotto.Kind
	text    string
	written bool
	cause   error // context.Canceled or context.DeadlineExceeded, or nil
}

// Error returns what happened, in a few fixed words.
func (f *Failure) Error() string { return f.text }

// Written reports whether the other side can have acted on the request: false
// only if no byte of it left this machine.
func (f *Failure) Written() bool { return f.written }

// Unwrap returns [context.Canceled] or [context.DeadlineExceeded] where the
// caller's context, or the client's own time limit, ended the request.
func (f *Failure) Unwrap() error { return f.cause }

// refuse makes the error of a request that gets no connection. It closes the
// request's body, as net/http does.
func refuse(r *http.Request, kind sotto.Kind, text string, cause error) error {
	if r != nil && r.Body != nil {
		r.Body.Close() //nolint:errcheck,gosec // the request is not sent
	}
	return sotto.E(opDo, kind, &Failure{kind: kind, text: text, cause: cause})
}

// answered makes the error of a request whose answer is of no use.
func answered(text string) error {
	return sotto.E(opDo, sotto.KindInvalid, &Failure{kind: sotto.KindInvalid, text: text, written: true})
}

// failure sorts an error. Only fixed words come out of it.
func failure(ctx context.Context, err error, written bool) *Failure {
	f := &Failure{kind: sotto.KindUnavailable, written: written}
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		auth x509.UnknownAuthorityError
		name x509.HostnameError
		rec  tls.RecordHeaderError
		to   net.Error
	)
	switch {
	case errors.Is(err, errAddress) && !written:
		f.kind, f.text = sotto.KindDenied, "the host's address is not public"
	case errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled):
		f.text, f.cause = "the request was cancelled", context.Canceled
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		f.text, f.cause = "the request took too long", context.DeadlineExceeded
	case errors.Is(err, os.ErrDeadlineExceeded): // the client's own limit, which it sets on the connection
		f.text, f.cause = "the request took too long", context.DeadlineExceeded
	case errors.Is(err, errHeaders):
		f.kind, f.text = sotto.KindInvalid, "the answer's headers are too large"
	case errors.Is(err, errNotHTTP):
		f.text = "the answer is not HTTP"
	case errors.Is(err, errRequest):
		f.kind, f.text = sotto.KindInvalid, "the request is not valid"
	case errors.Is(err, errBody):
		f.kind, f.text = sotto.KindInvalid, "the request's body could not be read"
	case errors.Is(err, errConnectTime):
		f.text = "the connection took too long"
	case errors.As(err, &dns):
		f.text = "the host's name does not resolve"
	case errors.As(err, &cert), errors.As(err, &auth), errors.As(err, &name):
		f.text = "the host's certificate is not valid"
	case errors.As(err, &rec):
		f.text = "the TLS handshake failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.text = "the connection was refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.text = "the host cannot be reached"
	case errors.As(err, &to) && to.Timeout():
		f.text = "the connection took too long"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		f.text = "the connection was closed"
	case strings.Contains(err.Error(), "tls: "): // crypto/tls has no type for most of its errors
		f.text = "the TLS handshake failed"
	default:
		f.text = "the request failed"
	}
	return f
}
