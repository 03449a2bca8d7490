//! Bytes that are no text, as people read them: numbers, with what of them are letters beside.

use maud::{Markup, html};

use super::{icon, number};

/// Bytes that are drawn; all of them are in the download.
const SHOWN_BYTES_MAX: usize = 256;
/// Bytes of a line: so many fit beside each other on a phone.
const LINE_BYTES: usize = 8;

/// A block of bytes; its button copies the numbers of those that are drawn, and says how many these are.
pub(crate) fn hex_block(title: &str, bytes: &[u8]) -> Markup {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    let copies = match shown.len() < bytes.len() {
        true => format!("Copy the first {SHOWN_BYTES_MAX} bytes of {title} in hexadecimal; all are in the download"),
        false => format!("Copy {title} in hexadecimal"),
    };
    html! {
        div .code data-hex {
            header {
                span { (title) " · " (number(bytes.len() as i128)) " bytes, no text" }
                button .icon-button.push type="button" title=(copies) aria-label=(copies)
                    data-copy=(numbers(shown, "")) hidden { (icon("copy")) }
            }
            pre tabindex="0" {
                @for (place, line) in shown.chunks(LINE_BYTES).enumerate() {
                    span .faint { (format!("{:04x}", place * LINE_BYTES)) } "  "
                    (format!("{:width$}", numbers(line, " "), width = LINE_BYTES * 3)) " " span .s { (letters(line)) } "\n"
                }
                @if shown.len() < bytes.len() { em .c { "cut here, " (number(bytes.len() as i128)) " bytes in all; the download has them" } }
            }
        }
    }
}

fn numbers(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_numbers_with_letters_beside() {
        let drawn = hex_block("Body", b"\x89PNG <b>\xff\x00").0;
        assert!(drawn.contains("Body · 10 bytes, no text"), "{drawn}");
        assert!(drawn.contains("89 50 4e 47 20 3c 62 3e  <span class=\"s\">.PNG &lt;b&gt;</span>"), "{drawn}");
        // A short line is as wide as a whole one, so that the letters stand below each other.
        assert!(drawn.contains("ff 00                    <span class=\"s\">..</span>"), "{drawn}");
        assert!(drawn.contains("data-copy=\"89504e47203c623eff00\"") && !drawn.contains("cut here"), "{drawn}");
    }

    #[test]
    fn many_bytes_are_cut_and_counted() {
        let drawn = hex_block("Body", &[0xfe; 1_000]).0;
        assert_eq!(drawn.matches("fe fe fe fe fe fe fe fe ").count(), SHOWN_BYTES_MAX / LINE_BYTES);
        assert!(drawn.contains("1,000 bytes, no text") && drawn.contains("cut here, 1,000 bytes in all"), "{drawn}");
        assert_eq!(drawn.matches("Copy the first 256 bytes of Body").count(), 2, "{drawn}");
    }
}
