package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestMetrics(t *testing.T) {
	m := New()
	a := m.Account("telegram/shop")
	if m.Account("telegram/shop") != a || m.Account("telegram/other") == a {
		t.Error("an account has one set of counters, its own")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { m.Account("telegram/shop").Events.Add(2) })
	}
	wg.Wait()
	a.Unknown.Inc()
	a.Forged.Inc()
	a.Malformed.Inc()
	a.Refused.Inc()
	a.Unstored.Inc()
	m.Counter("sotto_things_total", "Things.", func() float64 { return 7 })
	m.Gauge("sotto_waiting", "Waiting.", func() float64 { return -1 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`sotto_webhook_total{account="telegram/shop",result="event"} 16`,
		`sotto_webhook_total{account="telegram/shop",result="unknown"} 1`,
		`sotto_webhook_total{account="telegram/shop",result="forged"} 1`,
		`sotto_webhook_total{account="telegram/shop",result="malformed"} 1`,
		`sotto_webhook_total{account="telegram/shop",result="refused"} 1`,
		`sotto_webhook_total{account="telegram/shop",result="unstored"} 1`,
		`sotto_webhook_total{account="telegram/other",result="event"} 0`,
		"# TYPE sotto_things_total counter\nsotto_things_total 7",
		"# HELP sotto_waiting Waiting.\n# TYPE sotto_waiting gauge\nsotto_waiting -1",
		"go_goroutines", "process_",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q is not shown", want)
		}
	}
}
