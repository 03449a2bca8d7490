//! Whose members a page shows: the organization of the project, or the instance with its operators.

use http::StatusCode;
use maud::html;
use tidings_contract::{list::ListBody, member::MemberBody};

use crate::{
    ask::{Shown, Stop, part},
    parts::{Confirm, confirm},
    shell::{Head, Nav, wrong_page},
    visit::Visit,
};

/// Whose members a page shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Organization,
    Operator,
}

impl Whose {
    /// By the address of the page.
    pub(super) fn of(visit: &Visit) -> Self {
        if visit.here.starts_with("/operator/") { Self::Operator } else { Self::Organization }
    }

    pub(super) fn link(self, path: &str) -> String {
        match self {
            Self::Organization => format!("/settings/members{path}"),
            Self::Operator => format!("/operator/accounts{path}"),
        }
    }

    /// An operation of the API on them.
    pub(super) fn ask(self, path: &str) -> String {
        match self {
            Self::Organization => path.to_owned(),
            Self::Operator => format!("{path}{}operator=true", if path.contains('?') { "&" } else { "?" }),
        }
    }

    pub(super) fn head<'a>(self, title: &'a str, crumbs: &'a [(&'a str, String)]) -> Head<'a> {
        let nav = Some(if self == Self::Operator { Nav::Operator } else { Nav::Settings });
        Head { title, nav, crumbs, ..Head::default() }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Organization => "Members",
            Self::Operator => "Operators",
        }
    }
}

pub(super) fn organization_name(visit: &Visit) -> &str {
    visit.organization.as_ref().map_or("", |organization| organization.name.as_str())
}

/// The member with an id, if it is on the first pages of the list.
pub(super) async fn find(visit: &Visit, whose: Whose, id: &str) -> Result<MemberBody, Stop> {
    let mut place = "/members?limit=100".to_owned();
    loop {
        let page: ListBody<MemberBody> = visit.need(&whose.ask(&place)).await?;
        if let Some(found) = page.data.into_iter().find(|member| member.id.to_string() == id) {
            return Ok(found);
        }
        match page.cursor {
            Some(cursor) => place = format!("/members?limit=100&cursor={}", part(&cursor)),
            None => {
                let text = "There is no such member: somebody may have removed them meanwhile.";
                return Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(visit, "Not found", text))));
            }
        }
    }
}

pub(super) fn ask(visit: &Visit, whose: Whose, title: &str, text: &str, action: &str, verb: &str) -> Shown {
    let back = whose.link("");
    let text = html! { p { (text) } };
    let ask = Confirm { title, text, action, verb, keep: "Keep it", back: &back, fields: html! {}, danger: true };
    let crumbs = [(whose.title(), back.clone())];
    visit.page(&whose.head(title, &crumbs), confirm(visit, &ask))
}
