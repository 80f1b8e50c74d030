//! Values that limit something, or nothing.

/// The value that limits nothing.
pub const NONE: &str = "none";

/// A limit as text.
pub fn limit_text(limit: Option<impl ToString>) -> String {
    limit.map_or(NONE.to_owned(), |limit| limit.to_string())
}

/// Parses a limit. `None` if the text is not valid.
pub fn parse_limit<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { parse(text).map(Some) }
}
