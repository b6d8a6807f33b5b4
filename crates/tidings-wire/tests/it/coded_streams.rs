//! A packed stream decodes to its text: block by block as they come, from any block on, and to its
//! end; whatever the text, its size, and the threads that pack at the same time.

use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use tidings_core::coding::{CheckSum, Coding};
use tidings_core::port::Coder as _;
use tidings_wire::coding::BlockCoder;
use tidings_wire::limits::{COMPRESS_BYTES_MIN, ZSTD_FRAME_BYTES_MAX};

use crate::decoding::Decoder;

const CODINGS: [Coding; 3] = [Coding::Identity, Coding::Gzip, Coding::Zstd];

/// Sizes around every limit of the formats and of ours.
const SIZES: [usize; 17] = [
    0, 1, 255, 256, 257, 1_023, 1_024, 1_025, 65_535, 65_536, 65_537, 65_791, 65_792, 131_071,
    131_072, 131_073, 300_000,
];

/// Text as streams have it: it repeats itself.
fn events(bytes: usize) -> Vec<u8> {
    let line = |n: usize| {
        format!(
            "data: {{\"id\":{n},\"kind\":\"order.paid\",\"total\":{}}}\n",
            n * 7
        )
    };
    let mut text: Vec<u8> = (0..=bytes / 30)
        .flat_map(|n| line(n).into_bytes())
        .collect();
    text.truncate(bytes);
    text
}

/// Bytes without any repetition to find (a xorshift generator, seeded).
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(next).collect()
}

/// One packed block, and what it is checked by.
fn packed(coder: &BlockCoder, coding: Coding, text: &[u8]) -> (Vec<u8>, CheckSum) {
    let mut block = Vec::new();
    let check_sum = coder.block(coding, text, &mut block);
    (block, check_sum)
}

/// Packs texts as one stream, and checks that it decodes block by block and as a whole.
fn check_stream(coder: &BlockCoder, coding: Coding, texts: &[Vec<u8>]) {
    let mut decoder = Decoder::new(coding);
    let mut stream = Vec::new();
    let mut told = Vec::new();
    let mut read = Vec::new();
    let mut all = CheckSum::default();

    coder.begin(coding, &mut stream);
    decoder.feed(&stream, &mut read);
    for text in texts {
        let start = stream.len();
        let check_sum = coder.block(coding, text, &mut stream);
        all = coder.join(all, check_sum);
        told.extend_from_slice(text);
        let may_end = decoder.feed(&stream[start..], &mut read);
        assert!(
            read == told,
            "{coding:?}: the block is told as soon as it is there"
        );
        assert_eq!(may_end, coding != Coding::Gzip, "a gzip member has one end");
    }
    let start = stream.len();
    coder.end(coding, all, &mut stream);
    assert!(
        decoder.feed(&stream[start..], &mut read),
        "the stream may end"
    );
    assert!(read == told, "the end tells nothing");
    assert!(
        whole(coding, &stream) == told,
        "{coding:?}: other decoders agree"
    );
}

/// What a decoder of whole files makes of a stream; like `gzip -t` it insists on the end.
fn whole(coding: Coding, stream: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Identity => stream.to_vec(),
        Coding::Gzip => {
            let mut text = Vec::new();
            GzDecoder::new(stream).read_to_end(&mut text).expect("gzip");
            text
        }
        Coding::Zstd => zstd::decode_all(stream).expect("zstd"),
    }
}

