package wire

import (
	"net/url"
	"testing"
)

func TestHosts(t *testing.T) {
	for addr, ok := range map[string]bool{
		"https://cdn.example": true, "https://cdn.example/": true, "https://*.cdn.example": true, "https://cdn.example:8443": true, "http://127.0.0.1:80": true,
		"": false, "cdn.example": false, "http://cdn.example": false, "https://*": false, "https://*.": false, "https://*.example": false,
		"https://a.*.example": false, "https://*.cdn.example/x": false, "https://cdn.example/x": false, "https://*.cdn.example:1": false,
	} {
		if _, err := ParseHosts([]string{addr}); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if _, err := ParseHost("https://cdn.example/v1"); err != nil {
		t.Error("the path of an address counts:", err)
	}
	list, err := ParseHosts([]string{"https://*.cdn.example", "https://one.example:8443"})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{
		"https://a.cdn.example/x": true, "https://a.b.CDN.example": true, "https://one.example:8443/x": true,
		"https://cdn.example/x": false, "http://a.cdn.example/x": false, "https://a.cdn.example:8443/x": false, "https://one.example/x": false,
		"https://u:p@a.cdn.example/x": false, "https://a.cdn.example.evil.example": false, "https://evilcdn.example": false, "https:a.cdn.example": false,
		"https://a.cdn.example.": false, "//a.cdn.example": false, "": false,
	} {
		u, err := url.Parse(addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := list[0].Has(u) || list[1].Has(u); got != want {
			t.Errorf("%q: %v", addr, got)
		}
		if (Host{}).Has(u) {
			t.Errorf("%q is at the zero Host", addr)
		}
	}
}
