package tagger
import ("testing";"os";"fmt")
func TestZZ(t *testing.T){
 b,_:=os.ReadFile("../../model.bin"); m,err:=Load(string(b)); if err!=nil{t.Fatal(err)}
 m.Threshold=[4]float64{1,0.02,0.02,0.02}
 for _,s:=range []string{"anna, are you there?","sono marco","je suis Marie","i'm rose","my name is May","tom here","i'm German","sou o zé"} {
  var w window; w.m=m; w.src=s; z:=tokenizer{text:s}
  for z.next(&w.tok[w.n]) {w.n++}
  w.look(s); w.prepare()
  for i:=range w.n { tk:=&w.tok[i]; fmt.Printf("%s[%d grp%d cand=%v cue=%v ph%d fl=%x] ", w.text(tk), tk.class, m.lex.classes[tk.class].group, tk.cand, w.cue(i), tk.phrase, uint64(tk.flags)) }
  fmt.Println("lang",w.lang,"mode",w.mode)
  var f features; f.shift=64-m.rowBits
  for i:=range w.n { if w.tok[i].cand { w.features(&f,i); var e [lanes]float64; m.emission(&f,&e); fmt.Printf("   %s %.1f\n", w.text(&w.tok[i]), e) } }
  m.Find(s,func(f Found){fmt.Printf("   -> %s %d %.2f\n", s[f.Start:f.End], f.Kind, f.Score)})
 }
}
