//! Tests of dates and times.

use super::*;

/// Parses on a Monday in a zone one hour ahead of UTC.
fn at(text: &str, day: Day) -> String {
    let now: ZonedDateTime = "2026-01-05T14:30:10.5+01:00[+01:00]".parse().unwrap();
    parse_at(text, day, &now).map_or_else(|error| error.to_string(), Timestamp::to_rfc3339)
}

#[test]
fn subtracts_durations_from_now() {
    for (text, expected) in [
        ("now", "2026-01-05T13:30:10.500000000Z"),
        ("10 minutes ago", "2026-01-05T13:20:10.500000000Z"),
        ("2h", "2026-01-05T11:30:10.500000000Z"),
        ("1h 30m ago", "2026-01-05T12:00:10.500000000Z"),
        ("1 month ago", "2025-12-05T13:30:10.500000000Z"),
        ("3 days", "2026-01-02T13:30:10.500000000Z"),
        ("1 week, 2 days ago", "2025-12-27T13:30:10.500000000Z"),
    ] {
        assert_eq!(at(text, Day::End), expected, "{text}");
    }
}

#[test]
fn reads_times_without_a_zone_as_local() {
    for (text, expected) in [
        ("2026-01-04 09:05", "2026-01-04T08:05:00.000000000Z"),
        ("2026-01-04T09:05:01", "2026-01-04T08:05:01.000000000Z"),
        ("2026-01-04T09:05:01.25Z", "2026-01-04T09:05:01.250000000Z"),
        ("2026-01-04T09:05:01+03:00", "2026-01-04T06:05:01.000000000Z"),
        ("08:00", "2026-01-05T07:00:00.000000000Z"),
        ("08:00:59", "2026-01-05T07:00:59.000000000Z"),
    ] {
        assert_eq!(at(text, Day::Begin), expected, "{text}");
    }
}

#[test]
fn reads_a_date_as_the_start_or_end_of_the_day() {
    for (text, begin, end) in [
        ("2026-01-04", "2026-01-03T23:00:00.000000000Z", "2026-01-04T22:59:59.999999999Z"),
        ("yesterday", "2026-01-03T23:00:00.000000000Z", "2026-01-04T22:59:59.999999999Z"),
        ("today", "2026-01-04T23:00:00.000000000Z", "2026-01-05T22:59:59.999999999Z"),
    ] {
        assert_eq!((at(text, Day::Begin), at(text, Day::End)), (begin.to_owned(), end.to_owned()), "{text}");
    }
}

#[test]
fn reads_words_in_any_case_and_order() {
    for (text, begin, end) in [
        ("an hour ago", "01-05T13:30:10.5", "01-05T13:30:10.5"),
        ("A Week Ago", "2025-12-29T14:30:10.5", "2025-12-29T14:30:10.5"),
        ("three days ago 10:00", "01-02T10:00:00", "01-02T10:00:00"),
        ("1.week.ago", "2025-12-29T14:30:10.5", "2025-12-29T14:30:10.5"),
        ("last month", "2025-12-05T14:30:10.5", "2025-12-05T14:30:10.5"),
        ("-1d", "01-04T14:30:10.5", "01-04T14:30:10.5"),
        ("noon", "01-05T12:00:00", "01-05T12:00:00"),
        ("midnight", "01-05T00:00:00", "01-05T00:00:00"),
        ("Yesterday 9am", "01-04T09:00:00", "01-04T09:00:00"),
        ("9:30 PM yesterday", "01-04T21:30:00", "01-04T21:30:00"),
        ("yesterday at noon", "01-04T12:00:00", "01-04T12:00:00"),
        ("12am", "01-05T00:00:00", "01-05T00:00:00"),
        ("last monday", "2025-12-29T00:00:00", "2025-12-29T23:59:59.999999999"),
        ("Monday", "01-05T00:00:00", "01-05T23:59:59.999999999"),
        ("fri 14:00", "01-02T14:00:00", "01-02T14:00:00"),
        ("2026/01/03", "01-03T00:00:00", "01-03T23:59:59.999999999"),
        ("2026-1-3", "01-03T00:00:00", "01-03T23:59:59.999999999"),
        ("2026.01.03 8:05", "01-03T08:05:00", "01-03T08:05:00"),
        ("jan 3", "01-03T00:00:00", "01-03T23:59:59.999999999"),
        ("3rd January 2025, 7pm", "2025-01-03T19:00:00", "2025-01-03T19:00:00"),
        ("Dec 24", "2025-12-24T00:00:00", "2025-12-24T23:59:59.999999999"),
        ("@1767618000", "01-05T14:00:00", "01-05T14:00:00"),
        ("1767618000.5", "01-05T14:00:00.5", "01-05T14:00:00.5"),
        ("Mon, 5 Jan 2026 14:00:00 +0100", "01-05T14:00:00", "01-05T14:00:00"),
        ("Mon Jan 5 14:00:00 2026 +0100", "01-05T14:00:00", "01-05T14:00:00"),
        ("2026-01-05 14:00:00 +0100", "01-05T14:00:00", "01-05T14:00:00"),
        ("2026-01-05t13:00:00z", "01-05T14:00:00", "01-05T14:00:00"),
    ] {
        let expected = [begin, end].map(|time| {
            let year = if time.starts_with("20") { "" } else { "2026-" };
            let time: jiff::Timestamp = format!("{year}{time}+01:00").parse().unwrap();
            Timestamp::from(time).to_rfc3339()
        });
        let [begin, end] = [Day::Begin, Day::End].map(|day| at(text, day));
        assert_eq!([&begin, &end.replace(":00.999999999Z", ":00.000000000Z")], expected.each_ref(), "{text}");
    }
}

