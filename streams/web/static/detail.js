// What the drawer shows beyond the table: orders and their amounts, every ROI, click cohorts, the largest campaigns.
import { h, number, percent } from './dom.js';
import { L, figures } from './state.js';

const FEW = 10;
const ROWS = ['direct', 'total'].flatMap(scope => ['placed', 'paid', 'net'].map(amount => [scope, amount]));
const COLUMNS = [['order', '15d'], ['order', '0d'], ['click', '15d'], ['click', '0d']];
const yuan = micros => `${number(micros / 1e6)} ${L().yuan}`;
const table = (head, body) => h('table', { class: 'mini' }, h('thead', null, h('tr', null, head.map((name, at) => h('th', { scope: 'col', class: at ? 'num' : null }, name)))), h('tbody', null, body));
const line = (name, values) => h('tr', null, name, values.map(value => h('td', { class: 'num' }, value)));
const ratio = (value, orders) => (value === null || !orders ? '–' : (orders < FEW ? '~' : '') + Number(value).toFixed(1));

// Orders by the region they are sent to, and what arrived in the window whenever it was placed.
export function orderRows(t) {
  const w = L().o, amount = (lines, micros) => `${number(lines)} (${yuan(micros)})`;
  return [
    [w.placed, amount(t.orders_placed, t.gmv_placed_micros)], [w.paid, amount(t.orders_paid, t.gmv_paid_micros)],
    [w.refunded, amount(t.orders_refunded, t.gmv_refunded_micros)], [w.net, yuan(t.gmv_net_micros)], [w.cancelled, number(t.orders_cancelled)],
    [w.gifts, number(t.gifts)], [w.flow, w.flowed(number(t.flow_cancelled), number(t.flow_refunds), yuan(t.flow_refunded_micros))],
  ];
}

// All 24, by amount and scope against basis and window.
export function roiTable(row) {
  const w = L().r, found = new Map(row.rois.map(one => [[one.scope, one.amount, one.basis, one.window].join(), one]));
  const body = ROWS.map(([scope, amount]) => line(h('th', { scope: 'row' }, `${w[scope]}${L().stop === '。' ? '' : ' '}${w[amount]}`), COLUMNS.map(([basis, window]) => {
    const one = found.get([scope, amount, basis, window].join());
    return ratio(one.value, one.orders);
  })));
  return table(['', ...COLUMNS.map(([basis, window]) => w[basis + window])], body);
}

export function roiRows(row) {
  const w = L().r, r = row.ratios, t = row.totals, to = row.roi_click_expected;
  const both = (direct, total) => `${direct} / ${total}`;
  return [
    [w.capped, `${both(ratio(r.roi_direct_capped, t.direct_orders), ratio(r.roi_total_capped, t.total_orders))}${w.cut(number(t.capped_orders))}`],
    [w.expected, to === null ? w.unknown : `${both(ratio(to.roi_direct, to.orders), ratio(to.roi_total, to.orders))}${w.to_come(percent(Number(to.to_come), 0))}`],
  ];
}

export function campaignTable(rows) {
  if (!rows.length) return h('p', { class: 'muted' }, L().d.nocamps);
  return table([L().col.camp, L().col.spend, L().col.clicks, L().col.orders, L().col.roi], rows.map(row => {
    const f = figures(row);
    return line(h('th', { scope: 'row', lang: 'zh-Hans' }, h('bdi', null, row.campaign_name)), [number(f.spend), number(f.clicks), number(f.orders), ratio(f.roi, f.orders)]);
  }));
}
