// What commands find around them. It runs before them, in the same fresh global object, and is a function
// of two things: `ask`, which asks the server something, and the globals as JSON. It returns what gives out
// everything that was gathered. Nothing here does anything: what a command wants is put on a list.
(function (ask, globals) {
  'use strict';
  const { parse, stringify } = JSON;
  const effects = [];
  const lines = [];
  const LINES_MAX = 500;
  const LINE_CHARACTERS_MAX = 4000;
  const given = parse(globals);
  const changed = new Map();

  // Texts that are half of something are mended: nobody else could read them.
  const written = (value) => stringify(value, (_, one) => (typeof one === 'string' ? one.toWellFormed() : one));
  const want = (effect) => {
    if (effects.length >= 256) throw new Error('a run may do up to 256 things');
    // As it is now: what a command does to its objects later changes nothing, and what cannot be written is thrown
    // at the place that wants it.
    effects.push(written(effect));
  };
  const question = (about) => parse(ask(stringify(about)));
  const text = (value) => (typeof value === 'string' ? value : inspect(value));
  const options = (value, what) => {
    if (typeof value !== 'object' || value === null) throw new Error(what);
    return value;
  };

  function inspect(value) {
    const seen = new Set();
    const show = (value, depth) => {
      if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`;
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value === 'symbol') return value.toString();
      if (value instanceof Error) return `${value.name}: ${value.message}`;
      if (typeof value !== 'object' || value === null) return depth && typeof value === 'string' ? stringify(value) : String(value);
      if (seen.has(value)) return '[Circular]';
      if (depth > 6) return '[…]';
      seen.add(value);
      const inner = Array.isArray(value)
        ? `[${value.map((one) => show(one, depth + 1)).join(', ')}]`
        : `{${Object.keys(value).map((key) => `${key}: ${show(value[key], depth + 1)}`).join(', ')}}`;
      seen.delete(value);
      return inner;
    };
    return show(value, 0);
  }

  const log = (level) => (...values) => {
    if (lines.length >= LINES_MAX) return;
    lines.push({ level, text: values.map(text).join(' ').slice(0, LINE_CHARACTERS_MAX) });
  };
  const console = { log: log('log'), info: log('log'), debug: log('log'), warn: log('warn'), error: log('error') };

  const KINDS = ['integer', 'float', 'boolean', 'string', 'text', 'json', 'datetime'];
  const kindOf = (value) => {
    switch (typeof value) {
      case 'number': return Number.isInteger(value) ? 'integer' : 'float';
      case 'boolean': return 'boolean';
      case 'string': return value.length > 255 ? 'text' : 'string';
      default: return value instanceof Date ? 'datetime' : 'json';
    }
  };
  const holder = (owner, whose) => {
    const place = (name) => {
      if (owner === 'user' && !given.user) throw new Error('there is no current user: this run is global');
      if (typeof name !== 'string' || name === '') throw new Error(`${whose}.setProperty and getProperty need a name`);
      return `${owner} ${name}`;
    };
    const setProperty = (name, value, kind) => {
      if (typeof name === 'object' && name !== null) ({ name, value, type: kind } = name);
      const at = place(name);
      kind = String(kind ?? kindOf(value)).toLowerCase();
      if (!KINDS.includes(kind)) throw new Error(`${kind} is not a type of property: ${KINDS.join(', ')}`);
      const kept = value === undefined ? null : parse(stringify(value) ?? 'null');
      changed.set(at, kept);
      want({ do: 'set_property', owner, name, kind, value: kept });
    };
    const getProperty = (name, otherwise) => {
      if (typeof name === 'object' && name !== null) ({ name, other: otherwise } = name);
      const at = place(name);
      const value = changed.has(at) ? changed.get(at) : question({ ask: 'property', owner, name });
      return value === null ? otherwise ?? null : value;
    };
    return { setProperty, getProperty, setProp: setProperty, getProp: getProperty };
  };

  const run = (asked) => {
    const { command, user_id, options: handed, run_after, label } = options(asked, 'Bot.run needs {command: …}');
    if (typeof command !== 'string') throw new Error('Bot.run needs {command: …}');
    want({
      do: 'run',
      command,
      user_id: user_id === undefined || user_id === null ? null : String(user_id),
      options: handed ?? null,
      run_after: run_after === undefined || run_after === null ? null : Number(run_after),
      label: label === undefined || label === null ? null : String(label),
    });
  };
  const sendMessage = (message, more) => {
    if (!given.user) console.warn('there is no current user to send this to: use Bot.run({command, user_id})');
    want({ do: 'message', text: text(message), options: more ?? null });
  };
  const Bot = {
    ...given.bot,
    ...holder('bot', 'Bot'),
    sendMessage,
    run,
    runCommand: (command, handed) => run({ command, options: handed }),
    clearRunAfter: (asked) => want({ do: 'clear_run_after', label: asked?.label === undefined ? null : String(asked.label) }),
    inspect: (value) => sendMessage(inspect(value)),
  };

  const request = (method) => (asked) => {
    const { url, headers, body, success, error } = options(asked, `HTTP.${method.toLowerCase()} needs {url: …}`);
    if (typeof url !== 'string') throw new Error(`HTTP.${method.toLowerCase()} needs {url: …}`);
    const isText = body === undefined || body === null || typeof body === 'string';
    const named = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
    if (!isText && !named.some(([name]) => name.toLowerCase() === 'content-type')) {
      named.push(['Content-Type', 'application/json']);
    }
    want({
      do: 'http', method, url, headers: Object.fromEntries(named), body: isText ? body ?? null : stringify(body),
      success: success ?? null, error: error ?? null,
    });
  };
  const HTTP = {
    get: request('GET'), post: request('POST'), put: request('PUT'), delete: request('DELETE'), options: request('OPTIONS'),
  };

  const Webhooks = {
    getUrlFor: (asked) => {
      const { command, user_id, content, redirect_to } = options(asked, 'WebhooksLib: need pass options for function getUrlFor');
      if (!command) throw new Error('WebhooksLib: Need pass command options in function getUrlFor');
      const optional = (value) => (value === undefined || value === null || value === '' ? null : String(value));
      return question({
        ask: 'hook_url', command: String(command), user_id: optional(user_id), content: optional(content),
        redirect_to: optional(redirect_to),
      });
    },
  };

  const Tidings = {
    emit: (type, data) => want({ do: 'emit', type: String(type), data: data === undefined ? null : data }),
    record: (kind, key, set) => {
      if (set === undefined) return question({ ask: 'record', kind: String(kind), key: String(key) });
      want({ do: 'record', kind: String(kind), key: String(key), set: options(set, 'Tidings.record sets members: give an object') });
    },
  };
  const WebApp = {
    render: (asked) => {
      const { content, mime_type } = options(asked, 'WebApp.render needs {content: …}');
      want({ do: 'render', content: text(content ?? ''), mime_type: String(mime_type ?? 'text/html') });
    },
  };

  Object.assign(globalThis, given, {
    Bot, User: holder('user', 'User'), HTTP, WebApp, Tidings, Libs: { Webhooks }, inspect, console,
    bot: given.bot, user: given.user ?? null,
  });

  return () => `{"console":[${lines.map(written).join(',')}],"effects":[${effects.join(',')}]}`;
});
