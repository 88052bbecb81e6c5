//! The page's own style and scripts, and the policy that lets nothing else run.
//!
//! They are small files of plain CSS and JavaScript, joined and written into the page. It knows
//! no run. What a newcomer gets wrong: the policy names the hash of what stands between the tags,
//! to the byte – whoever writes another script into the page finds it refused.

use base64::Engine;
use sha2::Digest;

/// The style.
pub(super) const STYLE: &str = concat!(
    include_str!("assets/colours.css"),
    include_str!("assets/page.css"),
    include_str!("assets/figure.css"),
    include_str!("assets/print.css"),
);

/// The scripts, in one function of their own.
pub(super) const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/data.js"),
    include_str!("assets/time.js"),
    include_str!("assets/draw.js"),
    include_str!("assets/run.js"),
    include_str!("assets/panel.js"),
    include_str!("assets/hover.js"),
    include_str!("assets/find.js"),
    include_str!("assets/keys.js"),
    include_str!("assets/main.js"),
    "})();\n",
);

/// A drawing as an image of its own: its style holds in it and nowhere else.
pub(super) fn image(svg: &str) -> String {
    format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(svg))
}

/// What the page may load and run: these two, drawings that it carries itself, and nothing from anywhere.
pub(super) fn policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_style_or_script_ends_its_tag_or_reaches_the_network() {
        for text in [STYLE, SCRIPT] {
            let lower = text.to_lowercase();
            for banned in ["</", "http:", "https:", "@import", "url(", "fetch(", "eval(", "<!--"] {
                // The name of a namespace is no address that is loaded.
                let rest = lower.replace("\"http://www.w3.org/2000/svg\"", "");
                assert!(!rest.contains(banned), "{banned}");
            }
        }
    }
}
