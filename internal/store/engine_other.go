//go:build !unix

package store

// vfsName: the engine's own.
const vfsName = ""

func tuneEngine() {}

func errnoOf(error) int { return 0 }
