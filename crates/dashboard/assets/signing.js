// The signature sandbox. Everything is computed here by WebCrypto: this module makes no request, and the fields it reads
// belong to no form. The functions stand apart from the page, so that they can be tried without one.

const encoder = new TextEncoder();
const subtle = globalThis.crypto?.subtle;
/** How far a receiver lets a request's time be off, in seconds. */
const TOLERANCE_S = 300;

const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
function fromHex(text) {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
}

async function hmac(key, text) {
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, encoder.encode(text)));
}

/** A private key of ed25519 as WebCrypto takes it: its seed within PKCS #8. */
function ed25519Private(seed) {
  const head = fromHex("302e020100300506032b657004220420");
  const whole = new Uint8Array(head.length + 32);
  whole.set(head);
  whole.set(seed, head.length);
  return subtle.importKey("pkcs8", whole, "Ed25519", true, ["sign"]);
}

async function ed25519Public(secret) {
  if (secret.startsWith("whpk_")) {
    const bytes = fromBase64(secret.slice(5));
    if (bytes?.length !== 32) throw new Error("A public key is whpk_ and the base64 of 32 bytes.");
    return subtle.importKey("raw", bytes, "Ed25519", true, ["verify"]);
  }
  const jwk = await subtle.exportKey("jwk", await ed25519Private(seedOf(secret)));
  return subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: jwk.x }, "Ed25519", true, ["verify"]);
}

function seedOf(secret) {
  const bytes = secret.startsWith("whsk_") ? fromBase64(secret.slice(5)) : null;
  if (!bytes || ![32, 64].includes(bytes.length)) {
    throw new Error("Needs a private key: whsk_ and the base64 of the 32 bytes of its seed.");
  }
  return bytes.slice(0, 32);
}

/** The key that a scheme takes out of a secret's text. */
export function keyOf(way, secret) {
  if (way.scheme !== "standard") {
    if (!secret) throw new Error("Needs a secret.");
    return encoder.encode(secret);
  }
  const key = secret.startsWith("whsec_") ? fromBase64(secret.slice(6)) : null;
  if (!key || key.length < 24 || key.length > 64) {
    throw new Error("Needs whsec_ and the base64 of 24 to 64 bytes.");
  }
  return key;
}

/** What a scheme signs. */
export function contentOf(way, { id, time, body }) {
  return { "{body}": body, "{timestamp}.{body}": `${time}.${body}`, "{id}.{timestamp}.{body}": `${id}.${time}.${body}` }[way.signed];
}

const write = (way, bytes) => (way.encoding === "hex" ? toHex(bytes) : toBase64(bytes));

/** The header's value, or an error that says why there is none. */
export async function sign(way, given) {
  if (way.scheme === "ed25519") {
    const key = await ed25519Private(seedOf(given.secret));
    return `v1a,${toBase64(new Uint8Array(await subtle.sign("Ed25519", key, encoder.encode(contentOf(way, given)))))}`;
  }
  const signature = write(way, await hmac(keyOf(way, given.secret), contentOf(way, given)));
  return way.scheme === "standard" ? `v1,${signature}` : way.layout.replace("{timestamp}", given.time).replace("{signature}", signature);
}

/** Time and signatures in a header's value; null: it has another form. */
export function read(way, value) {
  if (way.scheme !== "hmac") {
    const version = way.scheme === "standard" ? "v1," : "v1a,";
    const signatures = value.split(/\s+/).filter((one) => one.startsWith(version)).map((one) => one.slice(version.length));
    return signatures.length ? { signatures } : null;
  }
  const escaped = way.layout.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  const pattern = escaped.replace("{timestamp}", "(?<time>[^,]*)").replace("{signature}", "(?<signature>.*?)");
  const found = value.match(new RegExp(`^${pattern}$`));
  return found && { time: found.groups.time, signatures: [found.groups.signature] };
}

/** Bodies that are easily taken for another. */
function otherBodies(body) {
  const others = [
    ["with a line break at its end", `${body}\n`],
    ["without the blanks around it", body.trim()],
    ["with line breaks of one character (LF)", body.replaceAll("\r\n", "\n")],
    ["with line breaks of two characters (CRLF)", body.replace(/\r?\n/g, "\r\n")],
  ];
  try {
    const value = JSON.parse(body);
    others.push(["as JSON without any spaces", JSON.stringify(value)]);
    others.push(["as JSON with indents of 2", JSON.stringify(value, null, 2)]);
    others.push(["as Python writes JSON, with spaces behind : and ,", JSON.stringify(value, null, 1).replace(/\n */g, " ").replace(/([{[]) | ([}\]])/g, "$1$2")]);
  } catch {
    // It is no JSON: nothing rewrote it.
  }
  return others.filter(([, text]) => text !== body);
}

