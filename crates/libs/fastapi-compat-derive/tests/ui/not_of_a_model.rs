//! What a `ConfigDict` says in Python, and no attribute of a model says here.

macro_rules! models {
    ($($name:ident)*) => {$(
        const _: () = {
            #[derive(fastapi_compat::Decode)]
            #[schema($name = true)]
            struct Model {
                v: i64,
            }
        };
    )*};
}

models! {
    arbitrary_types_allowed
    cache_strings
    coerce_numbers_to_str
    defer_build
    field_title_generator
    from_attributes
    frozen
    hide_input_in_errors
    ignored_types
    json_encoders
    json_schema_mode_override
    json_schema_serialization_defaults_required
    loc_by_alias
    model_title_generator
    plugin_settings
    polymorphic_serialization
    protected_namespaces
    regex_engine
    revalidate_instances
    schema_generator
    ser_json_bytes
    ser_json_inf_nan
    ser_json_temporal
    ser_json_timedelta
    url_preserve_empty_path
    use_enum_values
    val_json_bytes
    val_temporal_unit
    validate_assignment
    validate_by_alias
    validate_default
    validate_return
    validation_error_cause
}

fn main() {}
