// The drawer of one region: status, evidence, its decisions, its campaigns. Only what there is data for.
import { $, glyph, h, number, percent } from './dom.js';
import { L, blank, data, figures, nameOf, time, view, when, zone } from './state.js';
import { feedItem } from './feed.js';
import { campaignTable, orderRows, roiRows, roiTable } from './detail.js';

const TOP = 8;
const KEPT_MS = 10000;
let lastFocus = null;
let asked = 0;
let loaded = { region: null, window: null, at: 0 };

export function openDrawer(region) {
  if (blank() || !data.status.has(region)) return;
  const drawer = $('drawer');
  lastFocus = document.activeElement;
  view.drawer = region;
  drawDrawer();
  if (drawer.open) drawer.close();
  if (matchMedia('(max-width: 899px)').matches) drawer.showModal(); else drawer.show();
  drawer.scrollTop = 0;
  $('d-title').focus();
}

export function closeDrawer() {
  const drawer = $('drawer');
  view.drawer = null;
  if (drawer.open) drawer.close();
  if (lastFocus && lastFocus.isConnected) lastFocus.focus();
  document.dispatchEvent(new Event('redraw'));
}

const section = (title, sub, ...kids) => h('section', { class: 'd-sec' }, h('h3', null, title, sub ? h('span', null, sub) : null), kids);
const pairs = (cls, rows) => h('dl', { class: cls }, rows.map(([name, value]) => [h('dt', null, name), h('dd', null, value)]));

export function drawDrawer() {
  const region = view.drawer;
  if (!region) return;
  const status = data.status.get(region), row = data.rows.get(region), other = view.lang === 'zh' ? status.name_en : status.name_zh;
  const chip = (name, label) => h('span', { class: `chip ${name}` }, glyph(name), label);
  const since = status.since === null ? '' : [L().since(when(status.since)), L().causes[status.cause]].filter(Boolean).join(L().sep);
  const items = data.feed.filter(item => item.region === region).slice(0, 3);
  $('drawer').replaceChildren(
    h('div', { class: 'd-head' }, h('h2', { id: 'd-title', tabindex: -1 }, `${nameOf(region)} `, h('small', null, `${other} ${region}`)),
      h('button', { type: 'button', class: 'btn icon', 'aria-label': L().d.close, title: L().d.close, onclick: closeDrawer }, glyph('x')),
      h('div', { class: 'd-stat' }, chip(status.status, L().st[status.status]), status.suspect || status.alert ? chip('SUSPECT', L().st.SUSPECT) : null, h('span', null, since))),
    section(L().d.last, '', items.length ? h('ol', { class: 'd-items' }, items.map(item => feedItem(item, null))) : h('p', { class: 'muted' }, L().d.none)),
    section(L().d.figures, L().win[view.window], pairs('ev', row ? figureRows(figures(row)) : [[L().k.spend, '–']])),
    section(L().o.title, L().win[view.window], pairs('ev', row ? orderRows(row.totals) : [[L().o.placed, '–']])),
    section(L().r.title, L().win[view.window], h('div', { id: 'd-rois' })),
    section(L().d.ev, '', pairs('ev', evidence(status))),
    section(L().d.camps, L().win[view.window], h('div', { id: 'd-camps' })));
  const current = loaded.region === region && loaded.window === view.window;
  if (current) drawLoaded();
  if (!current || Date.now() - loaded.at > KEPT_MS) load(region);
}

function figureRows(f) {
  const few = f.orders > 0 && f.orders < 10 ? '~' : '';
  return [
    [L().k.spend, `${number(f.spend)} ${L().yuan} (${percent(f.share)})`], [L().col.clicks, number(f.clicks)], [L().k.cpc, f.cpc === null ? '–' : f.cpc.toFixed(2)], [L().k.orders, number(f.orders)],
    [L().k.roi, f.roi === null || !f.orders ? '–' : few + f.roi.toFixed(1)], [L().k.troi, f.troi === null || !f.allOrders ? '–' : few + f.troi.toFixed(1)], [L().col.cpa, f.cpa === null ? '–' : few + f.cpa.toFixed(1)],
  ];
}

function evidence(status) {
  const rows = [[`${L().d.share}, ${L().d.since}`, status.orders ? L().d.of(number(status.subsidised), number(status.orders), percent(Number(status.share), 0)) : '–']];
  if (status.suspect) rows.push([L().d.against, L().d.of(status.against_subsidised, status.against_orders, percent(status.against_subsidised / Math.max(1, status.against_orders), 0))]);
  if (status.claimed) rows.push([L().d.claim, [status.claimed_by || '', L().st[status.claimed]].filter(Boolean).join(': ')]);
  rows.push([L().d.mark, data.meta.watermark === null ? '–' : `${time(data.meta.watermark, true)} ${zone()}`], [L().d.rules, h('code', null, data.meta.config_hash)]);
  return rows;
}

// Campaigns and every ROI are asked for, not streamed: on opening, for another window, and now and then while it is open.
async function load(region) {
  const mine = ++asked, { window } = view;
  loaded = { ...loaded, at: Date.now() };
  const read = async query => {
    const answer = await fetch(`/api/v1/table?${new URLSearchParams({ ...query, window, region })}`);
    return answer.ok ? (await answer.json()).rows : null;
  };
  let campaigns, rows;
  try {
    [campaigns, rows] = await Promise.all([read({ by: 'region,campaign', limit: TOP }), read({ by: 'region', roi: 'all' })]);
  } catch { return; }
  if (mine !== asked || view.drawer !== region || campaigns === null || rows === null) return;
  loaded = { region, window, at: Date.now(), campaigns, row: rows[0] || null };
  drawLoaded();
}

function drawLoaded() {
  $('d-camps').replaceChildren(campaignTable(loaded.campaigns));
  $('d-rois').replaceChildren(...(loaded.row ? [roiTable(loaded.row), pairs('ev', roiRows(loaded.row))] : [h('p', { class: 'muted' }, L().na.none)]));
}
