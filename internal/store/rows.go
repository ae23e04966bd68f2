package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// ErrNoRows is what [Row.Scan] returns where a query found nothing.
var ErrNoRows = sql.ErrNoRows

var errRowsClosed = errors.New("the rows are closed")

// Rows is a query's result, read one row at a time by one goroutine. Close it;
// reading to the end closes it as well. The rows of [DB.Query] hold one of the
// database's few readers, and keep the write-ahead log from being emptied,
// until then.
type Rows struct {
	st      *stmt
	pool    *DB // takes the reader back; nil in a transaction
	err     error
	stepped bool // st stands on a row
	ended   bool
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if r.st == nil || r.ended {
		return false
	}
	switch rc := engine.Xsqlite3_step(r.st.c.tls, r.st.p); rc {
	case engine.SQLITE_ROW:
		r.stepped = true
		return true
	case engine.SQLITE_DONE:
	default:
		err := r.st.c.fail(rc)
		r.err = sotto.E("store.query", kindOf(err), err)
	}
	r.close()
	return false
}

// Err returns what ended the rows early, or nil.
func (r *Rows) Err() error { return r.err }

// Close ends the reading. It may be called more than once, and its error is
// always nil: what went wrong is told by [Rows.Err].
func (r *Rows) Close() error {
	r.close()
	return nil
}

func (r *Rows) close() {
	if r.st == nil {
		return
	}
	st, c := r.st, r.st.c
	r.st, r.ended, r.stepped = nil, true, false
	st.reset()
	if !st.keep {
		st.finalize()
	}
	if r.pool != nil {
		r.pool.release(c, r.err)
		r.pool = nil
	}
}

// Scan copies the columns of the row into what dest points to: integers,
// strings, byte slices, booleans, floats and named types of those, byte arrays
// of the column's length, *any, and [sql.Scanner]. Copies are the caller's.
func (r *Rows) Scan(dest ...any) error {
	const op = "store.scan"
	if r.st == nil || !r.stepped {
		return sotto.E(op, sotto.KindOther, errRowsClosed)
	}
	s := r.st
	if n := int(engine.Xsqlite3_column_count(s.c.tls, s.p)); n != len(dest) {
		return sotto.E(op, sotto.KindOther, fmt.Errorf("%d columns into %d places", n, len(dest)))
	}
	for i, d := range dest {
		if err := s.column(int32(i), d); err != nil { // at most 2,000 columns
			return sotto.E(op, sotto.KindOther, fmt.Errorf("column %d: %w", i+1, err))
		}
	}
	return nil
}

// Row is a query's result of at most one row.
type Row struct {
	from querier
	ctx  context.Context //nolint:containedctx // from QueryRow to Scan
	q    string
	args []any
}

// querier starts a query. r is empty and is filled.
type querier interface {
	start(ctx context.Context, r *Rows, q string, args []any) error
}

// Scan runs the query and copies its first row as [Rows.Scan] does. It returns
// [ErrNoRows] where there is none.
func (r *Row) Scan(dest ...any) error {
	var rows Rows
	if err := r.from.start(r.ctx, &rows, r.q, r.args); err != nil {
		return err
	}
	defer rows.close()
	if !rows.Next() {
		if rows.err != nil {
			return rows.err
		}
		return ErrNoRows
	}
	return rows.Scan(dest...)
}

// column copies column i into d.
func (s *stmt) column(i int32, d any) error {
	kind := engine.Xsqlite3_column_type(s.c.tls, s.p, i)
	if kind == engine.SQLITE_NULL {
		return scanNull(d)
	}
	switch p := d.(type) {
	case *int64:
		if kind == engine.SQLITE_INTEGER {
			*p = engine.Xsqlite3_column_int64(s.c.tls, s.p, i)
			return nil
		}
	case *int:
		if kind == engine.SQLITE_INTEGER {
			*p = int(engine.Xsqlite3_column_int64(s.c.tls, s.p, i))
			return nil
		}
	case *bool:
		if kind == engine.SQLITE_INTEGER {
			*p = engine.Xsqlite3_column_int64(s.c.tls, s.p, i) != 0
			return nil
		}
	case *float64:
		if kind == engine.SQLITE_INTEGER || kind == engine.SQLITE_FLOAT {
			*p = engine.Xsqlite3_column_double(s.c.tls, s.p, i)
			return nil
		}
	case *string:
		if kind == engine.SQLITE_TEXT || kind == engine.SQLITE_BLOB {
			*p = string(s.bytes(i))
			return nil
		}
	case *[]byte:
		if kind == engine.SQLITE_TEXT || kind == engine.SQLITE_BLOB {
			*p = append(make([]byte, 0, len(s.bytes(i))), s.bytes(i)...)
			return nil
		}
	case *any:
		*p = s.value(i, kind)
		return nil
	case sql.Scanner:
		return p.Scan(s.value(i, kind))
	}
	return s.columnKind(i, kind, d)
}

