//! What is done to a source by one button.

use axum::extract::Path;
use http::Method;
use maud::html;
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    source::{ReceiptBody, SourceBody},
};

use super::{page_of, read};
use crate::{
    ask::{Shown, part, refused},
    form::Form,
    parts::{Confirm, confirm, total_words},
    shell::{Head, Nav},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// `POST …/sources/{src}/switch`: enables or disables it, everything else as it stands.
pub(crate) async fn switch(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    let path = format!("/sources/{}", part(&id));
    let (source, etag) = visit.need_tagged::<SourceBody>(&path).await?;
    let mut body = read::request(&read::stored(&source), source.kind).map_err(|errors| visit.stop(&refused(errors)))?;
    let on = form.text("to") == "on";
    body["enabled"] = on.into();
    let ask = Ask {
        if_match: Some(etag).filter(|etag| !etag.is_empty()),
        ..Ask::new(Method::PUT, path).with_body(body.to_string())
    };
    let source: SourceBody = visit.ask(ask).await.map_err(|problem| visit.stop(&problem))?;
    visit.go(&page_of(&visit, &source), if on { "source-enabled" } else { "source-disabled" })
}

/// `GET …/sources/{src}/delete`
pub(crate) async fn delete_question(visit: Visit, Path((_, id)): Ids) -> Shown {
    let source: SourceBody = visit.need(&format!("/sources/{}", part(&id))).await?;
    let receipts = visit.get::<ListBody<ReceiptBody>>(&format!("/receipts?limit=1&source_id={}", source.id)).await;
    let count = receipts.map_or_else(|_| "all".to_owned(), |list| total_words(list.total, list.total_at_least));
    let page = page_of(&visit, &source);
    let ask = Confirm {
        title: &format!("Delete “{}”?", source.name),
        text: html! {
            p { "This is permanent. Its address answers 404 from now on, also to what the provider is about to send." }
            p { "What waits to be done about its " (count) " receipts is not done any more." }
            @if source.enabled { p .hint { "Only want silence? Disable it: its address and receipts stay." } }
        },
        action: &format!("{page}/delete"),
        verb: "Delete source",
        keep: "Keep it",
        back: &page,
        fields: html! {},
        danger: true,
    };
    let crumbs = [("Sources", visit.link("/sources")), (source.name.as_str(), page.clone())];
    let head = Head { title: "Delete source", nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

/// `POST …/sources/{src}/delete`
pub(crate) async fn delete(visit: Visit, Path((_, id)): Ids) -> Shown {
    let path = format!("/sources/{}", part(&id));
    visit.act(Method::DELETE, &path).await.map_err(|problem| visit.stop(&problem))?;
    visit.go(&visit.link("/sources"), "source-deleted")
}
