// The web chat's page. Everything is shown with textContent: no text from
// anywhere is ever read as HTML. Nothing is stored in the browser; the cookie
// that the first message brings cannot be read from here.
'use strict';
(() => {
  const el = (id) => document.getElementById(id);
  const log = el('log'), scroll = el('scroll'), form = el('form'), text = el('text'), send = el('send');
  const status = el('status'), typing = el('typing'), down = el('down');
  const words = el('words').dataset;
  const base = new URL('.', document.currentScript.src); // …/chat/
  const at = (path) => new URL(path, base).href;

  const shown = new Map();  // ids of lines on the page → their rows
  let lastID = '';          // of the stream's newest line
  let source = null;        // the open event stream
  let known = false;        // the server knows this browser: it has opened a stream for us
  let embedded = false;     // the cookie had to be a partitioned one
  let ended = false;        // another page took over; nothing is sent or fetched any more
  let wait = 1000;          // before the next own attempt to connect
  let reconnect = 0, lostTimer = 0, typingTimer = 0;
  let queue = Promise.resolve(); // messages go one after the other

  const say = (message, bad) => {
    if (status.textContent !== message) status.textContent = message;
    status.classList.toggle('bad', Boolean(bad));
  };

  // A random id; crypto.randomUUID exists on secure pages only.
  const newID = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

  // ---- lines -----------------------------------------------------------

  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; down.hidden = true; };
  scroll.addEventListener('scroll', () => { if (atEnd()) down.hidden = true; }, { passive: true });
  down.addEventListener('click', () => { toEnd(); text.focus(); });

  const make = (tag, cls, content) => {
    const e = document.createElement(tag);
    if (cls) e.className = cls;
    if (content !== undefined) e.textContent = content;
    return e;
  };

  // Puts text into e; http and https addresses become links.
  const fill = (e, s) => {
    let from = 0;
    for (const m of s.matchAll(/\bhttps?:\/\/[^\s<>"']+/gi)) {
      let address = m[0].replace(/[.,;:!?…]+$/, '');
      while (address.endsWith(')') && address.split(')').length > address.split('(').length) address = address.slice(0, -1);
      let url;
      try { url = new URL(address); } catch { continue; }
      if (url.protocol !== 'https:' && url.protocol !== 'http:') continue;
      e.append(s.slice(from, m.index));
      const a = make('a', '', address);
      a.href = url.href;
      a.target = '_blank';
      a.rel = 'noopener noreferrer nofollow';
      a.append(make('span', 'unseen', ' ' + words.newtab));
      e.append(a);
      from = m.index + address.length;
    }
    e.append(s.slice(from));
  };

  const clock = (ms) => {
    const t = make('time', '', new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
    t.dateTime = new Date(ms).toISOString();
    return t;
  };

  const row = (who, message, ms) => {
    const r = make('div', 'row ' + who);
    const bubble = make('div', 'bubble');
    bubble.append(make('span', 'unseen', (who === 'you' ? words.you : words.bot) + ': '));
    fill(bubble, message);
    const meta = make('p', 'meta');
    meta.setAttribute('aria-live', 'off');
    meta.append(clock(ms));
    if (message) r.append(bubble);
    r.append(meta);
    return r;
  };

  const put = (r, mine) => {
    const follow = mine || atEnd();
    document.body.classList.add('begun');
    // The time stands under the last line of one speaker only.
    const before = log.lastElementChild;
    if (before && before.className === r.className && !before.querySelector('.choices, .again')) before.querySelector('.meta')?.remove();
    log.append(r);
    if (follow) toEnd(); else down.hidden = false;
  };

  const note = (message) => { log.append(make('p', 'note', message)); toEnd(); };

  const quietTyping = () => { clearTimeout(typingTimer); typing.hidden = true; if (status.textContent === words.typing) say(''); };

  const showMessage = (m) => {
    if (shown.has(m.id)) return;
    quietTyping();
    const r = row('bot', m.text || '', m.at);
    shown.set(m.id, r);
    const meta = r.querySelector('.meta');
    if (m.file) meta.before(fileLink(m.file));
    if (m.buttons && m.buttons.length) meta.before(choices(m.buttons));
    put(r, false);
  };

  const fileLink = (f) => {
    const a = make('a', 'file', words.save + ' ' + f.name + ' (' + Math.max(1, Math.round(f.bytes / 1024)) + ' KB)');
    a.href = at(f.path);
    a.download = f.name;
    a.addEventListener('click', (e) => {
      if (a.classList.contains('used')) { e.preventDefault(); return; }
      setTimeout(() => { a.classList.add('used'); a.setAttribute('aria-disabled', 'true'); });
    });
    return a;
  };

  const choices = (buttons) => {
    const g = make('div', 'choices');
    g.setAttribute('role', 'group');
    g.setAttribute('aria-label', words.choices);
    for (const b of buttons) {
      const c = make('button', 'choice', b.label);
      c.type = 'button';
      c.addEventListener('click', () => {
        for (const other of g.querySelectorAll('button')) other.disabled = true;
        c.classList.add('chosen');
        text.focus();
        post({ id: newID(), payload: b.payload, label: b.label });
      });
      g.append(c);
    }
    return g;
  };

  // ---- sending ---------------------------------------------------------

  const call = (path, body) => fetch(at(path), {
    method: 'POST', credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });

  // Shows the message at once and sends it after those before it.
  const post = (m) => {
    const r = row('you', m.text || m.label, Date.now());
    shown.set(m.id, r);
    put(r, true);
    attempt(r, m);
  };

  const attempt = (r, m) => {
    r.classList.add('pending');
    r.classList.remove('failed');
    let meta = r.querySelector('.meta');
    if (!meta) {
      meta = r.appendChild(make('p', 'meta'));
      meta.setAttribute('aria-live', 'off');
    }
    meta.replaceChildren(words.sending);
    queue = queue.then(() => deliver(m)).then((problem) => {
      r.classList.remove('pending');
      if (!problem) {
        if (r.nextElementSibling && r.nextElementSibling.classList.contains('you')) meta.remove(); else meta.replaceChildren(clock(Date.now()));
        return;
      }
      r.classList.add('failed');
      const again = make('button', 'again', words.again);
      again.type = 'button';
      again.addEventListener('click', () => { text.focus(); attempt(r, m); });
      meta.replaceChildren(words.failed + ' ' + problem + ' ', again);
      say(words.failed, true);
      if (atEnd()) toEnd();
    });
  };

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // Returns '' when the server has the message, or what went wrong. A call
  // that got no answer is made again under the same id: it is handled once.
  const deliver = async (m) => {
    const problem = await enter();
    if (problem) return problem;
    let why = words.lost;
    for (let n = 0; n < 3; n++) {
      let res;
      try {
        res = await call('messages', { ...m, embedded });
      } catch {
        await pause(700 * (n + 1));
        continue;
      }
      if (res.ok) { say(''); if (!source) connect(); return ''; }
      if (res.status !== 429 && res.status !== 503) return res.status >= 500 ? words.busy : words.denied;
      why = res.status === 429 ? words.slow : words.busy;
      const seconds = Number(res.headers.get('Retry-After')) || 1;
      if (seconds > 8) return why;
      say(why);
      await pause(seconds * 1000);
    }
    return why;
  };

  // Before the first message: get the cookie, then open the stream, so that
  // the answer finds this page listening.
  const enter = async () => {
    if (known || ended) return '';
    for (const inOther of [false, true]) {
      try {
        const res = await call('start', { embedded: inOther });
        if (res.status === 429) return words.slow;
        if (!res.ok) return words.denied;
      } catch {
        return words.lost;
      }
      embedded = inOther;
      const state = await connect();
      if (state !== 'nobody') { known = true; return ''; }
      if (window.top === window.self) break;
    }
    return words.cookie;
  };

  // ---- listening -------------------------------------------------------

  // Opens the stream. Resolves to 'open', or to 'nobody' where the server sees
  // no cookie, or to 'slow' after three seconds.
  const connect = () => new Promise((done) => {
    clearTimeout(reconnect);
    if (source) source.close();
    const es = new EventSource(at('events') + (lastID ? '?last=' + encodeURIComponent(lastID) : ''));
    source = es;
    setTimeout(done, 3000, 'slow');
    const on = (name, handle) => es.addEventListener(name, (e) => {
      if (es !== source) return;
      if (e.lastEventId) lastID = e.lastEventId;
      handle(JSON.parse(e.data));
    });
    es.onopen = () => {
      if (es !== source) return;
      known = true;
      wait = 1000;
      clearTimeout(lostTimer);
      lostTimer = 0;
      if (status.textContent === words.lost) say(words.back);
      setTimeout(() => { if (status.textContent === words.back) say(''); }, 2500);
      done('open');
    };
    es.onerror = () => {
      if (es !== source) return;
      quietTyping();
      if (known && !lostTimer) lostTimer = setTimeout(say, 2500, words.lost, true);
      if (es.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      source = null;
      if (!known) { done('nobody'); return; }
      reconnect = setTimeout(connect, wait);
      wait = Math.min(wait * 2, 30000);
    };
    on('message', showMessage);
    on('said', (m) => {
      if (shown.has(m.id)) return;
      const r = row('you', m.text || '', m.at);
      shown.set(m.id, r);
      put(r, false);
    });
    on('typing', () => {
      const follow = atEnd();
      typing.hidden = false;
      say(words.typing);
      if (follow) toEnd();
      clearTimeout(typingTimer);
      typingTimer = setTimeout(quietTyping, 10000);
    });
    on('restart', () => {});
    on('superseded', () => {
      ended = true;
      es.close();
      source = null;
      quietTyping();
      text.disabled = send.disabled = true;
      note(words.elsewhere);
    });
    on('forget', () => {
      es.close();
      source = null;
      known = false;
      lastID = '';
      shown.clear();
      quietTyping();
      log.replaceChildren();
      document.body.classList.remove('begun');
      text.value = '';
      note(words.forgotten);
      call('forget', {}).catch(() => {});
    });
  });

  window.addEventListener('online', () => { if (known && !ended && !source) connect(); });

  // ---- the form --------------------------------------------------------

  const submit = () => {
    const s = text.value.trim();
    if (!s || ended) return;
    text.value = '';
    grow();
    post({ id: newID(), text: s });
    text.focus();
  };

  // Where the style sheet cannot size the field by its content.
  const sized = CSS.supports('field-sizing', 'content');
  const grow = () => {
    send.disabled = ended || !text.value.trim();
    if (sized) return;
    text.rows = Math.min(5, text.value.split('\n').length);
  };

  form.addEventListener('submit', (e) => { e.preventDefault(); submit(); });
  text.addEventListener('input', grow);
  text.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); submit(); }
  });

  text.addEventListener('keypress', (e) => { if (e.key === 'Enter' && !e.shiftKey) e.preventDefault(); });

  text.disabled = false;
  grow();
  if (matchMedia('(hover: hover)').matches && window.top === window.self) text.focus();
  connect(); // shows the last minutes to who comes back; without a cookie it ends at once
})();
