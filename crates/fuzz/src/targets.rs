//! The larger readers: addresses, signatures, filters, publish requests.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use serde_json::Value;
use tidings_contract::event::PublishRequest;
use tidings_domain::{
    event::Event,
    event_type::EventTypeName,
    filter::{Filter, Subject},
    ids::{DeliveryId, EventKey, ProjectId},
    json::is_too_deep,
    render::{Rendering, render},
    secret::Secret,
    signature::SignatureScheme,
    signer::Signer,
    target::{Host, TargetPolicy, TargetUrl},
    time::Timestamp,
    webhook::check_header,
};

/// What was read is read again as itself, and no address that is plainly not public is let through.
pub(crate) fn target_url(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(url) = TargetUrl::parse(text) else { return };
    let again = TargetUrl::parse(url.with_credentials()).expect("what is written can be read");
    assert!(again == url, "{text:?} is read another way the second time");
    if let Some((_, password)) = url.credentials().filter(|(_, password)| password.len() > 3) {
        let shown = url.masked();
        let authority = shown.split('/').nth(2).unwrap_or_default();
        assert!(!authority.contains(&format!(":{password}@")), "{shown} shows the password");
    }
    for part in [url.authority(), url.path_and_query()] {
        assert!(part.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{part:?} goes into a request's head");
    }
    let policy = TargetPolicy { allow_http: true, ..TargetPolicy::default() };
    if let (Ok(()), Host::Ip(address)) = (policy.check_target(&url), url.host()) {
        assert!(!is_plainly_private(address), "{text:?} leads to {address}");
    }
}

/// What everybody agrees on, written without looking at the guard.
fn is_plainly_private(address: IpAddr) -> bool {
    let private = |v4: Ipv4Addr| {
        v4.is_loopback()
            || v4.is_private()
            || v4.is_link_local()
            || v4.is_unspecified()
            || v4.is_broadcast()
            || v4.is_multicast()
    };
    match address {
        IpAddr::V4(v4) => private(v4),
        IpAddr::V6(v6) => {
            let local = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
            local || v6.is_unique_local() || v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some_and(private)
        }
    }
}

/// Headers that a scheme writes are headers, whatever scheme, secret and id it is given.
pub(crate) fn signature(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (scheme, secret) = text.rsplit_once(' ').unwrap_or((&text, ""));
    let secret = Secret::parse(secret).ok();
    let Ok(scheme) = serde_json::from_str::<SignatureScheme>(scheme) else { return };
    let Ok(signer) = Signer::new(scheme.clone(), secret.as_ref()) else { return };
    let headers = signer.headers("evt_1", Timestamp::from_millis(1_767_225_600_000), input);
    for (name, value) in &headers {
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{name}: {value:?}");
    }
    for name in scheme.header_names() {
        assert!(check_header(&name, "x", &scheme).is_err(), "{name} is the signature's own");
    }
}

/// A filter that is taken reads itself again and says the same about every event.
pub(crate) fn filter(input: &[u8]) {
    if is_too_deep(input) {
        return;
    }
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    let (filter, data) = match &value {
        Value::Array(parts) if parts.len() == 2 => (&parts[0], &parts[1]),
        other => (other, other),
    };
    let Ok(read) = Filter::read(filter, "filter") else { return };
    let again = Filter::read(&read.to_value(), "filter").expect("what is written can be read");
    let name: EventTypeName = "order.paid".parse().expect("a type");
    let (payload, scopes) = (data.to_string(), ["campaign-42".to_owned()]);
    let subject = || Subject::new(&name, &scopes, None, payload.as_bytes());
    assert_eq!(read.passes(&subject()), again.passes(&subject()));
}

/// What is accepted becomes a body that is JSON, and holds the data.
pub(crate) fn publish(input: &[u8]) {
    if is_too_deep(input) {
        return;
    }
    let Ok(request) = serde_json::from_slice::<PublishRequest<'_>>(input) else { return };
    let (Ok(event_type), Some(data)) = (request.event_type.parse::<EventTypeName>(), request.data) else { return };
    let event = Event {
        key: EventKey::from_parts(1, 1),
        custom_id: request.id,
        project_id: ProjectId::from_parts(1, 1),
        event_type,
        scopes: Vec::new(),
        content_type: None,
        label: request.content_type,
        schema_version: None,
        payload: Bytes::copy_from_slice(data.get().as_bytes()),
    };
    for rendering in (0..=u8::MAX).filter_map(Rendering::from_code) {
        let body = render(&event, rendering, DeliveryId::from_parts(2, 2));
        let read = serde_json::from_slice::<&serde_json::value::RawValue>(&body);
        assert!(read.is_ok(), "{rendering:?} makes no JSON of {}", String::from_utf8_lossy(input));
        assert_eq!(body, render(&event, rendering, DeliveryId::from_parts(2, 2)));
    }
}
