//! The description of the routes in the words of OpenAPI 3.1.

use serde_json::Value;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, HttpMethod, Info, OpenApi, OpenApiBuilder, PathItem, Paths, Ref,
    Required, ResponseBuilder, ResponsesBuilder,
    extensions::ExtensionsBuilder,
    path::{OperationBuilder, ParameterBuilder, ParameterIn, ParameterStyle},
    request_body::RequestBodyBuilder,
    schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa::{PartialSchema, ToSchema};

use crate::team::Right;
use crate::web::{
    Route,
    answer::Failure,
    doc::{Answer, Doc, Field, Kind, topic},
};

const ABOUT: &str = "Everything that the console's pages show and do, for scripts: the same addresses and the same \
fields, answered in JSON where `Accept: application/json` is sent. Make a token on the page of your account and send \
it as `Authorization: Bearer`; it does at most what its role and yours allow. Fields are sent as a form or as a JSON \
object; a field that is repeated is a list, and `null` is a field that is not sent. Paths in answers begin at the \
console's own root.";

/// All that the routes say of themselves.
pub fn describe(routes: &[Route]) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas = vec![(Failure::name().into_owned(), Failure::schema())];
    Failure::schemas(&mut schemas);
    for route in routes {
        for doc in &route.docs {
            schemas.extend(doc.schemas.iter().cloned());
            let path = doc.path.clone().unwrap_or_else(|| route.path.to_owned());
            let method = if route.method == "POST" { HttpMethod::Post } else { HttpMethod::Get };
            let operation = operation(route, doc, &path);
            paths.paths.entry(path).or_default().merge_operations(PathItem::new(method, operation));
        }
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token, made on the page of one's own account."))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", SecurityScheme::Http(bearer))
        .build();
    let mut info = Info::new("Wheelhouse", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components))
        .security(Some([SecurityRequirement::new("token", [""; 0])]))
        .build()
}

fn operation(route: &Route, doc: &Doc, path: &str) -> OperationBuilder {
    let words = path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
    let name: Vec<&str> = std::iter::once(route.method).chain(words).collect();
    let named = if doc.place.is_some() { "_one" } else { "" };
    let right = route.right.map(Right::about).unwrap_or_default();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(format!("{}{named}", name.join("_").to_lowercase().replace(['-', '.'], "_"))))
        .tag(topic(path))
        .summary(Some(doc.summary))
        .extensions(Some(ExtensionsBuilder::new().add("x-right", right).build()));
    if !doc.about.is_empty() {
        operation = operation.description(Some(doc.about));
    }
    if let Some(field) = &doc.place {
        operation = operation.parameter(parameter(field, ParameterIn::Path));
    }
    for field in &doc.query {
        operation = operation.parameter(parameter(field, ParameterIn::Query));
    }
    if let Some(fields) = &doc.body {
        let is_required = fields.iter().any(|field| field.is_required);
        let content = |others: &[Type]| ContentBuilder::new().schema(Some(body(fields, others))).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content(&[Type::Number, Type::Boolean, Type::Null]))
            .content("application/x-www-form-urlencoded", content(&[]))
            .required(Some(if is_required { Required::True } else { Required::False }));
        operation = operation.request_body(Some(body.build()));
    }
    let mut responses = ResponsesBuilder::new();
    for answer in &doc.answers {
        responses = responses.response(answer.status.to_string(), well(answer));
    }
    for (status, says) in doc.failures(route.method, route.right.is_some()) {
        let failure = Ref::from_schema_name(Failure::name());
        let content = ContentBuilder::new().schema(Some(failure)).build();
        responses = responses.response(
            status.to_string(),
            ResponseBuilder::new().description(says).content("application/json", content),
        );
    }
    operation.responses(responses.build())
}

fn well(answer: &Answer) -> ResponseBuilder {
    let mut response = ResponseBuilder::new().description(answer.says);
    if let Some(schema) = &answer.schema {
        response = response.content("application/json", ContentBuilder::new().schema(Some(schema.clone())).build());
    }
    if matches!(answer.status, 201 | 202) {
        let location = HeaderBuilder::new().schema(Some(text())).description(Some("Where it is.")).build();
        response = response.header("Location", location);
    }
    response
}