#[test]
fn a_time_without_a_fraction_names_its_second() {
    for text in ["2026-01-05 09:23:55", "09:23:55", "2026-01-05T08:23:55Z", "2026-01-05 09:23:55 +0100", "@1767601435"]
    {
        let expected = ["2026-01-05T08:23:55.000000000Z", "2026-01-05T08:23:55.999999999Z"];
        assert_eq!([at(text, Day::Begin), at(text, Day::End)], expected, "{text}");
    }
    assert_eq!(at("2026-01-05 09:23:55.25", Day::End), "2026-01-05T08:23:55.250000000Z");
}

#[test]
fn a_time_after_now_needs_no_guessing() {
    assert_eq!(at("+1 day", Day::End), "`+1 day` is in the future");
    assert_eq!(at("+2h", Day::Begin), "`+2h` is in the future");
    assert_eq!(at("+x", Day::Begin), "`+x` is not a valid date or time");
    assert_eq!(at("tomorrow", Day::Begin), "2026-01-05T23:00:00.000000000Z");
}

#[test]
fn parses_exact_times_with_their_zone() {
    let parsed = |text: &str| exact(text).map(|(time, offset)| format!("{} {offset}", time.to_rfc3339())).ok();
    for (text, expected) in [
        ("2026-01-05T14:00:00.25+01:00", "2026-01-05T13:00:00.250000000Z 3600"),
        ("2026-01-05T14:00:00-05:30", "2026-01-05T19:30:00.000000000Z -19800"),
        ("2026-01-05T14:00:00Z", "2026-01-05T14:00:00.000000000Z 0"),
        ("1767621600", "2026-01-05T14:00:00.000000000Z 0"),
        ("1767621600.000000005 +01:00", "2026-01-05T14:00:00.000000005Z 3600"),
        ("1767621600-25:59", "2026-01-05T14:00:00.000000000Z -93540"),
        ("-1.5-00:30", "1969-12-31T23:59:58.500000000Z -1800"),
        ("-1", "1969-12-31T23:59:59.000000000Z 0"),
    ] {
        assert_eq!(parsed(text).as_deref(), Some(expected), "{text}");
    }
    for bad in [
        "",
        "now",
        "yesterday",
        "-",
        "+",
        "1767621600+1:00",
        "1767621600+26:00",
        "1767621600+00:60",
        "1767621600Z",
        "2026-01-05",
        "2026-01-05T14:00:00",
        "2026-01-05T14:00:00+1",
        "é",
        "é+01:00",
        "1+",
        "12:00+01:00",
    ] {
        assert_eq!(parsed(bad), None, "{bad}");
    }
}

#[test]
fn rejects_invalid_times() {
    for text in [
        "",
        "x",
        "5",
        "2026-13-01",
        "2026-01-05 25:00",
        "25:00",
        "ten minuets",
        "P1D\0",
        "9999999999 years",
        "ago",
        "last",
        "last x",
        "noon noon",
        "yesterday 2h ago",
        "yesterday monday",
        "9",
        "13am",
        "0pm",
        "9:5",
        "feb 30",
        "jan",
        "2026-1",
        "2026-01/05",
        "26-01-05",
        "1 2 3",
        "@",
        "@x",
        "@1.2.3",
        "never",
        "1.5.2026",
        "-",
        "+",
    ] {
        assert_eq!(at(text, Day::End), format!("`{}` is not a valid date or time", text.escape_debug()));
    }
}