/// A text that gains, or one that does not, of a size that is often near the limit.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let limit = COMPRESS_BYTES_MIN;
    let size = prop_oneof![0..100_usize, limit - 3..limit + 3, 0..70_000_usize];
    (size, any::<u64>(), any::<bool>()).prop_map(|(size, seed, gains)| {
        if gains {
            events(size)
        } else {
            noise(size, seed)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_texts_are_told_block_by_block(texts in prop::collection::vec(any_text(), 0..8)) {
        let coder = BlockCoder::default();
        for coding in CODINGS {
            check_stream(&coder, coding, &texts);
        }
    }

    #[test]
    fn a_text_is_told_however_it_is_split(
        cuts in prop::collection::vec(0..20_000_usize, 0..12),
        bytes in any::<bool>(),
    ) {
        let text = if bytes { noise(20_000, 7) } else { events(20_000) };
        let mut cuts = cuts;
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let texts: Vec<_> = cuts.windows(2).map(|cut| text[cut[0]..cut[1]].to_vec()).collect();
        let coder = BlockCoder::default();
        for coding in CODINGS {
            check_stream(&coder, coding, &texts);
        }
    }

    #[test]
    fn check_sums_join_as_their_texts_do(first in any_text(), second in any_text()) {
        let coder = BlockCoder::default();
        for coding in CODINGS {
            let (_, of_first) = packed(&coder, coding, &first);
            let (_, of_second) = packed(&coder, coding, &second);
            let (_, of_both) = packed(&coder, coding, &[&first[..], &second].concat());
            prop_assert_eq!(coder.join(of_first, of_second), of_both);
        }
    }
}

#[test]
fn texts_of_every_size_around_the_limits_are_told() {
    let coder = BlockCoder::default();
    for coding in CODINGS {
        for size in SIZES {
            check_stream(&coder, coding, &[events(size)]);
            check_stream(&coder, coding, &[noise(size, 1)]);
        }
        let all: Vec<_> = SIZES
            .into_iter()
            .flat_map(|size| [events(size), noise(size, 2)])
            .collect();
        check_stream(&coder, coding, &all);
    }
}

#[test]
fn a_block_below_the_limit_is_stored_and_from_there_on_compressed() {
    let coder = BlockCoder::default();
    for coding in [Coding::Gzip, Coding::Zstd] {
        let (stored, _) = packed(&coder, coding, &events(COMPRESS_BYTES_MIN - 1));
        assert!(stored.ends_with(&events(COMPRESS_BYTES_MIN - 1)));
        let (compressed, _) = packed(&coder, coding, &events(COMPRESS_BYTES_MIN));
        assert!(
            compressed.len() < COMPRESS_BYTES_MIN / 2,
            "{}",
            compressed.len()
        );
    }
}

#[test]
fn what_does_not_gain_is_stored() {
    let coder = BlockCoder::default();
    for size in [COMPRESS_BYTES_MIN, 65_535, 65_536, 300_000] {
        let text = noise(size, 3);
        // A header of 5 bytes for every 65,535 bytes of text.
        let (block, _) = packed(&coder, Coding::Gzip, &text);
        assert_eq!(block.len(), size + 5 * size.div_ceil(65_535));
        // At most 9 bytes for the frame, and 3 for every 131,072 bytes of text.
        let (block, _) = packed(&coder, Coding::Zstd, &text);
        assert!(block.len() <= size + 9 + 3 * size.div_ceil(131_072));
    }
}

#[test]
fn a_text_beyond_the_largest_frame_is_told_within_the_window_of_browsers() {
    let coder = BlockCoder::default();
    for text in [
        events(ZSTD_FRAME_BYTES_MAX / 8 + 1).repeat(8),
        noise(ZSTD_FRAME_BYTES_MAX + 1, 4),
    ] {
        check_stream(&coder, Coding::Zstd, &[text]);
    }
}

#[test]
fn a_reader_may_join_at_any_block() {
    let coder = BlockCoder::default();
    let texts = [
        events(900),
        events(5_000),
        noise(3_000, 5),
        events(70_000),
        events(1),
    ];
    for coding in CODINGS {
        let blocks: Vec<_> = texts
            .iter()
            .map(|text| packed(&coder, coding, text))
            .collect();
        for joined in 0..texts.len() {
            let mut stream = Vec::new();
            coder.begin(coding, &mut stream);
            let mut all = CheckSum::default();
            for (block, check_sum) in &blocks[joined..] {
                stream.extend_from_slice(block);
                all = coder.join(all, *check_sum);
            }
            coder.end(coding, all, &mut stream);
            assert!(whole(coding, &stream) == texts[joined..].concat());
        }
    }
}

#[test]
fn a_wrong_check_sum_or_size_is_noticed_at_the_end_of_a_member() {
    let coder = BlockCoder::default();
    let text = events(3_000);
    let (block, right) = packed(&coder, Coding::Gzip, &text);
    let wrong = [
        CheckSum {
            crc32: right.crc32 ^ 1,
            ..right
        },
        CheckSum {
            bytes: right.bytes + 1,
            ..right
        },
    ];
    for wrong in wrong {
        let mut stream = Vec::new();
        coder.begin(Coding::Gzip, &mut stream);
        stream.extend_from_slice(&block);
        coder.end(Coding::Gzip, wrong, &mut stream);
        let read = GzDecoder::new(&stream[..]).read_to_end(&mut Vec::new());
        assert!(read.is_err(), "{wrong:?}");
    }
}

#[test]
fn packing_appends_and_leaves_what_was_there() {
    let coder = BlockCoder::default();
    for coding in CODINGS {
        for text in [events(10), events(10_000), noise(10_000, 6)] {
            let mut out = b"before".to_vec();
            coder.block(coding, &text, &mut out);
            let block = out.strip_prefix(b"before").expect("what was there");
            assert_eq!(block, packed(&coder, coding, &text).0);
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the shells around this crate pack on several threads"
)]
fn threads_that_pack_at_the_same_time_do_not_disturb_each_other() {
    let coder = BlockCoder::default();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let coder = &coder;
            scope.spawn(move || {
                for round in 0..20 {
                    let seed = thread * 1_000 + round;
                    let size = (seed * 7_919 % 20_000) as usize;
                    let texts = [events(size), noise(size, seed), events(size / 2)];
                    check_stream(coder, CODINGS[(seed % 3) as usize], &texts);
                }
            });
        }
    });
}
