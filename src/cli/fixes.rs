//! `schedsim fixes`: the named fixes of the scheduler's history.

use crate::controllers::fixes::{Day, Fix};
use crate::controllers::rule_book;
use clap::Args;
use serde_json::json;

use super::args::Format;
use super::output::{Out, fit_for_eyes, painted, style};
use super::{Exit, Refusal, json};

/// Lists the known fixes: name, day, what each changes
#[derive(Args)]
pub(crate) struct FixesArgs {
    /// For whom the list is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also the rules of docs/rules.md that each belongs to
    #[arg(long)]
    rules: bool,
}

pub(crate) fn fixes(args: &FixesArgs, out: &mut Out) -> Result<Exit, Refusal> {
    out.text(&match args.format {
        Format::Text => fit_for_eyes(table(args.rules)),
        Format::Json => object(),
    });
    Ok(Exit::Fine)
}

fn table(with_rules: bool) -> String {
    let rules = |fix: Fix| rule_book::numbers_of(fix).join(" ");
    let width = Fix::ALL.iter().map(|fix| rules(*fix).len()).max().unwrap_or(0).max("rules".len()) + 2;
    let row = |fix: &str, day: &str, source: &str, rules: &str, what: &str| {
        let rules = if with_rules { format!("{rules:width$}") } else { String::new() };
        format!("{fix:35}{day:12}{source:19}{rules}{what}\n")
    };
    let head = row("fix", "day", "source", "rules", "what it changes");
    let mut text = painted(style::HEAD, head.trim_end()) + "\n";
    for fix in Fix::ALL {
        let info = fix.info();
        text.push_str(&row(info.name, &info.day.to_string(), info.source, &rules(*fix), info.what));
    }
    text
}

fn object() -> String {
    let fixes: Vec<_> = Fix::ALL
        .iter()
        .map(|fix| {
            let info = fix.info();
            let day = (info.day != Day::PROPOSED).then(|| info.day.to_string());
            let rules = rule_book::numbers_of(*fix);
            json!({ "name": info.name, "day": day, "source": info.source, "rules": rules, "what": info.what })
        })
        .collect();
    json::pretty(&json!({ "schema": 1, "fixes": fixes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fix_has_a_row_and_no_column_overflows() {
        let table = table(false);
        assert_eq!(table.lines().count(), Fix::ALL.len() + 1);
        for fix in Fix::ALL {
            let info = fix.info();
            let line = table.lines().find(|line| line.starts_with(&format!("{} ", info.name))).unwrap();
            assert_eq!(&line[66..], info.what, "{line}");
        }
    }

    #[test]
    fn rules_stand_in_a_column_of_their_own() {
        let table = table(true);
        let column = 66;
        for (fix, line) in Fix::ALL.iter().zip(table.lines().skip(1)) {
            let rest = line[column..].strip_suffix(fix.info().what).expect("what it changes comes last");
            assert!(rest.ends_with("  ") || rest.trim().is_empty(), "{line}");
            assert_eq!(rest.split_whitespace().collect::<Vec<_>>(), rule_book::numbers_of(*fix));
        }
    }
}
