//! Packs lines into the blocks of one stream, for a program that serves it to a real client.
//!
//! The arguments are what the client's `Accept-Encoding` and `User-Agent` say. Each line of the input
//! is a text as a JSON string; the first line of the output is the `Content-Encoding`, or `identity`,
//! and each further one is bytes of the stream in base64: its beginning, a block per line of the
//! input, and its end once the input has ended.
#![expect(clippy::print_stdout, reason = "the blocks are this program's output")]

use std::env;
use std::error::Error;
use std::io::{BufRead as _, stdin};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidings_core::coding::CheckSum;
use tidings_core::port::Coder as _;
use tidings_wire::coding::{BlockCoder, content_encoding, negotiate};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let coding = negotiate(arguments.next().as_deref(), arguments.next().as_deref());
    println!("{}", content_encoding(coding).unwrap_or("identity"));

    let coder = BlockCoder::default();
    let mut all = CheckSum::default();
    let mut block = Vec::new();
    coder.begin(coding, &mut block);
    println!("{}", STANDARD.encode(&block));
    for line in stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        block.clear();
        let check_sum = coder.block(coding, text.as_bytes(), &mut block);
        all = coder.join(all, check_sum);
        println!("{}", STANDARD.encode(&block));
    }
    block.clear();
    coder.end(coding, all, &mut block);
    println!("{}", STANDARD.encode(&block));
    Ok(())
}
