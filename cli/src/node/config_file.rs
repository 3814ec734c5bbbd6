//! The configuration file: the same options as the flags, in TOML.
//!
//! The file is read as if its lines were flags in front of the others, so that one parser checks both,
//! and it is printed from the flags' own descriptions, so that it cannot lie.

use std::{ffi::OsString, fs, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use toml::{Table, Value};

use crate::exit::{Failure, Outcome};

/// Flags that are no settings.
const NOT_IN_THE_FILE: [&str; 5] = ["config", "print_config", "check", "help", "stop_with_stdin"];

/// The flags that the file at `path` stands for, less those that `matches` already has from the command
/// line or the environment.
pub(crate) fn flags(
    path: &Path,
    command: &Command,
    matches: &ArgMatches,
) -> Outcome<Vec<OsString>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("The configuration file {shown} cannot be read: {error}."))
    })?;
    let table: Table = text.parse().map_err(|error| {
        Failure::usage(format!("The configuration file {shown} is not TOML.\n{error}"))
    })?;
    let mut flags = Vec::new();
    for (name, value) in &table {
        let setting = settings(command).find(|setting| setting.get_long() == Some(name));
        let Some(setting) = setting else {
            return Err(Failure::usage(format!(
                "The configuration file {shown} has a line {name:?}, which is no option. \
                 `archipel node --print-config` shows all there are."
            )));
        };
        let source = matches.value_source(setting.get_id().as_str());
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        push(&mut flags, setting, name, value).map_err(|what| {
            Failure::usage(format!("In the configuration file {shown}, {name:?} must be {what}."))
        })?;
    }
    Ok(flags)
}

fn push(
    flags: &mut Vec<OsString>,
    setting: &Arg,
    name: &str,
    value: &Value,
) -> Result<(), &'static str> {
    if matches!(setting.get_action(), ArgAction::SetTrue) {
        let is_set = value.as_bool().ok_or("true or false")?;
        if is_set {
            flags.push(format!("--{name}").into());
        }
        return Ok(());
    }
    let texts = match value {
        Value::Array(values) => values.iter().map(text).collect::<Option<Vec<String>>>(),
        value => text(value).map(|text| vec![text]),
    };
    let texts = texts.ok_or("a text, a number or a list of texts")?;
    flags.extend(texts.iter().map(|text| OsString::from(format!("--{name}={text}"))));
    Ok(())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The configuration in force as a commented file that loads back.
pub(crate) fn print(command: &Command, matches: &ArgMatches) -> String {
    let mut page = String::from(
        "# The configuration of one node: archipel node --config FILE\n\
         # Each line is an option of `archipel node`; the command line and the environment win over it.\n",
    );
    let mut heading = None;
    for setting in settings(command) {
        if setting.get_help_heading() != heading {
            heading = setting.get_help_heading();
            page.push_str(&format!("\n# ---- {} ----\n", heading.unwrap_or("Options")));
        }
        page.push('\n');
        page.push_str(&comment(setting));
        page.push_str(&line(setting, matches));
    }
    page
}

fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|it| !NOT_IN_THE_FILE.contains(&it.get_id().as_str()))
}

fn comment(setting: &Arg) -> String {
    let help = setting.get_long_help().or_else(|| setting.get_help());
    let mut comment = String::new();
    for line in wrapped(&help.map(ToString::to_string).unwrap_or_default()) {
        comment.push_str(&format!("# {line}\n"));
    }
    let values = setting.get_possible_values();
    if !values.is_empty() && !matches!(setting.get_action(), ArgAction::SetTrue) {
        let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
        comment.push_str(&format!("# One of: {}.\n", names.join(", ")));
    }
    if let Some(variable) = setting.get_env() {
        comment.push_str(&format!("# Environment: {}.\n", variable.to_string_lossy()));
    }
    comment
}

/// `text` in lines of about 90 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        if last.len() + word.len() > 90 {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn line(setting: &Arg, matches: &ArgMatches) -> String {
    let name = setting.get_long().expect("every setting has a long flag");
    let id = setting.get_id().as_str();
    if matches!(setting.get_action(), ArgAction::SetTrue) {
        return format!("{name} = {}\n", matches.get_flag(id));
    }
    let raw: Vec<String> = matches
        .get_raw(id)
        .into_iter()
        .flatten()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let is_list = matches!(setting.get_action(), ArgAction::Append);
    match raw.as_slice() {
        [] => format!("# {name} = {}\n", if is_list { "[]" } else { "..." }),
        [value] if !is_list => match value.parse::<i64>() {
            Ok(number) => format!("{name} = {number}\n"),
            Err(_) => format!("{name} = {}\n", Value::from(value.as_str())),
        },
        values => format!("{name} = {}\n", Value::from(values.to_vec())),
    }
}
