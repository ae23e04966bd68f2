// Package metrics counts what happens and shows it in the Prometheus text
// format. No label and no value ever holds anything of a person: labels are
// the operator's own account names and fixed words.
package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is a registry with what every Sotto counts.
type Metrics struct {
	reg  *prometheus.Registry
	hook *prometheus.CounterVec
	mu   sync.Mutex
	by   map[string]*Account
}

// Account counts the webhook calls and events of one account.
type Account struct {
	Events    prometheus.Counter // understood
	Unknown   prometheus.Counter // of an unknown kind, passed over
	Forged    prometheus.Counter // calls that did not prove their sender
	Malformed prometheus.Counter // proven calls that could not be read
	Refused   prometheus.Counter // calls that were too large or broke off
	Unstored  prometheus.Counter // calls answered 503: not kept
}

// New makes the registry.
func New() *Metrics {
	m := &Metrics{reg: prometheus.NewRegistry(), by: make(map[string]*Account)}
	m.hook = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sotto_webhook_total", Help: "Webhook calls and the events in them, by account and what became of them.",
	}, []string{"account", "result"})
	m.reg.MustRegister(m.hook, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Account returns the counters of an account.
func (m *Metrics) Account(name string) *Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.by[name]; a != nil {
		return a
	}
	c := func(result string) prometheus.Counter { return m.hook.WithLabelValues(name, result) }
	a := &Account{
		Events: c("event"), Unknown: c("unknown"), Forged: c("forged"), Malformed: c("malformed"),
		Refused: c("refused"), Unstored: c("unstored"),
	}
	m.by[name] = a
	return a
}

// Counter shows a number that only grows and is counted elsewhere.
func (m *Metrics) Counter(name, help string, f func() float64) {
	m.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

// Gauge shows a number that is known elsewhere.
func (m *Metrics) Gauge(name, help string, f func() float64) {
	m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{})
}
