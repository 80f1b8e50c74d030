//! Tests messages of errors.

use super::*;

#[test]
fn system_errors_have_messages_kinds_and_hints() {
    let full = Error::io("write", Path::new("a/b"), std::io::Error::from_raw_os_error(28));
    assert_eq!(full.to_string(), "cannot write `a/b`: no space left on device");
    assert_eq!((full.kind(), full.kind().exit()), (ErrorKind::NoSpace, Exit(13)));
    let denied = Error::io("read", Path::new("x"), std::io::Error::from_raw_os_error(13)).context("recording");
    assert_eq!(denied.to_string(), "recording: cannot read `x`: permission denied");
    let odd = Error::io("read", Path::new("it's/x"), std::io::Error::from_raw_os_error(13));
    assert_eq!(odd.hint_text().as_deref(), Some(r"to see the permissions: ls -la 'it'\''s'"));
}
