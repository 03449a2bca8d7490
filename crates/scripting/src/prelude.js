// What commands find around them. It runs before them, in the same fresh global object, and is a function
// of three things: `ask`, which asks the server something, the globals as JSON, and what writes. It returns what gives
// out everything that was gathered. Nothing here does anything: what a command wants is put on a list.
(function (ask, globals, written) {
  'use strict';
  const { parse, stringify } = JSON;
  const effects = [];
  const marks = [];
  const lines = [];
  // When each thing was wanted and each line written, for whoever looks at the run.
  const { now } = Date;
  const { max } = Math;
  const begun = now();
  const since = () => max(0, now() - begun);
  const LINES_MAX = 500;
  const LINE_CHARACTERS_MAX = 4000;
  const given = parse(globals);
  // What was set in this run, as JSON: a run reads what it has set.
  const changed = new Map();
  const recordsSet = new Map();

  const want = (effect) => {
    if (effects.length >= 256) throw new Error('a run may do up to 256 things');
    // As it is now: what a command does to its objects later changes nothing, and what cannot be written is thrown
    // at the place that wants it.
    effects.push(written(effect));
    marks.push(`{"at_ms":${since()},"after":${lines.length}}`);
  };
  const QUESTIONS_MAX = 1000;
  let questions = 0;
  const question = (about) => {
    if (questions >= QUESTIONS_MAX) {
      throw new Error(`a run may ask up to ${QUESTIONS_MAX} questions about properties, records and URLs`);
    }
    questions += 1;
    return parse(ask(written(about)));
  };
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
    lines.push({ level, text: values.map(text).join(' ').slice(0, LINE_CHARACTERS_MAX), at_ms: since() });
  };
  const console = { log: log('log'), info: log('log'), debug: log('log'), warn: log('warn'), error: log('error') };

  // What is wrong is said at the place that wants it; the server checks everything once more.
  const isNone = (value) => value === undefined || value === null;
  const wrong = (what, value) => {
    const shown = inspect(value);
    throw new Error(`${what}, not ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`);
  };
  const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
  const isShort = (value) => typeof value === 'string' && value !== '' && [...value].length <= 128 && !CONTROL.test(value);
  const commandName = (value, what) => {
    if (isShort(value) && value.trim() === value) return value;
    return wrong(`${what} is a command's name: a text of 1 to 128 characters`, value);
  };
  const optionalName = (value, what) => (isNone(value) ? null : commandName(value, what));
  // Ids and keys are texts; whoever has a number may give that.
  const idOf = (value, what) => {
    const id = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
    return isShort(id) ? id : wrong(`${what} is a text of 1 to 128 characters, or a number`, value);
  };
  const optionalId = (value, what) => (isNone(value) ? null : idOf(value, what));
  const members = (value, what) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : wrong(what, value));
  const numberOf = (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return Number.isFinite(number) ? number : undefined;
  };
  const RUN_AFTER_MAX = 366 * 86400;
  const secondsOf = (value) => {
    if (isNone(value)) return null;
    const seconds = numberOf(value);
    const fits = seconds !== undefined && seconds >= 0 && seconds <= RUN_AFTER_MAX;
    return fits ? seconds : wrong(`run_after is a number of seconds from 0 to ${RUN_AFTER_MAX}`, value);
  };

  const textOf = (value) => (['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : undefined);
  // From what was given to what is kept; undefined: it is no such thing.
  const KEPT = {
    integer: (value) => (Number.isSafeInteger(numberOf(value)) ? numberOf(value) : undefined),
    float: numberOf,
    boolean: (value) => (typeof value === 'boolean' ? value : undefined),
    string: textOf,
    text: textOf,
    json: (value) => (['function', 'symbol'].includes(typeof value) ? undefined : value),
    datetime: (value) => {
      const at = ['string', 'number'].includes(typeof value) || value instanceof Date ? new Date(value) : new Date(NaN);
      const shown = Number.isNaN(at.getTime()) ? '' : at.toISOString();
      return shown.length === 24 ? shown : undefined;
    },
  };
  const KINDS = ['integer', 'float', 'boolean', 'string', 'text', 'json', 'datetime'];
  const kindOf = (value) => {
    switch (typeof value) {
      case 'number': return Number.isSafeInteger(value) ? 'integer' : 'float';
      case 'boolean': return 'boolean';
      case 'string': return value.length > 255 ? 'text' : 'string';
      default: return value instanceof Date ? 'datetime' : 'json';
    }
  };
  const holder = (owner, whose) => {
    const place = (name) => {
      if (owner === 'user' && !given.user) throw new Error('there is no current user: this run is global');
      if (!isShort(name)) wrong(`${whose}.setProperty and getProperty need a name of 1 to 128 characters`, name);
      return `${owner} ${name}`;
    };
    const setProperty = (name, value, kind) => {
      if (typeof name === 'object' && name !== null) ({ name, value, type: kind } = name);
      const at = place(name);
      kind = String(kind ?? kindOf(value)).toLowerCase();
      if (!KINDS.includes(kind)) throw new Error(`${kind} is not a type of property: ${KINDS.join(', ')}`);
      const kept = isNone(value) ? null : KEPT[kind](value);
      if (kept === undefined) wrong(`${whose}.setProperty: ${name} is to be of the type ${kind}`, value);
      changed.set(at, written(kept) ?? 'null');
      want({ do: 'set_property', owner, name, kind, value: kept });
    };
    const getProperty = (name, otherwise) => {
      if (typeof name === 'object' && name !== null) ({ name, other: otherwise } = name);
      const at = place(name);
      const value = changed.has(at) ? parse(changed.get(at)) : question({ ask: 'property', owner, name });
      return value === null ? otherwise ?? null : value;
    };
    return { setProperty, getProperty, setProp: setProperty, getProp: getProperty };
  };

  const run = (asked) => {
    const { command, user_id, options: handed, run_after, label } = options(asked, 'Bot.run needs {command: …}');
    want({
      do: 'run',
      command: commandName(command, 'Bot.run needs {command: …}, which'),
      user_id: optionalId(user_id, 'Bot.run: user_id'),
      options: handed ?? null,
      run_after: secondsOf(run_after),
      label: optionalId(label, 'Bot.run: label'),
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
    clearRunAfter: (asked) => want({ do: 'clear_run_after', label: optionalId(asked?.label, 'Bot.clearRunAfter: label') }),
    inspect: (value) => sendMessage(inspect(value)),
  };

  const request = (method) => (asked) => {
    const called = `HTTP.${method.toLowerCase()}`;
    const { url, headers, body, success, error } = options(asked, `${called} needs {url: …}`);
    if (typeof url !== 'string') wrong(`${called} needs {url: …}, which is a text`, url);
    const isText = isNone(body) || typeof body === 'string';
    const given = isNone(headers) ? {} : members(headers, `${called}: headers is an object of names and values`);
    const named = Object.entries(given).map(([name, value]) => [name, textOf(value) ?? wrong(`${called}: the header ${name} is a text`, value)]);
    if (!isText && !named.some(([name]) => name.toLowerCase() === 'content-type')) {
      named.push(['Content-Type', 'application/json']);
    }
    want({
      do: 'http', method, url, headers: Object.fromEntries(named),
      body: isText ? body ?? null : stringify(body) ?? wrong(`${called}: body is a text, or what JSON can say`, body),
      success: optionalName(success, `${called}: success`), error: optionalName(error, `${called}: error`),
    });
  };
  const HTTP = {
    get: request('GET'), post: request('POST'), put: request('PUT'), delete: request('DELETE'), options: request('OPTIONS'),
  };

  const Webhooks = {
    getUrlFor: (asked) => {
      const { command, user_id, content, redirect_to } = options(asked, 'WebhooksLib: need pass options for function getUrlFor');
      if (!command) throw new Error('WebhooksLib: Need pass command options in function getUrlFor');
      const optional = (value, what) => (
        isNone(value) || value === '' ? null : textOf(value) ?? wrong(`WebhooksLib: ${what} is a text`, value)
      );
      return question({
        ask: 'hook_url', command: commandName(command, 'WebhooksLib: command'), user_id: optional(user_id, 'user_id'),
        content: optional(content, 'content'), redirect_to: optional(redirect_to, 'redirect_to'),
      });
    },
  };

  const eventType = (value) => (
    typeof value === 'string' && /^[A-Za-z0-9_.-]{1,128}$/.test(value) ? value
      : wrong("Tidings.emit needs an event's type: a text of 1 to 128 letters, digits, '_', '-' and '.'", value)
  );
  const recordKind = (value) => (
    typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value) ? value
      : wrong("a record's kind is a text of 1 to 64 letters, digits, '_' and '-'", value)
  );
  const recordKey = (value) => {
    const key = textOf(value);
    return key !== undefined && key !== '' && !CONTROL.test(key) ? key : wrong("a record's key is a text of 1 to 256 characters, or a number", value);
  };
  const Tidings = {
    emit: (type, data) => want({ do: 'emit', type: eventType(type), data: isNone(data) ? null : KEPT.json(data) ?? wrong('Tidings.emit: data is what JSON can say', data) }),
    record: (kind, key, set) => {
      recordKind(kind);
      key = recordKey(key);
      const at = `${kind} ${key}`;
      const mine = recordsSet.has(at) ? parse(recordsSet.get(at)) : null;
      if (set === undefined) {
        const stored = question({ ask: 'record', kind, key });
        return mine === null ? stored : { ...stored, ...mine };
      }
      const NEEDS = 'Tidings.record sets members: it needs an object with 1 member or more';
      if (Object.keys(members(set, NEEDS)).length === 0) wrong(NEEDS, set);
      want({ do: 'record', kind, key, set });
      recordsSet.set(at, written({ ...mine, ...parse(written(set)) }));
    },
  };
  const MIME_TYPE = /^[A-Za-z0-9.+-]+\/[A-Za-z0-9.+-]+( *; *[A-Za-z0-9.+-]+=[A-Za-z0-9.+-]+)*$/;
  const WebApp = {
    render: (asked) => {
      const { content, mime_type } = options(asked, 'WebApp.render needs {content: …}');
      const type = mime_type ?? 'text/html';
      if (!isShort(type) || !MIME_TYPE.test(type)) wrong('WebApp.render: mime_type is one such as text/html', type);
      want({ do: 'render', content: text(content ?? ''), mime_type: type });
    },
  };

  // A run that follows no request has neither of the two.
  Object.assign(globalThis, { http_status: null, http_headers: null }, given, {
    Bot, User: holder('user', 'User'), HTTP, WebApp, Tidings, Libs: { Webhooks }, inspect, console,
    bot: given.bot, user: given.user ?? null,
  });

  return () => `{"console":[${lines.map(written).join(',')}],"effects":[${effects.join(',')}],"marks":[${marks.join(',')}]}`;
});
