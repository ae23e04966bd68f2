// Package acmetest tests package transport against a real certificate authority:
// Pebble, the test server of Let's Encrypt, which runs in the test's own process
// and validates over HTTP and TLS as a public authority does.
//
// It is a module of its own so that nobody who uses Sotto downloads Pebble. Run
// it with "go test ./..." in this directory. It holds no code for others.
package acmetest
