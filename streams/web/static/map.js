// Tile map of the provinces: status as fill, glyph and word; a second reading in each tile.
import { $, age, glyph, h, keep, percent, s, text } from './dom.js';
import { L, blank, data, figures, view, when } from './state.js';

const STATES = ['ON', 'PARTIAL', 'OFF', 'UNKNOWN', 'SUSPECT'];
const HOUR = 3600e3;
const tiles = new Map();

export const isShown = row => !view.only || row.status === view.only || (view.only === 'SUSPECT' && (row.suspect || row.alert !== null));

export function buildTiles(openRegion) {
  const places = [...data.status.values()].filter(row => row.tile_row !== null);
  if (tiles.size === places.length) return;
  places.sort((a, b) => a.tile_row - b.tile_row || a.tile_col - b.tile_col);
  places.forEach((row, at) => {
    const bar = s('svg', { class: 'bar2', viewBox: '0 0 100 3', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, s('rect', { height: 3, width: 0 }));
    const tile = h('button', { type: 'button', class: 'tile', 'data-r': row.tile_row, 'data-c': row.tile_col, 'data-a': row.region, tabindex: at ? -1 : 0, 'aria-expanded': 'false', onclick: () => openRegion(row.region), onkeydown: walk },
      h('span', { class: 'n' }), h('span', { class: 'v' }, glyph('UNKNOWN'), h('span', null)), h('span', { class: 'flag' }, glyph('SUSPECT')), bar);
    tiles.set(row.region, tile);
    $('tiles').insertBefore(tile, $('legend'));
  });
}

function walk(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!step) return;
  event.preventDefault();
  const me = data.status.get(event.currentTarget.dataset.a);
  let best = null, nearest = 1e9;
  for (const row of data.status.values()) {
    if (row.tile_row === null) continue;
    const down = row.tile_row - me.tile_row, right = row.tile_col - me.tile_col, along = down * step[0] + right * step[1];
    const distance = along + (Math.abs(down * step[1]) + Math.abs(right * step[0])) * 2.1;
    if (along > 0 && distance < nearest) { nearest = distance; best = row; }
  }
  if (!best) return;
  event.currentTarget.tabIndex = -1;
  tiles.get(best.region).tabIndex = 0;
  tiles.get(best.region).focus();
}

function reading(row, f) {
  if (view.reading === 'since') return row.since === null ? '–' : age(data.table.head - row.since, L().units, true);
  if (f === null) return '–';
  if (view.reading === 'share') return f.share === null ? '–' : (100 * f.share).toFixed(f.share < .095 ? 1 : 0);
  return f.roi === null || !f.orders ? '–' : f.roi.toFixed(0);
}

export function drawMap() {
  const counts = {}, empty = blank();
  let changed = 0, most = 0;
  for (const row of data.rows.values()) most = Math.max(most, row.totals.spend_micros);
  for (const [region, tile] of tiles) {
    const row = data.status.get(region), found = data.rows.get(region), f = found ? figures(found) : null;
    const doubt = row.suspect || row.alert !== null;
    counts[row.status] = (counts[row.status] || 0) + 1;
    if (doubt) counts.SUSPECT = (counts.SUSPECT || 0) + 1;
    const recent = !empty && row.since !== null && data.table.head - row.since < HOUR;
    changed += recent;
    const cls = `tile ${empty ? 'WAIT' : row.status}${doubt && !empty ? ' sus' : ''}${recent ? ' new' : ''}${isShown(row) ? '' : ' dim'}`;
    if (tile.className !== cls) tile.className = cls;
    drawTile(tile, row, f, empty, most && found ? found.totals.spend_micros / most : 0);
  }
  drawSum(counts, changed, empty);
}

function drawTile(tile, row, f, empty, part) {
  const [name, value, , bar] = tile.children, use = value.firstChild.firstChild;
  if (use.getAttribute('href') !== `#g-${row.status}`) use.setAttribute('href', `#g-${row.status}`);
  value.firstChild.classList.toggle('vh', empty);
  text(name, view.lang === 'zh' ? row.name_zh : row.iso);
  text(value.lastChild, empty ? '' : reading(row, f));
  const width = view.reading === 'share' && !empty ? (100 * part).toFixed(1) : '0';
  if (bar.firstChild.getAttribute('width') !== width) bar.firstChild.setAttribute('width', width);
  const full = row[`name_${view.lang}`];
  const label = empty ? full : L().tile(full, L().st[row.status] + (row.suspect ? ` ${L().suspect_l}` : ''), row.since === null ? '' : L().since(when(row.since)), f && f.roi !== null && f.orders ? f.roi.toFixed(0) : '–', f ? percent(f.share) : '–');
  if (tile.getAttribute('aria-label') !== label) tile.setAttribute('aria-label', label);
  if (tile.title !== full) tile.title = full;
  const open = String(view.drawer === row.region);
  if (tile.getAttribute('aria-expanded') !== open) tile.setAttribute('aria-expanded', open);
}

function drawSum(counts, changed, empty) {
  keep($('map-sum'), [counts.ON, changed, view.lang, empty].join(), () => (empty
    ? [h('b', null, '–'), h('span', null, L().sum1)]
    : [h('b', null, `${counts.ON || 0} / ${tiles.size}`), h('span', null, L().sum1), h('span', { class: 'key' }, h('span', null, h('i', null), `${changed} ${L().sum_new}`))]));
  keep($('legend'), JSON.stringify([counts, view.lang, view.only, empty]), () => STATES.map(key => h('button', { type: 'button', 'aria-pressed': String(view.only === key), onclick: () => { view.only = view.only === key ? null : key; document.dispatchEvent(new Event('redraw')); } },
    glyph(key, `s-${key}`), h('span', null, L().st[key]), h('b', null, empty ? '–' : String(counts[key] || 0)))));
}
