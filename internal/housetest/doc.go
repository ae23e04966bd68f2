// Package housetest holds tests about the repository itself: who may import
// whom, that everything is documented and small, that the documents say what
// the code does, and that nothing of a developer's machine is left in a file.
//
// Each rule is one test, and a failure says what to do. The import table
// ([Table], [Owners]) is the one place where the direction of the packages is
// written down; ARCHITECTURE.md shows a copy of it, which is made by
//
//	go test ./internal/housetest -run Architecture -update
//
// It checks only what can be read from the files. What the code does is the
// business of the tests beside it.
package housetest
