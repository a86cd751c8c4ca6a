//! Where schemas are collected.
//!
//! utoipa's traits take no argument. A model's schema depends on where it is requested,
//! which a variable of the thread holds:
//!
//! - **Outside of a collection** it is the object, with a `$ref` for each model among its fields, as
//!   utoipa's own derive gives it; [`ToSchema::schemas`] lists the models that it refers to.
//! - **In a collection**, while one of our documents is made, a model adds itself to the components
//!   and gives a `$ref`. A model that refers to itself comes to an end by that.
//!
//! A collection is for requests or for answers at any time, as pydantic writes some types otherwise
//! than it reads them.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::{RefOr, Schema};

use super::visit::{
    SCHEMAS, children, is_optional, location, normalise, operations, reference, references,
    schemas_of, set,
};

/// A component, as utoipa's [`ToSchema::schemas`](utoipa::ToSchema::schemas) lists it.
pub type NamedSchema = (String, RefOrSchema);

/// What utoipa's traits give: a schema, or a reference to one.
pub type RefOrSchema = RefOr<utoipa::openapi::Schema>;

thread_local! {
    static CURRENT: RefCell<Option<Collection>> = const { RefCell::new(None) };
}

/// What a schema is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    #[default]
    Input,
    Output,
}

/// Two types that would have the same name in the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} would have the same name in the OpenAPI document")]
pub struct DuplicateModel {
    first: String,
    second: String,
}

/// The type of a component of which only the name is known.
const UNKNOWN: &str = "";

/// A type with utoipa's derive: its schema is written out wherever it is used, unless it is known.
struct Known {
    name: String,
    schema: RefOr<Schema>,
    type_name: &'static str,
    schemas: fn(&mut Vec<NamedSchema>),
}

/// The name of a component's type, and its schema once it is made.
type Component = (String, Option<RefOr<Schema>>);

#[derive(Default)]
pub(super) struct Collection {
    /// Whether requests and answers have different schemas.
    has_modes: bool,
    mode: Mode,
    /// By name and use, with the name of the type; without a schema while it is made.
    components: BTreeMap<(String, Mode), Component>,
    known: Vec<Known>,
    /// Types of ours that stand where they are used.
    inlined: BTreeSet<&'static str>,
    /// Unions that are being made, and those that turned out to hold themselves.
    unions: Vec<&'static str>,
    recursive: BTreeSet<&'static str>,
    writes_out: bool,
    /// Only reads the schema of a type: models of ours are not collected.
    is_inspection: bool,
    duplicate: Option<DuplicateModel>,
}

fn with<R>(change: impl FnOnce(&mut Collection) -> R) -> Option<R> {
    CURRENT.with_borrow_mut(|current| current.as_mut().map(change))
}

/// Makes something, and collects the models that it refers to.
fn collect<R>(collection: Collection, make: impl FnOnce() -> R) -> (R, Collection) {
    /// Restores the previous one, even when `make` panics.
    struct Before(Option<Collection>);

    impl Drop for Before {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }

    let before = Before(CURRENT.replace(Some(collection)));
    let made = make();
    let collection = CURRENT.take().unwrap_or_default();
    drop(before);
    (made, collection)
}

/// Makes the paths of a document, and collects the components that they refer to.
pub(super) fn document(
    make: impl FnOnce() -> Paths,
) -> Result<(Paths, BTreeMap<String, RefOr<Schema>>), DuplicateModel> {
    let (mut paths, collection) =
        collect(Collection { has_modes: true, ..Collection::default() }, make);
    let components = collection.finish(&mut paths)?;
    Ok((paths, components))
}

/// Makes something for utoipa, with the components that it refers to, which are those of requests.
pub(super) fn plain<R>(make: impl FnOnce() -> R) -> (R, Vec<NamedSchema>) {
    let (made, collection) = collect(Collection::default(), make);
    let components = collection.components.into_iter().filter_map(|((name, _), (_, schema))| {
        let mut schema = schema?;
        normalise(&mut schema);
        Some((name, schema))
    });
    (made, components.collect())
}

