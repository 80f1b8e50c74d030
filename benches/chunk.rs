//! Where large files are cut.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use undo::internals::chunk::{Params, chunks};

use crate::samples;

const LENGTH: usize = 16 << 20;

/// Finding all cut points of 16 MiB of random bytes.
#[divan::bench]
fn cut_noise(bencher: Bencher) {
    let bytes = samples::noise(1, LENGTH);
    bencher.counter(BytesCount::new(LENGTH)).bench(|| chunks(black_box(&bytes), &Params::default()).count());
}

/// Finding all cut points of 16 MiB of text.
#[divan::bench]
fn cut_table(bencher: Bencher) {
    let bytes = samples::table(LENGTH);
    bencher.counter(BytesCount::new(LENGTH)).bench(|| chunks(black_box(&bytes), &Params::default()).count());
}
