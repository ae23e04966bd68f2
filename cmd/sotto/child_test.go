package main

// childMain is the server of the bad days; see bad_test.go.
func childMain() { main() }
