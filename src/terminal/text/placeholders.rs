//! Parses format strings: text with placeholders that begin with `%`.

use crate::error::Result;

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<F> {
    /// Text to print as it is.
    Bytes(Vec<u8>),
    /// A field of the record.
    Field(F),
}

/// What a `%` may begin apart from `%%` and `%xNN` (a byte): returns the piece and the text after it. Fails for anything else.
pub type Placeholder<'p, F> = dyn Fn(&str) -> Result<(Piece<F>, &str)> + 'p;

/// Splits a format into pieces. Adjacent bytes are one piece.
pub fn parse<F>(text: &str, placeholder: &Placeholder<'_, F>) -> Result<Vec<Piece<F>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        push(&mut pieces, Piece::Bytes(before.as_bytes().to_vec()));
        let (piece, after) = match (after.strip_prefix('%'), hex_byte(after)) {
            (Some(after), _) => (Piece::Bytes(b"%".to_vec()), after),
            (None, Some(found)) => found,
            (None, None) => placeholder(after)?,
        };
        push(&mut pieces, piece);
        rest = after;
    }
    push(&mut pieces, Piece::Bytes(rest.as_bytes().to_vec()));
    Ok(pieces)
}

/// `xNN`
fn hex_byte<F>(text: &str) -> Option<(Piece<F>, &str)> {
    let (digits, rest) = text.strip_prefix('x')?.split_at_checked(2)?;
    // `from_str_radix` accepts a sign.
    let byte = digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16));
    Some((Piece::Bytes(vec![byte?.ok()?]), rest))
}

fn push<F>(pieces: &mut Vec<Piece<F>>, piece: Piece<F>) {
    match (pieces.last_mut(), piece) {
        (_, Piece::Bytes(bytes)) if bytes.is_empty() => {}
        (Some(Piece::Bytes(before)), Piece::Bytes(bytes)) => before.extend(bytes),
        (_, piece) => pieces.push(piece),
    }
}
