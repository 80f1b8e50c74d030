//! Gear: a rolling hash of the last 64 bytes, so a cut depends on nothing before them.
//!
//! Wen Xia et al., "Ddelta: a deduplication-inspired fast delta compression approach" (2014).

/// Number of bytes that the hash depends on: each step shifts it by one of 64 bits.
pub const WINDOW: usize = 64;

/// Adds one byte to the hash.
pub fn step(hash: u64, &byte: &u8) -> u64 {
    (hash << 1).wrapping_add(TABLE[usize::from(byte)])
}

/// End of the first chunk: after the first byte beyond [`WINDOW`] at which the hash is less than 2^64 / `target`.
pub fn find(bytes: &[u8], target: u32) -> Option<usize> {
    let threshold = 1 << (u64::BITS - target.ilog2());
    let (warm_up, rest) = bytes.split_at_checked(WINDOW)?;
    let mut hash = warm_up.iter().fold(0, step);
    let mut ends = |byte: &u8| {
        hash = step(hash, byte);
        hash < threshold
    };
    // Eight bytes per iteration: the compiler unrolls the inner loop, which is a third faster.
    let (eights, last) = rest.as_chunks::<8>();
    for (n, eight) in eights.iter().enumerate() {
        for (at, byte) in eight.iter().enumerate() {
            if ends(byte) {
                return Some(WINDOW + 8 * n + at + 1);
            }
        }
    }
    let at = last.iter().position(ends)?;
    Some(WINDOW + 8 * eights.len() + at + 1)
}

