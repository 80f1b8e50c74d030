//! Golden vectors and laws of cut points.

use proptest::prelude::*;

use super::{Params, chunks, cut, gear};

/// Small, so that tests are quick.
const SMALL: Params = Params { whole: 4096, target: 4096 };

/// Bytes without any order, the same on every machine.
fn noise(seed: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(seed.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn text(length: usize) -> Vec<u8> {
    (0..).flat_map(|n: u32| format!("{n}: all that is written can be read\n").into_bytes()).take(length).collect()
}

fn lengths(bytes: &[u8], params: &Params) -> Vec<usize> {
    chunks(bytes, params).map(<[u8]>::len).collect()
}

/// Cuts as specified in `docs/format.md`, slowly, without state between bytes.
fn cut_by_the_book(bytes: &[u8], params: &Params) -> usize {
    let target = u128::from(params.target);
    let hash = |end: usize| bytes[end - 64..end].iter().fold(0u64, gear::step);
    (params.minimum() + 1..params.maximum().min(bytes.len()))
        .find(|&length| u128::from(hash(length)) < (1 << 64) / target)
        .unwrap_or(bytes.len().min(params.maximum()))
}

#[test]
fn golden_cuts() {
    let standard = Params::default();
    let target = standard.minimum();
    assert!(lengths(&[], &standard).is_empty());
    assert_eq!(lengths(&[0], &standard), [1]);
    assert_eq!(lengths(&noise("a", target - 1), &standard), [target - 1]);
    assert_eq!(lengths(&noise("a", target), &standard), [target]);
    assert_eq!(lengths(&noise("a", target + 1), &standard), [target + 1]);
    assert_eq!(lengths(&noise("a", 8 * target), &standard), [304010, 454264, 242147, 48155]);
    assert_eq!(lengths(&vec![0; 20 * target], &standard), [1048576, 1048576, 524288]);
    assert_eq!(lengths(&vec![255; 20 * target], &standard), [1048576, 1048576, 524288]);
    assert_eq!(
        lengths(&noise("b", 16 * target), &standard),
        [183709, 312093, 198244, 248042, 132684, 137252, 350054, 253022, 282052]
    );
    assert_eq!(
        lengths(&text(16 * target), &standard),
        [131605, 289614, 134424, 319288, 374694, 292805, 306470, 248252]
    );
    assert_eq!(lengths(&noise("c", 50_000), &SMALL), [4401, 7557, 14692, 4167, 5065, 9766, 4352]);
}

#[test]
fn chunk_lengths_stay_within_bounds() {
    let bytes = noise("d", 4 << 20);
    let lengths = lengths(&bytes, &SMALL);
    assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
    let (_, all_but_last) = lengths.split_last().unwrap();
    assert!(all_but_last.iter().all(|length| (SMALL.minimum()..=SMALL.maximum()).contains(length)));
    let mean = bytes.len() / lengths.len();
    assert!((7000..9400).contains(&mean), "the mean is {mean}, near twice the target");
}

#[test]
fn chunk_parameters_have_bounds() {
    let valid = |whole, target| Params { whole, target }.validate().is_ok();
    assert!(Params::default().validate().is_ok());
    assert!(valid(4096, 4096) && valid(32 << 20, 4 << 20));
    assert!(!valid(1 << 20, 0) && !valid(1 << 20, 2048) && !valid(32 << 20, 8 << 20) && !valid(1 << 20, 100_000));
    assert!(!valid(4095, 4096) && !valid((32 << 20) + 1, 4096));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn cuts_match_the_specification(seed in any::<String>(), length in 0..60_000usize, runs in any::<bool>()) {
        let mut bytes = noise(&seed, length);
        if runs {
            bytes.iter_mut().for_each(|byte| *byte &= 1);
        }
        prop_assert_eq!(cut(&bytes, &SMALL), cut_by_the_book(&bytes, &SMALL));
    }

    #[test]
    fn cuts_depend_only_on_bytes_since_the_last_cut(seed in any::<String>(), behind in any::<Vec<u8>>()) {
        let bytes = noise(&seed, 100_000);
        let end = cut(&bytes, &SMALL);
        let other = [&bytes[..end], &behind, &noise("other", SMALL.maximum())].concat();
        prop_assert_eq!(cut(&other, &SMALL), end);
    }

    #[test]
    fn cuts_resynchronize_after_an_insertion(
        seed in any::<String>(),
        at in 0..20_000usize,
        more in 1..5000usize,
    ) {
        let old = noise(&seed, 400_000);
        let new = [&old[..at], &noise("more", more), &old[at..]].concat();
        let ends = |bytes: &[u8]| -> Vec<usize> {
            lengths(bytes, &SMALL).iter().scan(0, |end, length| { *end += length; Some(*end) }).collect()
        };
        let (before, after) = (ends(&old), ends(&new));
        let met = |end: &usize| *end > at && after.contains(&(end + more));
        let same: Vec<usize> = before.iter().copied().filter(met).collect();
        prop_assert!(same[0] < at + 20 * SMALL.maximum() && same.contains(&old.len()));
        let rest = before.iter().position(|end| *end == same[0]).unwrap();
        prop_assert_eq!(&before[rest..], &same[..], "once met, met for ever");
    }
}
