//! The one line that makes a run again.
//!
//! Every failure ends with it. It knows words, not runs. What a newcomer gets wrong: the line
//! names variant and seed even where the file would give the same, for files change.

use super::args::shell_line;

/// The command that makes one run again.
pub(crate) fn run(file: &str, variant: &str, seed: u64, words: &[String]) -> String {
    command("run", file, variant, seed, words)
}

/// The command that does something else with the same run.
pub(crate) fn command(name: &str, file: &str, variant: &str, seed: u64, words: &[String]) -> String {
    let (variant, seed) = (variant.to_owned(), seed.to_string());
    let mut all = vec!["schedsim".to_owned(), name.to_owned(), operand(file)];
    all.extend(["--variant".to_owned(), variant, "--seed".to_owned(), seed]);
    all.extend(words.iter().cloned());
    shell_line(all)
}

/// A file as a word of the command line, also when its name begins like an option.
pub(crate) fn operand(file: &str) -> String {
    if file.starts_with('-') && file != "-" { format!("./{file}") } else { file.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_reproduces_a_run_says_all_that_matters() {
        let words = ["--with".to_owned(), "x".to_owned()];
        assert_eq!(run("a b.toml", "main", 7, &words), "schedsim run 'a b.toml' --variant main --seed 7 --with x");
        assert_eq!(run("-x.toml", "main", 0, &[]), "schedsim run ./-x.toml --variant main --seed 0");
        assert_eq!(run("-", "main", 0, &[]), "schedsim run - --variant main --seed 0");
    }
}
