// Package wire holds what the adapters of package channel share: a small JSON
// reader, the signature check over a raw body, one API call with its errors
// sorted, and the cutting of long texts.
//
// It promises that reading never panics and never nests deeper than
// [MaxDepth], that every text it returns is valid UTF-8, that signatures are
// compared in constant time, and that no error it makes holds an address, a
// header or a body: an address may carry a token, and a body carries what
// people wrote.
//
// It knows no network. What a status or a code means is for the adapter.
package wire
