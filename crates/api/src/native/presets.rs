//! Presets: what can fill a new project.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::value::RawValue;
use tidings_contract::{
    list::ListBody,
    preset::{PresetBody, PresetEventTypeBody, PresetSummary},
};
use tidings_domain::preset::{Preset, PresetEventType};

use crate::{answer::json, auth::Caller, error::ApiError, state::Api};

fn plans(preset: &Preset) -> Vec<String> {
    preset.plans.iter().map(|plan| plan.name.to_string()).collect()
}

fn summary(preset: &Preset) -> PresetSummary {
    PresetSummary {
        name: preset.name.clone(),
        title: preset.title.clone(),
        description: preset.description.clone(),
        profile: preset.profile.to_string(),
        event_types: preset.event_types.iter().map(|entry| entry.event_type.name.to_string()).collect(),
        plans: plans(preset),
        sources: preset.sources.iter().map(|source| source.name.clone()).collect(),
    }
}

fn entry(PresetEventType { event_type, schema }: &PresetEventType) -> PresetEventTypeBody {
    let raw = |text: &Option<String>| text.clone().and_then(|text| RawValue::from_string(text).ok());
    PresetEventTypeBody {
        name: event_type.name.to_string(),
        group: event_type.group.clone(),
        description: event_type.description.clone(),
        example: raw(&event_type.example),
        schema: raw(schema),
    }
}

pub(crate) async fn list(State(api): State<Api>, _: Caller) -> Result<Response, ApiError> {
    let data: Vec<_> = api.parts().presets.iter().map(summary).collect();
    let total = Some(data.len() as u64);
    Ok(json(StatusCode::OK, &ListBody { data, total, total_at_least: None, cursor: None }))
}

pub(crate) async fn get(State(api): State<Api>, _: Caller, Path(name): Path<String>) -> Result<Response, ApiError> {
    let preset = api.parts().presets.find(&name).ok_or_else(|| ApiError::not_found("preset"))?;
    let body = PresetBody {
        name: preset.name.clone(),
        title: preset.title.clone(),
        description: preset.description.clone(),
        profile: preset.profile.to_string(),
        event_types: preset.event_types.iter().map(entry).collect(),
        plans: plans(preset),
        sources: preset.sources.iter().map(|source| source.name.clone()).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

/// The preset that a request names.
pub(super) fn named(api: &Api, name: &str) -> Result<Preset, ApiError> {
    let presets = &api.parts().presets;
    presets.find(name).cloned().ok_or_else(|| {
        let message = format!("{name:?} is not a preset; the presets are {}", presets.names());
        ApiError::field("preset", "invalid", message)
    })
}
