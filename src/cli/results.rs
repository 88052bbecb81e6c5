//! The results of `test` for machines: JUnit XML, annotations and a summary for GitHub.
//!
//! It knows texts and no runs. Colours are taken out, for nobody here has a terminal. What a
//! newcomer gets wrong: GitHub shows ten annotations a step and drops the rest in silence, so
//! the tenth says how many there are.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::json;

use super::output::plain;

/// How one variant of a scenario came out.
#[derive(Default)]
pub(crate) struct TestResult {
    /// The scenario, as it is called in the corpus.
    pub(crate) story: String,
    /// The variant; none when the file itself is broken.
    pub(crate) variant: Option<String>,
    pub(crate) file: String,
    /// What is wrong with it; none when it passed.
    pub(crate) failure: Option<String>,
    /// Where the file is wrong, when it cannot be used.
    pub(crate) places: Vec<Place>,
    /// The line that shows it again.
    pub(crate) reproduce: String,
    /// How long it took on the wall; nothing, if nothing was run.
    pub(crate) took: Duration,
}

/// A place in a file, and what is wrong there.
pub(crate) struct Place {
    pub(crate) file: String,
    /// From 1, as is the column; 0: nowhere in particular.
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl TestResult {
    fn title(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}@{variant}", self.story),
            None => self.story.clone(),
        }
    }
}

/// So many annotations, and one that says how many more there are.
const ANNOTATIONS_MAX: usize = 9;
/// GitHub drops a summary of 1 MiB and more.
const SUMMARY_MAX: usize = 900_000;
/// No failure fills a summary alone.
const FAILURE_MAX: usize = 60_000;

/// One annotation a failure, or a problem of a file, for the files' own lines in a pull request.
pub(crate) fn annotations(results: &[TestResult]) -> String {
    let failed = results.iter().filter(|result| result.failure.is_some());
    let all: Vec<String> = failed.flat_map(annotations_of).collect();
    let mut text: String = all.iter().take(ANNOTATIONS_MAX).map(String::as_str).collect();
    if all.len() > ANNOTATIONS_MAX {
        let more = all.len() - ANNOTATIONS_MAX;
        let _ = writeln!(text, "::error title=schedsim test::and {more} more; the step's summary has all");
    }
    text
}

fn annotations_of(result: &TestResult) -> Vec<String> {
    let title = property(&result.title());
    let one = |file: &str, place: &str, message: &str| {
        let message = escaped(&format!("{}\nreproduce: {}", cut(message.trim(), 4000), result.reproduce));
        format!("::error file={},{place},title={title}::{message}\n", property(file))
    };
    if result.places.is_empty() {
        let failure = result.failure.as_deref().map(plain).unwrap_or_default();
        return vec![one(&result.file, "line=1", &failure)];
    }
    let placed = result.places.iter().map(|Place { file, line, column, message }| match line {
        0 => one(file, "line=1", message),
        _ => one(file, &format!("line={line},col={column}"), message),
    });
    placed.collect()
}

/// As a workflow command takes it.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As a property of a workflow command takes it.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary of a step, in Markdown.
pub(crate) fn summary(results: &[TestResult]) -> String {
    let failed: Vec<&TestResult> = results.iter().filter(|result| result.failure.is_some()).collect();
    let passed = results.len() - failed.len();
    let mut text = format!("## schedsim test\n\n{passed} passed, {} failed\n", failed.len());
    for (place, result) in failed.iter().enumerate() {
        let failure = plain(result.failure.as_deref().unwrap_or_default());
        let failure = cut(failure.trim_end(), FAILURE_MAX);
        let fence = fence(failure);
        let part = format!(
            "\n<details><summary>{}</summary>\n\n{fence}diff\n{failure}\n{fence}\n\n    {}\n\n</details>\n",
            markup(&result.title()),
            result.reproduce
        );
        if text.len() + part.len() > SUMMARY_MAX {
            let _ = write!(text, "\nand {} more\n", failed.len() - place);
            break;
        }
        text.push_str(&part);
    }
    text
}

/// A fence that the text does not end.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max();
    "`".repeat(longest.unwrap_or(0).max(2) + 1)
}

fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many bytes of a text.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// All results as one line of JSON.
pub(crate) fn object(results: &[TestResult]) -> String {
    let one = |result: &TestResult| {
        json!({
            "story": result.story, "variant": result.variant, "file": result.file, "passed": result.failure.is_none(),
            "failure": result.failure.as_deref().map(plain), "reproduce": result.reproduce,
            "seconds": seconds(result.took).parse::<f64>().expect("it is a number"),
        })
    };
    let failed = results.iter().filter(|result| result.failure.is_some()).count();
    let all: Vec<_> = results.iter().map(one).collect();
    let object = json!({ "schema": 1, "passed": results.len() - failed, "failed": failed, "results": all });
    format!("{object}\n")
}

