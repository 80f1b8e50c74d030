//! `undo cat-file`: prints objects.

use std::io::Write;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::bytes;
use crate::history::objects::{self, ObjectType, TypedId};
use crate::object::nodes::Node;
use crate::object::{ObjectKind, Objects};
use crate::plumbing::batch;
use crate::repo::Repository;
use crate::report::commits::Names;
use crate::report::objects::{AttributesFields, CommitFields, LayoutFields, LinksFields, OperationFields, TreeFields};
use crate::report::operations::OperationState;
use crate::report::plumbing::{Asked, Described};

/// Print the type, size, content or fields of an object
///
/// TYPE is blob, tree, commit, attributes, links, layout-node or operation.
#[derive(Debug, clap::Args)]
#[command(override_usage = "undo cat-file (-t | -s | -e | -p | TYPE) OBJECT
       undo cat-file (--batch | --batch-check) < NAMES")]
#[command(after_help = "Examples:
  undo cat-file -p @
  undo cat-file blob @:notes.txt
  undo rev-list --all --objects | undo cat-file --batch-check")]
pub struct Args {
    /// Object to print; after a TYPE, its raw content
    #[arg(value_name = "OBJECT", num_args = 0..=2, add = complete::with(complete::revision_paths))]
    names: Vec<String>,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct What {
    /// Print the type
    #[arg(short = 't')]
    object_type: bool,
    /// Print the size in bytes
    #[arg(short = 's')]
    size: bool,
    /// Print nothing; exit with 0 if the object exists, else with 1
    #[arg(short = 'e')]
    exists: bool,
    /// Print the fields as text; for a blob, the content
    #[arg(short = 'p')]
    pretty: bool,
    /// Print type, size and content of each object named on stdin
    #[arg(long)]
    batch: bool,
    /// Print type and size of each object named on stdin
    #[arg(long)]
    batch_check: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let What { object_type, size, exists, pretty, batch, batch_check } = args.what;
    match &args.names[..] {
        [] if batch || batch_check => batch::run(context, batch),
        [name] if object_type => describe(context, name, Asked::Type),
        [name] if size => describe(context, name, Asked::Size),
        [name] if exists => match describe(context, name, Asked::Presence) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Exit::NO),
            result => result,
        },
        [name] if pretty => print(context, name),
        [word, name] if !(object_type || size || exists || pretty || batch || batch_check) => raw(context, word, name),
        _ => Err(Error::new(ErrorKind::Usage, "an object, and what to print of it, must be given")
            .hint("undo cat-file -p @")),
    }
    .map(Exit::from)
}

fn describe(context: &Context<'_>, name: &str, asked: Asked) -> Result<()> {
    let repository = context.repository()?;
    let named = objects::find(&repository, name)?;
    context.ui.show(&Described::new(named, bytes::size(&repository, named)?, asked))
}

fn raw(context: &Context<'_>, word: &str, name: &str) -> Result<()> {
    let Some(wanted) = ObjectType::ALL.into_iter().find(|one| one.word() == word) else {
        return Err(Error::new(ErrorKind::Usage, format!("`{}` is not a type", word.escape_debug()))
            .hint(format!("one of {}", ObjectType::ALL.map(ObjectType::word).join(", "))));
    };
    let repository = context.repository()?;
    let named = objects::find(&repository, name)?;
    if named.object_type != wanted {
        return Err(objects::wrong_type(name, named.object_type.word(), &format!("an object of type {word}")));
    }
    context.ui.data(|out| copy(&repository, name, named, out))
}

/// Writes the bytes of an object. The error for purged content says its name.
fn copy(repository: &Repository, name: &str, named: TypedId, out: &mut dyn Write) -> Result<()> {
    bytes::copy(repository, named, out).map_err(|error| match error.kind() {
        ErrorKind::Purged => error.context(format!("`{}`", name.escape_debug())),
        _ => error,
    })
}

fn print(context: &Context<'_>, name: &str) -> Result<()> {
    let repository = context.repository()?;
    let named = objects::find(&repository, name)?;
    let (ui, store, id) = (context.ui, repository.store(), named.id);
    match named.object_type {
        ObjectType::Blob => ui.data(|out| copy(&repository, name, named, out)),
        ObjectType::Tree => ui.show(&TreeFields::new(id, store.tree_node(id.into())?)),
        ObjectType::Commit => {
            let names = Names::of(repository.view(), id.into());
            ui.show(&CommitFields::new(id.into(), store.commit(id.into())?, names))
        }
        ObjectType::Attributes => ui.show(&AttributesFields::new(id, store.attributes(id.into())?)),
        ObjectType::Links => ui.show(&LinksFields::new(id, Node::decode(&store.object(ObjectKind::Links, id)?)?)),
        ObjectType::LayoutNode => {
            ui.show(&LayoutFields::new(id, Node::decode(&store.object(ObjectKind::LayoutNode, id)?)?))
        }
        ObjectType::Operation => {
            let is_current = repository.operation().is_some_and(|newest| newest.object_id() == id);
            let state = OperationState { is_current, ..OperationState::default() };
            ui.show(&OperationFields::new(bytes::operation(&repository, id)?, state))
        }
    }
}
