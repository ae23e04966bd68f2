package housetest

// Row says what one package may import of this module. A trailing "/..." stands
// for a folder and everything below it. "." is the root package.
type Row struct {
	Package string
	May     []string
	Why     string
}

// Table is who may import whom. The first row whose Package matches counts.
// Tests are not bound by it.
func Table() []Row {
	return []Row{
		{".", nil, "the vocabulary: everybody reads it, it needs nobody"},

		{"channel", []string{"."}, "the contract of adapters knows only the vocabulary"},
		{"channel/wire", []string{".", "channel"}, "what adapters share"},
		{"channel/play", []string{".", "channel"}, "the contract of a network that is played"},
		{"channel/sim", []string{".", "channel", "channel/play"}, "drives any player"},
		{"channel/channeltest", []string{".", "channel", "channel/..."}, "the suite sees what an adapter sees"},
		{"channel/channeltest/oracle", nil, "the networks' own libraries, for tests"},
		{"channel/meta", []string{".", "channel", "channel/wire"}, "what Meta's networks share"},
		{"channel/meta/inbox", []string{".", "channel", "channel/wire", "channel/meta"}, "what Messenger and Instagram share"},
		{"channel/meta/inboxplay", []string{".", "channel", "channel/play"}, "the other side of Messenger and Instagram"},
		{"channel/...", []string{".", "channel", "channel/wire", "channel/play", "channel/meta/..."}, "an adapter knows the contract, never the inside"},
		{"pii/score", []string{"pii"}, "measures the finder"},
		{"pii/...", []string{"pii/..."}, "usable alone"},

		{"internal/clock", nil, "a tool"},
		{"internal/ids", []string{"internal/clock"}, "a tool"},
		{"internal/lease", []string{"."}, "a tool"},
		{"internal/datadir", []string{".", "internal/lease"}, "a tool"},
		{"internal/wording", []string{"."}, "texts are data"},
		{"internal/codec", []string{"."}, "a tool"},
		{"internal/jsonl", nil, "a tool"},

		{"internal/store", []string{".", "internal/lease"}, "a mechanism: the only door to a database"},
		{"internal/audit", []string{".", "internal/store", "internal/clock"}, "a mechanism: it records what others did and asks nobody"},
		{"internal/gate", []string{".", "internal/audit"}, "a mechanism: facts are handed to it, so it imports no domain"},
		{"internal/vault", []string{".", "internal/audit", "internal/gate", "internal/store", "internal/clock"}, "a mechanism: it opens for a permit and for nothing else"},
		{"internal/journal", []string{".", "channel", "internal/codec", "internal/store", "internal/vault", "internal/clock"}, "a mechanism: it keeps events, sealed"},
		{"internal/egress", []string{"."}, "a mechanism: the one way out"},
		{"internal/guard", []string{"."}, "a mechanism: it judges text"},
		{"internal/metrics", []string{"."}, "a mechanism: it counts"},
		{"internal/transport", []string{"."}, "a mechanism: it serves what it is given"},
		{"internal/transport/acmetest", nil, "a certificate authority for tests"},
		{"internal/config", []string{".", "channel"}, "reads the operator's file; server makes parts of it"},

		{"internal/people", []string{".", "internal/gate", "internal/store", "internal/clock"}, "a domain: what must be obeyed before a person's data is used"},
		{"internal/notice", []string{".", "internal/wording"}, "a domain: what people are told"},
		{"internal/transcript", []string{".", "internal/codec", "internal/store", "internal/vault", "internal/clock"}, "a domain: what was said"},
		{
			"internal/offers",
			[]string{".", "internal/clock", "internal/codec", "internal/gate", "internal/store", "internal/vault"},
			"a domain: what can be answered by a number",
		},
		{
			"internal/media",
			[]string{".", "channel", "internal/audit", "internal/clock", "internal/codec", "internal/gate", "internal/ids", "internal/store", "internal/vault"},
			"a domain: what people send along that is not text",
		},
		{"internal/answer", []string{"."}, "a bot like any other: it sees what a bot sees"},
		{
			"internal/outbox",
			[]string{".", "channel", "internal/audit", "internal/clock", "internal/codec", "internal/gate", "internal/offers", "internal/people", "internal/store", "internal/vault"},
			"a flow: the only one that sends",
		},
		{
			"internal/inbox",
			[]string{
				".", "channel", "pii", "internal/audit", "internal/clock", "internal/gate", "internal/guard", "internal/handout", "internal/ids", "internal/journal",
				"internal/media", "internal/notice", "internal/offers", "internal/outbox", "internal/people", "internal/store", "internal/transcript", "internal/vault", "internal/wording",
			},
			"a flow: the way of a message through all parts",
		},
		{
			"internal/deletion",
			[]string{".", "internal/audit", "internal/clock", "internal/gate", "internal/ids", "internal/people", "internal/store", "internal/vault"},
			"a domain: wishes to be deleted that a network passes on",
		},
		{
			"internal/handout",
			[]string{".", "internal/audit", "internal/clock", "internal/codec", "internal/gate", "internal/people", "internal/store", "internal/vault"},
			"a domain: files that are fetched through a link",
		},
		{
			"internal/lifecycle",
			[]string{
				".", "channel", "internal/audit", "internal/clock", "internal/gate", "internal/ids", "internal/journal",
				"internal/outbox", "internal/people", "internal/store", "internal/transcript", "internal/vault",
			},
			"a flow: retention and the person's rights go through all parts",
		},
		{"internal/control", []string{".", "internal/audit", "internal/clock"}, "the running process's own door; what it can do is handed to it"},

		{"server", []string{".", "..."}, "the composition root: it builds every part and connects them"},

		{"internal/bench", []string{"."}, "a stranger with a stopwatch: it sees a Sotto from outside"},
		{"internal/parttest", []string{".", "channel", "pii", "internal/..."}, "for tests of the parts: it connects them as the server does"},
		{"internal/webstory", nil, "a story told from outside, in a browser"},
		{"internal/housetest", nil, "reads files"},
		{
			"cmd/sotto",
			[]string{".", "channel/...", "pii", "server", "internal/audit", "internal/bench", "internal/config", "internal/control", "internal/gate", "internal/jsonl"},
			"a face: it asks services and holds no store, journal or vault",
		},
		{"sottotest", []string{".", "channel/...", "pii", "server"}, "a face for bot authors"},
		{"examples/...", []string{".", "server", "sottotest", "pii"}, "what a bot author may use"},
	}
}

