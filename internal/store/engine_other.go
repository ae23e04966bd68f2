//go:build !unix

package store

func tuneEngine() {}

func errnoOf(error) int { return 0 }
