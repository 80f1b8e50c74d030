//! Who runs the program, and where.

use std::os::unix::ffi::OsStrExt;

/// The number of the user whose rights count.
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Effective group id.
pub(super) fn effective_gid() -> u32 {
    rustix::process::getegid().as_raw()
}

/// The number of this process.
pub fn process_id() -> u32 {
    std::process::id()
}

/// Name of the user: of the one who ran `sudo`, if the process is root for that reason; else from `/etc/passwd`,
/// `$USER`, or the user id.
pub fn user_name() -> String {
    let uid = effective_uid();
    if let Some(name) = name_before_sudo(uid) {
        return name;
    }
    let named = || std::env::var_os("USER").filter(|name| !name.is_empty());
    listed_name(uid)
        .or_else(|| named().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()))
        .unwrap_or_else(|| uid.to_string())
}

/// The name of any user: from `/etc/passwd`, else the number.
pub fn name_of_user(uid: u32) -> String {
    listed_name(uid).unwrap_or_else(|| uid.to_string())
}

/// Name of a group from `/etc/group`, else its id.
pub fn name_of_group(gid: u32) -> String {
    let groups = std::fs::read("/etc/group").ok();
    groups.and_then(|groups| name_in(&groups, gid)).unwrap_or_else(|| gid.to_string())
}

/// The user who ran `sudo` (`$SUDO_UID`, `$SUDO_USER`), if it was another user and the process is root.
fn name_before_sudo(effective: u32) -> Option<String> {
    let uid = std::env::var("SUDO_UID").ok()?.parse().ok().filter(|&uid: &u32| uid != 0)?;
    let name = || std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    (effective == 0).then(|| listed_name(uid).or_else(name).unwrap_or_else(|| uid.to_string()))
}

fn listed_name(uid: u32) -> Option<String> {
    std::fs::read("/etc/passwd").ok().and_then(|passwd| name_in(&passwd, uid))
}

/// Looks up the name of an id in a user or group database (passwd(5), group(5)).
fn name_in(passwd: &[u8], uid: u32) -> Option<String> {
    passwd.split(|&b| b == b'\n').find_map(|line| {
        let mut fields = line.split(|&b| b == b':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number: u32 = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
        (number == uid).then(|| String::from_utf8_lossy(name).into_owned())
    })
}

/// The name of the machine.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A number of its own for the time since the system was started; zeros where there is none.
pub fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}

/// Whether a process with this id exists.
pub fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Process namespace in which process ids are valid; `None` if the system does not report it.
pub fn process_namespace() -> Option<String> {
    let link = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_among_broken_lines() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n# note\n:x:7::\nada:x:1001:1001::/home/ada:/bin/sh\nbob:x:no\n";
        assert_eq!(name_in(passwd, 1001).as_deref(), Some("ada"));
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert_eq!(name_in(passwd, 7), None);
        assert!(!user_name().is_empty() && !host_name().is_empty());
    }
}