/// Part of the format: 256 little-endian numbers from the extended output of BLAKE3 of "undo gear v1".
#[rustfmt::skip]
static TABLE: [u64; 256] = [
    0x0a314007138fa243, 0xd52dd8b44f6d72f0, 0x8f9972cc2f37ecc8, 0x044e52994561954f,
    0x7c4f2fb076ca7fc1, 0x2fc497d0dd24c85b, 0xf56cd47285a0b6c8, 0x101ea881d75b8527,
    0x062987333fe5eb9e, 0x682934c08936a579, 0xd5f3202fed4cb174, 0x5b5510b9b7df602a,
    0x17a943243538166d, 0x23bde2ca455fb92d, 0xd9d12ff0bb16ed57, 0x7f999cf8c6ffe2ee,
    0xd5a250da4ed3c782, 0xf3b5d83db2aa4c51, 0x5bd708c567609c9c, 0x1f235ab0b7c2628e,
    0x4e020980315bcaab, 0xe12fbac31c51fbaf, 0x74407e47af939aee, 0xc5e19babfba37a1c,
    0x48fcdc972a9c3827, 0xbd697c36d2a1db2e, 0xa15ce907107edd9a, 0xff3369da14387487,
    0xf8d6e9b935632f60, 0xe271a56fc0799474, 0xdb223534ac7d6dff, 0xeaf43af730607d78,
    0xde0a7911584122c9, 0xb240dc5fb0b1ccff, 0xc1a85a6e72f34949, 0xca6579539dd72627,
    0x77c40f368d2dbe14, 0xd7702ee06a31b916, 0xf8818d960d256280, 0x51b49d7843f8751a,
    0x68685477f31c32fd, 0x9dd08d3f630b3df4, 0x034853ae9bf1a20d, 0xfcb8e9a15e26c7f9,
    0x0ff857a8ca55773d, 0xce8fb8ebd1b8b1dd, 0x2785c0656cc97cff, 0x2c8d080710411790,
    0x70f7fb0a2517121b, 0x3b668b92f0c90dc6, 0x01ddc1a6d68b399c, 0xeaa997876c3b42b7,
    0x111e7c2affb4582c, 0xae948a63146941bf, 0x5419e055e9fec9b0, 0x0156f5d5e8c90d92,
    0x2e3eccd266f658c0, 0x12c8e9122afb1924, 0xa8d98693c05dca98, 0xdd60fd872aaf1828,
    0x1a350cf27d56b2d4, 0x941a2b516dedb43c, 0x19c07452bd86b88c, 0xc838037e30bf51a3,
    0xc470aee911968a85, 0x49969ab96dd1b828, 0x595ca6cf47a75d31, 0x24589c48fc6fb9db,
    0x7ef8eada010a5c7e, 0xe6cf211b07a8f41b, 0x0fd8bbcd9acf6ac6, 0xf0ff8f05d6ffcb3b,
    0xf91a016054d7353c, 0x9135e981fcef93e9, 0xf8dcf683fcd019e3, 0x00fa31b8552a6aee,
    0x2bd74bf4bd952a0e, 0x828843fb76505194, 0xd9e8e68740943f47, 0x022ed69b452d684d,
    0x5265d8b5daff7133, 0xf45ba5e2b68b02c0, 0xe8f3183ad944969a, 0x4e08dd352f4eaa40,
    0x311b2c3aba0cb30e, 0x28ab31bb0a2aebe8, 0x3228751d784d065c, 0xc00d02e93cb01e56,
    0xeaca56951e041598, 0xffb91d58ad174550, 0xcfbdcbbfccf18682, 0x6767301455fb2ee6,
    0x69cf66fa6dc2aaa8, 0x2949ba5a50241f5d, 0x53702159aca70139, 0x3af9c059910b2829,
    0xc397c67d2cd8ed68, 0x2ac6debf07c1ccc2, 0x4763b1ff6e6288bd, 0xdfbeed18b0e820ca,
    0x9f0f1acaa9607d45, 0x67514c3ed85b509a, 0x51c6c7727140ddd8, 0x60279bec7521a86f,
    0xeb3833268e6d9bff, 0x86d873bea94412c7, 0xf14309c6770c9fc3, 0x95a6cb4995563695,
    0x6dfc61abd86a2302, 0x2f592ae5ae3e42db, 0x17b0279d7a90b979, 0x2b6c7be9e8a833bb,
    0x1a98fa66ce09a642, 0x461a89836ad3b95f, 0x4b42b8e8b6d75d64, 0x5f73518b940b13f3,
    0x868b0d7af59387a1, 0xda7428c0bd14234c, 0xe7f11209a0ee97ce, 0x481f068c02540dbd,
    0x329bf033e5692a53, 0x3c9cfbd5e72a60e5, 0x42b9a88f6c84f6a5, 0x3ce52d5f76a390cf,
    0xec174421de73bc80, 0x31596ca0cd91ca33, 0x2df5f56457bc4044, 0x62234532af01c33e,
    0x0813834301cbee2a, 0x7ad8b97abaf7ceb3, 0x9785a6cc259a5a28, 0xfbf77e7e49301b38,
    0x5db6a8759dd2d244, 0xf16fadc6bdd7a2f5, 0x8173cf1304831b4a, 0xa37b5c00e6ddbb22,
    0x33e03f0d08b5f1d0, 0x747c0d1b00218680, 0x8b2857632d248111, 0xa2a868fa077cf0cb,
    0x4cc72146249e571e, 0x82550381d764dfe1, 0x2c05da3a6a16ad6c, 0x035e9a5a6e2e7ede,
    0x7f40a0b8fcaea980, 0x96e4e47e55ad9b8e, 0xacfa3e276b8e43a2, 0x0e56709dffeae9cc,
    0x5de7066e5c582936, 0xc4601533f15720e2, 0xfb009e0726ff3bb8, 0xc9ddbf8928c85073,
    0xed2783c8c2d5134b, 0xdc7b1dfb22852c1e, 0x7e707c04eff487a5, 0xbf83b660cd16f0a7,
    0x165cdf6cc44318e5, 0xeb22d73ee0276d15, 0x12aaa4e742d693b9, 0xec32ca0e9eee35fd,
    0x02d54a9e8fe30735, 0x31acf1377eac17f7, 0xb82af416dffad94e, 0x83a3312d7507992e,
    0xc7442f29ee85c6d3, 0x8c427cc5da1ea55e, 0x7722b90ea812b0e0, 0xfccae0c4fa5ac1c5,
    0x28eabcdd39b06130, 0x71ac8a80af91e1cc, 0xf8b5e9f8be50994f, 0x42479657fba54746,
    0xf39d8acb266e87dd, 0x9d208eb1ffb6c1d1, 0xdc70e6b86266f00a, 0x5d280e082f634acc,
    0x8a7193bfad24c59f, 0xd30cae11020c46a9, 0xab979b85a7a5888c, 0x7aee955417fe8d3e,
    0x2f4c548a08a7931b, 0x6a6f1e8309fb7f2c, 0x608400a763c4521c, 0x7ae2b3bbdbfb2628,
    0x97633056955395e2, 0x00e704de82dde4b8, 0xd2bfd9a97524ac12, 0x3b463a49768564dd,
    0xc17b4cbcef918104, 0xc0f8e3b4ea322407, 0xf691c48e0216b9a6, 0xe578046b5d0697ba,
    0xb69d8193951aef1d, 0x73666277ad980e25, 0x19f19364dfa7ea65, 0xa47a188431f080d4,
    0xb08b44dadc98c63a, 0xf021935b2519a400, 0x2c63fe996ce307ea, 0xf0de6b39bc5d3c90,
    0x668a0c253cbdaf38, 0x69393bb81174177e, 0xfbeaef522bc47b83, 0x5536768da7954f5c,
    0x4e154d4d5d048b3c, 0x1946540cbb1c0bf2, 0x87a2fe65850f331e, 0x4002badee4098650,
    0xeb65bead6967b83b, 0x5f55d597f29a9fea, 0x2d3b6884b8499338, 0x0aedf34395fb237c,
    0x729fa11d59b5e07e, 0x236729a9e81627cd, 0x61ca91090d770381, 0x9a926ae508e1188c,
    0xba11ce46ef0c2b52, 0x1d300cca4cd441ff, 0x0f9ed16efc148584, 0xd401acbbcacb180d,
    0xec7595967a720ed5, 0x610c2cc445f6e01b, 0x729b02953ac01378, 0x326982fb34b5a996,
    0x2559704fadd82d4b, 0x3cbafb8f3ea44aae, 0x7578e22f6a36c3fe, 0x9b8282d97a821172,
    0xec6e93ad7b5ba81d, 0x338984e3715933a7, 0x9223020c8b096c4f, 0x43c27849244cf913,
    0xb9163effddbb21dd, 0x4b2c554659289620, 0xd4ac92a4300f255a, 0xd42cca5c7edd82b7,
    0xd527c372e2ac6295, 0x6bfcc867b7d465df, 0xd63a210078569c68, 0xec7b5d51f741b90e,
    0x7f9b1532e176b3f2, 0xf7dc83761ee36655, 0xbb9ba27a84d96292, 0x6817f486c855de5a,
    0x04950e516dae864e, 0xe9779d5ada4c4713, 0xdefc2382859e7588, 0xb5a3041ea0d83646,
    0xf2b89731126759d0, 0xc38e6f5c6ad9843a, 0xdffc40b23e5df23f, 0x566f4363a33bcde0,
    0x95a3995d3cfe90bc, 0x24445bbf39dd1c33, 0xa9dbb5b33d5fb8ea, 0xd2b0498d7d1d91d8,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_blake3_says() {
        let mut output = [0; 2048];
        blake3::Hasher::new().update(b"undo gear v1").finalize_xof().fill(&mut output);
        let expected: Vec<u64> = output.as_chunks().0.iter().map(|eight| u64::from_le_bytes(*eight)).collect();
        assert_eq!(TABLE[..], expected[..]);
    }
}
