// What transforms find around them. Like the prelude of commands it is a function of what asks the server, of the
// globals as JSON and of what writes, and returns what gives out what came of it; but there is nobody to ask and nothing to want. Time
// stands still and chance repeats itself, so that each attempt of a delivery makes the same of the same event.
(function (ask, globals, written) {
  'use strict';
  const { webhook, now_ms, seed } = JSON.parse(globals);
  const lines = [];
  let output = 'null';

  const shown = (value) => (typeof value === 'string' ? value : written(value) ?? String(value));
  const log = (level) => (...values) => {
    if (lines.length < 500) lines.push({ level, text: values.map(shown).join(' ').slice(0, 4000) });
  };

  const RealDate = Date;
  function StillDate(...parts) {
    if (!new.target) return new RealDate(now_ms).toString();
    return Reflect.construct(RealDate, parts.length ? parts : [now_ms], new.target);
  }
  StillDate.prototype = RealDate.prototype;
  RealDate.prototype.constructor = StillDate;
  Object.assign(StillDate, { now: () => now_ms, UTC: RealDate.UTC, parse: RealDate.parse });

  let state = seed;
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };

  const tidings_transformed = (handler) => {
    if (typeof handler !== 'function') throw new Error('a transform defines function handler(webhook) { …; return webhook; }');
    const result = handler(webhook);
    if (typeof result?.then === 'function') throw new Error('handler has to return the webhook itself, and no promise of it');
    output = written(result) ?? 'null';
  };

  delete globalThis.performance;
  Object.assign(globalThis, {
    Date: StillDate, tidings_transformed,
    console: { log: log('log'), info: log('log'), debug: log('log'), warn: log('warn'), error: log('error') },
  });

  return () => `{"console":${written(lines)},"effects":[],"output":${output}}`;
});
