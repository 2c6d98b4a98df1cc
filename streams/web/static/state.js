// What the page knows and what the viewer chose. Nothing here draws.
import { WORDS } from './words.js';
import { clock, day } from './dom.js';

const remembered = (key, allowed, otherwise) => {
  try { const value = localStorage.getItem(key); return allowed.includes(value) ? value : otherwise; } catch { return otherwise; }
};
export const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private windows forget */ } };

export const view = {
  lang: remembered('lang', ['en', 'zh'], navigator.language.startsWith('zh') ? 'zh' : 'en'),
  theme: remembered('theme', ['light', 'dark'], null),
  window: 'today', by: 'region', reading: 'roi', set: 'key', filter: 'all', only: null,
  sort: { key: 'spend', dir: -1 }, paused: false, link: 'loading', trouble: '', drawer: null, shown: 50,
};

export const data = { meta: null, table: null, rows: new Map(), total: null, status: new Map(), feed: [], campaigns: null };

export const L = () => WORDS[view.lang];
export const zone = () => (data.meta ? data.meta.zone : 'Asia/Shanghai');
export const time = (ms, seconds) => clock(ms, zone(), seconds);
export const when = ms => (data.table.head - ms > 20 * 3600e3 ? `${day(ms, zone())} ${time(ms)}` : time(ms));

// loading, live, stale, empty, disconnected or error: exactly one, shown in one slot.
export const state = () => (view.link !== 'live' ? view.link : data.meta.state);
export const blank = () => ['loading', 'error', 'empty'].includes(state()) || !data.table;

export function take(snapshot) {
  data.meta = snapshot.meta;
  data.table = snapshot.table;
  data.total = snapshot.table.total;
  data.rows = new Map(snapshot.table.rows.map(row => [row.member, row]));
  data.status = new Map(snapshot.status.regions.map(row => [row.region, row]));
  data.feed = snapshot.feed;
}

export function change(delta) {
  data.meta = delta.meta;
  Object.assign(data.table, { start: delta.start, end: delta.end, head: delta.head });
  data.total = delta.total;
  for (const member of delta.gone) data.rows.delete(member);
  for (const row of delta.rows) data.rows.set(row.member, row);
  for (const row of delta.status) data.status.set(row.region, row);
}

// Gives the ids that were not known before.
export function decide(items) {
  const known = new Set(data.feed.map(item => item.id));
  const byId = new Map([...data.feed, ...items].map(item => [item.id, item]));
  data.feed = [...byId.values()].sort((a, b) => b.at - a.at).slice(0, 120);
  return items.filter(item => !known.has(item.id)).map(item => item.id);
}

export const nameOf = region => {
  const row = data.status.get(region) || data.rows.get(region);
  return row ? row[`name_${view.lang}`] : region;
};

const ratio = value => (value === null ? null : Number(value));

// The figures of one row in units for people; a ratio that is not defined is null.
export function figures(row, total = data.total) {
  const t = row.totals, r = row.ratios, whole = total.totals.spend_micros;
  return {
    clicks: t.clicks, spend: t.spend_micros / 1e6, orders: t.direct_orders, gmv: t.direct_gmv_micros / 1e6, allOrders: t.total_orders,
    cpc: ratio(r.cpc), cpa: ratio(r.cpa), roi: ratio(r.roi_direct), troi: ratio(r.roi_total),
    share: whole ? t.spend_micros / whole : null, none: !t.clicks && !t.spend_micros && !t.impressions && !t.orders_placed,
  };
}

const ZERO = { impressions: 0, clicks: 0, spend_micros: 0, orders_placed: 0, direct_orders: 0, direct_gmv_micros: 0, total_orders: 0 };
const NO_RATIOS = { cpc: null, cpa: null, roi_direct: null, roi_total: null };

// Rows of the table: every province even without events, or every campaign with events.
export function tableRows() {
  if (view.by === 'campaign') return data.campaigns ? data.campaigns.rows : [];
  const rows = new Map(data.rows);
  for (const row of data.status.values()) {
    if (!rows.has(row.region) && row.tile_row !== null) rows.set(row.region, { ...row, member: row.region, totals: ZERO, ratios: NO_RATIOS, last_minute: null });
  }
  return [...rows.values()];
}

export const tableTotal = () => (view.by === 'campaign' && data.campaigns ? data.campaigns.total : data.total);

// How long a row has had no event at least, in ms of event time; null when not known.
export function silence(row) {
  return row.last_minute === null || data.table.head === null ? null : Math.max(0, data.table.head - (row.last_minute + 60000) + 1);
}

// A row is silent by its own pace over the window.
export function isSilent(row, quiet) {
  const t = row.totals, events = Math.max(1, t.impressions + t.clicks + t.orders_placed);
  const usual = (Math.min(data.table.head, data.table.end) - data.table.start) / events;
  return quiet > Math.max(120000, 6 * usual);
}
