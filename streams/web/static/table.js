// The monitoring table: rows change in place, their order only when the viewer sorts.
import { $, age, glyph, h, number, percent, s, text } from './dom.js';
import { L, blank, data, figures, isSilent, silence, state, tableRows, tableTotal, view, when } from './state.js';
import { isShown } from './map.js';

const COLUMNS = [['name', 0], ['status', 0], ['spend', 1], ['share', 1], ['clicks', 1], ['cpc', 1], ['orders', 1], ['roi', 1], ['cpa', 1], ['gmv', 1], ['troi', 1], ['fresh', 1]];
const RANK = { SUSPECT: 5, OFF: 4, PARTIAL: 3, UNKNOWN: 2, ON: 1 };
const FEW = 10;
const drawn = new Map();
let openRegion = () => {};

const columns = () => COLUMNS.filter(([key]) => key !== 'status' || view.by === 'region');
const statusOf = row => data.status.get(row.member);

export function buildTable(open) {
  openRegion = open;
  drawn.clear();
  $('table').dataset.by = view.by;
  $('rows').replaceChildren();
  $('tot').replaceChildren(makeRow(null));
  buildHead();
  drawTable();
  order();
}

function buildHead() {
  const cells = columns().map(([key, right]) => {
    const label = key === 'name' && view.by === 'campaign' ? L().col.camp : L().col[key], sorted = view.sort.key === key;
    const arrow = s('svg', { class: 'arrow', viewBox: '0 0 8 8', 'aria-hidden': 'true' }, sorted ? s('path', { d: view.sort.dir < 0 ? 'M0 1.5h8L4 7z' : 'M0 6.5h8L4 1z' }) : null);
    const sort = () => { view.sort = { key, dir: view.sort.key === key ? -view.sort.dir : key === 'name' ? 1 : -1 }; buildHead(); order(); };
    return h('th', { scope: 'col', class: `c-${key}${right ? ' num' : ''}`, 'aria-sort': sorted ? (view.sort.dir < 0 ? 'descending' : 'ascending') : null },
      h('button', { type: 'button', onclick: sort }, right ? null : h('span', null, label), arrow, right ? h('span', null, label) : null));
  });
  $('thead').replaceChildren(h('tr', null, cells));
  text($('basis'), L().basis);
  text($('caption'), `${L().table_title}, ${L().win[view.window]}, ${L().basis}`);
  text($('foot'), L().foot);
}

