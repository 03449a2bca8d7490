//! `tidings event-type`

use anyhow::bail;
use clap::{Args, Subcommand};
use tidings_client::contract::{
    codes::ErrorCode,
    event_type::{
        EventTypeBody, EventTypeRequest, ImportEventTypes, ImportResult, ImportedEventTypeBody, ImportedEventTypesBody,
        RefusedTypeBody, SchemaVersionBody,
    },
};

use super::{
    input::read_json,
    page::page_table,
    session::{OTHER_CATALOGUES, Session},
};
use crate::output::{Fields, Table};

/// What to do with event types.
#[derive(Debug, Subcommand)]
pub(crate) enum EventTypeCommand {
    /// Add an event type to the catalogue
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        /// Its name: letters, digits, `_`, `-` and `.`
        name: String,
        #[command(flatten)]
        details: Details,
    },
    /// Import event types from the webhooks of an OpenAPI 3.1 document
    #[command(after_help = "Example:\n  tidings event-type import openapi.json --dry-run")]
    Import {
        /// A file with the document as JSON, or - for standard input
        file: String,
        /// Change nothing; show what would become of each
        #[arg(long)]
        dry_run: bool,
    },
    /// List the event types that can be published, by name
    #[command(after_help = "Example:\n  tidings event-type list --json")]
    List,
    /// List unknown types that were refused lately: often a type that is misspelt or not in the catalogue yet
    #[command(after_help = "Example:\n  tidings event-type refused --project prj_01h2…")]
    Refused,
    /// Look at an event type
    #[command(after_help = "Example:\n  tidings event-type get tag.subscribed")]
    Get {
        /// Its name
        name: String,
    },
    /// Change what is given of an event type
    #[command(after_help = "Example:\n  tidings event-type update tag.subscribed --archived=true")]
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        details: Details,
    },
    /// Retire a version of an event type's schema: it takes no new events
    #[command(after_help = "Example:\n  tidings event-type retire tag.subscribed 1")]
    Retire {
        /// Its name
        name: String,
        /// The version
        version: u32,
    },
    /// Remove an event type from the catalogue, for good
    #[command(after_help = "Example:\n  tidings event-type delete tag.subscribed")]
    Delete {
        /// Its name
        name: String,
    },
}

const CREATE_EXAMPLE: &str = "\
Example:
  tidings event-type create tag.subscribed --group tags --description 'A tag was added' --example '{\"tag\":\"vip\"}'";

/// What there is to say about an event type.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// The group it is listed under
    #[arg(long)]
    group: Option<String>,
    /// What it means, for people
    #[arg(long)]
    description: Option<String>,
    /// An example of its data: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    example: Option<String>,
    /// The JSON Schema (2020-12) of its data: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON", conflicts_with = "no_schema")]
    schema: Option<String>,
    /// Hold its data to no schema from now on
    #[arg(long)]
    no_schema: bool,
    /// Whether it accepts no new events
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    archived: Option<bool>,
}

impl EventTypeCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, details } => {
                let empty = EventTypeRequest {
                    name: Some(name),
                    group: None,
                    description: None,
                    example: None,
                    schema: None,
                    archived: false,
                };
                output.show(&client.create_event_type(&details.lay_over(empty)?).await?, fields)
            }
            Self::Import { file, dry_run } => {
                let argument = if file == "-" { file } else { format!("@{file}") };
                let document = read_json("the document", &argument)?;
                let import = ImportEventTypes { document, dry_run };
                let answer = client.import_event_types(&import).await?;
                output.show(&answer, imported)?;
                match answer.data.iter().filter(|each| each.result == ImportResult::Refused).count() {
                    0 => Ok(()),
                    refused => bail!("{refused} of {} webhooks cannot be taken as they are", answer.data.len()),
                }
            }
            Self::List => output.show(&client.list_event_types().await?, |list| {
                let table = page_table(list, ["NAME", "GROUP", "DESCRIPTION", "ARCHIVED"], row);
                if session.acts_for_instance { format!("{table}{OTHER_CATALOGUES}\n") } else { table }
            }),
            Self::Refused => output.show(&client.list_refused_types().await?, |list| {
                page_table(list, ["TYPE", "EVENTS", "LAST"], refused_row)
            }),
            Self::Get { name } => output.show(&known(session, &name).await?, fields),
            Self::Update { name, details } => {
                // The API replaces an event type as a whole, so what is not given is taken from what is there.
                let EventTypeBody { name, group, description, example, schema, archived, .. } =
                    known(session, &name).await?;
                let there =
                    EventTypeRequest { name: Some(name.clone()), group, description, example, schema, archived };
                output.show(&client.replace_event_type(&name, &details.lay_over(there)?).await?, fields)
            }
            Self::Retire { name, version } => output.show(&client.retire_schema(&name, version).await?, fields),
            Self::Delete { name } => {
                client.delete_event_type(&name).await?;
                output.done("deleted", &name)
            }
        }
    }
}

fn refused_row(refused: &RefusedTypeBody) -> [String; 3] {
    [refused.event_type.clone(), refused.count.to_string(), refused.last_at.to_string()]
}

/// The event type of this name; an operator may look for it in the wrong catalogue.
pub(super) async fn known(session: &Session, name: &str) -> anyhow::Result<EventTypeBody> {
    match session.client.get_event_type(name).await {
        Err(error) if error.code() == Some(ErrorCode::NotFound.as_str()) && session.acts_for_instance => {
            bail!("there is no event type {name}; {OTHER_CATALOGUES}")
        }
        found => Ok(found?),
    }
}

impl Details {
    fn lay_over(self, there: EventTypeRequest) -> anyhow::Result<EventTypeRequest> {
        let example = self.example.map(|example| read_json("--example", &example)).transpose()?;
        let schema = self.schema.map(|schema| read_json("--schema", &schema)).transpose()?;
        Ok(EventTypeRequest {
            name: there.name,
            group: self.group.or(there.group),
            description: self.description.or(there.description),
            example: example.or(there.example),
            schema: schema.or(there.schema.filter(|_| !self.no_schema)),
            archived: self.archived.unwrap_or(there.archived),
        })
    }
}

fn imported(imported: &ImportedEventTypesBody) -> String {
    let mut table = Table::new(&["NAME", "RESULT", "REASON"]);
    for ImportedEventTypeBody { name, result, reason } in &imported.data {
        table.row([name.clone(), result.as_str().to_owned(), reason.clone().unwrap_or_default()]);
    }
    format!("{table}{}", if imported.dry_run { "nothing was changed: this was a dry run\n" } else { "" })
}

fn row(event_type: &EventTypeBody) -> [String; 4] {
    let EventTypeBody { name, group, description, archived, .. } = event_type;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [name.clone(), text(group), text(description), archived.to_string()]
}

fn fields(event_type: &EventTypeBody) -> String {
    Fields::default()
        .add("name", &event_type.name)
        .maybe("group", event_type.group.as_ref())
        .maybe("description", event_type.description.as_ref())
        .maybe("example", event_type.example.as_ref())
        .maybe("schema", event_type.schema.as_ref())
        .maybe("schema version", event_type.schema_version)
        .add("archived", event_type.archived)
        .add("versions", event_type.versions.iter().map(version).collect::<Vec<_>>().join(", "))
        .to_string()
}

fn version(version: &SchemaVersionBody) -> String {
    format!("{}{}", version.version, if version.retired { " (retired)" } else { "" })
}
