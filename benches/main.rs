//! Micro-benchmarks of what the speed of `undo` hangs on: `cargo bench`, or `cargo bench -- chunk` for some of them.
//! Allocations are counted beside the time. `docs/performance.md` is about whole commands.
#![allow(missing_docs, clippy::unwrap_used, reason = "a failed benchmark tells by panicking")]

mod chunk;
mod samples;
mod scan;
mod store;
mod tree;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