/// What `make` collects, is for answers.
pub(super) fn output<R>(make: impl FnOnce() -> R) -> R {
    with(|collection| {
        if collection.has_modes {
            collection.mode = Mode::Output;
        }
    });
    let made = make();
    with(|collection| collection.mode = Mode::Input);
    made
}

/// Whether the schemas requested now are those of answers.
pub(super) fn is_output() -> bool {
    with(|collection| collection.mode == Mode::Output).unwrap_or_default()
}

/// The schema of a model itself, not a reference to it.
pub(super) fn written_out<T: ToSchema>() -> RefOr<Schema> {
    with(|collection| collection.writes_out = true);
    let schema = T::schema();
    with(|collection| collection.writes_out = false);
    schema
}

/// Adds a component that belongs to no type.
pub(super) fn add(name: String, schema: RefOr<Schema>) -> RefOr<Schema> {
    let location = with(|collection| {
        let location = collection.location(&name);
        collection.insert(name, schema);
        location
    });
    reference(location.unwrap_or_default())
}

/// What a component of this title is called.
pub fn component_name(title: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    title.chars().map(|c| if is_kept(c) { c } else { '_' }).collect()
}

/// The schema of a model or an enumeration, which `build` makes; the component is called by its name,
/// as far as one may be called so. All but named tuples have a title.
pub fn component<T: ?Sized>(
    name: &str,
    title: impl Into<Option<&'static str>>,
    build: impl FnOnce() -> RefOr<Schema>,
) -> RefOr<Schema> {
    let title = title.into();
    let titled = || {
        let mut schema = build();
        // `extra = json!({"title": …})` is pydantic's `ConfigDict(title=…)`.
        let is_titled =
            matches!(&schema, RefOr::T(Schema::Object(object)) if object.title.is_some());
        if let Some(title) = title.filter(|_| !is_titled) {
            set(&mut schema, "title", title.into());
        }
        schema
    };
    let name = component_name(name);
    let entered = with(|collection| {
        let written_out = std::mem::take(&mut collection.writes_out);
        (!written_out).then(|| collection.enter(&name, type_name::<T>()))
    });
    match entered {
        Some(Some((location, is_new))) => {
            if is_new {
                let schema = titled();
                with(|collection| collection.insert(name, schema));
            }
            reference(location)
        }
        Some(None) => titled(),
        None => {
            let mut schema = plain(titled).0;
            normalise(&mut schema);
            schema
        }
    }
}

/// The schema of a type that stands where it is used.
pub fn inlined<T: ?Sized>(build: impl FnOnce() -> RefOr<Schema>) -> RefOr<Schema> {
    if with(|collection| collection.inlined.insert(type_name::<T>())).is_some() {
        return build();
    }
    let written_out = || {
        with(|collection| collection.writes_out = true);
        build()
    };
    let mut schema = plain(written_out).0;
    normalise(&mut schema);
    schema
}

/// The schema of a union, which stands where it is used, unless it holds itself.
pub fn union<T: ?Sized>(name: &str, build: impl FnOnce() -> RefOr<Schema>) -> RefOr<Schema> {
    let this = type_name::<T>();
    inlined::<T>(|| {
        let written_out = with(|collection| std::mem::take(&mut collection.writes_out));
        let refers = with(|collection| {
            let is_open = collection.unions.contains(&this);
            let is_known = is_open || collection.components.contains_key(&collection.key(name));
            if is_open {
                collection.recursive.insert(this);
            } else if !is_known {
                collection.unions.push(this);
            }
            is_known.then(|| collection.location(name))
        });
        if let Some(location) = refers.flatten() {
            return reference(location);
        }
        let schema = build();
        let is_recursive = with(|collection| {
            collection.unions.pop();
            collection.recursive.contains(this)
        });
        if is_recursive != Some(true) || written_out == Some(true) {
            return schema;
        }
        with(|collection| collection.enter(name, this));
        add(name.to_owned(), schema)
    })
}

