// Package oracle holds no code, only tests: the networks' official or widely
// used Go libraries judge what the players of package play say and sign. Those
// libraries stay out of Sotto's own modules, so this is a module of its own.
//
// It promises that every library that can verify a webhook accepts the players'
// and refuses them after a change of any one bit, that the libraries' own types
// read in them what somebody did, and that the libraries can talk to the API
// that a player serves.
//
// It does not judge the adapters: those meet the players in the tests of package
// server and of their own.
package oracle