// Owner says which packages may import something from outside the module.
type Owner struct {
	Import   string // a path, or the beginning of one that ends in "/"
	Packages []string
	Why      string
}

// Owners is what from outside appears in few places only. Tests are not bound
// by it.
func Owners() []Owner {
	return []Owner{
		{"database/sql", []string{"internal/store"}, "SQL connections live in one package"},
		{"modernc.org/", []string{"internal/store"}, "the database engine is an inner matter of the store"},
		{"github.com/cedar-policy/", []string{"internal/gate"}, "policies are decided in one place"},
		{"github.com/caddyserver/", []string{"internal/transport"}, "certificates are an inner matter of the transport"},
		{"github.com/mholt/", []string{"internal/transport"}, "certificates are an inner matter of the transport"},
		{"github.com/blevesearch/", []string{"internal/answer"}, "search is an inner matter of the answerer"},
		{"github.com/yuin/", []string{"internal/answer"}, "Markdown is an inner matter of the answerer"},
		{"github.com/nyaruka/", []string{"pii"}, "telephone tables are an inner matter of pii"},
		{"github.com/prometheus/", []string{"internal/metrics"}, "counters are handed out by one package"},
		{"golang.org/x/mod/", []string{"internal/audit"}, "the Merkle log is an inner matter of the audit"},
		{"code.dny.dev/", []string{"internal/egress"}, "the address guard belongs to the one way out"},
		{"go.yaml.in/", []string{"internal/config", "internal/wording"}, "two packages read YAML"},
		{"github.com/alecthomas/", []string{"cmd/sotto"}, "command lines belong to the command"},
		{"github.com/chromedp/", nil, "a browser is for tests"},
	}
}

// Dialers are the packages that may open connections on their own. Everything
// else takes a channel.Doer or a client from internal/egress.
func Dialers() map[string]string {
	return map[string]string{
		"internal/egress":     "the one way out",
		"internal/transport":  "asks for certificates through the client it is given",
		"internal/bench":      "plays the networks against a Sotto on this machine",
		"internal/control":    "talks to the running process over a local socket",
		"cmd/sotto":           "asks the running process on this machine for its health",
		"sottotest":           "plays the person against a Sotto in the test",
		"channel/channeltest": "plays the network against an adapter in the test",
		"channel/sim":         "plays a network on this machine",
	}
}