/** Keys that are easily made out of a secret by mistake. */
function otherKeys(way, secret) {
  const bare = secret.replace(/^whsec_/, "");
  const keys = [
    ["the secret's text as it stands", encoder.encode(secret)],
    ["the text behind whsec_, not decoded", encoder.encode(bare)],
    ["what stands behind whsec_, decoded from base64", fromBase64(bare)],
    ["the secret decoded from hexadecimal", fromHex(bare)],
    ["the secret with a line break at its end", encoder.encode(`${secret}\n`)],
    ["the secret without the blanks around it", encoder.encode(secret.trim())],
  ];
  let right = "";
  try {
    right = toHex(keyOf(way, secret));
  } catch {
    // Then every key is another one.
  }
  return keys.filter(([, key]) => key?.length && toHex(key) !== right);
}

/** Times that are easily taken for another. */
function otherTimes(time) {
  const at = Number(time);
  if (!Number.isInteger(at)) return [];
  const near = Array.from({ length: 2 * TOLERANCE_S + 1 }, (_, place) => at - TOLERANCE_S + place).filter((one) => one !== at);
  return [at * 1000, Math.floor(at / 1000), ...near];
}

/** Whether a header fits, and if not, which part differs: { fits, title, text }. */
export async function verify(way, given, value, ways, now) {
  const found = read(way, value.trim());
  if (!found) {
    const other = ways.find((one) => one.scheme !== "standard" && one !== way && read(one, value.trim()));
    const form = way.scheme === "hmac" ? way.layout : `${way.scheme === "standard" ? "v1" : "v1a"},{signature}`;
    const hint = other ? ` It has the form of ${other.words}.` : "";
    return { fits: false, title: "The header has another form.", text: `This scheme writes ${form}.${hint}` };
  }
  const time = found.time ?? given.time;
  const exact = { ...given, time };
  if (way.scheme === "ed25519") return verifyEd25519(way, exact, found, now);
  const matches = async (key, content) => found.signatures.includes(write(way, await hmac(key, content)));
  let key;
  try {
    key = keyOf(way, given.secret);
  } catch (error) {
    key = null;
    for (const [words, other] of otherKeys(way, given.secret)) {
      if (await matches(other, contentOf(way, exact))) return secretDiffers(words, way);
    }
    return { fits: false, title: "The secret has another form.", text: error.message };
  }
  if (await matches(key, contentOf(way, exact))) return right(way, time, now);
  return differs(way, exact, found, matches, key, ways);
}

async function verifyEd25519(way, exact, found, now) {
  const key = await ed25519Public(exact.secret);
  const check = async (content) => {
    for (const signature of found.signatures) {
      const bytes = fromBase64(signature);
      if (bytes?.length === 64 && (await subtle.verify("Ed25519", key, bytes, encoder.encode(content)))) return true;
    }
    return false;
  };
  if (await check(contentOf(way, exact))) return right(way, exact.time, now);
  for (const [words, body] of otherBodies(exact.body)) {
    if (await check(contentOf(way, { ...exact, body }))) return bodyDiffers(words);
  }
  return nothingFits();
}

function right(way, time, now) {
  if (way.signed === "{body}") {
    return { fits: true, title: "It fits.", text: "Secret and body are right. The time is not signed, so a copy of the request would fit as well." };
  }
  const off = Math.abs(now - Number(time));
  const text = off > TOLERANCE_S
    ? `Secret, body and time are right. But it was signed ${off} s from now: receivers that allow ${TOLERANCE_S} s refuse it by its time.`
    : "Secret, body and time are right.";
  return { fits: true, title: off > TOLERANCE_S ? "It fits, but it is old." : "It fits.", text };
}

const bodyDiffers = (words) => ({
  fits: false,
  title: "The body differs.",
  text: `The signature fits the body ${words}. Verify the exact bytes of the request, before anything reads them as JSON.`,
});
const secretDiffers = (words, way) => ({
  fits: false,
  title: "The secret's form differs.",
  text: `The signature was made with ${words}. ${way.scheme === "standard" ? "This scheme decodes what stands behind whsec_." : "This scheme takes the secret's text as it stands."}`,
});
const nothingFits = () => ({
  fits: false,
  title: "It does not fit.",
  text: "Neither time, body nor the secret's form explains it: the secret is another one, or the body is.",
});

