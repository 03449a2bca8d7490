//! Every page can be used by everybody: with a screen reader, a keyboard, a phone, by day and by
//! night. With `TIDINGS_PICTURES` set, the walk leaves a picture of everything that it sees.

use std::path::PathBuf;

use tidings_browser::{Axe, Line, Page, View};

use crate::{
    places::{PLACES, Place},
    rules::{broken_focus, broken_rules},
    seed::{FEW, Seed},
    visitor,
};

/// Where pictures are left, if they are wanted.
const PICTURES: &str = "TIDINGS_PICTURES";
/// Events behind the pages of which pictures are taken.
const MANY: usize = 3_000;

/// How each page is looked at: a name for pictures, the view, and whether the rules of form (which
/// are the same in both colours) are held against it.
const VIEWS: [(&str, View, bool); 5] = [
    ("wide-light", View::WIDE, true),
    ("wide-dark", View::WIDE.dark(), false),
    ("phone-dark", View::PHONE.dark(), false),
    ("phone-light", View::PHONE, true),
    ("narrow-light", View::NARROW, true),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn every_page_can_be_used_by_everybody() {
    let pictures = std::env::var_os(PICTURES).map(PathBuf::from);
    let seed = Seed::plant(if pictures.is_some() { MANY } else { FEW }).await;
    let (even, odd): (Vec<_>, Vec<_>) = PLACES.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    // Two browsers at a time: most of the time goes by in one thread of each.
    let half = async |places: Vec<(usize, &Place)>| {
        let page = Page::start(&format!("http://{}", seed.server.address())).await;
        visitor::enter(&page, &seed).await;
        let axe = Axe::read();
        let mut broken = Vec::new();
        for (_, place) in places {
            broken.extend(walk(&page, &axe, &seed, place, pictures.as_deref()).await);
        }
        broken
    };
    let (mut broken, more) = tokio::join!(half(even), half(odd));
    broken.extend(more);
    println!("pages: {} of them in {} views each, {} faults", PLACES.len(), VIEWS.len(), broken.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Looks at one page in every view; what is wrong with it.
async fn walk(page: &Page, axe: &Axe, seed: &Seed, place: &Place, pictures: Option<&std::path::Path>) -> Vec<String> {
    let mut broken = Vec::new();
    page.console().await;
    page.view(View::WIDE).await;
    page.go(&seed.path(place.path)).await;
    for (name, view, is_form) in VIEWS {
        page.view(view).await;
        let mut found: Vec<_> = match is_form {
            true => axe.look(page).await,
            false => axe.look_at_colors(page).await,
        }
        .into_iter()
        .filter(tidings_browser::Offence::is_serious)
        .map(|offence| offence.to_string())
        .collect();
        if is_form {
            found.extend(broken_rules(page).await);
        }
        broken.extend(found.into_iter().map(|fault| format!("{} {name}: {fault}", place.name)));
        if let Some(directory) = pictures {
            page.picture(&directory.join(format!("{}-{name}.png", place.name))).await;
        }
    }
    page.view(View::WIDE).await;
    let focus = broken_focus(page).await;
    let own = page.url().await;
    let console = page.console().await.into_iter().filter(|line| is_worth_a_word(line) && !is_status(line, &own));
    let said = console.map(|line| format!("console: {} {}", line.level, line.message));
    broken.extend(focus.into_iter().chain(said).map(|fault| format!("{}: {fault}", place.name)));
    broken
}

/// Whether Chromium only says that the page itself is one that was refused, or is gone: that is what it shows.
fn is_status(line: &Line, own: &str) -> bool {
    line.message.starts_with(own) && line.message.contains("the server responded with a status of 4")
}

fn is_worth_a_word(line: &Line) -> bool {
    line.is_policy_report() || line.level == "SEVERE"
}
