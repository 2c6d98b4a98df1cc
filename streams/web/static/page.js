// The live page: wires the stream to the drawings, at most one drawing a frame.
import { $, h } from './dom.js';
import { L, change, data, decide, remember, take, view } from './state.js';
import { Stream } from './stream.js';
import { drawAttention, drawFigures, drawHeader } from './header.js';
import { buildTiles, drawMap } from './map.js';
import { arrive, drawFeed, showWaiting } from './feed.js';
import { buildTable, drawTable, order } from './table.js';
import { closeDrawer, drawDrawer, openDrawer } from './drawer.js';

const WINDOWS = ['1m', '5m', '15m', '1h', '24h', 'today', 'yesterday', 'all'];
const CAMPAIGN_MS = 2000;
let asked = false;
let fresh = true;
let missed = null;

const open = region => { openDrawer(region); redraw(); };

function draw() {
  asked = false;
  drawHeader();
  drawFigures();
  drawAttention(open);
  drawFeed(open);
  if (!data.table) return;
  buildTiles(open);
  drawMap();
  if (fresh) { fresh = false; buildTable(open); } else drawTable();
}

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

function rebuild() {
  fresh = true;
  segments();
  redraw();
}

const stream = new Stream({
  snapshot: body => {
    view.link = 'live';
    if (view.paused) { missed = body; return; }
    const first = data.table === null || blankBefore;
    take(body);
    blankBefore = false;
    if (first || awaiting) { awaiting = false; fresh = true; }
    redraw();
  },
  delta: body => {
    view.link = 'live';
    if (view.paused) { stream.stale = true; return; }
    change(body);
    redraw();
    if (view.drawer && document.activeElement && !$('drawer').matches(':hover, :focus-within')) drawDrawerInPlace();
  },
  decision: body => {
    if (view.paused) { stream.stale = true; return; }
    arrive(decide(body.items));
    redraw();
  },
  trouble: body => {
    view.link = 'error';
    view.trouble = body.detail;
    blankBefore = true;
    redraw();
  },
  lost: () => {
    if (view.link !== 'loading') view.link = 'disconnected';
    redraw();
  },
});
let blankBefore = false;
let awaiting = false;

function drawDrawerInPlace() {
  const top = $('drawer').scrollTop;
  drawDrawer();
  $('drawer').scrollTop = top;
}

function segment(id, values, labels, key, act) {
  const box = $(id), legend = box.querySelector('legend');
  box.replaceChildren(legend, ...values.map(value => h('label', null, h('input', { type: 'radio', name: id, value, checked: view[key] === value, onchange: () => { view[key] = value; act(); } }), h('span', null, labels[value]))));
}

function segments() {
  segment('wins', WINDOWS, L().win, 'window', () => { awaiting = true; stream.open(view.window); loadCampaigns(true); redraw(); });
  segment('reading', ['roi', 'share', 'since'], L().rd, 'reading', redraw);
  segment('by', ['region', 'campaign'], L().byl, 'by', () => { if (view.by === 'campaign') loadCampaigns(true); else rebuild(); });
  segment('colset', ['key', 'cost', 'volume'], L().cs, 'set', () => { $('table').dataset.set = view.set; });
  segment('feed-filter', ['all', 'status', 'money'], L().ff, 'filter', redraw);
}

async function loadCampaigns(anew) {
  if (view.by !== 'campaign' || (!anew && (view.paused || document.hidden || view.link !== 'live'))) return;
  const window = view.window;
  try {
    const answer = await fetch(`/api/v1/table?${new URLSearchParams({ by: 'campaign', window, limit: 300 })}`);
    if (!answer.ok || window !== view.window || view.by !== 'campaign') return;
    data.campaigns = await answer.json();
  } catch { return; }
  if (anew) rebuild(); else redraw();
}

function theme() {
  const dark = view.theme ? view.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  view.theme = dark ? 'light' : 'dark';
  remember('theme', view.theme);
  document.documentElement.dataset.theme = view.theme;
}

function pause() {
  view.paused = !view.paused;
  if (!view.paused) {
    if (missed || stream.stale) stream.open(view.window);
    missed = null;
    stream.stale = false;
  }
  redraw();
}

if (view.theme) document.documentElement.dataset.theme = view.theme;
$('lang').addEventListener('click', () => { view.lang = view.lang === 'zh' ? 'en' : 'zh'; remember('lang', view.lang); if (view.drawer) drawDrawerInPlace(); rebuild(); });
$('theme').addEventListener('click', theme);
$('pause').addEventListener('click', pause);
$('resort').addEventListener('click', order);
$('clear').addEventListener('click', () => { view.only = null; redraw(); });
$('more').addEventListener('click', () => { view.shown += 100; rebuild(); });
$('feed-more').addEventListener('click', () => { $('feed').classList.add('all'); redraw(); });
$('feed-new').addEventListener('click', () => { showWaiting(); redraw(); });
$('drawer').addEventListener('cancel', event => { event.preventDefault(); closeDrawer(); });
document.addEventListener('keydown', event => { if (event.key === 'Escape' && view.drawer) closeDrawer(); });
document.addEventListener('redraw', redraw);
document.addEventListener('visibilitychange', () => { if (document.hidden) stream.close(); else stream.open(view.window); });
setInterval(() => loadCampaigns(false), CAMPAIGN_MS);
segments();
draw();
stream.open(view.window);
