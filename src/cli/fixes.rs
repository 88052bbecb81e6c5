//! `schedsim fixes`: the named fixes of the scheduler's history.

use crate::controllers::fixes::{Day, Fix};
use clap::Args;
use serde_json::json;

use super::args::Format;
use super::output::{Out, painted, style};
use super::{Exit, Refusal};

/// Lists the known fixes: name, day, what each changes
#[derive(Args)]
pub(crate) struct FixesArgs {
    /// For whom the list is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn fixes(args: &FixesArgs, out: &mut Out) -> Result<Exit, Refusal> {
    out.text(&match args.format {
        Format::Text => table(),
        Format::Json => object(),
    });
    Ok(Exit::Fine)
}

fn table() -> String {
    let row = |fix: &str, day: &str, source: &str, what: &str| format!("{fix:35}{day:12}{source:14}{what}\n");
    let mut text = painted(style::HEAD, row("fix", "day", "source", "what it changes").trim_end()) + "\n";
    for fix in Fix::ALL {
        let info = fix.info();
        text.push_str(&row(info.name, &info.day.to_string(), info.source, info.what));
    }
    text
}

fn object() -> String {
    let fixes: Vec<_> = Fix::ALL
        .iter()
        .map(|fix| {
            let info = fix.info();
            let day = (info.day != Day::PROPOSED).then(|| info.day.to_string());
            json!({ "name": info.name, "day": day, "source": info.source, "what": info.what })
        })
        .collect();
    let object = json!({ "schema": 1, "fixes": fixes });
    serde_json::to_string_pretty(&object).expect("a value of JSON can be written") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fix_has_a_row_and_no_column_overflows() {
        let table = table();
        assert_eq!(table.lines().count(), Fix::ALL.len() + 1);
        for fix in Fix::ALL {
            let info = fix.info();
            let line = table.lines().find(|line| line.starts_with(&format!("{} ", info.name))).unwrap();
            assert_eq!(&line[61..], info.what, "{line}");
        }
    }
}
