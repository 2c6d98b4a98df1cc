// The decision feed: what changed, on which orders, what moved, what was held, who answered.
import { $, glyph, h, keep, number, s, tenThousands, text } from './dom.js';
import { L, blank, data, nameOf, state, time, view, when, zone } from './state.js';

const open = new Set();
let held = [];

const money = micros => (view.lang === 'zh' ? `${tenThousands(micros / 1e6)}元` : `${number(micros / 1e6)} yuan`);
const say = item => item[`text_${view.lang}`];
const isMoney = item => item.shifts.length > 0 || item.held.length > 0;
const hasChange = item => item.to_status !== null;

export function headline(item) {
  if (hasChange(item)) return L().f.change(nameOf(item.region), L().st[item.to_status], when(item.since));
  return item.shifts.length ? L().f.shift : L().f.held(nameOf(item.region));
}

// The last eligible orders as squares, cut where the change is estimated: twelve hollow squares need no statistics.
export function chain(item) {
  const marks = item.marks.flatMap(([with_, all]) => [...Array(with_).fill(true), ...Array(all - with_).fill(false)]).slice(-26);
  if (!marks.length) return null;
  return s('svg', { class: 'chain', viewBox: `0 0 ${marks.length * 11} 12`, width: marks.length * 11, 'aria-hidden': 'true' }, marks.map((yes, at) => (yes
    ? s('rect', { class: 'y', x: at * 11, y: 2, width: 8, height: 8, rx: 1 })
    : s('rect', { class: 'z', x: at * 11 + .7, y: 2.7, width: 6.6, height: 6.6, rx: 1 }))));
}

function legs(shift) {
  return shift.legs.map(leg => {
    const places = leg.regions.map(nameOf), where = places.length < 3 ? places.join('+') : `${places[0]}+${places.length - 1}`;
    const amount = Math.abs(leg.delta_micros) / 1e6, sign = leg.delta_micros > 0 ? '+' : '−';
    return [where, ' ', h('bdi', { lang: 'zh-Hans' }, leg.name), ` ${sign}${view.lang === 'zh' ? tenThousands(amount) : number(amount)}`];
  });
}

export function moneyLines(item) {
  const lines = item.shifts.flatMap(shift => {
    const words = shift.mode === 'auto' ? L().m.live : L().m.dry;
    const parts = legs(shift).flatMap((leg, at) => (at ? [L().sep, ...leg] : leg));
    const answers = Object.entries(shift.answers), total = answers.reduce((sum, [, count]) => sum + count, 0);
    const late = data.meta.now > shift.valid_until;
    const ack = total ? L().ack(answers.map(([kind, count]) => `${L().answer[kind] || kind} ${count}`).join(L().sep), total) : late ? L().ack_late : L().ack_none(time(shift.valid_until));
    return [h('p', null, h('strong', null, words(money(shift.moved_micros))), h('span', { class: 'legs' }, parts)), h('p', { class: total ? 'ack' : 'ack wait' }, ack)];
  });
  if (hasChange(item) || item.shifts.length) lines.push(...item.held.map(veto => h('p', { class: 'ack' }, say(veto))));
  return lines;
}

function why(item) {
  const rows = [[L().w.decided, `${when(item.at)} ${zone()}`]];
  if (item.since !== null) rows.push([L().w.changed, when(item.since)]);
  if (item.cause) rows.push([L().w.cause, (L().causes[item.cause] || item.cause) + (item.alert ? L().sep + L().contradiction : '')]);
  for (const shift of item.shifts) rows.push([L().w.legs, h('ul', null, shift.legs.map(leg => h('li', null, h('bdi', { lang: 'zh-Hans' }, leg.name), ` ${say(leg)}`)))]);
  for (const veto of item.held) rows.push([L().w.held, h('code', null, veto.code)]);
  if (item.config_hash) rows.push([L().w.rules, h('code', null, item.config_hash)]);
  rows.push([L().w.term, h('code', null, `subsidywatch explain ${item.id.slice(0, 12)}`)]);
  return h('dl', { class: 'why' }, rows.map(([name, value]) => [h('dt', null, name), h('dd', null, value)]));
}

export function feedItem(item, openRegion) {
  const doubt = item.alert !== null, icon = hasChange(item) ? (doubt ? 'diff' : item.to_status) : item.shifts.length ? 'move' : 'hold';
  const li = h('li', { class: 'item', 'data-id': item.id }, glyph(icon, hasChange(item) && !doubt ? `s-${icon}` : ''),
    item.region && openRegion ? h('button', { type: 'button', class: 'h', onclick: () => openRegion(item.region) }, headline(item)) : h('span', { class: 'h' }, headline(item)),
    h('time', { class: 't', datetime: new Date(item.at).toISOString() }, when(item.at)),
    h('div', { class: 'body' }, h('p', null, say(item)), chain(item), moneyLines(item)));
  const toggle = h('button', { type: 'button', class: 'link', 'aria-expanded': String(open.has(item.id)), onclick: () => {
    const shown = li.querySelector('.why');
    if (shown) { shown.remove(); open.delete(item.id); } else { li.append(why(item)); open.add(item.id); }
    toggle.setAttribute('aria-expanded', String(!shown));
    text(toggle, shown ? L().explain : L().hide);
  } }, open.has(item.id) ? L().hide : L().explain);
  li.append(h('div', { class: 'acts' }, toggle, h('code', { class: 'id' }, item.id.slice(0, 12))));
  if (open.has(item.id)) li.append(why(item));
  return li;
}

export function drawFeed(openRegion) {
  const box = $('feed'), more = $('feed-more');
  if (state() === 'loading' && !data.table) {
    keep(box, 'loading', () => [0, 1, 2, 3].map(() => h('li', { class: 'item' }, h('span', { class: 'sk w1' }), h('span', { class: 'sk w3' }), h('span', null), h('div', { class: 'body' }, h('span', { class: 'sk w4' }), h('span', { class: 'sk w5' })))));
    return;
  }
  const waiting = new Set(held), all = blank() ? [] : data.feed.filter(item => !waiting.has(item.id));
  const list = all.filter(item => view.filter === 'all' || (view.filter === 'money' ? isMoney(item) : hasChange(item)));
  const late = list.map(item => item.shifts.map(shift => data.meta.now > shift.valid_until));
  keep(box, JSON.stringify([list, view.lang, late, view.filter]), () => (list.length ? list.map(item => feedItem(item, openRegion)) : [h('li', { class: 'none' }, all.length ? L().empty_feed2 : L().empty_feed)]));
  more.hidden = list.length <= 4 || box.classList.contains('all');
  text(more, L().more(list.length - 4));
  $('feed-new').hidden = !held.length;
  text($('feed-new'), L().fresh_n(held.length));
}

// A decision never pushes text away under a reader: it waits behind a button while the list is in use.
export function arrive(ids) {
  const box = $('feed'), busy = box.scrollTop > 4 || box.matches(':hover') || box.contains(document.activeElement);
  if (busy) held = [...ids, ...held];
  const fresh = data.feed.filter(item => ids.includes(item.id));
  if (fresh.length) text($('say'), fresh.map(headline).join(L().stop));
}

export function showWaiting() {
  held = [];
  $('feed').scrollTop = 0;
}
