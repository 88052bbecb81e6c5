//! The `schedsim` command: everything of it is in [`schedsim::cli`], one file a command.

fn main() -> std::process::ExitCode {
    schedsim::cli::main()
}
