//! Giving up everything that a script does not need. What is given up here cannot be had back.

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Address space of a runner besides what it has at the start, in bytes: the backstop behind the engine's own
/// limit.
const ADDRESS_SPACE_BYTES: u64 = 512 * 1024 * 1024;
/// How much less than the server's own work a script counts.
const NICE: i32 = 15;

/// Lets the server go first, from the first moment on: starting takes longer than many a script.
pub(crate) fn step_back() -> io::Result<()> {
    rustix::process::nice(NICE).map(drop).map_err(io::Error::from)
}

/// Gives up files, sockets, processes and memory.
pub(crate) fn confine() -> io::Result<()> {
    // Both look into /proc, which a process that may not be looked into no longer can.
    close_inherited()?;
    let space = Some(address_space()?.saturating_add(ADDRESS_SPACE_BYTES));
    // Dies with the server, even in the middle of an endless script.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none)?;
    rustix::process::setrlimit(Resource::Fsize, none)?;
    rustix::process::setrlimit(Resource::Nproc, none)?;
    rustix::process::setrlimit(Resource::Nofile, none)?;
    rustix::process::setrlimit(Resource::As, Rlimit { current: space, maximum: space })?;
    let filter: BpfProgram = filter().map_err(io::Error::other)?;
    seccompiler::apply_filter(&filter).map_err(io::Error::other)
}

/// Whatever else was open in the server, or in whatever started it, is not for scripts.
fn close_inherited() -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let descriptor = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        inherited.extend(descriptor.filter(|&descriptor: &i32| descriptor > 2));
    }
    for descriptor in inherited {
        // The one by which the directory was read is closed already.
        if std::fs::symlink_metadata(format!("/proc/self/fd/{descriptor}")).is_err() {
            continue;
        }
        #[expect(unsafe_code, reason = "what was handed down is owned by nothing in this process")]
        // SAFETY: there is one thread, and it holds no descriptor but the three standard ones.
        unsafe {
            rustix::io::close(descriptor);
        }
    }
    Ok(())
}

/// What it has at the moment, in bytes.
fn address_space() -> io::Result<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
    Ok(pages * rustix::param::page_size() as u64)
}

/// System calls of a program that computes: memory, time, and its two pipes. Everything else ends it.
fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => TargetArch::x86_64,
        "aarch64" => TargetArch::aarch64,
        _ => return Err(seccompiler::BackendError::InvalidTargetArch(std::env::consts::ARCH.to_owned())),
    };
    let number = i64::from;
    let is = |argument, value| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let without =
        |argument, mask| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), 0);
    let with =
        |argument, mask| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), mask);
    let rule = SeccompRule::new;
    let (executable, anonymous) = (u64::from(libc_const::PROT_EXEC), u64::from(libc_const::MAP_ANONYMOUS));
    let mut rules = vec![
        (number(libc_const::SYS_READ), vec![rule(vec![is(0, 0)?])?]),
        (number(libc_const::SYS_WRITE), vec![rule(vec![is(0, 1)?])?]),
        (number(libc_const::SYS_MMAP), vec![rule(vec![without(2, executable)?, with(3, anonymous)?])?]),
        (number(libc_const::SYS_MPROTECT), vec![rule(vec![without(2, executable)?])?]),
        // The allocator gives what it maps a name, and asks for nothing else here.
        (number(libc_const::SYS_PRCTL), vec![rule(vec![is(0, u64::from(libc_const::PR_SET_VMA))?])?]),
    ];
    rules.extend(libc_const::ALWAYS.iter().map(|&call| (number(call), Vec::new())));
    let filter =
        SeccompFilter::new(rules.into_iter().collect(), SeccompAction::KillProcess, SeccompAction::Allow, arch)?;
    filter.try_into()
}

/// Numbers of the kernel's interface.
mod libc_const {
    pub(super) const PROT_EXEC: u32 = 4;
    pub(super) const MAP_ANONYMOUS: u32 = 0x20;
    pub(super) const PR_SET_VMA: u32 = 0x5356_4d41;

    #[cfg(target_arch = "x86_64")]
    mod numbers {
        pub(in super::super) const SYS_READ: i32 = 0;
        pub(in super::super) const SYS_WRITE: i32 = 1;
        pub(in super::super) const SYS_MMAP: i32 = 9;
        pub(in super::super) const SYS_MPROTECT: i32 = 10;
        pub(in super::super) const SYS_PRCTL: i32 = 157;
        /// munmap, brk, rt_sigprocmask, rt_sigreturn, sched_yield, mremap, madvise, getpid, exit, gettimeofday,
        /// sigaltstack, futex, restart_syscall, clock_gettime, exit_group, getrandom
        pub(in super::super) const ALWAYS: [i32; 16] =
            [11, 12, 14, 15, 24, 25, 28, 39, 60, 96, 131, 202, 219, 228, 231, 318];
    }
    #[cfg(target_arch = "aarch64")]
    mod numbers {
        pub(in super::super) const SYS_READ: i32 = 63;
        pub(in super::super) const SYS_WRITE: i32 = 64;
        pub(in super::super) const SYS_MMAP: i32 = 222;
        pub(in super::super) const SYS_MPROTECT: i32 = 226;
        pub(in super::super) const SYS_PRCTL: i32 = 167;
        /// The same calls as on x86_64.
        pub(in super::super) const ALWAYS: [i32; 16] =
            [215, 214, 135, 139, 124, 216, 233, 172, 93, 169, 132, 98, 128, 113, 94, 278];
    }
    pub(super) use numbers::{ALWAYS, SYS_MMAP, SYS_MPROTECT, SYS_PRCTL, SYS_READ, SYS_WRITE};
}