/// Takes an operation of utoipa's with the components that it lists.
pub(super) fn adopt(operation: &mut Operation, listed: Vec<NamedSchema>) {
    with(|collection| {
        collection.list(listed);
        schemas_of(operation, &mut |schema| collection.resolve(schema));
    });
}

/// The models that a type refers to, for [`ToSchema::schemas`].
pub fn nested<T: ToSchema>(schemas: &mut Vec<NamedSchema>) {
    if with(|_| ()).is_none() {
        schemas.extend(plain(T::schema).1);
    }
}

/// The schema of a type that has utoipa's trait: by our derives or by utoipa's own.
pub(super) fn documented<T: ToSchema + ?Sized>() -> RefOr<Schema> {
    let schema = T::schema();
    let is_ours = with(|collection| collection.inlined.contains(type_name::<T>()));
    if is_ours != Some(false) || location(&schema).is_some() {
        return schema;
    }
    let mut listed = Vec::new();
    T::schemas(&mut listed);
    know::<T>();
    with(|collection| collection.list(listed));
    replace_known(schema)
}

/// Makes a type with utoipa's derive known, so that it becomes a component where it is used.
pub(super) fn know<T: ToSchema + ?Sized>() {
    let is_known = |collection: &mut Collection| {
        collection.is_inspection
            || collection.known.iter().any(|known| known.type_name == type_name::<T>())
    };
    if with(is_known) != Some(false) {
        return;
    }
    // Apart, as models of ours must not be added for what may not be used at all.
    let (schema, collection) =
        collect(Collection { is_inspection: true, ..Collection::default() }, T::schema);
    let is_component = match &schema {
        RefOr::T(Schema::Object(object)) => {
            !object.properties.is_empty() || object.enum_values.is_some()
        }
        RefOr::T(Schema::OneOf(_) | Schema::AllOf(_) | Schema::AnyOf(_)) => !is_optional(&schema),
        _ => false,
    };
    if is_component && location(&schema).is_none() && !collection.inlined.contains(type_name::<T>())
    {
        let (name, type_name) = (component_name(&T::name()), type_name::<T>());
        let known = Known { name, schema, type_name, schemas: T::schemas };
        with(|collection| collection.known.push(known));
    }
}

/// References instead of the types that are known.
fn replace_known(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    let found = with(|collection| {
        let known = collection.known.iter().find(|known| known.schema == schema)?;
        let (name, type_name, schemas) = (known.name.clone(), known.type_name, known.schemas);
        let (location, is_new) = collection.enter(&name, type_name);
        Some((name, location, is_new.then_some(schemas)))
    });
    let Some((name, location, schemas)) = found.flatten() else {
        if let RefOr::T(inner) = &mut schema {
            children(inner, &mut |child| *child = replace_known(std::mem::take(child)));
        }
        return schema;
    };
    if let Some(schemas) = schemas {
        let mut listed = Vec::new();
        schemas(&mut listed);
        with(|collection| {
            collection.list(listed);
            collection.insert_plain(name, schema);
        });
    }
    reference(location)
}

impl Collection {
    fn key(&self, name: &str) -> (String, Mode) {
        (name.to_owned(), self.mode)
    }

    /// What refers to a component until it is known whether answers have one of their own. No name
    /// has an `@` in it.
    fn location(&self, name: &str) -> String {
        if self.has_modes {
            format!("{SCHEMAS}{name}@{:?}", self.mode)
        } else {
            format!("{SCHEMAS}{name}")
        }
    }

