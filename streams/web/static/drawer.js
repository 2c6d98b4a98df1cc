// The drawer of one region: status, evidence, its decisions, its campaigns. Only what there is data for.
import { $, glyph, h, number, percent } from './dom.js';
import { L, blank, data, figures, nameOf, time, view, when, zone } from './state.js';
import { feedItem } from './feed.js';

const TOP = 8;
let lastFocus = null;
let asked = 0;

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
  loadCampaigns(region);
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
    section(L().d.ev, '', pairs('ev', evidence(status))),
    section(L().d.camps, L().win[view.window], h('div', { id: 'd-camps' })));
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

async function loadCampaigns(region) {
  const mine = ++asked, query = new URLSearchParams({ by: 'region,campaign', window: view.window, region, limit: TOP });
  let rows = [];
  try {
    const answer = await fetch(`/api/v1/table?${query}`);
    if (!answer.ok) return;
    rows = (await answer.json()).rows;
  } catch { return; }
  if (mine !== asked || view.drawer !== region || !$('d-camps')) return;
  if (!rows.length) { $('d-camps').replaceChildren(h('p', { class: 'muted' }, L().d.nocamps)); return; }
  const head = [L().col.camp, L().col.spend, L().col.clicks, L().col.orders, L().col.roi].map((name, at) => h('th', { scope: 'col', class: at ? 'num' : null }, name));
  const body = rows.map(row => {
    const f = figures(row), roi = f.roi === null || !f.orders ? '–' : (f.orders < 10 ? '~' : '') + f.roi.toFixed(1);
    return h('tr', null, h('th', { scope: 'row', lang: 'zh-Hans' }, h('bdi', null, row.campaign_name)), [number(f.spend), number(f.clicks), number(f.orders), roi].map(value => h('td', { class: 'num' }, value)));
  });
  $('d-camps').replaceChildren(h('table', { class: 'mini' }, h('thead', null, h('tr', null, head)), h('tbody', null, body)));
}