/// All results as JUnit XML.
pub(crate) fn junit(results: &[TestResult], out: &mut impl Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    let count = |is: &dyn Fn(&&TestResult) -> bool| results.iter().filter(is).count().to_string();
    let tests = results.len().to_string();
    let failures = count(&|result| result.failure.is_some() && result.variant.is_some());
    let errors = count(&|result| result.failure.is_some() && result.variant.is_none());
    let time = seconds(results.iter().map(|result| result.took).sum());
    let counts = [
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
        ("time", time.as_str()),
    ];
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites").with_attribute(("name", "schedsim")).with_attributes(counts).write_inner_content(
        |xml| {
            let suite = xml.create_element("testsuite").with_attribute(("name", "scenarios")).with_attributes(counts);
            suite.write_inner_content(|xml| results.iter().try_for_each(|result| case(xml, result)))?;
            Ok(())
        },
    )?;
    Ok(())
}

fn case<W: Write>(xml: &mut Writer<W>, result: &TestResult) -> io::Result<()> {
    let name = visible(result.variant.as_deref().unwrap_or("(file)"));
    let (class, file, time) = (visible(&result.story), visible(&result.file), seconds(result.took));
    let element = xml.create_element("testcase").with_attributes([
        ("classname", class.as_str()),
        ("name", name.as_str()),
        ("file", file.as_str()),
        ("time", time.as_str()),
    ]);
    let Some(failure) = &result.failure else {
        element.write_empty()?;
        return Ok(());
    };
    let text = visible(&format!("{}\nreproduce: {}", plain(failure).trim_end(), result.reproduce));
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned();
    let tag = if result.variant.is_some() { "failure" } else { "error" };
    element.write_inner_content(|xml| {
        xml.create_element(tag)
            .with_attribute(("message", first.as_str()))
            .write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// Without the control characters that no XML may hold.
fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(n: usize, failure: Option<&str>) -> TestResult {
        TestResult {
            story: format!("m/story-{n}"),
            variant: Some("before".to_owned()),
            file: format!("scenarios/m/story-{n}.toml"),
            failure: failure.map(str::to_owned),
            places: Vec::new(),
            reproduce: format!("schedsim run story-{n}.toml"),
            took: Duration::from_millis(1500),
        }
    }

    #[test]
    fn at_most_nine_failures_are_annotated_and_a_tenth_line_counts_the_rest() {
        for (failed, lines) in [(0, 0), (9, 9), (10, 10), (40, 10)] {
            let results: Vec<_> = (0..failed).map(|n| result(n, Some("no"))).chain([result(99, None)]).collect();
            let text = annotations(&results);
            assert_eq!(text.lines().count(), lines, "{failed}: {text}");
            assert_eq!(text.contains("and 31 more"), failed == 40);
        }
    }

    #[test]
    fn each_problem_of_a_file_is_annotated_where_it_stands() {
        let mut broken = result(1, Some("two problems"));
        let place = |line, message: &str| Place { file: "a.toml".into(), line, column: 7, message: message.into() };
        broken.places = vec![place(3, "no duration"), place(0, "no file")];
        let text = annotations(&[broken]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].starts_with("::error file=a.toml,line=3,col=7,title=m/story-1@before::no duration%0A"),
            "{text}"
        );
        assert!(lines[1].starts_with("::error file=a.toml,line=1,title=m/story-1@before::no file%0A"), "{text}");
    }

    #[test]
    fn an_annotation_is_one_line_whatever_the_failure_holds() {
        let mut bad = result(1, Some("\u{1b}[31m50%\u{1b}[0m\r\nof it: gone, all"));
        bad.file = "a,b:c.toml".to_owned();
        let text = annotations(&[bad]);
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac.toml,line=1,title=m/story-1@before::50%25%0D%0Aof it: gone, all%0A\
             reproduce: schedsim run story-1.toml\n"
        );
    }

    #[test]
    fn a_summary_stays_below_what_github_takes() {
        let long = "x```\n".repeat(30_000);
        let results: Vec<_> = (0..40).map(|n| result(n, Some(&long))).collect();
        let text = summary(&results);
        assert!(text.len() < SUMMARY_MAX + 100, "{}", text.len());
        assert!(text.contains("0 passed, 40 failed") && text.contains("more\n"));
        assert!(text.contains("````diff"), "a fence that the text does not end");
        assert!(summary(&[result(1, None)]).contains("1 passed, 0 failed"));
    }

    #[test]
    fn junit_is_xml_whatever_a_failure_holds() {
        let mut broken = result(2, Some("a < b && \"c\" ]]> \u{0}\u{1b}[1mbold\u{1b}[0m"));
        broken.variant = None;
        let results = [result(1, None), result(2, Some("[expect] verdict <is> off")), broken];
        let mut bytes = Vec::new();
        junit(&results, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut cases = 0;
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => cases += 1,
                _ => {}
            }
        }
        assert_eq!(cases, 3);
        assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"1\""), "{text}");
        assert!(!text.contains('\u{0}') && !text.contains('\u{1b}'));
    }
}
