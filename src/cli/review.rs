//! `schedsim review PATH…`: what moved, one story after another; its reader says what becomes of it.
//!
//! The runs, the comparison and the files are those of `test`. Answers are lines of standard input, a terminal's
//! or a script's; where they end, nothing more is accepted.

use std::io::BufRead;

use clap::Args;

use super::args::Look;
use super::output::{Out, painted, style};
use super::test::{self, TestArgs};
use super::{Exit, Refusal};

/// Shows each text that moved and asks: accept, reject or skip
#[derive(Args)]
pub(crate) struct ReviewArgs {
    /// Scenario files, and folders with scenarios below
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Only runs in whose name, like `mir-788/lease-carousel@before`, this text is
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only the variant of that name of each scenario
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
}

pub(crate) fn review(args: &ReviewArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let asked = TestArgs::for_review(args.paths.clone(), args.filter.clone(), args.variant.clone());
    test::test(&asked, look, out)
}

/// What is to become of a text that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It and its fingerprint are written.
    Accept,
    /// What is pending beside it goes.
    Reject,
    /// It stays pending.
    Skip,
}

/// What was answered so far.
#[derive(Debug, Default)]
pub(super) struct Review {
    accepted: u64,
    rejected: u64,
    skipped: u64,
    /// The answer to all that follows.
    rest: Option<Answer>,
}

impl Review {
    /// Shows what moved, and asks until the answer is one.
    pub(super) fn ask(&mut self, moved: &str, out: &mut Out) -> Answer {
        out.text(moved);
        let answer = self.rest.unwrap_or_else(|| self.answered(out));
        match answer {
            Answer::Accept => self.accepted += 1,
            Answer::Reject => self.rejected += 1,
            Answer::Skip => self.skipped += 1,
        }
        answer
    }

    fn answered(&mut self, out: &mut Out) -> Answer {
        let mut line = String::new();
        loop {
            let choice = "a accept, r reject, s skip, A accept all, q quit";
            out.text(&format!("{} ", painted(style::HEAD, format!("{choice} >"))));
            line.clear();
            let ended = std::io::stdin().lock().read_line(&mut line).map_or(true, |read| read == 0);
            let answer = match line.trim() {
                "a" | "accept" => Answer::Accept,
                "r" | "reject" => Answer::Reject,
                "s" | "skip" => Answer::Skip,
                "A" => *self.rest.insert(Answer::Accept),
                "q" | "quit" => *self.rest.insert(Answer::Skip),
                _ if ended => *self.rest.insert(Answer::Skip),
                _ => continue,
            };
            out.line("");
            return answer;
        }
    }

    /// The counts, in words.
    pub(super) fn told(&self) -> String {
        match (self.accepted, self.rejected, self.skipped) {
            (0, 0, 0) => "nothing has moved".to_owned(),
            (a, r, s) => format!("{a} accepted, {r} rejected, {s} skipped"),
        }
    }
}