// bytes views a text or blob column in the library's memory.
func (s *stmt) bytes(i int32) []byte {
	p := engine.Xsqlite3_column_blob(s.c.tls, s.p, i)
	n := engine.Xsqlite3_column_bytes(s.c.tls, s.p, i)
	if p == 0 || n <= 0 {
		return nil
	}
	return memory(p, int(n))
}

// value returns a column as a Go value of its own.
func (s *stmt) value(i, kind int32) any {
	switch kind {
	case engine.SQLITE_INTEGER:
		return engine.Xsqlite3_column_int64(s.c.tls, s.p, i)
	case engine.SQLITE_FLOAT:
		return engine.Xsqlite3_column_double(s.c.tls, s.p, i)
	case engine.SQLITE_TEXT:
		return string(s.bytes(i))
	case engine.SQLITE_BLOB:
		return append([]byte{}, s.bytes(i)...)
	default:
		return nil
	}
}

var errNull = errors.New("NULL where a value is wanted")

func scanNull(d any) error {
	switch p := d.(type) {
	case *[]byte:
		*p = nil
		return nil
	case *any:
		*p = nil
		return nil
	case sql.Scanner:
		return p.Scan(nil)
	}
	v := reflect.ValueOf(d)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		switch e := v.Elem(); e.Kind() { //nolint:exhaustive // the kinds that can be nil
		case reflect.Pointer, reflect.Slice:
			e.SetZero()
			return nil
		}
	}
	return errNull
}

// columnKind copies a column into a named type, by what the type is made of.
func (s *stmt) columnKind(i, kind int32, d any) error {
	v := reflect.ValueOf(d)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("a %T is no place for a value", d)
	}
	e := v.Elem()
	if e.Kind() == reflect.Pointer {
		n := reflect.New(e.Type().Elem())
		if err := s.column(i, n.Interface()); err != nil {
			return err
		}
		e.Set(n)
		return nil
	}
	switch kind {
	case engine.SQLITE_INTEGER:
		return scanInt(e, engine.Xsqlite3_column_int64(s.c.tls, s.p, i))
	case engine.SQLITE_FLOAT:
		if e.CanFloat() {
			e.SetFloat(engine.Xsqlite3_column_double(s.c.tls, s.p, i))
			return nil
		}
	case engine.SQLITE_TEXT, engine.SQLITE_BLOB:
		return scanBytes(e, s.bytes(i))
	}
	return fmt.Errorf("a column of this kind does not fit a %s", e.Type())
}

func scanInt(e reflect.Value, n int64) error {
	switch {
	case e.CanInt():
		if e.OverflowInt(n) {
			return fmt.Errorf("the number does not fit a %s", e.Type())
		}
		e.SetInt(n)
	case e.CanUint():
		if n < 0 || e.OverflowUint(uint64(n)) {
			return fmt.Errorf("the number does not fit a %s", e.Type())
		}
		e.SetUint(uint64(n))
	case e.Kind() == reflect.Bool:
		e.SetBool(n != 0)
	case e.CanFloat():
		e.SetFloat(float64(n))
	default:
		return fmt.Errorf("a number does not fit a %s", e.Type())
	}
	return nil
}

func scanBytes(e reflect.Value, b []byte) error {
	isBytes := (e.Kind() == reflect.Slice || e.Kind() == reflect.Array) && e.Type().Elem().Kind() == reflect.Uint8
	switch {
	case e.Kind() == reflect.String:
		e.SetString(string(b))
	case e.Kind() == reflect.Slice && isBytes:
		e.SetBytes(append([]byte{}, b...))
	case e.Kind() == reflect.Array && isBytes:
		if e.Len() != len(b) {
			return fmt.Errorf("%d bytes do not fit a %s", len(b), e.Type())
		}
		reflect.Copy(e, reflect.ValueOf(b))
	default:
		return fmt.Errorf("text or bytes do not fit a %s", e.Type())
	}
	return nil
}

// Value is what a type that stores itself gives the database (driver.Valuer).
type Value = driver.Value
