//! Numbers in every form, and what is none.

use proptest::prelude::*;

use super::*;

const COUNT: Unit = Unit::Count(std::borrow::Cow::Borrowed("things"));
const MOST: u64 = 1 << 53;

fn read(text: &str, unit: &Unit) -> Result<f64, Unusable> {
    Measure::read(Scalar::Text(text))?.in_unit(unit).map(Number::as_f64)
}

#[test]
fn numbers_are_exact_or_too_large() {
    let whole = |number| Measure::read(Scalar::Whole(number));
    let fraction = |number| Measure::read(Scalar::Fraction(number));
    assert_eq!(whole(MOST), Ok(Number::Whole(MOST).into()));
    assert_eq!(fraction(12.0), Ok(Number::Whole(12).into()));
    assert_eq!(fraction(-0.0), Ok(Number::Whole(0).into()));
    assert_eq!(fraction(-(MOST as f64)), Ok(Number::Fraction(-(MOST as f64)).into()));
    for number in [MOST + 1, u64::MAX / 2, u64::MAX] {
        assert_eq!(whole(number), Err(Unusable::TooLarge), "{number}");
    }
    for number in [1e16, -1e16, 1e300, f64::MAX] {
        assert_eq!(fraction(number), Err(Unusable::TooLarge), "{number}");
    }
    for value in [Scalar::Null, Scalar::Switch(true), Scalar::Structure, Scalar::Fraction(f64::NAN)] {
        assert_eq!(Measure::read(value), Err(Unusable::NotANumber), "{value:?}");
    }
}

#[test]
fn texts_without_a_unit_are_in_any() {
    let cases = [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("12,345", 12_345.0),
        ("1,234,567", 1_234_567.0),
        ("-1,234.5", -1234.5),
        ("0.25", 0.25),
        ("1e5", 100_000.0),
        ("-1", -1.0),
    ];
    for (text, number) in cases {
        for unit in [COUNT, Unit::Bytes, Unit::Seconds, Unit::Percent] {
            assert_eq!(read(text, &unit), Ok(number), "{text}");
        }
    }
    for text in ["18446744073709551616", "9007199254740994", "9,007,199,254,740,994", "-1e300", "9999T"] {
        assert_eq!(read(text, &Unit::Bytes), Err(Unusable::TooLarge), "{text}");
    }
}

#[test]
fn a_unit_must_be_the_counters_own() {
    let cases = [
        (
            Unit::Bytes,
            &[
                ("12 MB", 12_582_912.0),
                ("17.50K", 17_920.0),
                ("388g", 416_611_827_712.0),
                ("12B", 12.0),
                ("1,024KB", 1_048_576.0),
            ][..],
        ),
        (
            Unit::Seconds,
            &[
                ("00:05:12", 312.0),
                ("100:00:00", 360_000.0),
                ("1 day", 86_400.0),
                ("2 days", 172_800.0),
                ("2 days, 0:00:01", 172_801.0),
            ],
        ),
        (Unit::Percent, &[("12%", 12.0), ("0.5 %", 0.5), ("130%", 130.0), ("-1%", -1.0)]),
    ];
    for (own, texts) in &cases {
        for (text, number) in *texts {
            assert_eq!(read(text, own), Ok(*number), "{text}");
            for other in cases.iter().map(|(unit, _)| unit).chain([&COUNT]).filter(|unit| *unit != own) {
                assert_eq!(read(text, other), Err(Unusable::NotANumber), "{text} in {other:?}");
            }
        }
    }
}

#[test]
fn what_is_no_number_is_not_guessed() {
    let texts = [
        "",
        "N/A",
        "None",
        "-",
        "NaN",
        "inf",
        "infinity",
        "UNKNOWNLIST",
        "12,34",
        "1,2345",
        ",123",
        "1,,234",
        "1.234,5",
        "1,234.",
        "12 345",
        "0x10",
        "1_000",
        "K",
        "B",
        ".",
        "-1K",
        "1e5K",
        "1P",
        "1KK",
        "1.2.3K",
        "ü",
        "5ü",
        "12:30",
        "0:5:12",
        "00:60:00",
        "1:2:3:4",
        "days",
        "x days",
        "2 dayz",
        "2 days 12",
        "%",
        "12%%",
        "12 12%",
        "1 2",
        "2026-11-23",
    ];
    for text in texts {
        for unit in [COUNT, Unit::Bytes, Unit::Seconds, Unit::Percent] {
            assert_eq!(read(text, &unit), Err(Unusable::NotANumber), "{text}");
        }
    }
    assert_eq!(read(&"9".repeat(400), &COUNT), Err(Unusable::NotANumber), "infinite");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(any in ".*", near in "[-+0-9.,:% KMGTBdays]{0,12}") {
        for text in [any, near] {
            if let Ok(measure) = Measure::read(Scalar::Text(&text)) {
                prop_assert!(measure.as_f64().abs() <= MOST as f64, "{text}");
            }
        }
    }

    #[test]
    fn what_was_grouped_is_the_same_number(number in 0..=MOST) {
        let digits = number.to_string();
        let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
        prop_assert_eq!(Measure::read(Scalar::Text(&groups.join(","))), Ok(Number::Whole(number).into()));
    }
}
