//! Headers of HTTP/2 (RFC 7541): requests written without a table, and of answers the status alone.

/// Entries of the static table (RFC 7541, appendix A).
const AUTHORITY: u8 = 1;
const METHOD_GET: u8 = 2;
const METHOD_POST: u8 = 3;
const PATH: u8 = 4;
const SCHEME_HTTP: u8 = 6;
const STATUS: u8 = 8;

/// The statuses of the entries from [`STATUS`] on.
const STATUSES: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];

/// The head of a request, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(in crate::load) struct Fields(Vec<u8>);

impl Fields {
    /// The head of a `POST`.
    pub(in crate::load) fn post(host: &str, path: &str) -> Self {
        Self::new(METHOD_POST, host, path)
    }

    /// The head of a `GET`.
    pub(in crate::load) fn get(host: &str, path: &str) -> Self {
        Self::new(METHOD_GET, host, path)
    }

    fn new(method: u8, host: &str, path: &str) -> Self {
        // An entry of the table as it is (section 6.1).
        let mut fields = Self(vec![0x80 | method, 0x80 | SCHEME_HTTP]);
        fields.0.push(AUTHORITY);
        fields.text(host);
        fields.0.push(PATH);
        fields.text(path);
        fields
    }

    /// The same with one field more, whose name is in lower case.
    pub(in crate::load) fn with(mut self, name: &str, value: &str) -> Self {
        // A field that is kept in no table, with a name of its own (section 6.2.2).
        self.0.push(0);
        self.text(name);
        self.text(value);
        self
    }

    pub(super) fn block(&self) -> &[u8] {
        &self.0
    }

    /// A text as it is (section 5.2), after its length (section 5.1).
    fn text(&mut self, text: &str) {
        const PREFIX_MAX: usize = 127;
        if text.len() < PREFIX_MAX {
            self.0.push(text.len() as u8);
        } else {
            self.0.push(PREFIX_MAX as u8);
            let mut left = text.len() - PREFIX_MAX;
            while left >= 128 {
                self.0.push((left % 128) as u8 | 128);
                left /= 128;
            }
            self.0.push(left as u8);
        }
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// The status of an answer, which comes before all other fields.
pub(super) fn status(mut block: &[u8]) -> Option<u16> {
    // Changes of the size of a table that is not used (section 6.3).
    while let Some((0x20..=0x3f, rest)) = block.split_first() {
        block = rest;
    }
    let (first, rest) = block.split_first()?;
    if first & 0x80 != 0 {
        let index = (first & 0x7f).checked_sub(STATUS)?;
        return STATUSES.get(usize::from(index)).copied();
    }
    // A value of its own, whether it is to be kept or not (section 6.2).
    let index = if first & 0x40 == 0 {
        first & 0x0f
    } else {
        first & 0x3f
    };
    if index != STATUS {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let value = rest.get(..usize::from(length & 0x7f))?;
    if length & 0x80 == 0 {
        return str::from_utf8(value).ok()?.parse().ok();
    }
    digits(value)
}

/// A number of three digits in the code of Huffman (RFC 7541, appendix B): 0 to 2 have five bits, 3 to 9
/// have six.
fn digits(value: &[u8]) -> Option<u16> {
    let mut bits = value
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | bits.next()?;
        }
        let digit = match code {
            0..=2 => code,
            12..=15 => (code << 1 | bits.next()?) - 22,
            _ => return None,
        };
        number = number * 10 + digit;
    }
    (100..1_000).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_all_its_spellings() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(&[0x20, 0x8d, 0x40]), Some(404));
        assert_eq!(status(b"\x48\x03503\x00"), Some(503));
        assert_eq!(status(b"\x08\x03201"), Some(201));
        // 302, as the RFC has it in its example (appendix C.6.1), and 429.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(status(&[0x48, 0x83, 0x68, 0x4f, 0xff]), Some(429));
        for other in [&[][..], &[0x82], &[0x04, 0x01, b'/'], b"\x48\x03x03"] {
            assert_eq!(status(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_long_value_has_a_long_length() {
        let fields = Fields::get("h", "/").with("a", &"x".repeat(127 + 300));
        let expected = [
            0x82, 0x86, 1, 1, b'h', 4, 1, b'/', 0, 1, b'a', 127, 0xac, 2, b'x',
        ];
        assert_eq!(fields.block().get(..15), Some(&expected[..]));
    }
}
