//! What every program of the benchmarks is told.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;

/// `[--quick] [--json FILE] [REST…]`.
pub struct Options {
    /// Fewer rounds, fewer things.
    pub quick: bool,
    /// Where the results go; standard output if nowhere.
    pub json: Option<PathBuf>,
    /// What only this program knows.
    pub rest: Vec<String>,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// If `--json` has no file.
    pub fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { quick: false, json: None, rest: Vec::new() };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = Some(arguments.next().ok_or("--json needs a file")?.into()),
                _ => options.rest.push(argument),
            }
        }
        Ok(options)
    }

    /// Writes the results.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write(&self, results: &Value) -> Result<(), Box<dyn Error>> {
        match &self.json {
            Some(file) => fs::write(file, results.to_string())?,
            None => println!("{results:#}"),
        }
        Ok(())
    }
}
