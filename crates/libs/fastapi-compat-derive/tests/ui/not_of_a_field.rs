//! What a `Field`, a parameter, an annotation, a validator or a serializer says in Python, and no attribute
//! of a field says here.

macro_rules! fields {
    ($($name:ident)*) => {$(
        const _: () = {
            #[derive(fastapi_compat::Decode)]
            struct Model {
                #[schema($name = true)]
                v: i64,
            }
        };
    )*};
}

fields! {
    alias_priority
    allowed_schemes
    ascii_only
    check_fields
    coerce_numbers_to_str
    custom_error_context
    custom_error_message
    custom_error_type
    default_host
    default_path
    default_port
    discriminator
    example
    exclude
    exclude_if
    fail_fast
    field_title_generator
    frozen
    func
    host_required
    include_in_schema
    init
    init_var
    json_schema_input_type
    kw_only
    media_type
    mode
    openapi_examples
    preserve_empty_path
    regex
    repr
    return_type
    union_mode
    unique_items
    validate_default
    when_used
}

fn main() {}