fn parameter(field: &Field, place: ParameterIn) -> ParameterBuilder {
    let required = if field.is_required { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new()
        .name(field.name.clone())
        .parameter_in(place)
        .required(required)
        .description(Some(field.about.clone()))
        .schema(Some(schema(&field.kind)));
    match field.kind {
        Kind::List(_) | Kind::ListLike(_) => parameter.style(Some(ParameterStyle::Form)).explode(Some(true)),
        _ => parameter,
    }
}

/// An object with these fields and no others, of texts or of these `others`. It says what is really taken: a number may
/// stand for a text, digits for a number, and what is blank counts as not sent.
fn body(fields: &[Field], others: &[Type]) -> Schema {
    let nothing = AdditionalProperties::FreeForm(false);
    let mut object = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(nothing));
    for field in fields {
        object = object.property(field.name.clone(), in_body(field, others));
        if field.is_required {
            object = object.required(field.name.clone());
        }
    }
    object.into()
}

fn in_body(field: &Field, others: &[Type]) -> Schema {
    let types = [Type::String].iter().chain(others).cloned().collect::<SchemaType>();
    let any = || ObjectBuilder::new().schema_type(types.clone());
    let item = || {
        let no_null = [Type::String].iter().chain(others).filter(|kind| **kind != Type::Null).cloned();
        ObjectBuilder::new().schema_type(no_null.collect::<SchemaType>())
    };
    let about = Some(field.about.clone());
    let blank_or = |pattern: &str| Some(format!("^$|{pattern}"));
    let list = |item: ObjectBuilder, one: ObjectBuilder| {
        AnyOfBuilder::new().item(ArrayBuilder::new().items(item.build())).item(one).description(about.clone()).into()
    };
    match &field.kind {
        Kind::Text(example) => example_of(any(), example).description(about).into(),
        Kind::Like(pattern) => any().pattern(blank_or(pattern)).description(about).into(),
        Kind::Number(least, most) => {
            let mut takes = AnyOfBuilder::new().description(about).item(text().pattern(Some(digits(*least, *most))));
            if !others.is_empty() {
                let number = ObjectBuilder::new().schema_type(Type::Integer);
                takes = takes.item(number.minimum(Some(*least)).maximum(Some(*most)));
                takes = takes.item(ObjectBuilder::new().schema_type(Type::Null));
            }
            takes.into()
        }
        Kind::Switch => {
            let texts = ["", "true", "false", "1", "0", "on", "off", "yes", "no"].map(Value::from).into_iter();
            let json = [Value::Bool(true), Value::Bool(false), Value::Null, 1.into(), 0.into()];
            let json = json.into_iter().filter(|_| !others.is_empty());
            any().enum_values(Some(json.chain(texts))).description(about).into()
        }
        Kind::OneOf(words) => {
            let null = Some(Value::Null).filter(|_| !others.is_empty() && !field.is_required);
            let blank = Some(&"").filter(|_| !field.is_required);
            let words = words.iter().chain(blank).map(|word| Value::from(*word)).chain(null);
            any().enum_values(Some(words)).description(about).into()
        }
        Kind::Sort(_) => schema(&field.kind),
        Kind::List(example) => list(example_of(item(), example), any()),
        Kind::ListLike(pattern) => list(item().pattern(Some(*pattern)), any().pattern(Some(*pattern))),
    }
}

/// Digits that are surely within these: a few more are taken.
fn digits(least: i64, most: i64) -> String {
    let more = most.max(1).ilog10().saturating_sub(1);
    let first = if least > 0 { "[1-9]" } else { "[0-9]" };
    format!("^$|^{first}[0-9]{{0,{more}}}$")
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn schema(kind: &Kind) -> Schema {
    match kind {
        Kind::Text(example) => example_of(text(), example).into(),
        Kind::Like(pattern) => text().pattern(Some(*pattern)).into(),
        Kind::Number(least, most) => {
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(*least)).maximum(Some(*most)).into()
        }
        Kind::Switch => {
            let texts = ["1", "0", "on", "off", "yes", "no"].map(Value::from);
            let words = [Value::Bool(true), Value::Bool(false)].into_iter().chain(texts);
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::Boolean, Type::String]))
                .enum_values(Some(words))
                .into()
        }
        Kind::OneOf(words) => text().enum_values(Some(words.iter().copied())).into(),
        Kind::Sort(words) => text().pattern(Some(format!("^-?({})$", words.join("|")))).into(),
        Kind::List(example) => ArrayBuilder::new().items(example_of(text(), example).build()).into(),
        Kind::ListLike(pattern) => ArrayBuilder::new().items(text().pattern(Some(*pattern)).build()).into(),
    }
}

fn example_of(object: ObjectBuilder, example: &str) -> ObjectBuilder {
    if example.is_empty() { object } else { object.examples([example]) }
}
