//! The list of faults fits the tree, so that it can be run at any time.

use std::{fs, path::Path};

use xtask::{
    faults::{Fault, LIST},
    rules::House,
};

#[test]
fn every_fault_still_fits_and_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    let house = House::read(root).expect("the repository can be read");
    let faults = Fault::list(&fs::read_to_string(root.join(LIST)).expect("a list")).expect("a list of faults");
    let paper = &house.file("docs/reliability.md").expect("the page").text;
    for fault in &faults {
        assert_eq!(fault.misfit(&house), None, "{}: mend its entry in {LIST}", fault.name);
        let test = fault.test.split("::").next().unwrap_or_default();
        let exists = house.rust().any(|file| file.text.contains(&format!(" {test}")));
        assert!(exists, "{}: there is no test {}", fault.name, fault.test);
        assert!(paper.contains(&fault.name), "docs/reliability.md does not name the fault {:?}", fault.name);
    }
    assert!(faults.len() >= 15, "fewer faults than were promised");
}
