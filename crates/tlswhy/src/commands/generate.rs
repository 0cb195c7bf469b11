//! `tlswhy generate`: man pages and shell completions, made from the definition of the command line.

use std::fs;
use std::path::Path;

use clap::CommandFactory;

use crate::cli::{Cli, Generate, Generated};
use crate::exit::{Failure, Status};
use crate::output::{Output, write_file};

/// Writes what is asked for.
pub(crate) fn run(arguments: &Generate) -> Result<Status, Failure> {
    match &arguments.what {
        Generated::Man { directory } => man(directory)?,
        Generated::Completions { shell } => {
            let mut output = Output::open(None)?;
            output.write(|mut out| {
                clap_complete::generate(*shell, &mut Cli::command(), "tlswhy", &mut out);
                Ok(())
            })?;
            output.finish()?;
        }
    }
    Ok(Status::Fine)
}

fn man(directory: &Path) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::new(format!("cannot make {}: {error}", directory.display())))?;
    let mut command = Cli::command();
    command.build();
    let visible: Vec<_> = command.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    for page in visible
        .into_iter()
        .map(|page| {
            let name = format!("tlswhy-{}", page.get_name());
            page.name(name)
        })
        .chain([command])
    {
        let path = directory.join(format!("{}.1", page.get_name()));
        write_file(&path, |out| clap_mangen::Man::new(page).render(out))?;
    }
    Ok(())
}
