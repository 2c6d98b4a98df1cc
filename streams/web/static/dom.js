// Small helpers: elements by textContent only, figures as text. No markup is ever made from strings.
const NS = 'http://www.w3.org/2000/svg';

export const $ = id => document.getElementById(id);

const put = (el, attrs, kids) => {
  for (const [key, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, value === true ? '' : value);
  }
  for (const kid of kids.flat(9)) if (kid !== null && kid !== undefined && kid !== false) el.append(kid);
  return el;
};

export const h = (tag, attrs, ...kids) => put(document.createElement(tag), attrs, kids);
export const s = (tag, attrs, ...kids) => put(document.createElementNS(NS, tag), attrs, kids);
export const glyph = (name, cls) => s('svg', { class: cls ? `g ${cls}` : 'g', 'aria-hidden': 'true' }, s('use', { href: `#g-${name}` }));
export const coded = text => text.split('`').map((part, i) => (i % 2 ? h('code', null, part) : part));
export const text = (el, value) => { if (el.textContent !== value) el.textContent = value; };

// Draws a box anew only when what it shows has changed.
export const keep = (box, key, make) => {
  if (box.dataset.v === key) return;
  box.dataset.v = key;
  box.replaceChildren(...make().filter(kid => kid !== null && kid !== undefined));
};

const formats = new Map();
export const number = (value, places = 0) => {
  if (!formats.has(places)) formats.set(places, new Intl.NumberFormat('en', { minimumFractionDigits: places, maximumFractionDigits: places }));
  return formats.get(places).format(value);
};
export const tenThousands = value => (value >= 1e8 ? `${number(value / 1e8, 2)} 亿` : value >= 1e4 ? `${(value / 1e4).toFixed(2).replace(/\.?0+$/, '')} 万` : number(value));
export const percent = (value, places = 1) => (value === null ? '–' : `${(100 * value).toFixed(places)}%`);

const clocks = new Map();
export const clock = (ms, zone, seconds) => {
  const key = `${zone}${Boolean(seconds)}`;
  if (!clocks.has(key)) clocks.set(key, new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined }));
  return clocks.get(key).format(ms);
};
export const day = (ms, zone) => new Intl.DateTimeFormat('en-CA', { timeZone: zone, month: '2-digit', day: '2-digit' }).format(ms);

// 47 s, 73 min, 15 h, 3 d; tight drops the blank.
export const age = (ms, units, tight) => {
  const minutes = ms / 60000;
  const [value, unit] = minutes < 1 ? [Math.max(0, Math.round(ms / 1000)), units.sec] : minutes < 100 ? [Math.floor(minutes), units.min] : minutes < 2880 ? [Math.floor(minutes / 60), units.hour] : [Math.floor(minutes / 1440), units.day];
  return tight && unit === 'min' ? `${value}m` : `${value}${tight ? '' : ' '}${unit}`;
};
