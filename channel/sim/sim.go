// Package sim plays a network on loopback: it serves the network's API, makes
// its webhook calls, and misbehaves when told to. What the network says and
// understands comes from a [play.Player]; this package drives it, from a
// terminal or from a script.
package sim
