//! What holds of every page, besides the rules of axe-core.

use serde_json::Value;
use tidings_browser::Page;

/// Roles that somebody acts on; each has to say what it is.
const CONTROLS: [&str; 10] =
    ["button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "switch", "tab", "spinbutton"];

/// Looks at the page as it stands; a sentence for each rule that it breaks.
const LOOK: &str = r#"
const broken = [], seen = e => e.getClientRects().length > 0;
const say = (rule, what) => broken.push(rule + ': ' + what);
const headings = [...document.querySelectorAll('h1')].filter(seen);
if (headings.length !== 1) say('one h1', headings.length + ' of them');
if (!document.documentElement.lang) say('language', 'the page has none');
if (headings.length && !document.title.startsWith(headings[0].innerText.trim().slice(0, 20)))
    say('title', JSON.stringify(document.title) + ' does not begin with the heading');
const mains = document.querySelectorAll('main');
if (mains.length !== 1) say('one main', mains.length + ' of them');
const root = document.documentElement, over = root.scrollWidth - root.clientWidth;
if (over > 0) {
    const wide = [...document.body.querySelectorAll('*')].filter(e => {
        if (e.getBoundingClientRect().right <= root.clientWidth + 1 || !seen(e)) return false;
        for (let p = e.parentElement; p; p = p.parentElement)
            if (/auto|scroll|hidden|clip/.test(getComputedStyle(p).overflowX) && p !== root && p !== document.body) return false;
        return true;
    });
    say('no sideways scrolling', over + ' px over, by ' + wide.slice(0, 4).map(e =>
        e.tagName.toLowerCase() + '.' + [...e.classList].join('.')).join(', '));
}
for (const e of document.querySelectorAll('[style]')) say('no style attributes', e.outerHTML.slice(0, 120));
for (const e of document.querySelectorAll('script:not([src])')) say('no inline scripts', e.outerHTML.slice(0, 120));
for (const e of document.querySelectorAll('form[method=post i]'))
    if (!e.querySelector('input[name=csrf]') && !location.pathname.startsWith('/portal/') && document.cookie !== undefined
        && document.querySelector('input[name=csrf]')) say('forms are ours', 'no token in ' + e.outerHTML.slice(0, 160));
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) say('ids are unique', id);
for (const e of document.querySelectorAll('[aria-describedby],[aria-labelledby],[aria-controls]'))
    for (const name of ['aria-describedby', 'aria-labelledby', 'aria-controls'])
        for (const id of (e.getAttribute(name) || '').split(/\s+/).filter(Boolean))
            if (!document.getElementById(id)) say('references lead somewhere', name + '=' + id);
return broken;
"#;

/// Goes over everything that takes the focus; what does not show that it has it.
const FOCUS: &str = r#"
const invisible = [], look = e => { const s = getComputedStyle(e);
    return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor].join(' '); };
const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]')]
    .filter(e => !e.disabled && e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden');
for (const e of all.slice(0, 200)) {
    if (document.activeElement) document.activeElement.blur();
    const before = look(e), around = e.parentElement ? look(e.parentElement) : '', label = e.id
        ? document.querySelector('label[for="' + CSS.escape(e.id) + '"]') : null, beside = label ? look(label) : '';
    e.focus();
    if (document.activeElement !== e) continue;
    if (look(e) === before && (!e.parentElement || look(e.parentElement) === around) && (!label || look(label) === beside))
        invisible.push(e.outerHTML.slice(0, 140));
}
if (document.activeElement) document.activeElement.blur();
return invisible;
"#;

/// Everything about the page as it stands that breaks a rule.
pub(crate) async fn broken_rules(page: &Page) -> Vec<String> {
    let mut broken = strings(&page.run(LOOK).await);
    for role in CONTROLS {
        let nameless = page.names(role).await.iter().filter(|name| name.is_empty()).count();
        if nameless > 0 {
            broken.push(format!("controls have names: {nameless} of role {role} have none"));
        }
    }
    broken
}

/// Whether what has the focus shows it, and whether the first thing to have it leads past the panel.
pub(crate) async fn broken_focus(page: &Page) -> Vec<String> {
    let mut broken = Vec::new();
    let first = "if (!document.querySelector('nav')) return true; // There is nothing to skip.
        const e = [...document.querySelectorAll('a[href],button,input,select,textarea')]
            .find(e => !e.disabled && e.type !== 'hidden'), href = e && e.getAttribute('href') || '';
        if (!href.startsWith('#') || href.length < 2 || !document.querySelector(href)) return false;
        e.focus(); const box = e.getBoundingClientRect(); return box.right > 0 && box.bottom > 0 && box.width > 1";
    // The keyboard is in use: what has the focus by a script then shows it as well.
    page.press("Tab").await;
    if page.run(first).await != true {
        broken.push("skip link: the first thing that takes the focus is none, or is not seen then".to_owned());
    }
    let invisible = strings(&page.run(FOCUS).await);
    broken.extend(invisible.into_iter().map(|which| format!("focus is seen: not on {which}")));
    broken
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("a list of sentences: {list}"));
    list.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}