/** Looks for the one part that, written otherwise, would make it fit. */
async function differs(way, exact, found, matches, key, ways) {
  for (const [words, body] of otherBodies(exact.body)) {
    if (await matches(key, contentOf(way, { ...exact, body }))) return bodyDiffers(words);
  }
  for (const [words, other] of otherKeys(way, exact.secret)) {
    if (await matches(other, contentOf(way, exact))) return secretDiffers(words, way);
  }
  for (const other of ways.filter((one) => one.scheme === "hmac" || one.scheme === "standard")) {
    if (other.signed !== way.signed && (await matches(key, contentOf(other, exact)))) {
      return { fits: false, title: "Something else was signed.", text: `The signature is one of ${other.signed}; this scheme signs ${way.signed}.` };
    }
  }
  if (way.signed.includes("{timestamp}")) {
    for (const time of otherTimes(exact.time)) {
      if (await matches(key, contentOf(way, { ...exact, time }))) {
        return { fits: false, title: "The time differs.", text: `It was signed for ${time}, and not for ${exact.time}.` };
      }
    }
  }
  const written = found.signatures.map((one) => (way.encoding === "hex" ? fromBase64(one) : fromHex(one)));
  const signature = await hmac(key, contentOf(way, exact));
  if (written.some((bytes) => bytes && toHex(bytes) === toHex(signature))) {
    return { fits: false, title: "It is written otherwise.", text: `Its bytes are right, but they are to be written in ${way.encoding}.` };
  }
  return nothingFits();
}

function wake(place) {
  const field = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("[data-way]")];
  const ways = rows.map((row) => ({ ...row.dataset }));
  const result = field("s-result");
  const given = () => ({ secret: field("s-secret").value, body: field("s-body").value, id: field("s-id").value, time: field("s-time").value.trim() });
  const show = ({ fits, title, text }) => {
    const box = document.createElement("div");
    const words = document.createElement("div");
    const strong = document.createElement("strong");
    box.className = `notice ${fits ? "ok" : "bad"}`;
    strong.textContent = title;
    words.append(strong, document.createElement("br"), text);
    box.append(words);
    result.replaceChildren(box);
  };
  if (!subtle) {
    show({ fits: false, title: "This browser computes nothing here.", text: "Browsers give pages WebCrypto over https and on localhost only. Open the dashboard there." });
    return;
  }
  let latest = 0;
  async function draw() {
    const mine = (latest += 1);
    for (const [index, row] of rows.entries()) {
      const value = row.querySelector("[data-header-value]");
      const button = row.querySelector("[data-copy]");
      let text;
      let good = true;
      try {
        text = await sign(ways[index], given());
      } catch (error) {
        text = error.name === "NotSupportedError" ? "This browser cannot compute ed25519." : error.message;
        good = false;
      }
      if (mine !== latest) return;
      value.textContent = text;
      value.classList.toggle("faint", !good);
      button.hidden = !good;
      button.dataset.copy = good ? text : "";
    }
  }
  for (const id of ["s-secret", "s-body", "s-id", "s-time"]) {
    field(id).addEventListener("input", () => {
      document.querySelector("[data-signed-with]").textContent = "of what you pasted";
      draw();
    });
  }
  const now = place.querySelector("[data-sign-now]");
  now.hidden = false;
  now.addEventListener("click", () => {
    field("s-time").value = Math.floor(Date.now() / 1000);
    draw();
  });
  const button = place.querySelector("[data-verify]");
  button.disabled = false;
  const check = async () => {
    const way = ways.find((one) => one.way === field("s-way").value);
    try {
      show(await verify(way, given(), field("s-header").value, ways, Math.floor(Date.now() / 1000)));
    } catch (error) {
      show({ fits: false, title: "It cannot be verified.", text: error.message });
    }
  };
  button.addEventListener("click", check);
  field("s-header").addEventListener("keydown", (event) => {
    if (event.key === "Enter") check();
  });
  if (bring(field)) document.querySelector("[data-signed-with]").textContent = "of what was brought along";
  draw();
}

/** What a delivery's page brings along behind `#`, which browsers keep to themselves; never a secret. */
export function carried(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  return given.has("id") ? Object.fromEntries(["way", "id", "time", "body"].map((name) => [name, given.get(name) ?? ""])) : null;
}

function bring(field) {
  const brought = carried(location.hash);
  if (!brought) return false;
  for (const name of ["id", "time", "body"]) field(`s-${name}`).value = brought[name];
  const way = field("s-way");
  if ([...way.options].some((option) => option.value === brought.way)) way.value = brought.way;
  // The example's secret is not the one that it was signed with.
  field("s-secret").value = "";
  field("s-secret").focus();
  return true;
}

if (globalThis.document) {
  const place = document.querySelector("[data-signing]");
  if (place) wake(place);
}
