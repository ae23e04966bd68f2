package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// stmt is a prepared statement of one connection.
type stmt struct {
	c      *conn
	p      uintptr
	params int
	keep   bool // stays prepared when its rows are read
	busy   bool // its rows are being read

	// arena is the library's memory into which texts and blobs are copied for
	// the length of one use. Go's own memory must not be handed over.
	arena     uintptr
	arenaSize int
	arenaUsed int
	old       []uintptr // arenas that were outgrown in this use
}

// maxArena is how much memory a statement keeps between two uses.
const maxArena = 16 << 10

var errArguments = errors.New("number of arguments and parameters differ")

func (s *stmt) finalize() {
	if s == nil || s.p == 0 {
		return
	}
	engine.Xsqlite3_finalize(s.c.tls, s.p)
	s.p = 0
	libc.Xfree(s.c.tls, s.arena)
	s.arena = 0
	s.freeOld()
}

func (s *stmt) freeOld() {
	for _, p := range s.old {
		libc.Xfree(s.c.tls, p)
	}
	s.old = s.old[:0]
}

// exec runs the statement to its end and returns how many rows it changed.
func (s *stmt) exec(args []any) (int64, error) {
	if err := s.bind(args); err != nil {
		return 0, err
	}
	rc := engine.Xsqlite3_step(s.c.tls, s.p)
	for rc == engine.SQLITE_ROW {
		rc = engine.Xsqlite3_step(s.c.tls, s.p)
	}
	if rc != engine.SQLITE_DONE {
		err := s.c.fail(rc)
		s.reset()
		return 0, err
	}
	n := engine.Xsqlite3_changes64(s.c.tls, s.c.db)
	s.reset()
	return n, nil
}

// reset makes the statement ready for its next use.
func (s *stmt) reset() {
	engine.Xsqlite3_reset(s.c.tls, s.p)
	s.busy = false
	s.arenaUsed = 0
	if len(s.old) > 0 {
		s.freeOld()
	}
	if s.arenaSize > maxArena {
		libc.Xfree(s.c.tls, s.arena)
		s.arena, s.arenaSize = 0, 0
	}
}

func (s *stmt) bind(args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("%w: %d and %d", errArguments, len(args), s.params)
	}
	for i, a := range args {
		if rc, err := s.bindOne(int32(i+1), a); err != nil { // at most 32,766
			s.reset()
			return err
		} else if rc != engine.SQLITE_OK {
			err := s.c.fail(rc)
			s.reset()
			return err
		}
	}
	return nil
}

func (s *stmt) bindOne(i int32, a any) (int32, error) {
	switch v := a.(type) {
	case nil:
		return engine.Xsqlite3_bind_null(s.c.tls, s.p, i), nil
	case int64:
		return engine.Xsqlite3_bind_int64(s.c.tls, s.p, i, v), nil
	case int:
		return engine.Xsqlite3_bind_int64(s.c.tls, s.p, i, int64(v)), nil
	case []byte:
		return s.bindBytes(i, v)
	case string:
		return s.bindText(i, v)
	case bool:
		var n int64
		if v {
			n = 1
		}
		return engine.Xsqlite3_bind_int64(s.c.tls, s.p, i, n), nil
	case float64:
		return engine.Xsqlite3_bind_double(s.c.tls, s.p, i, v), nil
	case driver.Valuer:
		dv, err := v.Value()
		if err != nil {
			return 0, err
		}
		if _, again := dv.(driver.Valuer); again {
			return 0, errors.New("a value that makes values")
		}
		return s.bindOne(i, dv)
	default:
		return s.bindKind(i, a)
	}
}

// bindKind binds named types by what they are made of.
func (s *stmt) bindKind(i int32, a any) (int32, error) {
	v := reflect.ValueOf(a)
	switch {
	case v.CanInt():
		return engine.Xsqlite3_bind_int64(s.c.tls, s.p, i, v.Int()), nil
	case v.CanUint():
		if v.Uint() > 1<<63-1 {
			return 0, errors.New("a number beyond 63 bits")
		}
		return engine.Xsqlite3_bind_int64(s.c.tls, s.p, i, int64(v.Uint())), nil //nolint:gosec // looked at above
	case v.CanFloat():
		return engine.Xsqlite3_bind_double(s.c.tls, s.p, i, v.Float()), nil
	}
	switch v.Kind() { //nolint:exhaustive // all others are refused
	case reflect.Bool:
		return s.bindOne(i, v.Bool())
	case reflect.String:
		return s.bindText(i, v.String())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return s.bindBytes(i, v.Bytes())
		}
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(b), v)
			return s.bindBytes(i, b)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return s.bindOne(i, nil)
		}
		return s.bindOne(i, v.Elem().Interface())
	}
	return 0, fmt.Errorf("a %T is no database value", a)
}

func (s *stmt) bindBytes(i int32, b []byte) (int32, error) {
	if b == nil {
		return engine.Xsqlite3_bind_null(s.c.tls, s.p, i), nil
	}
	p, err := s.alloc(len(b))
	if err != nil {
		return 0, err
	}
	copy(memory(p, len(b)), b)
	return engine.Xsqlite3_bind_blob(s.c.tls, s.p, i, p, int32(len(b)), 0), nil //nolint:gosec // alloc bounds it
}

func (s *stmt) bindText(i int32, t string) (int32, error) {
	p, err := s.alloc(len(t))
	if err != nil {
		return 0, err
	}
	copy(memory(p, len(t)), t)
	return engine.Xsqlite3_bind_text(s.c.tls, s.p, i, p, int32(len(t)), 0), nil //nolint:gosec // alloc bounds it
}

// maxValue is the engine's limit on one value (SQLITE_MAX_LENGTH).
const maxValue = 1_000_000_000

// alloc returns n bytes of the library's memory that live until reset.
func (s *stmt) alloc(n int) (uintptr, error) {
	if n > maxValue {
		return 0, errors.New("a value beyond a billion bytes")
	}
	if n = max(n, 1); s.arenaUsed+n > s.arenaSize {
		size := max(512, 2*s.arenaSize, n)
		p := libc.Xmalloc(s.c.tls, libc.Tsize_t(size)) // positive
		if p == 0 {
			return 0, &engineError{code: engine.SQLITE_NOMEM, text: "out of memory"}
		}
		if s.arena != 0 {
			s.old = append(s.old, s.arena)
		}
		s.arena, s.arenaSize, s.arenaUsed = p, size, 0
	}
	p := s.arena + uintptr(s.arenaUsed) // within the arena
	s.arenaUsed += n
	return p, nil
}
