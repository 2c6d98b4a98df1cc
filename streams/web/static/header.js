// Header, key figures, and the one slot that says what needs a person.
import { $, age, coded, glyph, h, keep, number, tenThousands, text } from './dom.js';
import { L, blank, data, figures, nameOf, state, time, view, when } from './state.js';

const ICONS = { live: 'ON', paused: 'hold', stale: 'clock', disconnected: 'cut', error: 'x', loading: 'clock', empty: 'clock' };
const CATEGORIES = { phone: 'phone' };

export function drawHeader() {
  document.documentElement.lang = view.lang === 'zh' ? 'zh-Hans' : 'en';
  document.querySelectorAll('[data-i]').forEach(el => text(el, L()[el.dataset.i]));
  const now = state(), meta = data.meta;
  document.body.dataset.state = now;
  document.body.classList.toggle('killed', Boolean(meta && meta.killed));
  text($('category'), meta ? L()[CATEGORIES[meta.category]] || meta.category : '');
  const mode = meta ? (meta.killed ? 'killed' : meta.mode) : null, badge = $('mode');
  badge.hidden = mode === null;
  if (mode) {
    badge.className = `badge ${mode === 'auto' ? 'live' : mode === 'killed' ? 'stop' : 'dry'}`;
    text(badge, L().mode[mode]);
    badge.title = L().mode_t[mode];
  }
  text($('lang'), L().lang);
  $('lang').lang = view.lang === 'zh' ? 'en' : 'zh-Hans';
  text($('theme-label'), L().theme);
  $('theme').title = L().theme;
  const pause = $('pause');
  text(pause, view.paused ? L().resume : L().pause);
  pause.setAttribute('aria-pressed', String(view.paused));
  drawFreshness(now, meta);
}

function drawFreshness(now, meta) {
  const shown = now === 'live' && view.paused ? 'paused' : now;
  keep($('f-state'), shown + view.lang, () => [glyph(ICONS[shown]), L().fs[shown]]);
  const unknown = !meta || meta.idle_ms === null || now === 'error' || now === 'loading';
  text($('f-age'), unknown || now === 'disconnected' ? '–' : L().ago(age(meta.idle_ms, L().units)));
  text($('f-rate'), unknown || meta.records_per_s === null || now === 'disconnected' ? '–' : number(meta.records_per_s));
  text($('f-last'), unknown ? '–' : time(meta.head, true));
}

export function drawFigures() {
  const names = ['spend', 'roi', 'troi', 'cpc', 'orders', 'gmv'], box = $('kpis');
  keep(box, view.lang, () => names.map(key => h('div', { 'data-k': key }, h('dt', null, L().k[key]), h('dd', { class: 'v' }))));
  const f = blank() ? null : figures(data.total), money = v => (view.lang === 'zh' ? tenThousands(v) : number(v));
  const few = f && f.orders > 0 && f.orders < 10 ? '~' : '';
  const values = f === null ? {} : {
    spend: [money(f.spend), L().yuan], roi: [f.roi === null || !f.orders ? null : few + f.roi.toFixed(1)], troi: [f.troi === null || !f.allOrders ? null : few + f.troi.toFixed(1)],
    cpc: [f.cpc === null ? null : f.cpc.toFixed(2), L().yuan], orders: [number(f.orders)], gmv: [f.orders ? money(f.gmv) : null, L().yuan],
  };
  names.forEach((key, at) => {
    const [value, unit] = values[key] || [null], cell = box.children[at].children[1];
    keep(cell, `${value}|${unit}`, () => (value === null ? [state() === 'loading' ? h('span', { class: 'sk big' }) : '–'] : [value, unit ? h('small', null, unit) : null]));
  });
}

function notice() {
  const now = state(), asOf = data.meta && data.meta.head !== null ? time(data.meta.head, true) : '–';
  if (now !== 'live') {
    const idle = data.meta && data.meta.idle_ms !== null ? age(data.meta.idle_ms, L().units) : '';
    const words = now === 'stale' ? L().n.stale(asOf, idle) : now === 'error' ? L().n.error(asOf, view.trouble) : L().n[now](asOf);
    return { icon: ICONS[now], words, cls: { stale: 'warn', disconnected: 'bad', error: 'bad' }[now] || '' };
  }
  return data.meta.killed ? { icon: 'hold', words: L().n.killed(), cls: 'bad' } : null;
}

export function drawAttention(openRegion) {
  const body = $('attn-body'), told = notice();
  if (told) {
    keep(body, JSON.stringify([told, view.lang]), () => [h('div', { class: `notice ${told.cls}` }, glyph(told.icon), h('p', null, h('b', null, told.words[0]), coded(told.words[1])))]);
    return;
  }
  const rows = [...data.status.values()].filter(row => row.alert || row.suspect).sort((a, b) => (b.decided_at || 0) - (a.decided_at || 0)).slice(0, 3);
  keep(body, JSON.stringify([rows, view.lang]), () => (rows.length ? rows.map(row => item(row, openRegion)) : [h('div', { class: 'notice' }, h('p', null, h('b', null, L().ok_attn[0]), L().ok_attn[1]))]));
}

function item(row, openRegion) {
  const name = nameOf(row.region);
  const [lead, rest] = row.alert ? L().a.contradiction(name, row, L().st[row.claimed] || '–') : L().a.suspect(name, row.against_subsidised, row.against_orders);
  return h('button', { type: 'button', class: 'attn-item', onclick: () => openRegion(row.region) }, glyph(row.alert ? 'diff' : 'SUSPECT'), h('span', null, h('b', null, lead), rest), row.since === null ? null : h('time', { datetime: new Date(row.since).toISOString() }, when(row.since)));
}
