//! A line of JSON, spread over many for people and for `diff`.
//!
//! The text is moved, never read and written again: numbers keep all of their digits. It knows JSON only.

/// A value of JSON, one key or element a line.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("a value of JSON can be written") + "\n"
}

/// The same of JSON that is text already.
pub(crate) fn spread(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut quoted, mut escaped) = (false, false);
    let mut characters = json.trim().chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = characters.next() {
        if quoted {
            text.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    text.extend(characters.next());
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                quoted = c == '"';
                text.push(c);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_spread_as_serde_would_spread_it() {
        for json in
            [r#"{"a":{"b":[1,2.5,{"c":null}],"d":"x,{[\"\\"},"e":[],"f":{}}"#, "[]", "7", r#"["\\\\","\\\"",":"]"#]
        {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(spread(json), serde_json::to_string_pretty(&value).unwrap());
        }
    }

    #[test]
    fn numbers_keep_all_of_their_digits() {
        assert_eq!(spread(r#"{"x":3.140000000000000000001}"#), "{\n  \"x\": 3.140000000000000000001\n}");
    }
}
