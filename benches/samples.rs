//! What is measured with: bytes that are the same every time.

/// Bytes that no codec makes shorter.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Lines of a table, which every codec makes shorter.
pub fn table(length: usize) -> Vec<u8> {
    let lines = (0u64..).flat_map(|n| {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{n},{},{}.{}\n", mixed >> 44, mixed % 97, mixed % 1000).into_bytes()
    });
    lines.take(length).collect()
}
