package names

import (
	"strings"
	"testing"
)

func TestFindAllocatesNothing(t *testing.T) {
	for _, s := range []string{
		"hello, could you tell me when you are open on saturday, and do you have the blue one in size 42? thanks!",
		"hi im anna from berlin, this is my sister Maria de la Cruz",
	} {
		n := 0
		if a := testing.AllocsPerRun(50, func() {
			Find(s, func(int, int, Kind, float64, string) { n++ })
		}); a != 0 {
			t.Errorf("%v allocations for %q", a, s)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for name, s := range map[string]string{
		"clean45":  "can you tell me when my order will arrive? thx",
		"clean300": strings.Repeat("can you tell me when my order will arrive? it is three days late and i need it for the weekend, thanks ", 3),
		"name45":   "hi my name is anna schmidt and i need help pls",
		"german":   "Hallo, ich warte seit drei Tagen auf meine Lieferung. Können Sie mir bitte sagen, wann das Paket kommt?",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Find(s, func(int, int, Kind, float64, string) {})
			}
		})
	}
}
