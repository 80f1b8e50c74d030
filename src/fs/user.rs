//! The current user, process and machine, and the names of users and groups.

/// Effective user id.
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Effective group id.
pub(super) fn effective_gid() -> u32 {
    rustix::process::getegid().as_raw()
}

/// Process id.
pub fn process_id() -> u32 {
    std::process::id()
}

/// Name of the user. If root runs `sudo`, the user who ran it. A user without a name has that of `$USER`, or its id.
pub fn user_name() -> String {
    let uid = effective_uid();
    sudo_user_name(uid).or_else(|| look_up_user(uid)).or_else(|| variable("USER")).unwrap_or_else(|| uid.to_string())
}

/// Name of the user who ran `sudo` to become root.
fn sudo_user_name(effective: u32) -> Option<String> {
    let uid = variable("SUDO_UID")?.parse().ok().filter(|uid| effective == 0 && *uid != 0)?;
    Some(look_up_user(uid).or_else(|| variable("SUDO_USER")).unwrap_or_else(|| uid.to_string()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

/// Name of a user, or its id.
pub fn name_of_user(uid: u32) -> String {
    look_up_user(uid).unwrap_or_else(|| uid.to_string())
}

/// Name of a group, or its id.
pub fn name_of_group(gid: u32) -> String {
    let group = uzers::get_group_by_gid(gid);
    group.map_or_else(|| gid.to_string(), |group| group.name().to_string_lossy().into_owned())
}

fn look_up_user(uid: u32) -> Option<String> {
    uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned())
}

/// Host name.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Identifies the time since the system was started. Zeros if the system does not report it.
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
    fn users_without_a_name_are_called_by_their_id() {
        assert_eq!((name_of_user(0).as_str(), name_of_group(0).as_str()), ("root", "root"));
        assert_eq!(
            (name_of_user(3_999_999_999), name_of_group(3_999_999_999)),
            ("3999999999".into(), "3999999999".into())
        );
        assert!(!user_name().is_empty() && !host_name().is_empty());
    }
}
