//! The filter at work: a process of its own gives everything up and then makes one system call.

use std::{
    arch::asm,
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitStatus, Stdio},
};

use super::confine;

/// Tells the process of its own which call to make: a number and its first four arguments.
const CALL: &str = "TIDINGS_TEST_SYSTEM_CALL";
const TEST: &str = "confine::tests::a_call_that_is_not_needed_ends_the_process";
/// The signal of whoever made a call that the filter does not know.
const SIGSYS: i32 = 31;
/// Numbers that kernels know, and some beyond.
const NUMBERS: std::ops::Range<u64> = 0..480;
/// The same calls once more, under the numbers of the interface for 32-bit pointers.
const X32: u64 = 0x4000_0000;
/// Calls that may always be made, written down once more: munmap, brk, rt_sigprocmask, rt_sigreturn, sched_yield,
/// mremap, madvise, getpid, exit, gettimeofday, sigaltstack, futex, restart_syscall, clock_gettime, exit_group,
/// getrandom.
const ALWAYS: [u64; 16] = [11, 12, 14, 15, 24, 25, 28, 39, 60, 96, 131, 202, 219, 228, 231, 318];
/// Calls that depend on what they are given: read, write, mmap, mprotect, prctl.
const BY_ARGUMENT: [u64; 5] = [0, 1, 9, 10, 157];
/// uretprobe and uprobe: newer kernels put no filter before them, and do nothing for whoever makes them by hand.
const UNFILTERED: [u64; 2] = [335, 336];
/// A call that asks for nothing but is not on the list: the id of the process's parent.
const HARMLESS: u64 = 110;

#[expect(unsafe_code, reason = "the calls are made as a machine code of a script's making would make them")]
fn system_call(number: u64, arguments: [u64; 4]) -> u64 {
    let result;
    // SAFETY: the only calls that come back are those that the filter lets pass, with arguments that are no addresses
    // of anything.
    unsafe {
        asm!(
            "syscall", inlateout("rax") number => result,
            in("rdi") arguments[0], in("rsi") arguments[1], in("rdx") arguments[2], in("r10") arguments[3],
            in("r8") u64::MAX, in("r9") 0_u64,
            lateout("rcx") _, lateout("r11") _, options(nostack),
        );
    }
    result
}

/// How a process ends that has given up everything and makes this call.
fn end_of(number: u64, arguments: [u64; 4]) -> ExitStatus {
    let [first, second, third, fourth] = arguments;
    let own = std::env::current_exe().expect("a test knows its own file");
    Command::new(own)
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(CALL, format!("{number} {first} {second} {third} {fourth}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it can be started")
}

/// In the process of its own; does not come back.
fn make_call(text: &str) -> ! {
    let numbers: Vec<u64> = text.split(' ').map(|word| word.parse().expect("a number")).collect();
    confine().expect("everything can be given up");
    system_call(numbers[0], [numbers[1], numbers[2], numbers[3], numbers[4]]);
    // The end of all threads, and nothing else on the way there.
    system_call(231, [0; 4]);
    unreachable!("the process has ended");
}

#[test]
fn a_call_that_is_not_needed_ends_the_process() {
    if let Ok(text) = std::env::var(CALL) {
        make_call(&text);
    }
    let is_ended = |number, arguments| end_of(number, arguments).signal() == Some(SIGSYS);
    // Nothing else is tried where there is no filter: some of it would change the machine.
    assert!(is_ended(HARMLESS, [0; 4]), "{:?}: there is no filter", end_of(HARMLESS, [0; 4]));
    let let_through = [&ALWAYS[..], &BY_ARGUMENT, &UNFILTERED].concat();
    let others = NUMBERS.filter(|number| !let_through.contains(number));
    let survived: Vec<_> = others.filter(|&number| !is_ended(number, [0; 4])).collect();
    assert!(survived.is_empty(), "these calls are let through: {survived:?}");
    let (open, socket, execve) = (2, 41, 59);
    for number in [open, socket, execve] {
        assert!(is_ended(X32 + number, [0; 4]), "{number} is let through by its other number");
    }
    // The id of the process is nobody's secret; what asks for it lives.
    assert_eq!(end_of(39, [0; 4]).code(), Some(0), "what is needed is let through");
}

#[test]
fn calls_are_let_through_with_harmless_arguments_only() {
    let (read, write, map, protect) = (0, 1, 9, 10);
    let (readable, executable, private, anonymous) = (1, 4, 2, 0x20);
    for (what, number, arguments) in [
        ("reading another descriptor", read, [3, 0, 0, 0]),
        ("reading from where answers go", read, [1, 0, 0, 0]),
        ("writing to another descriptor", write, [3, 0, 0, 0]),
        ("writing to standard error", write, [2, 0, 0, 0]),
        ("mapping code", map, [0, 4096, readable | executable, private | anonymous]),
        ("mapping a file", map, [0, 4096, readable, private]),
        ("letting itself be looked into", 157, [4, 1, 0, 0]),
        ("giving up what it has given up", 157, [22, 0, 0, 0]),
        ("making data to code", protect, [0, 0, readable | executable, 0]),
    ] {
        assert_eq!(end_of(number, arguments).signal(), Some(SIGSYS), "{what} is let through");
    }
    for (what, number, arguments) in [
        ("reading what the server says", read, [0, 0, 0, 0]),
        ("writing to the server", write, [1, 0, 0, 0]),
        ("memory", map, [0, 4096, readable, private | anonymous]),
        ("making data readable", protect, [0, 0, readable, 0]),
    ] {
        assert_eq!(end_of(number, arguments).code(), Some(0), "{what} is needed");
    }
}
