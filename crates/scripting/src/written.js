// What scripts of either kind are written down with: JSON. Halves of characters, which JSON escapes, are mended: nobody
// else could read them. It is made before anything of a script runs, and holds on to all that it needs.
(function () {
  'use strict';
  const { stringify } = JSON;
  const { bind, call } = Function.prototype;
  const own = (method) => call.call(bind, call, method);
  const indexOf = own(String.prototype.indexOf);
  const slice = own(String.prototype.slice);

  const mended = (json) => {
    let whole = '';
    let from = 0;
    for (let at = indexOf(json, '\\'); at >= 0; at = indexOf(json, '\\', at)) {
      const half = json[at + 1] === 'u' && json[at + 2] === 'd';
      if (half) {
        whole += slice(json, from, at) + '\\ufffd';
        from = at + 6;
      }
      at += half ? 6 : 2;
    }
    return whole + slice(json, from);
  };
  return (value) => {
    const json = stringify(value);
    return json !== undefined && indexOf(json, '\\ud') >= 0 ? mended(json) : json;
  };
})()
