//go:build unix

package store

import (
	"unsafe"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// The engine writes each page of a commit to its log with two system calls,
// one for 24 bytes of header and one for the page. They lie one behind the
// other, so the layer here, put over the engine's own file layer for the
// writer's log, gathers them and writes them at once.
//
// That is safe because nothing reads what is gathered before the log is synced:
// a commit syncs it before it shows the new pages to readers (with
// synchronous=FULL, which the writer's connection sets). Whatever else is done
// to the log writes out first what is gathered. What a failed or abandoned step
// left is dropped when the log is closed, never written late.
//
// The database file itself must not be gathered: a checkpoint that a reader
// holds up is not synced, and still says that the log's pages are in the file.

// vfsName is the layer's name inside the engine.
const vfsName = "sotto"

// gatherSize is how many bytes are gathered at most. The engine's own layer
// writes at most 131,071 bytes in one call and takes a greater length modulo
// 131,072.
const gatherSize = 120 << 10

// gathered is what the layer adds to an open file: methods of its own, to which
// the file object points, and what they need. It lies in the engine's memory.
type gathered struct {
	own   engine.Tsqlite3_io_methods
	under uintptr // the engine's methods
	buf   uintptr // gatherSize bytes, or 0
	off   int64   // where in the file buf belongs
	len   int32

	direct bool // nothing is gathered: the database file
}

// The engine's function types.
type (
	fileOpen     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	fileClose    = func(tls *libc.TLS, file uintptr) int32
	fileIO       = func(tls *libc.TLS, file, data uintptr, n int32, off int64) int32
	fileTruncate = func(tls *libc.TLS, file uintptr, n int64) int32
	fileSync     = func(tls *libc.TLS, file uintptr, flags int32) int32
	fileLen      = func(tls *libc.TLS, file, into uintptr) int32
)

// method makes a function of the engine's pointer to one.
func method[F any](fn uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ uintptr }{fn})) //nolint:gosec // the translated library's own form of a function pointer
}

// entry is the address of a function that is declared, not made at run time,
// and so is there as long as the process.
func entry[F any](f F) uintptr { return funcPtr(&f) }

// registerVFS makes a layer over the engine's own known as name, once, and
// reports whether it is.
func registerVFS(tls *libc.TLS, as string, open fileOpen) bool {
	name, err := libc.CString(as)
	if err != nil {
		return false
	}
	orig := engine.Xsqlite3_vfs_find(tls, 0)
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(engine.Tsqlite3_vfs{})))
	known := engine.Xsqlite3_vfs_find(tls, name) != 0
	if orig == 0 || p == 0 || known {
		libc.Xfree(tls, name)
		libc.Xfree(tls, p)
		return known
	}
	v := (*engine.Tsqlite3_vfs)(pointer(p))
	*v = *(*engine.Tsqlite3_vfs)(pointer(orig))
	v.FpNext, v.FzName, v.FxOpen = 0, name, entry(open)
	return engine.Xsqlite3_vfs_register(tls, p, 0) == engine.SQLITE_OK
}

func at(file uintptr) *gathered {
	return (*gathered)(pointer((*engine.Tsqlite3_file)(pointer(file)).FpMethods))
}

func (g *gathered) methods() *engine.Tsqlite3_io_methods {
	return (*engine.Tsqlite3_io_methods)(pointer(g.under))
}

// layerOpen opens a file with the engine's own layer and puts this one over it
// on a write-ahead log and, passing everything on, on the database file.
func layerOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	orig := (*engine.Tsqlite3_vfs)(pointer(engine.Xsqlite3_vfs_find(tls, 0)))
	rc := method[fileOpen](orig.FxOpen)(tls, vfs, name, file, flags, out)
	if rc != engine.SQLITE_OK || flags&(engine.SQLITE_OPEN_WAL|engine.SQLITE_OPEN_MAIN_DB) == 0 {
		return rc
	}
	p := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(gathered{})))
	if p == 0 {
		return rc // it works without
	}
	f := (*engine.Tsqlite3_file)(pointer(file))
	g := (*gathered)(pointer(p))
	g.direct = flags&engine.SQLITE_OPEN_MAIN_DB != 0
	g.own, g.under = *(*engine.Tsqlite3_io_methods)(pointer(f.FpMethods)), f.FpMethods
	g.own.FxClose, g.own.FxRead, g.own.FxWrite = entry[fileClose](layerClose), entry[fileIO](layerRead), entry[fileIO](layerWrite)
	g.own.FxTruncate, g.own.FxSync, g.own.FxFileSize = entry[fileTruncate](layerTruncate), entry[fileSync](layerSync), entry[fileLen](layerSize)
	f.FpMethods = p
	return rc
}

// layerClose drops what is gathered: nobody has synced it, so nobody wants it.
func layerClose(tls *libc.TLS, file uintptr) int32 {
	f := (*engine.Tsqlite3_file)(pointer(file))
	p, g := f.FpMethods, at(file)
	f.FpMethods = g.under
	rc := method[fileClose](g.methods().FxClose)(tls, file)
	libc.Xfree(tls, g.buf)
	libc.Xfree(tls, p)
	return rc
}

func layerWrite(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	g := at(file)
	if g.direct {
		return method[fileIO](g.methods().FxWrite)(tls, file, data, n, off)
	}
	if g.buf == 0 {
		if g.buf = libc.Xmalloc(tls, gatherSize); g.buf == 0 {
			return engine.SQLITE_IOERR_NOMEM
		}
	}
	if g.len > 0 && (off != g.off+int64(g.len) || g.len+n > gatherSize) {
		if rc := g.flush(tls, file); rc != engine.SQLITE_OK {
			return rc
		}
	}
	if n > gatherSize {
		return method[fileIO](g.methods().FxWrite)(tls, file, data, n, off)
	}
	if g.len == 0 {
		g.off = off
	}
	copy(memory(g.buf+uintptr(g.len), int(n)), memory(data, int(n))) //nolint:gosec // within the buffer
	g.len += n
	return engine.SQLITE_OK
}

// flush writes out what is gathered. What cannot be written is forgotten: the
// step that wanted it written has failed.
func (g *gathered) flush(tls *libc.TLS, file uintptr) int32 {
	if g.len == 0 {
		return engine.SQLITE_OK
	}
	n := g.len
	g.len = 0
	return method[fileIO](g.methods().FxWrite)(tls, file, g.buf, n, g.off)
}

func layerRead(tls *libc.TLS, file, into uintptr, n int32, off int64) int32 {
	g := at(file)
	if g.len > 0 && off < g.off+int64(g.len) && off+int64(n) > g.off {
		if rc := g.flush(tls, file); rc != engine.SQLITE_OK {
			return rc
		}
	}
	return method[fileIO](g.methods().FxRead)(tls, file, into, n, off)
}

func layerTruncate(tls *libc.TLS, file uintptr, n int64) int32 {
	g := at(file)
	if rc := g.flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[fileTruncate](g.methods().FxTruncate)(tls, file, n)
}

func layerSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	g := at(file)
	if rc := g.flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[fileSync](g.methods().FxSync)(tls, file, flags)
}

func layerSize(tls *libc.TLS, file, into uintptr) int32 {
	g := at(file)
	if rc := g.flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[fileLen](g.methods().FxFileSize)(tls, file, into)
}
