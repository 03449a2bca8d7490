//! `cargo xtask faults`: every fault of the list, one after the other.

use std::fs;

use anyhow::{Context as _, ensure};
use xtask::{
    faults::{Fate, Fault, LIST, copy_tree, try_out},
    rules::House,
};

use crate::commands::{print, root};

/// Tries out the faults whose names hold these words, or all; false if any was not caught.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<bool> {
    let root = root()?;
    let text = fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let mut faults = Fault::list(&text)?;
    faults.retain(|fault| words.iter().all(|word| fault.name.contains(word)));
    ensure!(!faults.is_empty(), "no fault's name holds {words:?}");
    let house = House::read(&root)?;
    copy_tree(&root)?;
    let mut caught = 0;
    for fault in &faults {
        let fate = match fault.misfit(&house) {
            Some(why) => Fate::Unfit(why),
            None => try_out(&root, fault)?,
        };
        caught += usize::from(fate == Fate::Caught);
        let word = match &fate {
            Fate::Caught => "caught",
            Fate::Survived => "SURVIVED",
            Fate::Unfit(_) => "UNFIT",
        };
        print(&format!("{word:<9} {} — {} {}\n", fault.name, fault.package, fault.test))?;
        if let Fate::Unfit(why) = fate {
            print(&format!("          {why}\n"))?;
        }
    }
    print(&format!("\n{caught} of {} faults caught\n", faults.len()))?;
    Ok(caught == faults.len())
}