function makeRow(row) {
  const bar = () => s('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, s('rect', { class: 'k', width: 100, height: 10 }), s('rect', { class: 'f', height: 10, width: 0 }));
  const cells = columns().map(([key, right]) => {
    const cls = { class: `c-${key}${right ? ' num' : ''}` };
    if (key === 'name') return h('th', { ...cls, scope: 'row' }, row && view.by === 'region' ? h('button', { type: 'button', 'aria-haspopup': 'dialog', onclick: () => openRegion(row.member) }) : h('bdi', { lang: row ? 'zh-Hans' : null }));
    if (key === 'status') return h('td', cls, row ? h('span', { class: 'st' }, glyph('UNKNOWN'), h('span', null, h('span', { class: 'l' }), h('span', { class: 'sus-b', hidden: true }, glyph('SUSPECT'), h('em', null))), h('span', { class: 'a' })) : null);
    if (key === 'share') return h('td', cls, h('span', { class: 'shr' }, row ? bar() : null, h('span', null)));
    if (key === 'roi') return h('td', cls, h('span', null), h('i', { class: 'out' }));
    return h('td', cls, h('span', null));
  });
  return h('tr', row ? { 'data-id': row.member } : null, cells);
}

const cell = (tr, key) => tr.querySelector(`.c-${key}`);

function put(td, value, reason, low) {
  const el = td.firstChild, cls = value === '–' ? 'na' : low ? 'low' : '';
  text(el, value);
  if (el.className !== cls) el.className = cls;
  if ((td.title || '') === (reason || '')) return;
  if (reason) { td.title = reason; td.setAttribute('aria-label', value === '–' ? reason : `${value}, ${reason}`); } else { td.removeAttribute('title'); td.removeAttribute('aria-label'); }
}

function fill(tr, row, total, quiet) {
  const f = figures(row, total), R = L().na, low = f.orders > 0 && f.orders < FEW, why = low ? L().low(f.orders) : '', about = low ? '~' : '';
  const lowAll = f.allOrders > 0 && f.allOrders < FEW;
  put(cell(tr, 'spend'), number(f.spend));
  text(cell(tr, 'share').firstChild.lastChild, percent(f.share));
  const bar = tr.querySelector('.shr .f'), width = Math.min(100, (f.share || 0) / .14 * 100).toFixed(0);
  if (bar && bar.getAttribute('width') !== width) bar.setAttribute('width', width);
  put(cell(tr, 'clicks'), number(f.clicks));
  put(cell(tr, 'cpc'), f.cpc === null ? '–' : f.cpc.toFixed(2), f.cpc === null ? (f.none ? R.none : R.clicks) : '');
  const orders = cell(tr, 'orders'), before = orders.firstChild.textContent;
  put(orders, number(f.orders));
  if (!quiet && before && before !== orders.firstChild.textContent) flash(orders);
  put(cell(tr, 'roi'), f.roi === null || !f.orders ? '–' : about + f.roi.toFixed(1), f.roi === null ? R.spend : f.orders ? why : R.orders, low);
  put(cell(tr, 'cpa'), f.cpa === null ? '–' : about + f.cpa.toFixed(1), f.cpa === null ? R.orders : why, low);
  put(cell(tr, 'gmv'), f.orders ? number(f.gmv) : '–', f.orders ? '' : R.orders);
  put(cell(tr, 'troi'), f.troi === null || !f.allOrders ? '–' : (lowAll ? '~' : '') + f.troi.toFixed(1), f.troi === null ? R.spend : !f.allOrders ? R.orders : lowAll ? L().low(f.allOrders) : '', lowAll);
  return f;
}

function fillRow(tr, row, total, quiet) {
  const f = fill(tr, row, total, quiet), all = figures(total, total), out = tr.querySelector('.out');
  const mark = f.roi !== null && all.roi && f.orders >= FEW ? (f.roi > all.roi * 1.3 ? '▲' : f.roi < all.roi * .7 ? '▼' : '') : '';
  text(out, mark);
  out.title = mark === '▲' ? L().up : mark === '▼' ? L().down : '';
  text(cell(tr, 'name').firstChild, row[`name_${view.lang}`]);
  const quietMs = silence(row), late = quietMs !== null && isSilent(row, quietMs);
  tr.classList.toggle('stale', late);
  const fresh = cell(tr, 'fresh'), told = quietMs === null ? '' : quietMs === 0 ? '<1m' : age(quietMs, L().units, true);
  put(fresh, told, late ? L().silent(age(quietMs, L().units)) : '');
  if (view.by === 'region') fillStatus(tr, statusOf(row));
  tr.toggleAttribute('data-open', view.drawer === row.member);
}

function fillStatus(tr, status) {
  const box = tr.querySelector('.st'), use = box.querySelector('use'), now = status ? status.status : 'UNKNOWN', [icon, words, since] = box.children;
  if (use.getAttribute('href') !== `#g-${now}`) { use.setAttribute('href', `#g-${now}`); icon.setAttribute('class', `g s-${now}`); }
  const label = words.firstChild, part = now === 'PARTIAL' && status.share !== null ? ` ${(100 * Number(status.share)).toFixed(0)}%` : '';
  label.className = `l s-${now}`;
  text(label, L().st[now] + part);
  words.lastChild.hidden = !(status && (status.suspect || status.alert !== null));
  text(words.lastChild.lastChild, L().suspect_l);
  text(since, status && status.since !== null ? age(data.table.head - status.since, L().units, true) : '');
  since.title = status && status.since !== null ? L().since(when(status.since)) : '';
}

function flash(td) {
  td.classList.remove('chg');
  void td.offsetWidth;
  td.classList.add('chg');
}

export function drawTable() {
  if (!data.table) return;
  if (blank()) { drawn.clear(); $('rows').replaceChildren(...waitingRows()); for (const td of [...$('tot').firstChild.children].slice(1)) { const span = td.firstChild; if (span && !td.classList.contains('c-status')) text(span, '–'); } return; }
  const total = tableTotal(), rows = visible();
  for (const row of rows) {
    let tr = drawn.get(row.member);
    const fresh = !tr;
    if (fresh && view.by === 'campaign' && drawn.size >= view.shown) continue;
    if (fresh) { tr = makeRow(row); drawn.set(row.member, tr); $('rows').append(tr); }
    fillRow(tr, row, total, fresh);
  }
  const known = new Set(rows.map(row => row.member));
  for (const [member, tr] of drawn) if (!known.has(member)) { tr.remove(); drawn.delete(member); }
  for (const tr of [...$('rows').children]) if (!tr.dataset.id) tr.remove();
  const top = $('tot').firstChild;
  fill(top, total, total, true);
  text(cell(top, 'name').firstChild, L().total);
  drawButtons(rows);
}

function waitingRows() {
  return [...data.status.values()].filter(row => row.tile_row !== null).map(row => h('tr', null, h('th', { scope: 'row', class: 'c-name' }, row[`name_${view.lang}`]),
    columns().slice(1).map(([key, right]) => h('td', { class: `c-${key}${right ? ' num' : ''}` }, state() === 'loading' ? h('span', { class: 'sk w2' }) : h('span', { class: 'na', title: L().na.none }, '–')))));
}

function drawButtons(rows) {
  const more = $('more'), clear = $('clear'), left = view.by === 'campaign' && data.campaigns ? data.campaigns.rows_left_out : 0;
  more.hidden = !(view.by === 'campaign' && view.shown < rows.length);
  text(more, L().more(Math.max(0, rows.length - view.shown)));
  clear.hidden = !view.only || view.by === 'campaign';
  if (view.only) text(clear, L().clear(L().st[view.only]));
  text($('foot'), L().foot + (left ? `  ${L().left(number(left))}` : ''));
  $('csv').href = `/api/v1/table.csv?by=${view.by}&window=${view.window}`;
  $('resort').hidden = misplaced() < 4;
  text($('resort'), L().resort);
}

const visible = () => tableRows().filter(row => view.by === 'campaign' || isShown(statusOf(row) || { status: 'UNKNOWN', suspect: false, alert: null }));

function value(row, key) {
  if (key === 'name') return row[`name_${view.lang}`];
  if (key === 'fresh') return silence(row);
  if (key === 'status') { const status = statusOf(row); return status ? RANK[status.suspect || status.alert !== null ? 'SUSPECT' : status.status] * 1e15 + (status.since || 0) : 0; }
  return figures(row, tableTotal())[key === 'share' ? 'spend' : key];
}

export function order() {
  if (blank()) return;
  const { key, dir } = view.sort, locale = view.lang === 'zh' ? 'zh-Hans-u-co-pinyin' : 'en';
  const rows = visible().map(row => [row, value(row, key)]);
  rows.sort(([x, a], [y, b]) => (a === null || b === null ? (a === b ? 0 : a === null ? 1 : -1) : (typeof a === 'string' ? a.localeCompare(b, locale) : a - b) * dir) || x.member.localeCompare(y.member));
  const list = view.by === 'campaign' ? rows.slice(0, view.shown) : rows;
  for (const [row] of list) if (!drawn.has(row.member)) { const tr = makeRow(row); drawn.set(row.member, tr); fillRow(tr, row, tableTotal(), true); }
  const keep = new Set(list.map(([row]) => row.member));
  for (const member of [...drawn.keys()]) if (!keep.has(member)) drawn.delete(member);
  $('rows').replaceChildren(...list.map(([row]) => drawn.get(row.member)));
  $('resort').hidden = true;
}

// Rows that stand in the wrong place by now; they stay there until the viewer sorts again.
function misplaced() {
  const rows = new Map(tableRows().map(row => [row.member, row]));
  let before = null, wrong = 0;
  for (const tr of $('rows').children) {
    const row = rows.get(tr.dataset.id), now = row ? value(row, view.sort.key) : null;
    if (typeof now !== 'number') continue;
    if (before !== null && (now - before) * view.sort.dir < 0) wrong += 1;
    before = now;
  }
  return wrong;
}