    /// Where the component of a type is, and whether it has to be made.
    fn enter(&mut self, name: &str, type_name: &str) -> (String, bool) {
        let key = self.key(name);
        // What utoipa lists may be the same type, of which it gives the name only.
        let is_listed = self.components.get(&key).is_some_and(|(first, _)| first == UNKNOWN);
        if is_listed && type_name != UNKNOWN {
            self.components.remove(&key);
        }
        let is_new = !self.components.contains_key(&key);
        let (first, _) = self.components.entry(key).or_insert((type_name.to_owned(), None));
        if first != type_name && type_name != UNKNOWN {
            let (first, second) = (first.clone(), type_name.to_owned());
            self.duplicate = Some(DuplicateModel { first, second });
        }
        (self.location(name), is_new && !self.is_inspection)
    }

    fn insert(&mut self, name: String, schema: RefOr<Schema>) {
        self.components.entry((name, self.mode)).or_default().1 = Some(schema);
    }

    /// Adds a component whose references are those of utoipa's derive.
    fn insert_plain(&mut self, name: String, mut schema: RefOr<Schema>) {
        self.resolve(&mut schema);
        self.insert(name, schema);
    }

    /// Makes references of utoipa's into those of the collection.
    fn resolve(&self, schema: &mut RefOr<Schema>) {
        references(schema, &mut |target| {
            if let Some(name) = target.strip_prefix(SCHEMAS).filter(|name| !name.contains('@')) {
                *target = self.location(name);
            }
        });
    }

    /// Adds what utoipa's derive lists; what is only a reference, has added itself.
    fn list(&mut self, listed: Vec<NamedSchema>) {
        for (name, schema) in listed {
            let is_new = !self.components.contains_key(&self.key(&name));
            if is_new && location(&schema).is_none() {
                self.enter(&name, UNKNOWN);
                self.insert_plain(name, schema);
            }
        }
    }

    /// The components, and `paths` with the references as they are called there: a model whose
    /// answers differ from its requests stands there twice.
    fn finish(self, paths: &mut Paths) -> Result<BTreeMap<String, RefOr<Schema>>, DuplicateModel> {
        if let Some(duplicate) = self.duplicate {
            return Err(duplicate);
        }
        // As pydantic does it: all are split until what they refer to is known to be the same, so
        // one that refers to itself stays so.
        let made =
            self.components.into_iter().filter_map(|(key, (_, schema))| Some((key, schema?)));
        let made: BTreeMap<_, _> = made.collect();
        let has = |name: &str, mode| made.contains_key(&(name.to_owned(), mode));
        let mut split: BTreeSet<_> = made
            .keys()
            .filter(|(name, _)| has(name, Mode::Input) && has(name, Mode::Output))
            .map(|(name, _)| name.clone())
            .collect();
        loop {
            let renamed = |name: &str, mode| {
                let mut schema = made.get(&(name.to_owned(), mode)).cloned();
                if let Some(schema) = &mut schema {
                    rename(schema, &split);
                }
                schema
            };
            let differs =
                |name: &&String| renamed(name, Mode::Input) != renamed(name, Mode::Output);
            let still: BTreeSet<_> = split.iter().filter(differs).cloned().collect();
            if still.len() == split.len() {
                break;
            }
            split = still;
        }
        let mut rename = |schema: &mut RefOr<Schema>| {
            rename(schema, &split);
            normalise(schema);
        };
        for operation in paths.paths.values_mut().flat_map(operations) {
            schemas_of(operation, &mut rename);
        }
        let components = made.into_iter().map(|((name, mode), mut schema)| {
            rename(&mut schema);
            (if split.contains(&name) { format!("{name}-{mode:?}") } else { name }, schema)
        });
        Ok(components.collect())
    }
}

/// Takes the use off the references to models that are the same in both.
fn rename(schema: &mut RefOr<Schema>, split: &BTreeSet<String>) {
    references(schema, &mut |target| {
        if let Some((location, mode)) = target.split_once('@') {
            let is_split = split.contains(location.trim_start_matches(SCHEMAS));
            *target = if is_split { format!("{location}-{mode}") } else { location.to_owned() };
        }
    });
}
